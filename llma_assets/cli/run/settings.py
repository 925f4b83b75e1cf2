"""The settings of teams, as commands read them: problems go to stderr."""

from typing import TYPE_CHECKING

from llma_assets.cli.render.console import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from llma_assets.clickhouse import Database
    from llma_assets.teams import TeamSettings


def team_cells(database: "Database") -> "Callable[[int], str]":
    """What stands in a column of teams: the number, and the name where one is known."""
    from llma_assets.reports import names_of_teams

    names = names_of_teams(database, team_settings())
    return lambda team_id: f"{team_id} ({names[team_id]})" if team_id in names else str(team_id)


def team_settings() -> "TeamSettings":
    """The settings of teams; an invalid field is reported on stderr, and its default is used."""
    from llma_assets.settings import Settings
    from llma_assets.teams import TeamSettings

    settings, problems = TeamSettings.load(Settings.from_env().data_dir)
    for problem in problems:
        say(f"Team settings: {problem}")
    return settings
