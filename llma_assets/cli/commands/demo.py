"""`llma demo`: runs the whole graph on sample traffic. Making the traffic belongs in `llma_assets.demo`."""

import io
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, utc_today
from llma_assets.cli.render.console import command, emit_report, plain, say, show
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.cli.run.team_runs import TeamRun
    from llma_assets.clickhouse import Database
    from llma_assets.defs.job_run import JobRun
    from llma_assets.reports import PublishedClusters
    from llma_assets.settings import Settings
    from llma_assets.tasks import Task
    from llma_assets.teams import TeamSettings

NEW_PROBLEM = "payment"
"""Part of the trace ids of the problem that appears in the second week."""


@click.command()
@click.option("--date", "day", type=Day(), help="Last day of the traffic (UTC).  [default: yesterday]")
@click.option("-v", "--verbose", is_flag=True, help="Show Dagster's own log on stderr.")
@json_option
@click.pass_context
def demo(ctx: click.Context, day: date | None, verbose: bool, as_json: bool) -> None:
    """Run the whole graph on sample traffic.

    It stores traffic of several teams, runs the graph, and prints the clusters. For one team it also switches on a
    theme, unless somebody changed that theme; for another it shows trends over two weeks, and tasks from session
    replays. Each event is stored once: a second run adds nothing.
    """
    from llma_assets.cli.commands.run import require_partition
    from llma_assets.cli.run.report import run_report
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.cli.run.team_runs import TeamRunOptions, run_teams
    from llma_assets.demo import TRAVEL, WEEK
    from llma_assets.reports import DemoReport
    from llma_assets.settings import OWN_EVENTS, Settings
    from llma_assets.themes import TRACES

    day = day or utc_today() - timedelta(days=1)
    settings = Settings.from_env()
    if settings.events_table != OWN_EVENTS:
        raise WrongUse(
            f"LLMA_EVENTS_TABLE is {settings.events_table}, but the demo writes only to {OWN_EVENTS}; unset it"
        )
    require_partition(day, settings.oldest_day)
    started = time.monotonic()
    with opened_database(create=True) as database:
        team_ids = _write_sample(database, day)
        switch_themes_on(database)
        teams, options = team_settings(), TeamRunOptions(verbose=verbose)
        # Within the window of `day`, so that lineages continue; only traces, because the demo shows their trends.
        # The day before, too: what is gone has ended once two runs miss it.
        before: list[TeamRun] = []
        for earlier in (day - timedelta(days=WEEK - 1), day - timedelta(days=1)):
            if earlier >= settings.oldest_day:
                traces_only = TeamRunOptions(theme_ids=(TRACES.theme_id,), verbose=verbose)
                before += run_teams(database, earlier, [TRAVEL.team_id], traces_only, teams)[0]
        runs, published = run_teams(database, day, team_ids, options, teams)
        tasks_run, tasks = _make_tasks(database, settings, verbose=verbose)
        took_s = time.monotonic() - started
        if as_json:
            emit_report(DemoReport(**vars(run_report(day, runs, published, took_s)), tasks=tuple(tasks)))
        else:
            _show(database, day, teams, runs, published, tasks)
            show(f"\n{took_s:.0f} s in all")
            _show_next_steps(runs, published, tasks)
    if tasks_run.error:
        say(f"Making tasks failed: {tasks_run.error}")
    if tasks_run.error or any(each.status == "failed" for each in (*before, *runs)):
        ctx.exit(1)


def _write_sample(database: "Database", day: date) -> list[int]:
    """Store the sample traffic; returns its teams."""
    from llma_assets.demo import TRAVEL, sample_events, sample_segments
    from llma_assets.ingest import ingest
    from llma_assets.ledger import UsageLedger
    from llma_assets.models import embedder
    from llma_assets.settings import Settings
    from llma_assets.tasks import ingest_segments
    from llma_assets.team_day import TeamDay

    report = ingest(_lines(sample_events(day)), database, rejects=None, strict=True)
    say(f"{report.inserted:,} events of {len(report.teams)} teams written, {report.duplicates:,} were stored already.")
    with UsageLedger(database, TeamDay(TRAVEL.team_id, utc_today()), stage="video_segments", theme_id="") as ledger:
        segments = ingest_segments(
            _lines(sample_segments(day)),
            database,
            embedder(Settings.from_env()),
            rejects=None,
            record=lambda _, item: partial(ledger.record, item),
        )
    say(f"{segments.stored:,} segments of session replays written, {segments.known:,} were stored already.")
    return list(report.teams)


def _lines(records: Iterable[Mapping[str, Any]]) -> io.BytesIO:
    import orjson

    return io.BytesIO(b"".join(orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in records))


