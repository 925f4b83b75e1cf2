"""`llma digest`: the week or the day of a team in five sentences. Making them belongs in `reports`."""

from datetime import date

import click

from llma_assets.cli.errors import Problem
from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, show
from llma_assets.cli.render.teams import team_named


@click.command()
@team_option()
@click.option("--date", "day", type=Day(), help="Last day of the week (UTC).  [default: that of the latest run]")
@click.option("--theme", "theme_id", help="Of this theme.  [default: traces, else the one that looked at most]")
@click.option("--day", "of_day", is_flag=True, help="Of the day alone, against the seven days before.")
@json_option
def digest(team_id: int, day: date | None, theme_id: str | None, of_day: bool, as_json: bool) -> None:
    """Say what is new, what grew, what faded, how good the clusters are, and what they cost."""
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.reports import NothingToTell, digest_of

    with opened_database() as database:
        try:
            found = digest_of(database, team_id, until=day, theme_id=theme_id, days=1 if of_day else 7)
        except NothingToTell as error:
            raise Problem(days_with_results(database, team_id, day)) from error
    if as_json:
        emit_report(found)
        return
    period = f"{found.until}" if of_day else f"{found.first_day} to {found.until}"
    show(f"team {team_named(team_id)}, {plain(found.theme_id)}, {period}")
    for each in found.sentences:
        show(plain(each.text))
