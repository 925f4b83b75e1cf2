"""Incidents: one for a rule and a lineage at a time, stored so that a later row of the same id replaces it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid5

from llma_assets.alerts.judging import Decision, Standing
from llma_assets.alerts.rule import Rule
from llma_assets.clickhouse import Database
from llma_assets.clusters import withheld_lineages
from llma_assets.serialization import Bucket

NAMESPACE = UUID("4be0643f-1d98-573b-97cd-ca98a65347dd")
STILL_OPEN = date(1970, 1, 1)
A_DAY = 24
"""The hour of what is about a whole day."""

# Key of alert_incidents: (team_id, incident_id).
INCIDENTS = """
SELECT
    team_id, incident_id, rule_id, rule_version, theme_id, subject, opened_as, title, opened_day, opening_value,
    severity, closed_day, closed_because, linked, muted, opened_hour, closed_hour
FROM alert_incidents FINAL
WHERE team_id IN {team_ids:Array(Int64)}
ORDER BY opened_day DESC, opened_hour DESC, rule_id, subject
"""

# Key of alert_hour_decisions: (team_id, day, rule_id, theme_id, subject, hour).
HOUR_DECISIONS = """
SELECT day, hour, rule_id, theme_id, subject, rule_version, verdict, reason, title, numbers, muted
FROM alert_hour_decisions FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND ({subject:String} = '*' OR startsWith(subject, {subject:String}))
ORDER BY day, hour, rule_id, theme_id, subject
"""

# Key of alert_decisions: (team_id, day, rule_id, theme_id, subject).
DECISIONS = """
SELECT day, rule_id, theme_id, subject, rule_version, verdict, reason, title, numbers, muted
FROM alert_decisions FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND ({subject:String} = '*' OR startsWith(subject, {subject:String}))
ORDER BY day, rule_id, theme_id, subject
"""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that a rule told of, from its opening to its closing.

    Attributes:
        incident_id: follows from rule, its version, theme, lineage and opening day.
        rule_id, rule_version, theme_id: what decided.
        subject: the lineage that it is about now, "" for the theme.
        opened_as: the lineage that it was opened for; another one where that was merged.
        title: of the lineage.
        opened_day, opening_value, severity: when it opened, how much it was, how bad it became. Of a rule over hours
            the day is a datetime, the beginning of the hour.
        closed_day: `STILL_OPEN` while it is open.
        closed_because: in words.
        linked: lineages that were split off.
        muted: nobody was told.
    """

    incident_id: UUID
    rule_id: str
    rule_version: str
    theme_id: str
    subject: str
    opened_as: str
    title: str
    opened_day: Bucket
    opening_value: float
    severity: int
    closed_day: Bucket = STILL_OPEN
    closed_because: str = ""
    linked: Sequence[str] = ()
    muted: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.closed_day == STILL_OPEN

    @property
    def of_hours(self) -> bool:
        """Whether its rule judges hours."""
        return isinstance(self.opened_day, datetime)

    @property
    def since(self) -> str:
        """The day or hour in which it opened, for people."""
        return shown_bucket(self.opened_day)

    @property
    def until(self) -> str:
        """The day or hour in which it closed, "" while it is open."""
        return "" if self.is_open else shown_bucket(self.closed_day)

    @property
    def opened_date(self) -> date:
        """The day on which it opened."""
        return date_of(self.opened_day)

    @property
    def closed_date(self) -> date:
        """The day on which it closed; `STILL_OPEN` while it is open."""
        return date_of(self.closed_day)

    def before(self, day: date) -> Standing | None:
        """What it was as the evening before a day left it; None if it was not there."""
        if self.opened_day >= day:
            return None
        closed = None if self.is_open or self.closed_day >= day else self.closed_day
        return Standing(
            self.opened_day, self.opening_value, self.severity, closed, self.closed_because if closed else ""
        )


def incident_id(team_id: int, rule: Rule, theme_id: str, subject: str, opened: date) -> UUID:
    """The same for the same opening, however often it is judged."""
    return uuid5(NAMESPACE, "|".join((str(team_id), rule.rule, rule.version, theme_id, subject, opened.isoformat())))


