"""`llma clusters assign`: assigns new items to the clusters of the latest run. The method belongs in `clusters`."""

from datetime import date

import click

from llma_assets.cli.options import date_option, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

SHORT_ID = 8


@click.command()
@team_option()
@date_option
@click.option("--theme", "theme_id", help="Only this theme.")
@json_option
def assign(team_id: int, day: date, theme_id: str | None, as_json: bool) -> None:
    """Assign items that are newer than the latest run to its clusters.

    Each item up to the end of the date goes to the nearest cluster, or to the outliers if it is too far away.
    Nothing is stored; the next run clusters these items.
    """
    from llma_assets.reports import new_items_report
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import themes_of

    with opened_database() as database:
        # Themes that are off may have runs, too.
        team = themes_of(database, team_id)
        themes = team.themes if theme_id is None else [team.get(theme_id)]
        report = new_items_report(database, TeamDay(team_id, day), themes)
    if as_json:
        emit_report(report)
        return
    if not report.runs:
        say(
            f"Team {team_named(team_id)} has no clusters up to {day}. `llma "
            f"run --team {team_id} --date {day}` makes them"
        )
    for run in report.runs:
        where = f"team {team_named(team_id)}, {plain(run.theme_id)}"
        show(f"{where}: {run.items:,} items newer than the run of {run.run_day}")
        show_table(
            ("lineage", "items", "share", "in the run", "title"),
            [
                (
                    each.lineage_id[:SHORT_ID],
                    f"{each.items:,}",
                    f"{each.items / run.items:.1%}" if run.items else "",
                    f"{each.share_of_run:.1%}",
                    each.title,
                )
                for each in run.clusters
            ],
            right=("items", "share", "in the run"),
        )
        show()
