"""`llma run`: takes teams through the graph for a day and shows their clusters. The work is in `team_runs.py`."""

import time
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import TEAM, date_option, json_option, opened_database, utc_today
from llma_assets.cli.render.console import emit_json, emit_report, plain, say, show
from llma_assets.cli.run.settings import team_settings

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.discovery import TeamDecision


@click.command()
@click.option("--team", "team_ids", type=TEAM, multiple=True, help="Number of a team; may be repeated.")
@click.option("--all", "all_teams", is_flag=True, help="Every team that is eligible on the day.")
@date_option
@click.option("--theme", "theme_ids", multiple=True, help="Only this theme, also a manual one; may be repeated.")
@click.option(
    "--themes-at-once", type=click.IntRange(1, 16), default=2, show_default=True, help="Themes of a team run at once."
)
@click.option("--method", type=click.Choice(["graph", "kmeans", "hdbscan"]), help="Else the theme's: graph, as a rule.")
@click.option("--clusters", "target_clusters", type=click.IntRange(2), help="About so many; else the data chooses.")
@click.option("--min-k", type=click.IntRange(2), help="k-means: fewest clusters tried; else the theme's, or 3.")
@click.option("--max-k", type=click.IntRange(2), help="k-means: most clusters tried; else the theme's, or 6.")
@click.option("--batch", is_flag=True, help="Ask for summaries by OpenAI's Batch API: half the price, within a day.")
@click.option("--wait", type=click.FloatRange(0), default=0, metavar="MINUTES", help="With --batch: wait for them.")
@click.option("--texts-only", is_flag=True, help="Stop after the texts: no model is asked. `llma estimate` reads them.")
@click.option("--dry-run", is_flag=True, help="Show who would be run and on what; write and spend nothing.")
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
    dry_run: bool,
    verbose: bool,
    as_json: bool,
) -> None:
    """From the events of a week to the clusters of a day.

    Discovery for the day, then texts, summaries and embeddings of the window's days, then clusters, labels and
    events. What is stored already is not done again. A team that discovery leaves out is not run: the reason is
    printed and recorded, and that is no failure.

    The general themes are run, and each other theme that is switched on, unless its schedule is `manual`: such a one
    is run by its name. Each runs by itself: one that fails leaves the others standing. How a theme is clustered is up
    to the theme; what is given here holds for all themes of this run.

    With --batch what has to be asked goes into batches. Until they have ended the team is `waiting`, and nothing is
    clustered; run it again, or let the sensor `open_batches` take what they bring.
    """
    from llma_assets.cli.run.report import run_report, show_runs, show_times
    from llma_assets.cli.run.team_runs import TeamRunOptions, run_teams
    from llma_assets.settings import Settings

    if bool(team_ids) == all_teams:
        raise WrongUse("name teams by --team, or all eligible ones by --all")
    if min_k is not None and max_k is not None and max_k < min_k:
        raise WrongUse(f"--max-k {max_k} is less than --min-k {min_k}")
    if wait and not batch:
        raise WrongUse("--wait is for --batch")
    if batch and texts_only:
        raise WrongUse("--texts-only asks no model, so there is nothing to ask by --batch")
    require_partition(day, Settings.from_env().oldest_day)
    given = {"method": method, "target_clusters": target_clusters, "min_k": min_k, "max_k": max_k}
    options = TeamRunOptions(
        theme_ids=list(dict.fromkeys(theme_ids)),
        clustering={name: value for name, value in given.items() if value is not None},
        batch_wait_s=60 * wait if batch else None,
        texts_only=texts_only,
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
    if any(each.status == "failed" for each in runs):
        ctx.exit(1)


def require_partition(day: date, oldest_day: date) -> None:
    """Wrong use if Dagster has no partition of this day."""
    if not oldest_day <= day <= utc_today():
        raise WrongUse(
            f"{day} cannot be run: days go from {oldest_day} to {utc_today()}, today. LLMA_OLDEST_DAY sets the first"
        )


def _dry_run(
    database: "Database", day: date, team_ids: Sequence[int] | None, theme_ids: Sequence[str], as_json: bool
) -> None:
    """Decide without storing, and say what a run would read, for which themes."""
    from llma_assets.cli.run.team_runs import chosen_themes
    from llma_assets.discovery import discover, window_of

    settings = team_settings()
    decisions = {decision.team_id: decision for decision in discover(database, settings, day)}
    chosen = [each for each in decisions if decisions[each].eligible] if team_ids is None else team_ids
    first_day, _ = window_of(day, settings.lookback_days)
    rows = [
        _planned(team_id, decisions.get(team_id), first_day)
        | {"themes": [theme.theme_id for theme in chosen_themes(database, team_id, theme_ids)[0]]}
        for team_id in chosen
    ]
    if as_json:
        emit_json({"date": day.isoformat(), "dry_run": True, "teams": rows})
        return
    for row in rows:
        verb = "would run" if row["eligible"] else "would not run"
        show(f"team {row['team']}: {verb} {row['first_day']} to {day}: {row['reason']}, {plain(row['detail'])}")
        if row["eligible"]:
            show(f"  themes: {', '.join(row['themes'])}")
    if not rows:
        say(f"No team is eligible on {day}.")


def _planned(team_id: int, decision: "TeamDecision | None", first_day: date) -> dict[str, Any]:
    return {
        "team": team_id,
        "eligible": decision is not None and decision.eligible,
        "reason": decision.reason if decision else "no_recent_events",
        "detail": decision.detail if decision else "discovery does not know the team",
        "first_day": (decision.first_day if decision else first_day).isoformat(),
        "traces": decision.traces if decision else 0,
        "events": decision.events if decision else 0,
    }
