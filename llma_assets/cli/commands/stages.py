"""`llma stages`: what each stage holds of a day, which run wrote it, and which stages failed."""

from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.options import date_option, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, say, show_table, usd
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.reports import FailedStage


@click.command()
@team_option()
@date_option
@json_option
def stages(team_id: int, day: date, as_json: bool) -> None:
    """Show what each stage holds of a day, which run wrote it, and which stages failed.

    Runs are those of Dagster. A stage that failed as a whole is told on stderr, with what it asked and paid.
    """
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.reports import stages_report
    from llma_assets.team_day import TeamDay

    with opened_database() as database:
        report = stages_report(database, TeamDay(team_id, day))
        if not report.stages:
            say(
                f"No stage holds anything of team {team_named(team_id)} on {day}. "
                f"{days_with_results(database, team_id, day)}"
            )
    if as_json:
        emit_report(report)
    elif report.stages:
        show_table(
            ("stage", "theme", "number", "failed", "last written", "run"),
            [
                (
                    each.stage,
                    each.theme_id,
                    f"{each.items:,}",
                    f"{each.failed:,}" if each.failed else "",
                    f"{each.written_at:%Y-%m-%d %H:%M}",
                    each.run_id,
                )
                for each in report.stages
            ],
            right=("number", "failed"),
        )
    for failure in report.failures:
        say(_said(failure))
    if report.failures:
        say(f"What is missing is made by the next run: `llma run --team {team_id} --date {day}`")


def _said(failure: "FailedStage") -> str:
    themes = f" of {', '.join(failure.theme_ids)}" if failure.theme_ids else ""
    asked = (
        f"calls of models: {failure.calls:,}, failed: {failure.failed_calls:,}, paid: {usd(failure.cost_usd)} USD"
        if failure.calls
        else "no call of a model is recorded"
    )
    when = f"{failure.failed_at:%Y-%m-%d %H:%M}"
    return f"{failure.stage}{themes} failed at {when} in run {failure.run_id}: {failure.error}; {asked}"
