"""`llma ingest`: stores files or stdin in the events table. Parsing belongs in `llma_assets.ingest`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import STDIN, json_option, opened_database, require_readable, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.ingest import FirstRefusal, IngestProgress, IngestReport


@click.command("ingest")
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--format", "format_name", metavar="NAME", help="What the files hold, instead of recognising it.")
@click.option("--strict", is_flag=True, help="Stop at the first invalid line; the lines before it are stored.")
@team_option(required=False, help="Store all events for this team, whatever team_id the lines have.")
@json_option
def ingest_command(
    files: tuple[str, ...], format_name: str | None, strict: bool, team_id: int | None, as_json: bool
) -> None:
    """Store trace events from JSON, Parquet or OTLP: ours, or those of another tool.

    The format is recognised. Files may be compressed; `-` reads stdin. Without --team the projects and services that
    records of other tools name become teams of their own. Files of one command are joined: log records to their spans.
    Each event is stored once, even if you repeat the command. Invalid records are counted and written, with number and
    reason, to a file in the data folder; they stop nothing without --strict. If all records of a file are invalid, the
    exit code is 1.
    """
    from llma_assets.ingest import FORMAT_NAMES, PieceStore, ingest, reading_order
    from llma_assets.private_files import private_folder
    from llma_assets.settings import OWN_EVENTS, Settings

    if format_name is not None and format_name not in FORMAT_NAMES:
        raise WrongUse(f"--format must be one of {', '.join(FORMAT_NAMES)}")
    for name in files:
        require_readable(name)
    settings = Settings.from_env()
    if settings.events_table != OWN_EVENTS:
        say(
            f"Events are stored in {OWN_EVENTS}, but the pipeline reads {settings.events_table}: "
            "unset LLMA_EVENTS_TABLE to read the stored events"
        )
    if not settings.data_dir.exists():
        private_folder(settings.data_dir)  # several commands at once wait for each other there
    rejects = settings.rejects_dir
    reports: list[tuple[str, IngestReport]] = []
    ordered = [str(path) for path in reading_order(map(Path, files), format_name)] if len(files) > 1 else list(files)
    with opened_database(create=True) as database, closing(PieceStore()) as pieces:
        for name in ordered:
            source = sys.stdin.buffer if name == STDIN else Path(name)
            with _progress_bar(name) as progress:
                report = ingest(
                    source,
                    database,
                    rejects=rejects,
                    strict=strict,
                    team_id=team_id,
                    format_name=format_name,
                    pieces=pieces,
                    progress=progress,
                )
            reports.append((name, report))
            if report.rejects_file is not None:
                say(f"{name}: {report.rejected:,} lines rejected; see {report.rejects_file}")
    if as_json:
        from llma_assets.reports import IngestedEvents, events_file

        emit_report(IngestedEvents(tuple(events_file(name, report) for name, report in reports)))
    else:
        for name, report in reports:
            _show_report(name, report)
    if any(report.accepted for _, report in reports):  # files of content alone were joined to the others
        reports = [(name, report) for name, report in reports if report.accepted or not report.kept]
    require_some_accepted((name, report.accepted, report.first_refusal, report.advice) for name, report in reports)


def require_some_accepted(files: "Iterable[tuple[str, int, FirstRefusal | None, str]]") -> None:
    """Fail if every line of a file was rejected: it is probably the wrong file.

    Args:
        files: name, accepted lines, first refusal, and what to do, of each.
    """
    wrong = [
        f"{name}: "
        + (
            f"all lines were rejected; the first, line {first.line:,}: {first.reason}, {first.detail}"
            if first is not None
            else "it holds no events"
        )
        + (f"; {advice}" if advice else "")
        for name, accepted, first, advice in files
        if not accepted and (first is not None or advice)
    ]
    if wrong:
        raise Problem("; ".join(wrong))


def _format(report: "IngestReport") -> str:
    from llma_assets.ingest import FORMAT_NAMES

    return "" if report.format == FORMAT_NAMES[0] else f"{report.format}, "


def _show_report(name: str, report: "IngestReport") -> None:
    rate = report.bytes / 1e6 / report.duration_s if report.duration_s else 0.0
    show(
        f"{plain(name)}: {_format(report)}{report.lines:,} lines, {report.inserted:,} new events, "
        f"{report.duplicates:,} stored already, {report.rejected:,} rejected, "
        f"in {report.duration_s:.1f} s ({rate:.0f} MB/s)"
    )
    for repair, count in sorted(report.repairs.items()):
        show(f"  repaired, {repair}: {count:,}, in {report.repaired:,} events")
    for reason, count in sorted(report.reasons.items()):
        show(f"  rejected, {reason}: {count:,}")
    if report.teams:
        show_table(
            ("team", "events", "new", "from", "to"),
            [
                (team_named(team_id), f"{team.accepted:,}", f"{team.inserted:,}", team.first_day, team.last_day)
                for team_id, team in report.teams.items()
            ],
            right=("events", "new"),
        )


@contextmanager
def _progress_bar(name: str) -> "Iterator[Callable[[IngestProgress], None]]":
    """A progress bar by bytes if stderr is a terminal; nothing elsewhere, because the report follows soon."""
    from llma_assets.ingest import ignore_progress

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
