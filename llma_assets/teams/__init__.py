"""Teams: their settings, and the one gate that decides whether a team is processed, and with which options."""

from llma_assets.teams.fields import SettingProblem
from llma_assets.teams.gate import ON_SKIP_LIST, TeamLeftOut, resolve, why_left_out
from llma_assets.teams.options import TeamOptions
from llma_assets.teams.settings import LOOKBACK_DAYS, TEAMS_FILE_VARIABLE, TeamSettings, TeamSettingsError

__all__ = [
    "LOOKBACK_DAYS",
    "ON_SKIP_LIST",
    "TEAMS_FILE_VARIABLE",
    "SettingProblem",
    "TeamLeftOut",
    "TeamOptions",
    "TeamSettings",
    "TeamSettingsError",
    "resolve",
    "why_left_out",
]
