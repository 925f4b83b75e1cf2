"""`llma clusters apart`: prints what sets the clusters of a day apart. Finding it belongs in `insights`."""

from datetime import date

import click

from llma_assets.cli.options import date_option, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named


@click.command()
@team_option()
@date_option
@click.option("--theme", "theme_id", help="Only this theme.")
@json_option
def apart(team_id: int, day: date, theme_id: str | None, as_json: bool) -> None:
    """Show what sets each cluster apart: models, tools, errors, releases and other values of its traces' events.

    A value is shown if its share of the cluster's traces is larger than that of all other traces by more than chance,
    at most 5 % false of all that is shown. No model is asked.
    """
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.reports import attributes_report
    from llma_assets.team_day import TeamDay
    from llma_assets.teams import resolve

    with opened_database() as database:
        team_day = TeamDay(team_id, day)
        team = resolve(team_settings(), team_id)
        report = attributes_report(database, team_day, team, theme_id=theme_id)
        if not report.runs:
            say(f"team {team_named(team_id)}, {day}: no clusters. {days_with_results(database, team_id, day)}")
    if as_json:
        emit_report(report)
        return
    for run in report.runs:
        show(
            f"team {team_named(team_id)}, {day}, {plain(run.theme_id)}: "
            f"{run.compared:,} values of {run.traces:,} traces compared"
        )
        rows = [
            (
                cluster.title if place == 0 else "",
                f"{each.name}: {each.value}",
                f"{each.share:.0%} of {each.size:,}",
                f"{each.other_share:.0%} of {each.other_size:,}",
                f"{each.lift:.1f} ({each.low:.1f} to {each.high:.1f})"
                if each.other_traces
                else f"only here ({each.low:.1f} or more)",
                "yes" if each.beyond_nearest else "no",
            )
            for cluster in run.clusters
            for place, each in enumerate(cluster.found)
        ]
        if rows:
            show_table(
                ("cluster", "value", "here", "elsewhere", "times", "nearest differs"), rows, right=("here", "elsewhere")
            )
        else:
            show("No value tells any of its clusters from the others.")
        show()