def _make_tasks(database: "Database", settings: "Settings", *, verbose: bool) -> "tuple[JobRun, list[Task]]":
    """Make tasks from the session replays; returns them by priority."""
    from datetime import UTC, datetime

    from llma_assets.cli.commands.task_changes import team_task_options
    from llma_assets.cli.render.progress import shown_progress
    from llma_assets.cli.run.runner import runner_of
    from llma_assets.defs.instance import opened_instance
    from llma_assets.demo import TRAVEL
    from llma_assets.tasks import list_tasks

    with opened_instance(settings) as instance, shown_progress(lines=verbose) as progress:
        done = runner_of(instance, database, progress=progress, verbose=verbose).run_tasks(TRAVEL.team_id)
    found = list_tasks(database, TRAVEL.team_id, now=datetime.now(UTC), options=team_task_options(TRAVEL.team_id))
    return done, [task for task in found if task.status != "ignored"]


def switch_themes_on(database: "Database") -> None:
    """Switch the demo's themes on, except those that somebody changed."""
    from llma_assets.demo import THEMED_TEAM, THEMES
    from llma_assets.themes import set_enabled, themes_of

    changed = themes_of(database, THEMED_TEAM.team_id).changes
    for theme_id in THEMES:
        if theme_id not in changed:
            set_enabled(database, THEMED_TEAM.team_id, theme_id, True, "demo")


def _show_funnels(database: "Database", day: date, lookback_days: int) -> None:
    """Print the funnel of the team that has themes."""
    from llma_assets.cli.commands.themes_reports import show_funnels
    from llma_assets.demo import THEMED_TEAM
    from llma_assets.reports import funnel_report
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import active_themes

    team_day = TeamDay(THEMED_TEAM.team_id, day)
    themes = active_themes(database, team_day.team_id)
    show_funnels(database, funnel_report(database, team_day, themes, lookback_days=lookback_days))


def _show(
    database: "Database",
    day: date,
    teams: "TeamSettings",
    runs: "Sequence[TeamRun]",
    published: "Mapping[int, PublishedClusters]",
    tasks: "Sequence[Task]",
) -> None:
    """Print clusters of traces, then funnel, trends and tasks; of single model calls only the number of clusters."""
    from llma_assets.cli.run.report import show_runs

    traces = {
        team_id: replace(each, runs=tuple(run for run in each.runs if run.level == "trace"))
        for team_id, each in published.items()
    }
    show_runs(runs, traces)
    show("\nSingle model calls (generations) are clustered, too:")
    for team_id, each in published.items():
        for run in each.runs:
            if run.level == "generation" and run.clusters:
                options = f"--team {team_id} --date {day} --level generation"
                show(f"  {run.items} in {len(run.clusters)} clusters: {command()} clusters {options}")
    show("\nThe theme error_analysis asks what fails in the coding assistant's traces. Items by stage:")
    _show_funnels(database, day, teams.lookback_days)
    _show_trends(database, day)
    _show_tasks(tasks)


def _show_trends(database: "Database", day: date) -> None:
    """Print the trends of the travel agent: one cluster has ended, one is new."""
    from llma_assets.cli.commands.trends import show_trends
    from llma_assets.demo import TRAVEL
    from llma_assets.reports import trends_report
    from llma_assets.themes import TRACES

    for each in trends_report(database, TRAVEL.team_id, until=day, weeks=2).themes:
        if each.theme_id == TRACES.theme_id:
            show(f"\nTrends of the travel agent's traces (team {team_named(TRAVEL.team_id)}) over two weeks:")
            show_trends(each.trends)


def _show_tasks(tasks: "Sequence[Task]") -> None:
    from llma_assets.cli.commands.tasks import show_tasks

    if tasks:
        show("\nTasks: recurring problems in the travel agent's session replays:")
        show_tasks(tasks)


def _show_next_steps(
    runs: "Sequence[TeamRun]", published: "Mapping[int, PublishedClusters]", tasks: "Sequence[Task]"
) -> None:
    done = [each.team_day for each in runs if each.status == "done"]
    if not done:
        return
    team_id, day, program = done[0].team_id, done[0].day, command()
    trace_ids = [
        item_id
        for run in published[team_id].runs
        if run.level == "trace"
        for cluster in run.clusters
        for item_id in cluster.item_ids
    ]
    trace_id = next((each for each in trace_ids if NEW_PROBLEM in each), trace_ids[0] if trace_ids else None)
    steps = [
        (f"clusters --team {team_id} --date {day} --describe", "what each cluster is about"),
        (f"trace --team {team_id} {plain(trace_id)}" if trace_id else "", "the text that models read"),
        (f"trends --team {team_id}", "sizes and error rates over four weeks"),
        (f"tasks show {tasks[0].task_id[:8]} --team {team_id}" if tasks else "", "the moments behind a task"),
        (f"check --date {day}", "checks of the results"),
        (f"skips --date {day}", "why results are missing"),
    ]
    lines = [(f"{program} {step}", about) for step, about in steps if step]
    if Path("Makefile").exists() and Path("workspace.yaml").exists():
        lines.append(("make dev", "the pages and the Dagster UI on the same data"))
    width = max(len(step) for step, _ in lines)
    show("\nNext steps:")
    for step, about in lines:
        show(f"  {step:{width}}  {about}")
    show(f"\nThe same as pages, in the browser: {program} web --open")