def incidents(database: Database, team_id: int) -> list[Incident]:
    """All incidents of a team, latest first; without the title of a lineage that may not be shown in full by now."""
    rows = _without_withheld(database, team_id, database.rows(INCIDENTS, team_ids=[team_id]))
    return [_incident(row) for row in rows]


def _incident(row: Mapping[str, Any]) -> Incident:
    given = {name: value for name, value in row.items() if name != "team_id" and not name.endswith("_hour")}
    for end in ("opened", "closed"):
        if row[f"{end}_hour"] < A_DAY:
            given[f"{end}_day"] = datetime.combine(row[f"{end}_day"], time(row[f"{end}_hour"]), UTC)
    return Incident(**given)


def date_of(bucket: date) -> date:
    """The day of a bucket, which is a day or the beginning of an hour."""
    return bucket.date() if isinstance(bucket, datetime) else bucket


def hour_of(bucket: date) -> int:
    """The hour of a bucket, `A_DAY` for a day."""
    return bucket.hour if isinstance(bucket, datetime) else A_DAY


def shown_bucket(bucket: date) -> str:
    """A day or an hour for people.

    >>> shown_bucket(datetime(2026, 11, 22, 14, tzinfo=UTC)), shown_bucket(date(2026, 11, 22))
    ('2026-11-22 14:00 UTC', '2026-11-22')
    """
    return f"{bucket:%Y-%m-%d %H:00} UTC" if isinstance(bucket, datetime) else bucket.isoformat()


def store_incidents(database: Database, changed: Mapping[int, Iterable[Incident]]) -> None:
    """Store incidents as they are now, by team."""
    rows = [
        {
            "team_id": team_id,
            **asdict(each),
            "linked": list(each.linked),
            "opened_day": each.opened_date,
            "opened_hour": hour_of(each.opened_day),
            "closed_day": each.closed_date,
            "closed_hour": hour_of(each.closed_day),
        }
        for team_id, incidents_of_team in changed.items()
        for each in incidents_of_team
    ]
    database.insert_rows("alert_incidents", rows)


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it was stored, with all numbers that it was made by."""

    day: Bucket
    rule_id: str
    theme_id: str
    subject: str
    rule_version: str
    verdict: str
    reason: str
    title: str
    numbers: Mapping[str, Any]
    muted: bool

    @property
    def bucket(self) -> str:
        """The day or hour, for people."""
        return shown_bucket(self.day)


def stored_decisions(
    database: Database, team_id: int, first: date, last: date, subject: str = "*"
) -> list[StoredDecision]:
    """Decisions of some days, and of their hours; about lineages whose id begins so, "*" for all."""
    given = {"team_id": team_id, "subject": subject, "from": first, "until": last}
    rows = list(database.rows(DECISIONS, **given))
    for row in database.rows(HOUR_DECISIONS, **given):
        of_hour = datetime.combine(row["day"], time(row["hour"]), UTC)
        rows.append({**{name: value for name, value in row.items() if name != "hour"}, "day": of_hour})
    rows = _without_withheld(database, team_id, rows)
    return [StoredDecision(**{**row, "numbers": json.loads(row["numbers"])}) for row in rows]


def store_decisions(database: Database, decided: Mapping[int, Iterable[tuple[Decision, str, bool]]]) -> None:
    """Store decisions by team, each with its rule's version and whether it is muted.

    A later judgement of the day replaces them.
    """
    made: dict[str, list[dict[str, Any]]] = {"alert_decisions": [], "alert_hour_decisions": []}
    for team_id, decisions in decided.items():
        for each, version, muted in decisions:
            row = {
                "team_id": team_id,
                "day": date_of(each.day),
                "rule_id": each.rule,
                "theme_id": each.theme_id,
                "subject": each.subject,
                "rule_version": version,
                "verdict": each.verdict,
                "reason": each.reason,
                "title": each.title,
                "numbers": json.dumps(each.numbers, allow_nan=False),
                "muted": muted,
            }
            if (hour := hour_of(each.day)) < A_DAY:
                made["alert_hour_decisions"].append({**row, "hour": hour})
            else:
                made["alert_decisions"].append(row)
    for table, rows in made.items():
        database.insert_rows(table, rows)


def _without_withheld(database: Database, team_id: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    withheld = withheld_lineages(database, team_id) if any(row["title"] for row in rows) else ()
    return [row | {"title": ""} if row["subject"] in withheld else row for row in rows]
