"""The work of the asset `trackers` on one team: carry states both ways, and open what its rules ask for."""

from collections import Counter

from llma_assets.clickhouse import Database
from llma_assets.clock import Clock
from llma_assets.stage import Report
from llma_assets.tasks import TaskOptions
from llma_assets.trackers.queries import TEAMS_WITH_LINKS
from llma_assets.trackers.store import teams_with_trackers, trackers_of
from llma_assets.trackers.sync import sync

TRACKERS_VERSION = "1"


def sync_team(database: Database, team_id: int, *, clock: Clock, options: TaskOptions) -> Report:
    """One pass over a team's trackers; one query for a team without any. What a tracker refuses fails no run."""
    team = trackers_of(database, team_id)
    if not team.enabled:
        return Report(items=0, reason="no_trackers")
    found = sync(database, team, clock=clock, options=options)
    details = {
        "trackers": len(team.enabled),
        "done": dict(Counter(each.what for each in found.done)),
        "problems": [f"{name}: {problem}" for name, problem in found.problems.items()],
        "busy": list(found.busy),
        "links_waiting": found.waiting,
    }
    reason = "" if found.done else "nothing_changed"
    return Report(items=len(found.done), reason=reason, details=details, waiting=found.waiting)


def teams_to_sync(database: Database) -> list[int]:
    """Teams with a tracker that is on and a rule or a link, by two queries."""
    teams = teams_with_trackers(database)
    if not teams:
        return []
    linked = {row["team_id"] for row in database.rows(TEAMS_WITH_LINKS, team_ids=sorted(teams))}
    return sorted(
        team_id
        for team_id, team in teams.items()
        if team_id in linked or any(rule.enabled for rule in team.rules.values())
    )
