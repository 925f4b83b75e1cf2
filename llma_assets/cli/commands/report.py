"""`llma report`: a team's day as one HTML file. Making it belongs in `llma_assets.web`."""

from datetime import date
from pathlib import Path

import click

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import STDIN, opened_database, optional_date, team_option
from llma_assets.cli.render.console import say
from llma_assets.cli.render.teams import team_named


@click.command()
@team_option()
@optional_date
@click.option("-o", "--output", default="report.html", show_default=True, metavar="FILE", help="The file; - is stdout.")
def report(team_id: int, day: date | None, output: str) -> None:
    """Write a team's day into one HTML file.

    It holds themes, clusters with examples, trends, maps and open tasks, and needs nothing else: opening it sends no
    request to anywhere. Without --date it takes the latest day with clusters.
    """
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.clusters import clustered_days
    from llma_assets.settings import Settings
    from llma_assets.team_day import TeamDay
    from llma_assets.web import Access, Site, report_file

    with opened_database() as database:
        days = clustered_days(database, team_id)
        if day is None and not days:
            raise Problem(days_with_results(database, team_id))
        day = day or days[-1]
        text = report_file(Site(Settings.from_env(), Access(), opened=database), TeamDay(team_id, day))
    if output == STDIN:
        click.echo(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"{output} cannot be written: {error.strerror}") from error
    say(f"{output} holds team {team_named(team_id)}, {day}.")
