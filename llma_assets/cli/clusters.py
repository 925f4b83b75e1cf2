"""`llma clusters`: what is published for a team's day. What the document holds is in `cluster_report.py`."""

from datetime import date

import click

from llma_assets.cli.console import emit_json
from llma_assets.cli.options import date_option, json_option, opened_database, team_option


@click.command()
@team_option()
@date_option
@click.option("--level", type=click.Choice(["trace", "generation"]), help="Of traces, or of single model calls.")
@click.option(
    "--limit-examples",
    type=click.IntRange(0),
    metavar="N",
    help="Examples shown of each cluster, closest to its centre first (default 2; with --json all members).",
)
@click.option("--describe", is_flag=True, help="Print the descriptions, too.")
@json_option
def clusters(
    team_id: int, day: date, level: str | None, limit_examples: int | None, describe: bool, as_json: bool
) -> None:
    """The clusters of a team's day, or why there are none."""
    from llma_assets.cli.cluster_report import EXAMPLES, cluster_document, cut_examples, show_clusters, skip_details
    from llma_assets.team_day import TeamDay

    team_day = TeamDay(team_id, day)
    with opened_database() as database:
        document = cluster_document(database, team_day, level=level)
        details = skip_details(database, team_day)
    if as_json:
        emit_json(document if limit_examples is None else cut_examples(document, limit_examples))
    else:
        shown = EXAMPLES if limit_examples is None else limit_examples
        show_clusters(document, details, examples=shown, descriptions=describe)
