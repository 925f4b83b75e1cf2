"""`llma check`: runs the data checks that Dagster runs, too, with an exit code for CI."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.options import json_option, opened_database, optional_date, team_option
from llma_assets.cli.queries import TEAMS_OF_DAY
from llma_assets.cli.render.console import emit_report, hinted, plain, say, show
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.reports import CheckResult

MARKS = ("FAIL", "warn", "ok")
"""By rank, in the order in which they are shown."""


@click.command()
@optional_date
@team_option(required=False, help="This team only.")
@click.option("--failed", "only_failed", is_flag=True, help="Show only checks that failed.")
@json_option
@click.pass_context
def check(ctx: click.Context, day: date | None, team_id: int | None, only_failed: bool, as_json: bool) -> None:
    """Check the stored results of a day.

    Exit code 1 if a check fails; a check that only warns does not change the exit code. Failures come first. A day
    without results passes, with a message on stderr.
    """
    from llma_assets.cli.run.days import days_with_results, require_day
    from llma_assets.reports import check_report

    with opened_database() as database:
        day = require_day(database, day, team_id)
        stored = [row["team_id"] for row in database.rows(TEAMS_OF_DAY, day=day)]
        report = check_report(database, day, stored if team_id is None else [team_id])
        if not stored or team_id not in (None, *stored):
            whose = "" if team_id is None else f" of team {team_named(team_id)}"
            say(f"Nothing to check: nothing is stored for {day}{whose}. {days_with_results(database, team_id, day)}")
    if only_failed:
        report = replace(report, findings=report.findings[: report.failed])
    if as_json:
        emit_report(report)
    elif report.checked:
        for result in report.findings:
            _show(result)
        show(f"{report.checked} checked, {report.failed} failed, {report.warned} to look at")
    if report.failed:
        ctx.exit(1)


def _show(result: "CheckResult") -> None:
    show(f"{MARKS[result.rank]:4} {plain(hinted(result.sentence))}")
    if not result.passed:
        show(f"     {result.description}")
        show(f"     shown by: {result.query}")
