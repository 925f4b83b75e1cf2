"""`llma clusters relink`: mend chains of lineages that are broken. How belongs in `clusters.lineage.relink`."""

from datetime import date

import click

from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_json, plain, say, show

SHORT_ID = 8


@click.command()
@team_option()
@click.option("--from", "first", type=Day(), required=True, help="First day, UTC.")
@click.option("--to", "last", type=Day(), required=True, help="Last day, UTC.")
@click.option("--dry-run", is_flag=True, help="Say what would change, and store nothing.")
@json_option
def relink(team_id: int, first: date, last: date, dry_run: bool, as_json: bool) -> None:
    """Link the clusters of some days again, in order.

    For runs from before there were lineages, and for days that stayed as they were for the sake of decisions when an
    earlier day was run after them. Ids stay where nothing
    speaks against it. What people decided about an id that goes has to be decided again; it is listed.
    """
    from llma_assets.clusters import NOTHING, relink, standings_of

    if last < first:
        raise click.UsageError(f"--to {last} is before --from {first}")
    with opened_database() as database:
        found = list(relink(database, team_id, first, last, dry_run=dry_run))
        decided = standings_of(database, team_id)
    gone = {before for run in found for before, _ in run.replaced}
    lost = sorted(lineage_id for lineage_id in gone if decided.get(lineage_id, NOTHING) != NOTHING)
    if as_json:
        runs = [
            {
                "theme": run.theme_id,
                "date": run.day.isoformat(),
                "changed": run.changed,
                "replaced": [{"before": before, "now": now} for before, now in run.replaced],
            }
            for run in found
        ]
        emit_json({"team": team_id, "dry_run": dry_run, "runs": runs, "decisions_lost": lost})
        return
    if not found:
        say(f"Team {team_id} has no clusters from {first} to {last}.")
    for run in found:
        what = f"{len(run.replaced)} other ids" if run.replaced else "other states" if run.changed else "as it was"
        show(f"{run.day}, {plain(run.theme_id)}: {what}")
    for lineage_id in lost:
        say(f"What was decided about {lineage_id[:SHORT_ID]} holds on fewer days now, or on none: decide again.")
