"""The settings of teams, as commands read them: problems go to stderr."""

from typing import TYPE_CHECKING

from llma_assets.cli.render.console import say

if TYPE_CHECKING:
    from llma_assets.teams import TeamSettings


def team_settings() -> "TeamSettings":
    """The settings of teams; an invalid field is reported on stderr, and its default is used."""
    from llma_assets.settings import Settings
    from llma_assets.teams import TeamSettings

    settings, problems = TeamSettings.load(Settings.from_env().data_dir)
    for problem in problems:
        say(f"Team settings: {problem}")
    return settings
