"""The work of the asset `alerts` on one team's day: judge it, then send what is due."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from llma_assets.alerts.delivery import Sent, deliver, teams_with_messages
from llma_assets.alerts.evaluate import Evaluation, evaluate, store
from llma_assets.alerts.reading_together import read_together
from llma_assets.alerts.store import TeamAlerts, alerts_of
from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.clock import Clock
from llma_assets.stage import Report
from llma_assets.team_day import TeamDay

ALERTS_VERSION = "1"


def alert_team_day(
    database: Database,
    team_day: TeamDay,
    *,
    clock: Clock,
    team: TeamAlerts | None = None,
    budget_usd: float | None = None,
    release_property: str = "",
) -> Report:
    """Judge a team's day by its rules, and send what is due; one query for a team without any."""
    team = alerts_of(database, team_day.team_id) if team is None else team
    if not team.enabled:
        return Report(items=0, reason="no_alert_rules")
    found = evaluate(database, team_day, team, now=clock(), budget_usd=budget_usd, release_property=release_property)
    return _delivered(database, found, team, clock)


@dataclass(frozen=True, slots=True)
class AlertedTeam:
    """A team whose day is judged with those of others.

    Attributes:
        alerts: its rules and channels.
        budget_usd: what it may spend a day; None for no limit.
        release_property: the property of events that names a release, "" for none.
    """

    alerts: TeamAlerts
    budget_usd: float | None = None
    release_property: str = ""


def alert_teams(
    database: Database, day: date, teams: Sequence[AlertedTeam], *, clock: Clock
) -> Iterator[tuple[int, Report | Exception]]:
    """Judge a day of several teams as `alert_team_day` judges one, and send what is due; what is read is read together.

    Yields:
        team and report; an error concerns its team alone.
    """
    by_id = {each.alerts.team_id: each for each in teams}
    for group, known, suspected in read_together(database, day, list(by_id)):
        now = clock()
        found: dict[int, Evaluation | Exception] = {}
        for team_id in group:
            team = by_id[team_id]
            try:
                found[team_id] = evaluate(
                    known, TeamDay(team_id, day), team.alerts, now=now, dry_run=True, budget_usd=team.budget_usd,
                    release_property=team.release_property, suspected=suspected,
                )  # fmt: skip
            except DatabaseError:
                raise
            # What is stored of one team must not leave the others without alerts.
            except Exception as error:
                found[team_id] = error
        store(database, [each for each in found.values() if isinstance(each, Evaluation)], now)
        with_messages = teams_with_messages(database, group, now)
        for team_id, each in found.items():
            if isinstance(each, Exception):
                yield team_id, each
            elif not by_id[team_id].alerts.enabled:
                yield team_id, Report(items=0, reason="no_alert_rules")
            else:
                alerts = (
                    by_id[team_id].alerts if team_id in with_messages else replace(by_id[team_id].alerts, channels={})
                )
                yield team_id, _delivered(database, each, alerts, clock)


def _delivered(database: Database, found: Evaluation, team: TeamAlerts, clock: Clock) -> Report:
    """Send what is due; what was done in all."""
    sent = deliver(database, team.team_id, team.channels, clock=clock) if team.channels else Sent()
    verdicts = Counter(each.verdict for each, _ in found.decisions)
    details = {
        "rules": len(team.enabled),
        "decisions": dict(verdicts),
        "muted": sum(muted for _, muted in found.decisions),
        "messages": len(found.messages),
        "sent": sent.sent,
        "not_sent": sent.failed + sent.dead,
        "waiting": sent.waiting,
        "nobody_told_because": found.quiet_because,
    }
    return Report(items=len(found.decisions), reason="" if found.decisions else "nothing_to_judge", details=details)
