"""The state of the database, as `llma db` reports it."""

from dataclasses import dataclass
from pathlib import Path

from llma_assets.serialization import Moment


@dataclass(frozen=True, slots=True)
class TableSize:
    """A table: rows and bytes on disk."""

    table: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """Where the database is, and what it holds.

    Attributes:
        mode: `embedded`, or `remote` where CLICKHOUSE_URL names a server.
        address: host and port, without user and password; None for an embedded server that is not running.
        version: of the server; None where nothing runs.
        database: its name; None before the first `llma db upgrade`.
        pid, started_at: of the embedded server.
    """

    mode: str
    address: str | None
    running: bool
    version: str | None
    database: str | None
    data_dir: Path
    pid: int | None
    started_at: Moment | None
    tables: tuple[TableSize, ...]


@dataclass(frozen=True, slots=True)
class SchemaUpgrade:
    """The migrations that were applied to a database."""

    database: str
    applied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup: where it is, when it was begun, the version that made it, and how many files it has."""

    folder: Path
    made_at: str
    version: str
    files: int


@dataclass(frozen=True, slots=True)
class BackupRestored:
    """A restored backup.

    Attributes:
        kept: where what was there before is now.
        interrupted_runs: Dagster's runs that were on when the backup was made, now recorded as failed.
    """

    data_dir: Path
    made_at: str
    version: str
    kept: tuple[Path, ...]
    interrupted_runs: int
