"""Discovery: which teams take part on a day, and why each of the others does not."""

from llma_assets.discovery.decisions import TRIGGER_EVENTS, TeamDecision, TeamStats, decide, window_of
from llma_assets.discovery.settings import (
    LOOKBACK_DAYS,
    DiscoverySettings,
    SettingProblem,
    TeamSettingsError,
)
from llma_assets.discovery.teams import discover, store_decisions, stored_decisions, team_stats

__all__ = [
    "LOOKBACK_DAYS",
    "TRIGGER_EVENTS",
    "DiscoverySettings",
    "SettingProblem",
    "TeamDecision",
    "TeamSettingsError",
    "TeamStats",
    "decide",
    "discover",
    "store_decisions",
    "stored_decisions",
    "team_stats",
    "window_of",
]
