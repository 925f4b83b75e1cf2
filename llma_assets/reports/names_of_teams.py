"""What people call a team, in every listing and page: as `teams.toml` says, else the tenant of a source or file."""

from llma_assets.clickhouse import Database
from llma_assets.source_catalog import team_names
from llma_assets.teams import TeamSettings


def names_of_teams(database: Database, settings: TeamSettings) -> dict[int, str]:
    """The names that are known, by number."""
    given = {team_id: options.name for team_id, options in settings.team_options.items()}
    return team_names(database) | {team_id: name for team_id, name in given.items() if name}
