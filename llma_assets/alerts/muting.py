"""Mutes: a person's decision that a rule, a lineage or both be silent for a while. What is muted is still recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid4

from llma_assets.alerts.deciding import Silence, never
from llma_assets.alerts.errors import AlertError
from llma_assets.alerts.incidents import incidents
from llma_assets.alerts.judging import DAYS, Decision, History
from llma_assets.clickhouse import Database
from llma_assets.clusters import lineages_of
from llma_assets.team_day import midnight

# Key of alert_mutes: (team_id, mute_id).
MUTES = """
SELECT
    team_id, mute_id, rule_id, subject, since, until, more_traces, more_users, author, lifted, until_release, since_at
FROM alert_mutes FINAL
WHERE team_id IN {team_ids:Array(Int64)} AND NOT lifted
ORDER BY since, mute_id
"""


@dataclass(frozen=True, slots=True)
class Mute:
    """One decision.

    Attributes:
        rule_id, subject: what is silent; "" is any.
        since: the day of the decision.
        until: None for ever, or until what follows.
        more_traces, more_users: it ends after so many more of the subject; 0 for no such end. Users are those of each
            day, added up.
        author: who decided.
        lifted: it has been taken back.
        until_release: it ends with the first release after it was decided.
        since_at: when it was decided; None in rows from before there was such an end.
    """

    mute_id: UUID
    rule_id: str
    subject: str
    since: date
    until: datetime | None
    more_traces: int
    more_users: int
    author: str
    lifted: bool = False
    until_release: bool = False
    since_at: datetime | None = None

    @property
    def ends(self) -> str:
        """When it ends, in words."""
        ends = [f"{self.until:%Y-%m-%d %H:%M} UTC"] if self.until else []
        ends += ["the next release"] * self.until_release
        ends += [f"{self.more_traces:,} more traces"] * bool(self.more_traces)
        ends += [f"{self.more_users:,} more users"] * bool(self.more_users)
        return f"until {' or '.join(ends) or 'it is taken back'}"

    def holds(
        self,
        rule_id: str,
        subject: str,
        history: History,
        t: int,
        now: datetime,
        released: Sequence[datetime] = (),
    ) -> bool:
        """Whether it silences a rule about a subject, by what came since.

        Args:
            now: the moment that counts: the end of the bucket, or the present one before it has ended.
            released: when the team's releases began.
        """
        if self.lifted or self.rule_id not in ("", rule_id) or self.subject not in ("", subject):
            return False
        if self.until is not None and now >= self.until:
            return False
        if self.until_release and self.since_at and any(self.since_at < each <= now for each in released):
            return False
        if not (self.more_traces or self.more_users) or subject not in history.lineage_ids:
            return True
        since: date = self.since if history.scale == DAYS else self.since_at or midnight(self.since)
        row, first = history.lineage_ids.index(subject), max(history.column(since) + 1, 0)
        traces, users = (float(each[row, first : t + 1].sum()) for each in (history.traces, history.users))
        reached = (self.more_traces and traces >= self.more_traces) or (self.more_users and users >= self.more_users)
        return not reached


def silence_of(mutes: Sequence[Mute], now: datetime, released: Sequence[datetime]) -> Silence:
    """Says of a decision whether it is muted, and whether it was until the bucket before.

    Args:
        now: the present moment.
        released: when the team's releases began.
    """

    def muted(decision: Decision, history: History, t: int) -> bool:
        until = min(now, history.end(t))
        return any(each.holds(decision.rule, decision.subject, history, t, until, released) for each in mutes)

    def silence(decision: Decision, history: History) -> tuple[bool, bool]:
        t = history.column(decision.day)
        return muted(decision, history, t), muted(decision, history, t - 1)

    return silence if mutes else never


def mutes_of(database: Database, team_id: int) -> list[Mute]:
    """The mutes that were not taken back."""
    rows = database.rows(MUTES, team_ids=[team_id])
    return [Mute(**{name: value for name, value in row.items() if name != "team_id"}) for row in rows]


def checked_subject(database: Database, team_id: int, subject: str) -> str:
    """A lineage, or what an incident is about, that may be muted.

    Raises:
        AlertError: the team has none of this id.
    """
    about = {each.subject for each in incidents(database, team_id)}
    if subject and subject not in about and all(each.lineage_id != subject for each in lineages_of(database, team_id)):
        raise AlertError(
            f"team {team_id} has no lineage {subject[:80]!r}; `llma clusters --team {team_id}` shows their ids"
        )
    return subject


def mute(
    database: Database,
    team_id: int,
    author: str,
    *,
    now: datetime,
    rule_id: str = "",
    subject: str = "",
    until: datetime | None = None,
    more_traces: int = 0,
    more_users: int = 0,
    until_release: bool = False,
) -> Mute:
    """Silence a rule, a subject or both."""
    made = Mute(
        uuid4(), rule_id, subject, now.date(), until, more_traces, more_users, author,
        until_release=until_release, since_at=now,
    )  # fmt: skip
    _store(database, team_id, made, lifted=False)
    return made


def unmute(database: Database, team_id: int, mutes: Iterable[Mute]) -> None:
    """Take mutes back."""
    for each in mutes:
        _store(database, team_id, each, lifted=True)


def _store(database: Database, team_id: int, each: Mute, *, lifted: bool) -> None:
    row = {
        "team_id": team_id,
        "mute_id": each.mute_id,
        "rule_id": each.rule_id,
        "subject": each.subject,
        "since": each.since,
        "until": each.until,
        "more_traces": each.more_traces,
        "more_users": each.more_users,
        "author": each.author,
        "lifted": lifted,
        "until_release": each.until_release,
        "since_at": each.since_at or midnight(each.since),
    }
    database.insert_rows("alert_mutes", [row])
