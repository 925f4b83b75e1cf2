"""Discovery: which teams take part on a day, and why each of the others does not."""

from llma_assets.discovery.decisions import TRIGGER_EVENTS, TeamDecision, TeamStats, decide, window_of
from llma_assets.discovery.fields import SettingProblem
from llma_assets.discovery.options import TeamOptions
from llma_assets.discovery.settings import LOOKBACK_DAYS, TeamSettings, TeamSettingsError
from llma_assets.discovery.teams import discover, store_decisions, stored_decisions, team_stats

__all__ = [
    "LOOKBACK_DAYS",
    "TRIGGER_EVENTS",
    "SettingProblem",
    "TeamDecision",
    "TeamOptions",
    "TeamSettings",
    "TeamSettingsError",
    "TeamStats",
    "decide",
    "discover",
    "store_decisions",
    "stored_decisions",
    "team_stats",
    "window_of",
]
