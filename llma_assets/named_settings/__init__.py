"""Settings of a team that have a name: how a file says them, how they are stored, what changed. Knows none of them.

Alert rules, channels, trackers and their rules are such settings; each room says which kinds it has (`Kind`), and where
they are stored (`NamedSettings`).
"""

from llma_assets.named_settings.kind import Kind, line, variable
from llma_assets.named_settings.reports import AppliedSettings, Settings, SettingsHistory
from llma_assets.named_settings.store import NamedSettings
from llma_assets.named_settings.stored import SettingChange, Stored
from llma_assets.named_settings.themes import deleted_themes

__all__ = [
    "AppliedSettings",
    "Kind",
    "NamedSettings",
    "SettingChange",
    "Settings",
    "SettingsHistory",
    "Stored",
    "deleted_themes",
    "line",
    "variable",
]
