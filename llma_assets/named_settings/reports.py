"""The documents about named settings: what `llma alerts` and `llma trackers` print with `--json`, and the API sends."""

from dataclasses import dataclass
from typing import Any

from llma_assets.named_settings.stored import SettingChange
from llma_assets.serialization import TeamId

Settings = dict[str, Any]
"""A setting by its fields, as a file has them."""


@dataclass(frozen=True, slots=True)
class AppliedSettings:
    """What a file changes."""

    team_id: TeamId
    dry_run: bool
    stored: bool
    changes: tuple[SettingChange, ...]


@dataclass(frozen=True, slots=True)
class SettingsHistory:
    """Who changed what, oldest first."""

    team_id: TeamId
    changes: tuple[SettingChange, ...]
