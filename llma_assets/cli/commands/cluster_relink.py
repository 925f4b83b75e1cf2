"""`llma clusters relink`: links lineages again, in the order of days. The method belongs in `clusters`."""

from datetime import date

import click

from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show
from llma_assets.cli.render.teams import team_named

SHORT_ID = 8


@click.command()
@team_option()
@click.option("--from", "first", type=Day(), required=True, help="First day (UTC).")
@click.option("--to", "last", type=Day(), required=True, help="Last day (UTC).")
@click.option("--dry-run", is_flag=True, help="Show the changes; store nothing.")
@json_option
def relink(team_id: int, first: date, last: date, dry_run: bool, as_json: bool) -> None:
    """Link the clusters of a range of days again, in order.

    Use it for runs that have no lineages yet, or if an earlier day was run after later ones whose lineages have
    decisions. Lineage ids are kept where possible. Decisions about an id that is replaced are lost; they are listed.
    """
    from llma_assets.clusters import relink
    from llma_assets.reports import relink_report

    if last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    with opened_database() as database:
        found = list(relink(database, team_id, first, last, dry_run=dry_run))
        report = relink_report(database, team_id, found, dry_run=dry_run)
    if as_json:
        emit_report(report)
        return
    if not report.runs:
        say(f"Team {team_named(team_id)} has no clusters from {first} to {last}.")
    for run in report.runs:
        what = f"{len(run.replaced)} ids replaced" if run.replaced else "status changed" if run.changed else "unchanged"
        show(f"{run.day}, {plain(run.theme_id)}: {what}")
    for lineage_id in report.decisions_lost:
        say(f"The decisions about {lineage_id[:SHORT_ID]} hold on fewer days now, or on none: repeat them.")
