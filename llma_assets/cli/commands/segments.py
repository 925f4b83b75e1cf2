"""`llma segments`: stores segments of session replays, and runs Dagster's jobs that make tasks of them."""

import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llma_assets.cli.commands.ingest import require_some_accepted
from llma_assets.cli.commands.task_changes import team_task_options
from llma_assets.cli.errors import Problem
from llma_assets.cli.options import STDIN, json_option, opened_database, require_readable, team_option, utc_today
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.tasks import SegmentReport

SHOWN_REFUSED = SHOWN_TASKS = 20


@click.group("segments")
def segments_group() -> None:
    """Store segments of session replays, and make tasks of them."""


@segments_group.command("ingest")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@json_option
def ingest_command(files: tuple[str, ...], as_json: bool) -> None:
    """Store segments from JSON lines.

    Files may be compressed; `-` reads stdin. A line is `{"team_id", "session_id", "start", "end", "distinct_id",
    "description"}`, with an optional `embedding` of the configured model; if it is missing the model makes it. Each
    segment is stored once. Invalid lines are counted, kept with their reason, and stop nothing.
    """
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.ingest import DamagedSource
    from llma_assets.ledger import UsageLedger
    from llma_assets.models import Record, embedder
    from llma_assets.reports import IngestedSegments, segments_file
    from llma_assets.settings import Settings
    from llma_assets.tasks import ingest_segments
    from llma_assets.team_day import TeamDay
    from llma_assets.teams import why_left_out

    for name in files:
        require_readable(name)
    settings = Settings.from_env()
    model, teams = embedder(settings), team_settings()
    reports: list[tuple[str, SegmentReport]] = []
    with opened_database(create=True) as database:
        ledgers: dict[int, UsageLedger] = {}

        def recorder(team_id: int, item: str) -> "Record":
            ledger = ledgers.setdefault(
                team_id, UsageLedger(database, TeamDay(team_id, utc_today()), stage="video_segments", theme_id="")
            )
            return lambda usage: ledger.record(item, usage)

        try:
            for name in files:
                try:
                    with nullcontext(sys.stdin.buffer) if name == STDIN else Path(name).open("rb") as source:
                        report = ingest_segments(
                            source,
                            database,
                            model,
                            rejects=settings.rejects_dir,
                            left_out=partial(why_left_out, teams),
                            record=recorder,
                            progress=_line_progress(name),
                        )
                except DamagedSource as error:
                    raise Problem(
                        f"{name}: {error}. The lines before are stored; it is safe to repeat the command"
                    ) from error
                reports.append((name, report))
                if report.rejects_file is not None:
                    say(f"{name}: {report.refused:,} lines rejected; see {report.rejects_file}")
        finally:
            for ledger in ledgers.values():
                ledger.flush()
    if as_json:
        emit_report(IngestedSegments(tuple(segments_file(name, report) for name, report in reports)))
    else:
        for name, report in reports:
            _show_report(name, report)
    require_some_accepted((name, report.stored + report.known, report.first_refusal, "") for name, report in reports)


@segments_group.command("run")
@team_option()
@click.option("-v", "--verbose", is_flag=True, help="Show Dagster's own log on stderr.")
@json_option
@click.pass_context
def run_command(ctx: click.Context, team_id: int, verbose: bool, as_json: bool) -> None:
    """Group a team's new segments, and create or update tasks.

    The run is recorded in Dagster. Each segment is processed once, even if you repeat or interrupt the command. A team
    on the skip list is not run: the reason is printed, and the exit code stays 0.
    """
    from datetime import UTC, datetime

    from llma_assets.cli.render.progress import shown_progress
    from llma_assets.cli.run.runner import runner_of
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.defs.instance import opened_instance
    from llma_assets.reports import SegmentCounts, SegmentsRun
    from llma_assets.settings import Settings
    from llma_assets.tasks import list_tasks, segment_counts
    from llma_assets.teams import why_left_out

    settings = Settings.from_env()
    options = team_task_options(team_id)
    with opened_database() as database, opened_instance(settings) as instance:
        left_out = why_left_out(team_settings(), team_id)
        with shown_progress(lines=verbose) as progress:
            job_run = runner_of(instance, database, progress=progress, verbose=verbose).run_tasks(team_id)
        found = list_tasks(database, team_id, now=datetime.now(UTC), options=options)
        counts = SegmentCounts(**segment_counts(database, team_id))
    shown = [task for task in found if task.status != "ignored"]
    if as_json:
        emit_report(
            SegmentsRun(
                team_id=team_id,
                status="failed" if job_run.error else "skipped" if left_out else "done",
                reason=left_out.reason if left_out else "",
                error=job_run.error,
                dagster_run=job_run.run_id,
                segments=counts,
                tasks=tuple(shown),
            )
        )
    elif job_run.error:
        say(f"team {team_named(team_id)} failed: {job_run.error}. Dagster's run: {job_run.run_id}")
    elif left_out:
        say(f"team {team_named(team_id)} was skipped: {left_out.detail}")
    else:
        show(
            f"team {team_named(team_id)}: {counts.processed:,} segments "
            f"processed so far, {counts.in_tasks:,} of them in "
            f"{len(found):,} tasks; {counts.refused:,} rejected"
        )
        show_table(
            ("task", "priority", "status", "users", "seen", "title"),
            [
                (
                    task.task_id[:8],
                    f"{task.priority:.2f}",
                    task.status,
                    task.user_count,
                    task.occurrence_count,
                    task.title,
                )
                for task in shown[:SHOWN_TASKS]
            ],
            right=("priority", "users", "seen"),
        )
    if job_run.error:
        ctx.exit(1)


@segments_group.command("refused")
@team_option()
@click.option("--limit", type=click.IntRange(1), default=SHOWN_REFUSED, show_default=True)
@json_option
def refused_command(team_id: int, limit: int, as_json: bool) -> None:
    """List stored segments that could not be used, and why; lines that `ingest` rejected are in its rejects file."""
    from llma_assets.reports import RefusedSegment, RefusedSegments
    from llma_assets.tasks import refused_segments

    with opened_database() as database:
        rows = tuple(RefusedSegment(**row) for row in refused_segments(database, team_id, most=limit))
    if as_json:
        emit_report(RefusedSegments(team_id, rows))
    elif rows:
        show_table(("segment", "reason"), [(row.document_id, row.reason) for row in rows])
    else:
        say(f"No stored segment of team {team_named(team_id)} was rejected.")


def _show_report(name: str, report: "SegmentReport") -> None:
    show(
        f"{plain(name)}: {report.lines:,} lines, {report.stored:,} new segments, {report.known:,} stored already, "
        f"{report.refused:,} rejected"
    )
    for reason, count in sorted(report.reasons.items()):
        show(f"  rejected, {reason}: {count:,}")
    for team_id, count in report.teams.items():
        show(f"  team {team_named(team_id)}: {count:,} new")


def _line_progress(name: str) -> "Callable[[int], None]":
    """Prints a line on stderr every few seconds."""
    from llma_assets.cli.render.progress import SECONDS_BETWEEN_LINES

    last = time.monotonic()

    def report_lines(lines: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(f"{plain(name)}: {lines:,} lines")

    return report_lines
