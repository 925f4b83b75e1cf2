"""`llma db`: status, start and stop of the database, upgrades of its schema, and queries."""

import codecs
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from llma_assets.cli.commands.backup import backup, restore
from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import json_option, opened_database
from llma_assets.cli.queries import TABLE_SIZES
from llma_assets.cli.render.console import emit_report, plain_block, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import ServerState
    from llma_assets.reports import DatabaseStatus
    from llma_assets.settings import Settings


@click.group()
def db() -> None:
    """The database: status, start, stop, upgrade, query, backup, restore."""


db.add_command(backup)
db.add_command(restore)


@db.command()
@json_option
def status(as_json: bool) -> None:
    """Show the address and version of the database, and the size of its tables. Starts nothing."""
    from llma_assets.clickhouse import NoDatabase, SharedClient, connect, open_database
    from llma_assets.clickhouse import status as server_status
    from llma_assets.reports import DatabaseStatus, TableSize
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    state = None if settings.clickhouse_url else server_status(settings.data_dir)
    report = DatabaseStatus(
        mode="remote" if settings.clickhouse_url else "embedded",
        address=_address(settings, state),
        running=bool(settings.clickhouse_url or state),
        version=None,
        database=None,
        data_dir=settings.data_dir,
        pid=state.pid if state else None,
        started_at=datetime.fromtimestamp(state.started_at, UTC) if state else None,
        tables=(),
    )
    if report.running:
        try:
            with connect(settings, create=False) as database:
                sizes = database.rows(TABLE_SIZES, database=database.name)
                report = replace(
                    report,
                    version=database.ping(),
                    database=database.name,
                    tables=tuple(TableSize(**row) for row in sizes),
                )
        except NoDatabase:
            with open_database(SharedClient(settings), "default") as server:
                report = replace(report, version=server.ping())
    if as_json:
        emit_report(report)
    else:
        _show_status(report)


def _address(settings: "Settings", state: "ServerState | None") -> str | None:
    """Host and port, without user and password."""
    if settings.clickhouse_url is None:
        return f"127.0.0.1:{state.port}" if state else None
    url = urlsplit(settings.clickhouse_url)
    return url.netloc.rpartition("@")[2]


def _show_status(report: "DatabaseStatus") -> None:
    from llma_assets.clickhouse import has_data

    if not report.running:
        what = "not running; any command starts it, or `llma db start`"
        if not has_data(report.data_dir):
            what = "no database yet; `llma ingest FILE` or `llma demo` makes one, LLMA_DATA_DIR names another folder"
        show(f"embedded ClickHouse of {report.data_dir}: {what}")
        return
    where = f"of {report.data_dir}, process {report.pid}, " if report.mode == "embedded" else ""
    database = f"database {report.database}" if report.database else "no database yet: `llma db upgrade` creates it"
    show(f"{report.mode} ClickHouse {report.version} {where}at {report.address}, {database}")
    if not report.database:
        return
    show_table(
        ("table", "rows", "MB"),
        [(each.table, f"{each.rows:,}", f"{each.bytes / 1e6:,.1f}") for each in report.tables],
        right=("rows", "MB"),
    )


@db.command()
def start() -> None:
    """Start the embedded database; it stops after LLMA_IDLE_MINUTES without use."""
    from llma_assets.clickhouse import start as start_server
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    _needs_embedded(settings, "start")
    state = start_server(settings.data_dir)
    say(f"Embedded ClickHouse {state.version} runs at 127.0.0.1:{state.port}, process {state.pid}.")


@db.command()
def stop() -> None:
    """Stop the embedded database after its running queries."""
    from llma_assets.clickhouse import stop as stop_server
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    _needs_embedded(settings, "stop")
    say("The database is stopped." if stop_server(settings.data_dir) else "The database was not running.")


def _needs_embedded(settings: "Settings", verb: str) -> None:
    if settings.clickhouse_url is not None:
        raise WrongUse(f"cannot {verb} the server that CLICKHOUSE_URL names; unset it to use the embedded database")


@db.command()
@json_option
def upgrade(as_json: bool) -> None:
    """Bring the schema up to date; safe to repeat, and to run several times at once."""
    from llma_assets.clickhouse import SharedClient, database_name, keep_for, migrate, open_database
    from llma_assets.reports import SchemaUpgrade
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    with open_database(SharedClient(settings), database_name(settings), settings.events_table) as database:
        applied = migrate(database)
        keep_for(database, dict(settings.retention_days))
        name = database.name
    if as_json:
        emit_report(SchemaUpgrade(name, tuple(applied)))
    elif applied:
        show(f"database {name}: applied {', '.join(applied)}")
    else:
        show(f"database {name} is up to date")


@db.command()
@click.argument("sql")
@click.option("--header", is_flag=True, help="Print column names in the first line.")
def query(sql: str, header: bool) -> None:
    """Run an SQL statement and print the rows, tab-separated or in the FORMAT of the statement.

    `-` reads the statement from stdin.
    """
    statement = sys.stdin.read() if sql == "-" else sql
    if not statement.strip():
        raise WrongUse("the statement is empty")
    from llma_assets.cli.commands.raw_query import raw_pieces
    from llma_assets.settings import Settings

    with opened_database():
        _write(raw_pieces(Settings.from_env(), statement, header=header))


def _write(pieces: Iterator[bytes]) -> None:
    """Write bytes unchanged to a file or pipe; on a terminal with control characters escaped."""
    if sys.stdout.isatty():
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        for piece in pieces:
            click.echo(plain_block(decoder.decode(piece)), nl=False)
        return
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
