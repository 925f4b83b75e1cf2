"""`llma clusters`: the published clusters of a partition. Reading them belongs in `reports`, commands about single
clusters in `cluster_edits.py`.
"""

from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.advice import advice_for
from llma_assets.cli.commands.cluster_apart import apart
from llma_assets.cli.commands.cluster_assign import assign
from llma_assets.cli.commands.cluster_causes import causes
from llma_assets.cli.commands.cluster_edits import COMMANDS
from llma_assets.cli.commands.cluster_one import COMMANDS as ONE
from llma_assets.cli.commands.cluster_relink import relink
from llma_assets.cli.options import DAY_HELP, TEAM, Day, json_option, opened_database
from llma_assets.cli.render.console import emit_report, say

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.team_day import TeamDay


@click.group(invoke_without_command=True, subcommand_metavar="[COMMAND …]")
@click.option("--team", "team_id", type=TEAM, help="Number of the team.")
@click.option("--date", "day", type=Day(), help=DAY_HELP)
@click.option(
    "--level", type=click.Choice(["trace", "generation"]), help="Of traces, or of single model calls (generations)."
)
@click.option("--theme", "theme_id", help="Only this theme.")
@click.option(
    "--limit-examples",
    type=click.IntRange(0),
    metavar="N",
    help="Examples of each cluster, nearest to its centroid first (default 2; with --json all members).",
)
@click.option("--describe", is_flag=True, help="Print the descriptions, too.")
@click.option("--audit", is_flag=True, help="Show each label with its evidence, the most doubtful first.")
@click.option("--all", "show_hidden", is_flag=True, help="Show hidden clusters, too.")
@json_option
@click.pass_context
def clusters(
    ctx: click.Context,
    team_id: int | None,
    day: date | None,
    level: str | None,
    theme_id: str | None,
    limit_examples: int | None,
    describe: bool,
    audit: bool,
    show_hidden: bool,
    as_json: bool,
) -> None:
    """Show the clusters of a day, or why there are none.

    The commands below record decisions about one cluster. A decision holds for the lineage of the cluster, so for all
    its days. A prefix of the lineage id is enough if it is unique.
    """
    if ctx.invoked_subcommand is not None:
        if team_id is not None or day is not None:
            raise click.UsageError(f"options go after the command: llma clusters {ctx.invoked_subcommand} … --team N")
        return
    if team_id is None:
        raise click.MissingParameter(ctx=ctx, param_hint="'--team'", param_type="option")
    from llma_assets import reports
    from llma_assets.cli.commands.cluster_audit import show_audit
    from llma_assets.cli.render.clusters import EXAMPLES, show_clusters
    from llma_assets.cli.run.days import require_day
    from llma_assets.team_day import TeamDay

    with opened_database() as database:
        team_day = TeamDay(team_id, require_day(database, day, team_id))
        _require_theme(database, team_day, theme_id)
        if audit:
            audited = reports.audit(database, team_day, level=level, theme_id=theme_id)
            if not audited.runs:
                say(f"{team_day}: no clusters. {_where_clusters_are(database, team_day, theme_id)}")
            emit_report(audited) if as_json else show_audit(audited)
            return
        published = reports.published_clusters(
            database, team_day, level=level, theme_id=theme_id, show_hidden=show_hidden
        )
        if not published.runs:
            say(f"{team_day}: no run yet. {_where_clusters_are(database, team_day, theme_id)}")
    if as_json:
        emit_report(published if limit_examples is None else published.with_examples(limit_examples))
    else:
        shown = EXAMPLES if limit_examples is None else limit_examples
        show_clusters(published, examples=shown, descriptions=describe)
        for line in advice_for(run.skipped_reason or "" for run in published.runs):
            say(line)


def _require_theme(database: "Database", team_day: "TeamDay", theme_id: str | None) -> None:
    """Raise for a theme that the team neither has nor had on the day."""
    from llma_assets.clusters import committed_run
    from llma_assets.themes import themes_of

    if theme_id is not None and committed_run(database, team_day, theme_id) is None:
        themes_of(database, team_day.team_id).get(theme_id)


def _where_clusters_are(database: "Database", team_day: "TeamDay", theme_id: str | None) -> str:
    """Which days have clusters, or which command makes them."""
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.themes import themes_of

    team_id = team_day.team_id
    if theme_id is not None and not themes_of(database, team_id).get(theme_id).enabled:
        return f"The theme {theme_id} is off; `llma themes enable {theme_id} --team {team_id}` switches it on"
    return days_with_results(database, team_id, team_day.day, options=f" --theme {theme_id}" if theme_id else "")


for command in (*ONE, apart, assign, causes, *COMMANDS, relink):
    clusters.add_command(command)
