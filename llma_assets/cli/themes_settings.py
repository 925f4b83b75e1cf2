"""`llma themes list, show, apply, export, enable, disable, delete, history`: a team's themes as settings.

Facts and changes are made in `llma_assets.themes`; what themes found belongs in `themes_reports.py`.
"""

from typing import TYPE_CHECKING

import click

from llma_assets.cli.console import emit_json, say, show_table
from llma_assets.cli.options import json_option, opened_database, team_option

if TYPE_CHECKING:
    from llma_assets.themes import Theme


@click.command("list")
@team_option()
@json_option
def list_command(team_id: int, as_json: bool) -> None:
    """All themes of a team, those that are off, too."""
    from llma_assets.themes.store import themes_of

    with opened_database() as database:
        team = themes_of(database, team_id)
    if as_json:
        emit_json(
            {
                "team": team_id,
                "themes": [theme_document(theme) for theme in team.themes],
                "problems": [{"where": each.where, "message": each.message} for each in team.problems],
            }
        )
        return
    show_table(
        ("theme", "level", "on", "schedule", "version", "filters", "sample", "budget"),
        [
            (
                theme.theme_id,
                theme.level,
                "on" if theme.enabled else "off",
                theme.schedule,
                theme.version,
                len(theme.filters),
                "" if theme.sample_rate is None else f"{theme.sample_rate:.0%}",
                "" if theme.daily_budget_usd is None else f"${theme.daily_budget_usd:,.2f}",
            )
            for theme in team.themes
        ],
        right=("filters", "sample", "budget"),
    )
    for problem in team.problems:
        say(str(problem))


def theme_document(theme: "Theme") -> dict[str, object]:
    """A theme as `--json` gives it: its settings by their names in a file, and its version."""
    from llma_assets.themes.plain import settings_of

    return {"theme_id": theme.theme_id, "version": theme.version, **settings_of(theme)}
