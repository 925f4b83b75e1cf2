"""Incidents: one for a rule and a lineage at a time, stored so that a later row of the same id replaces it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid5

from llma_assets.alerts.judging import Decision, Standing
from llma_assets.alerts.rule import Rule
from llma_assets.clickhouse import Database
from llma_assets.clusters import withheld_lineages

NAMESPACE = UUID("4be0643f-1d98-573b-97cd-ca98a65347dd")
STILL_OPEN = date(1970, 1, 1)

# Key of alert_incidents: (team_id, incident_id).
INCIDENTS = """
SELECT
    incident_id, rule_id, rule_version, theme_id, subject, opened_as, title, opened_day, opening_value, severity,
    closed_day, closed_because, linked, muted
FROM alert_incidents FINAL
WHERE team_id = {team_id:Int64}
ORDER BY opened_day DESC, rule_id, subject
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
        opened_day, opening_value, severity: when it opened, how much it was, how bad it became.
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
    opened_day: date
    opening_value: float
    severity: int
    closed_day: date = STILL_OPEN
    closed_because: str = ""
    linked: Sequence[str] = ()
    muted: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.closed_day == STILL_OPEN

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
    return [Incident(**row) for row in _without_withheld(database, team_id, database.rows(INCIDENTS, team_id=team_id))]


def store_incidents(database: Database, team_id: int, changed: Iterable[Incident]) -> None:
    """Store incidents as they are now."""
    rows = [{"team_id": team_id, **asdict(each), "linked": list(each.linked)} for each in changed]
    database.insert_rows("alert_incidents", rows)


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it was stored, with all numbers that it was made by."""

    day: date
    rule_id: str
    theme_id: str
    subject: str
    rule_version: str
    verdict: str
    reason: str
    title: str
    numbers: Mapping[str, Any]
    muted: bool


def stored_decisions(
    database: Database, team_id: int, first: date, last: date, subject: str = "*"
) -> list[StoredDecision]:
    """Decisions of some days; about lineages whose id begins so, "*" for all."""
    rows = database.rows(DECISIONS, team_id=team_id, subject=subject, **{"from": first, "until": last})
    rows = _without_withheld(database, team_id, rows)
    return [StoredDecision(**{**row, "numbers": json.loads(row["numbers"])}) for row in rows]


def store_decisions(
    database: Database, team_id: int, rules: Mapping[str, Rule], decided: Iterable[tuple[Decision, bool]]
) -> None:
    """Store decisions, each with whether it is muted; a later judgement of the day replaces them."""
    database.insert_rows(
        "alert_decisions",
        [
            {
                "team_id": team_id,
                "day": each.day,
                "rule_id": each.rule,
                "theme_id": each.theme_id,
                "subject": each.subject,
                "rule_version": rules[each.rule].version,
                "verdict": each.verdict,
                "reason": each.reason,
                "title": each.title,
                "numbers": json.dumps(each.numbers, allow_nan=False),
                "muted": muted,
            }
            for each, muted in decided
        ],
    )


def _without_withheld(database: Database, team_id: int, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    withheld = withheld_lineages(database, team_id) if any(row["title"] for row in rows) else ()
    return [row | {"title": ""} if row["subject"] in withheld else row for row in rows]
