"""The work of the asset `alerts` on one team's day: judge it, then send what is due."""

from collections import Counter

from llma_assets.alerts.delivery import Sent, deliver
from llma_assets.alerts.evaluate import evaluate
from llma_assets.alerts.store import TeamAlerts, alerts_of
from llma_assets.clickhouse import Database
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
    sent = deliver(database, team_day.team_id, team.channels, clock=clock) if team.channels else Sent()
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
