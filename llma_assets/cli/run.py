"""`llma run`: takes teams through the graph for a day and shows their clusters. The work is in `runner.py`."""

import time
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.console import emit_json, plain, say, show, show_table
from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import TEAM, date_option, json_option, opened_database, utc_today

if TYPE_CHECKING:
    from llma_assets.cli.runner import TeamRun
    from llma_assets.clickhouse import Database
    from llma_assets.discovery import TeamDecision, TeamSettings


@click.command()
@click.option("--team", "team_ids", type=TEAM, multiple=True, help="Number of a team; may be repeated.")
@click.option("--all", "all_teams", is_flag=True, help="Every team that is eligible on the day.")
@date_option
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

    With --batch what has to be asked goes into batches. Until they have ended the team is `waiting`, and nothing is
    clustered; run it again, or let the sensor `open_batches` take what they bring.
    """
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
    clustering = {name: value for name, value in given.items() if value is not None}
    wanted = None if all_teams else list(dict.fromkeys(team_ids))
    with opened_database() as database:
        if dry_run:
            _dry_run(database, day, wanted, as_json)
            return
        started = time.monotonic()
        batch_wait_s = 60 * wait if batch else None
        runs, documents = run_teams(
            database, day, wanted, clustering, batch_wait_s=batch_wait_s, texts_only=texts_only, verbose=verbose
        )
        took_s = time.monotonic() - started
        if as_json:
            emit_json(run_document(day, runs, documents, took_s))
        else:
            show_runs(database, runs, documents)
            show_times(runs, took_s)
    if any(each.status == "failed" for each in runs):
        ctx.exit(1)


def require_partition(day: date, oldest_day: date) -> None:
    """Wrong use if Dagster has no partition of this day."""
    if not oldest_day <= day <= utc_today():
        raise WrongUse(
            f"{day} cannot be run: days go from {oldest_day} to {utc_today()}, today. LLMA_OLDEST_DAY sets the first"
        )


def team_settings() -> "TeamSettings":
    """The settings of teams; a broken field is said on stderr, and its default holds."""
    from llma_assets.discovery import TeamSettings
    from llma_assets.settings import Settings

    settings, problems = TeamSettings.load(Settings.from_env().data_dir)
    for problem in problems:
        say(f"Team settings: {problem}")
    return settings


def run_teams(
    database: "Database",
    day: date,
    team_ids: Sequence[int] | None,
    clustering: Mapping[str, Any],
    *,
    batch_wait_s: float | None = None,
    texts_only: bool = False,
    verbose: bool = False,
) -> "tuple[list[TeamRun], dict[int, dict[str, Any]]]":
    """Discovery, then one team after another.

    Args:
        team_ids: the teams, None for all that are eligible.
        clustering: options of `cluster_assignments`.
        batch_wait_s: ask for summaries by the Batch API and wait so long; None asks by calls.
        texts_only: stop after the texts.

    Returns:
        what came of each team, and the published clusters by team id.

    Raises:
        Problem: discovery itself failed.
    """
    from llma_assets.cli.cluster_report import cluster_document
    from llma_assets.cli.errors import Problem
    from llma_assets.cli.instance import opened_instance
    from llma_assets.cli.progress import shown_progress
    from llma_assets.cli.runner import Runner
    from llma_assets.settings import Settings
    from llma_assets.team_day import TeamDay

    settings = Settings.from_env()
    lookback_days = team_settings().lookback_days
    with opened_instance(settings) as instance, shown_progress(lines=verbose) as progress:
        runner = Runner(
            instance,
            database,
            progress=progress,
            lookback_days=lookback_days,
            oldest_day=settings.oldest_day,
            verbose=verbose,
        )
        discovery, decisions = runner.discover(day)
        if discovery.error:
            raise Problem(discovery.error)
        if team_ids is None:
            team_ids = [decision.team_id for decision in decisions.values() if decision.eligible]
            if not team_ids:
                say(f"No team is eligible on {day}. `llma skips --date {day}` says why; `llma ingest` brings events.")
        runs = [
            runner.run_team(
                TeamDay(team_id, day),
                decisions.get(team_id),
                clustering,
                batch_wait_s=batch_wait_s,
                texts_only=texts_only,
            )
            for team_id in team_ids
        ]
    return runs, {each.team_day.team_id: cluster_document(database, each.team_day) for each in runs}


def run_document(
    day: date, runs: "Sequence[TeamRun]", documents: Mapping[int, dict[str, Any]], took_s: float
) -> dict[str, Any]:
    """The object of `llma run --json`."""
    return {
        "date": day.isoformat(),
        "duration_s": round(took_s, 3),
        "teams": [
            {
                "team": each.team_day.team_id,
                "status": each.status,
                "reason": each.reason,
                "detail": each.detail,
                "first_day": each.first_day.isoformat(),
                "dagster_runs": [job_run.run_id for job_run in each.job_runs],
                "stages": {stage: round(seconds, 3) for stage, seconds in each.seconds().items()},
                "runs": documents[each.team_day.team_id]["runs"],
            }
            for each in runs
        ],
    }


def show_runs(database: "Database", runs: "Sequence[TeamRun]", documents: Mapping[int, dict[str, Any]]) -> None:
    """Print each team's clusters, or why there are none; failures go to stderr."""
    from llma_assets.cli.cluster_report import show_clusters, skip_details

    for each in runs:
        if each.status == "failed":
            say(f"{each.team_day} failed: {each.detail}")
            say(f"`llma run` does only what is missing; Dagster's runs: {', '.join(r.run_id for r in each.job_runs)}")
        elif each.status == "texts":
            show(f"{each.team_day}: the texts from {each.first_day} on are stored; `llma estimate` counts them")
        elif each.status == "waiting":
            show(f"{each.team_day}: waiting: {plain(each.detail)}")
        elif each.status == "skipped":
            show(f"{each.team_day}: not run: {plain(each.reason)}, {plain(each.detail)}")
        else:
            show_clusters(documents[each.team_day.team_id], skip_details(database, each.team_day))


def show_times(runs: "Sequence[TeamRun]", took_s: float) -> None:
    """Print how long each stage took."""
    rows = [
        (each.team_day.team_id, stage, f"{seconds:.1f}") for each in runs for stage, seconds in each.seconds().items()
    ]
    if rows:
        show_table(("team", "stage", "seconds"), rows, right=("team", "seconds"))
    show(f"{took_s:.1f} s in all")


def _dry_run(database: "Database", day: date, team_ids: Sequence[int] | None, as_json: bool) -> None:
    """Decide without storing, and say what a run would read."""
    from llma_assets.discovery import discover, window_of

    settings = team_settings()
    decisions = {decision.team_id: decision for decision in discover(database, settings, day)}
    chosen = [each for each in decisions if decisions[each].eligible] if team_ids is None else team_ids
    first_day, _ = window_of(day, settings.lookback_days)
    rows = [_planned(team_id, decisions.get(team_id), first_day) for team_id in chosen]
    if as_json:
        emit_json({"date": day.isoformat(), "dry_run": True, "teams": rows})
        return
    for row in rows:
        verb = "would run" if row["eligible"] else "would not run"
        show(f"team {row['team']}: {verb} {row['first_day']} to {day}: {row['reason']}, {plain(row['detail'])}")
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
