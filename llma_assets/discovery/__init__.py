"""Discovery: which teams are eligible on a day, and why the others are not."""

from llma_assets.discovery.checks import CHECKS, decided_teams
from llma_assets.discovery.decisions import DECISION_VERSION, TeamDecision, TeamStats, decide, window_of
from llma_assets.discovery.eligible_teams import (
    ask_decisions_of,
    discover,
    store_decisions,
    stored_decisions,
    team_stats,
    traces_with_events,
)
from llma_assets.discovery.queries import (
    EVENTS_BY_TEAM_AND_DAY,
    EVENTS_OF_TEAM_BY_DAY,
    LET_IN_SINCE,
    TRIGGER_EVENTS_OF_TEAM,
)
from llma_assets.discovery.unreadable_events import record_unreadable

__all__ = [
    "CHECKS",
    "DECISION_VERSION",
    "EVENTS_BY_TEAM_AND_DAY",
    "EVENTS_OF_TEAM_BY_DAY",
    "LET_IN_SINCE",
    "TRIGGER_EVENTS_OF_TEAM",
    "TeamDecision",
    "TeamStats",
    "ask_decisions_of",
    "decide",
    "decided_teams",
    "discover",
    "record_unreadable",
    "store_decisions",
    "stored_decisions",
    "team_stats",
    "traces_with_events",
    "window_of",
]
