"""Applies the migrations in `migrations/*.sql`, which define the tables.

Every statement of a migration can be run again (`IF NOT EXISTS` and the like), because ClickHouse has no transactions
around several statements: a killed process or two concurrent ones do no harm.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources

from llma_assets.clickhouse.database import Database
from llma_assets.clickhouse.errors import DatabaseError, DatabaseUnavailable, MigrationError
from llma_assets.clickhouse.queries import APPLIED_MIGRATIONS, CREATE_SCHEMA_MIGRATIONS, HAS_SCHEMA_MIGRATIONS

_FILE = re.compile(r"(\d{4})_\w+\.sql")
_STATEMENT_END = re.compile(r";[ \t]*(?:--[^\n]*)?$", re.MULTILINE)
_COMMENT_LINE = re.compile(r"^\s*--[^\n]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration file.

    Attributes:
        number: its four digits.
        name: its file name.
        statements: its statements, in order.
        checksum: SHA-256 of its text, hexadecimal.
    """

    number: int
    name: str
    statements: tuple[str, ...]
    checksum: str

    @classmethod
    def parse(cls, name: str, text: str) -> "Migration":
        """Parse a migration; statements end with `;` at the end of a line.

        Raises:
            MigrationError: the file name is not `NNNN_words.sql`.
        """
        match = _FILE.fullmatch(name)
        if match is None:
            raise MigrationError(f"the name of migration {name} must be NNNN_words.sql, like 0012_users.sql")
        pieces = (piece.strip() for piece in _STATEMENT_END.split(text))
        statements = tuple(piece for piece in pieces if _COMMENT_LINE.sub("", piece).strip())
        return cls(int(match.group(1)), name, statements, hashlib.sha256(text.encode()).hexdigest())


def shipped_migrations() -> list[Migration]:
    """The migrations of this package, by number."""
    folder = resources.files("llma_assets.clickhouse") / "migrations"
    files = [file for file in folder.iterdir() if file.name.endswith(".sql")]
    return sorted((Migration.parse(file.name, file.read_text("utf-8")) for file in files), key=lambda m: m.number)


def migrate(database: Database, migrations: Iterable[Migration] | None = None) -> list[str]:
    """Apply the missing migrations. Safe to run twice, and from several processes at once.

    Returns:
        the names of the migrations that this call applied.

    Raises:
        MigrationError: a statement failed (the message names file and statement), or an applied migration has
            changed.
    """
    wanted = list(shipped_migrations() if migrations is None else migrations)
    if not database.value(HAS_SCHEMA_MIGRATIONS, database=database.name):
        for statement in database.layout.statements(CREATE_SCHEMA_MIGRATIONS):
            database.execute(statement)
    applied = {row["number"]: row for row in database.rows(APPLIED_MIGRATIONS)}
    done = []
    for migration in wanted:
        before = applied.get(migration.number)
        if before is None:
            _apply(database, migration)
            done.append(migration.name)
        elif _text(before["checksum"]) != migration.checksum:
            raise MigrationError(
                f"{migration.name} was changed after it had been applied to database {database.name!r} "
                f"(as {before['name']}). Restore its text and put the change into a migration with the next number; "
                "or, if the data is not needed, drop the database (embedded: run `llma db stop` and remove the "
                "folder `clickhouse` of the data folder) and run `llma db upgrade`."
            )
    return done


def _apply(database: Database, migration: Migration) -> None:
    for number, statement in enumerate(migration.statements, 1):
        try:
            for each in database.layout.statements(statement):
                database.execute(each)
        except DatabaseUnavailable:
            raise
        except DatabaseError as error:
            first_line = _COMMENT_LINE.sub("", statement).strip().partition("\n")[0]
            raise MigrationError(
                f"{migration.name}, statement {number} of {len(migration.statements)} ({first_line}): {error}",
                error.code,
            ) from error
    record = {"number": migration.number, "name": migration.name, "checksum": migration.checksum}
    database.insert_rows("schema_migrations", [record])


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
