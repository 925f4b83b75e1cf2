"""`llma run`: runs the graph for teams and a day, and shows their clusters. The work belongs in `team_runs.py`."""

import time
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import TEAM, date_option, json_option, opened_database, utc_today
from llma_assets.cli.render.console import emit_report, plain, say, show
from llma_assets.cli.render.teams import team_named
from llma_assets.cli.run.settings import team_settings

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.discovery import TeamDecision
    from llma_assets.reports import PlannedTeam


@click.command()
@click.option("--team", "team_ids", type=TEAM, multiple=True, help="Number of a team; may be repeated.")
@click.option("--all", "all_teams", is_flag=True, help="All teams that are eligible on the day.")
@date_option
@click.option(
    "--theme", "theme_ids", multiple=True, help="Only this theme, even if its schedule is manual; may be repeated."
)
@click.option(
    "--themes-at-once",
    type=click.IntRange(1, 16),
    default=2,
    show_default=True,
    help="Themes of a team that run at the same time.",
)
@click.option(
    "--method",
    type=click.Choice(["graph", "kmeans", "hdbscan"]),
    help="Clustering method.  [default: that of the theme]",
)
@click.option(
    "--clusters",
    "target_clusters",
    type=click.IntRange(2),
    help="Approximate number of clusters.  [default: depends on the data]",
)
@click.option("--min-k", type=click.IntRange(2), help="k-means: smallest number of clusters tried.")
@click.option("--max-k", type=click.IntRange(2), help="k-means: largest number of clusters tried.")
@click.option(
    "--batch", is_flag=True, help="Ask for summaries through OpenAI's Batch API: half the price, within a day."
)
@click.option(
    "--wait", type=click.FloatRange(0), default=0, metavar="MINUTES", help="With --batch: wait so long for the answers."
)
@click.option("--texts-only", is_flag=True, help="Stop after the texts, without calling a model; for `llma estimate`.")
@click.option("--results-only", is_flag=True, help="Judge no alert rule and leave trackers alone.")
@click.option("--dry-run", is_flag=True, help="Show teams, days and themes of the run; store and spend nothing.")
@click.option("-v", "--verbose", is_flag=True, help="Show Dagster's own log on stderr.")
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    team_ids: tuple[int, ...],
    all_teams: bool,
    day: date,
    theme_ids: tuple[str, ...],
    themes_at_once: int,
    method: str | None,
    target_clusters: int | None,
    min_k: int | None,
    max_k: int | None,
    batch: bool,
    wait: float,
    texts_only: bool,
    results_only: bool,
    dry_run: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """Make the clusters of a day from the events of a week.

    Steps: discovery, then texts, summaries and embeddings of each day of the window, then clusters, labels and events.
    Stored results are not made again. A team that discovery leaves out is not run: the reason is printed and recorded,
    and the exit code stays 0.

    Without --theme it runs the general themes and all others that are on, except those whose schedule is `manual`. If
    one theme fails, the others continue. Clustering options given here replace those of all themes in this run.

    Then the alert rules of the team judge the day, messages that are due are sent, and its trackers are synchronised,
    as in the asset graph. Of a day that ended more than two days ago nobody is told, and trackers are left alone.

    With --batch the questions go into batches. Until these have ended the team is `waiting`, and nothing is clustered:
    repeat the command later, or switch on the sensor `open_batches`.
    """
    from llma_assets.cli.run.report import run_report, show_runs, show_times
    from llma_assets.cli.run.team_runs import TeamRunOptions, run_teams
    from llma_assets.settings import Settings

    if bool(team_ids) == all_teams:
        raise WrongUse("give --team for single teams, or --all for all eligible ones")
    if min_k is not None and max_k is not None and max_k < min_k:
        raise WrongUse(f"--max-k {max_k} is less than --min-k {min_k}")
    if wait and not batch:
        raise WrongUse("--wait needs --batch")
    if batch and texts_only:
        raise WrongUse("--texts-only calls no model, so it cannot be used with --batch")
    require_partition(day, Settings.from_env().oldest_day)
    clustering = {"method": method, "target_clusters": target_clusters, "min_k": min_k, "max_k": max_k}
    options = TeamRunOptions(
        theme_ids=list(dict.fromkeys(theme_ids)),
        clustering={name: value for name, value in clustering.items() if value is not None},
        batch_wait_s=60 * wait if batch else None,
        texts_only=texts_only,
        results_only=results_only,
        at_once=themes_at_once,
        verbose=verbose,
    )
    wanted = None if all_teams else list(dict.fromkeys(team_ids))
    with opened_database(create=not dry_run) as database:
        if dry_run:
            _dry_run(database, day, wanted, options.theme_ids, as_json)
            return
        started = time.monotonic()
        runs, published = run_teams(database, day, wanted, options, team_settings())
        took_s = time.monotonic() - started
        if as_json:
            emit_report(run_report(day, runs, published, took_s))
        else:
            show_runs(runs, published)
            show_times(runs, took_s)
    if any(each.status == "failed" or any(done.error for done in each.actions) for each in runs):
        ctx.exit(1)


def require_partition(day: date, oldest_day: date) -> None:
    """Raise `WrongUse` if Dagster has no partition of this day."""
    if not oldest_day <= day <= utc_today():
        raise WrongUse(
            f"{day} cannot be run: the first day is {oldest_day} (LLMA_OLDEST_DAY, LLMA_PARTITION_DAYS), the last is "
            f"today, {utc_today()}"
        )


def _dry_run(
    database: "Database", day: date, team_ids: Sequence[int] | None, theme_ids: Sequence[str], as_json: bool
) -> None:
    """Print the decision for each team, without storing it, and the days and themes of a run."""
    from llma_assets.cli.run.team_runs import chosen_themes
    from llma_assets.discovery import discover, window_of
    from llma_assets.reports import RunPlan

    settings = team_settings()
    decisions = {decision.team_id: decision for decision in discover(database, settings, day)}
    chosen = [each for each in decisions if decisions[each].eligible] if team_ids is None else team_ids
    first_day, _ = window_of(day, settings.lookback_days)
    plan = RunPlan(
        day,
        True,
        tuple(
            _planned(
                team_id,
                decisions.get(team_id),
                first_day,
                tuple(theme.theme_id for theme in chosen_themes(database, team_id, theme_ids)[0]),
            )
            for team_id in chosen
        ),
    )
    if as_json:
        emit_report(plan)
        return
    for team in plan.teams:
        verb = "would run" if team.eligible else "would not run"
        show(f"team {team_named(team.team_id)}: {verb} {team.first_day} to {day}: {team.reason}, {plain(team.detail)}")
        if team.eligible:
            show(f"  themes: {', '.join(team.themes)}")
    if not plan.teams:
        say(f"No team is eligible on {day}.")


def _planned(team_id: int, decision: "TeamDecision | None", first_day: date, themes: tuple[str, ...]) -> "PlannedTeam":
    from llma_assets.reports import PlannedTeam

    return PlannedTeam(
        team_id=team_id,
        eligible=decision is not None and decision.eligible,
        reason=decision.reason if decision else "no_recent_events",
        detail=decision.detail if decision else "discovery does not know the team",
        first_day=decision.first_day if decision else first_day,
        traces=decision.traces if decision else 0,
        events=decision.events if decision else 0,
        themes=themes,
    )
