"""`llma ingest`: files or stdin into the events table, with a progress bar and a report. Reading is in `ingest`."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.console import emit_json, plain, say, show, show_table
from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import json_option, opened_database, team_option

if TYPE_CHECKING:
    from llma_assets.ingest import IngestProgress, IngestReport

STDIN = "-"


@click.command("ingest")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--strict", is_flag=True, help="Stop at the first bad line; what came before it is stored.")
@team_option(required=False, help="Store all events as this team's, whatever the lines say.")
@json_option
def ingest_command(files: tuple[str, ...], strict: bool, team_id: int | None, as_json: bool) -> None:
    """Store trace events from JSON lines.

    Plain or gzip; `-` reads stdin. Each event is stored once, however often this runs. A bad line is counted, written
    with its number and reason to a file in the data folder, and stops nothing unless --strict.
    """
    from llma_assets.ingest import ingest
    from llma_assets.settings import OWN_EVENTS, Settings

    for name in files:
        require_readable(name)
    settings = Settings.from_env()
    if settings.events_table != OWN_EVENTS:
        say(
            f"What is ingested is stored in {OWN_EVENTS}, but the pipeline reads {settings.events_table}: "
            "unset LLMA_EVENTS_TABLE to have it read"
        )
    rejects = settings.rejects_dir
    reports: list[tuple[str, IngestReport]] = []
    with opened_database(create=True) as database:
        for name in files:
            source = sys.stdin.buffer if name == STDIN else Path(name)
            with _progress_bar(name) as progress:
                report = ingest(source, database, rejects=rejects, strict=strict, team_id=team_id, progress=progress)
            reports.append((name, report))
            if report.rejects_file is not None:
                say(f"{name}: {report.rejected:,} lines refused; they are in {report.rejects_file}")
    if as_json:
        emit_json({"files": [_as_json(name, report) for name, report in reports]})
    else:
        for name, report in reports:
            _show_report(name, report)


def require_readable(name: str) -> None:
    """Wrong use before anything is stored, instead of a failure in the middle."""
    if name == STDIN:
        return
    if not os.path.exists(name):
        raise WrongUse(f"{name}: there is no such file")
    if os.path.isdir(name):
        raise WrongUse(f"{name} is a folder; name its files")
    if not os.access(name, os.R_OK):
        raise WrongUse(f"{name} may not be read by this user")


def _as_json(name: str, report: "IngestReport") -> dict[str, Any]:
    return {
        "file": name,
        "lines": report.lines,
        "empty": report.empty,
        "accepted": report.accepted,
        "inserted": report.inserted,
        "duplicates": report.duplicates,
        "rejected": report.rejected,
        "reasons": dict(sorted(report.reasons.items())),
        "rejects_file": str(report.rejects_file) if report.rejects_file else None,
        "bytes": report.bytes,
        "duration_s": round(report.duration_s, 3),
        "teams": [
            {
                "team": team_id,
                "accepted": team.accepted,
                "inserted": team.inserted,
                "first_day": team.first_day.isoformat(),
                "last_day": team.last_day.isoformat(),
            }
            for team_id, team in report.teams.items()
        ],
    }


def _show_report(name: str, report: "IngestReport") -> None:
    rate = report.bytes / 1e6 / report.duration_s if report.duration_s else 0.0
    show(
        f"{plain(name)}: {report.lines:,} lines, {report.inserted:,} new events, {report.duplicates:,} stored already, "
        f"{report.rejected:,} refused, in {report.duration_s:.1f} s ({rate:.0f} MB/s)"
    )
    for reason, count in sorted(report.reasons.items()):
        show(f"  refused, {reason}: {count:,}")
    if report.teams:
        show_table(
            ("team", "events", "new", "from", "to"),
            [
                (team_id, f"{team.accepted:,}", f"{team.inserted:,}", team.first_day, team.last_day)
                for team_id, team in report.teams.items()
            ],
            right=("team", "events", "new"),
        )


@contextmanager
def _progress_bar(name: str) -> "Iterator[Callable[[IngestProgress], None]]":
    """A bar by bytes on a terminal's stderr; silence where there is no terminal, because the report follows soon."""
    from llma_assets.ingest.loading import ignore_progress

    if not sys.stderr.isatty():
        yield ignore_progress
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        size = Path(name).stat().st_size if name != STDIN and Path(name).is_file() else None
        task = bar.add_task(plain("stdin" if name == STDIN else Path(name).name), total=size)
        yield lambda progress: bar.update(task, completed=progress.source_bytes, total=progress.source_size)
