"""Stores sources: one row a change, the newest of a name counts."""

from typing import Final

from llma_assets.clickhouse import Database
from llma_assets.sources import KINDS, Source, SourceError

ONE_TEAM: Final = ""
"""The tenant of a source whose rows are all one team's."""


def source_named(database: Database, name: str) -> Source:
    """A stored source.

    Raises:
        SourceError: there is none of that name.
    """
    sources = {source.name: source for source in database.sources()}
    if name not in sources:
        known = ", ".join(sources) or "none yet"
        raise SourceError(f"there is no source {name[:60]!r} (known: {known}); `llma sources add` makes one")
    return sources[name]


def check_source(source: Source) -> None:
    """Check what a kind needs.

    Raises:
        SourceError: the kind is not known, or is given tables that it does not read.
    """
    if source.kind not in KINDS:
        raise SourceError(f"{source.kind[:40]!r} is not a kind of source; kinds are {', '.join(KINDS)}")
    for name in source.others:
        if name not in KINDS[source.kind].others:
            raise SourceError(f"a source of kind {source.kind} reads no table for {name!r}")


def add_source(database: Database, source: Source, *, by: str, team_id: int | None = None) -> None:
    """Store a source, or replace the one of its name.

    Args:
        by: who does it.
        team_id: all rows are of this team; None if a column says whose they are.

    Raises:
        SourceError: it cannot be read as described.
    """
    check_source(source)
    if team_id is not None and KINDS[source.kind].numbered:
        raise SourceError(f"a source of kind {source.kind} has the teams' numbers in its column team_id")
    _write(database, source, by=by)
    if team_id is not None:
        database.insert_rows("source_tenants", [{"source": source.name, "tenant": ONE_TEAM, "team_id": team_id}])
    database.forget_sources()


def remove_source(database: Database, source: Source, *, by: str) -> None:
    """Read a source no more. Its table, and what was made of it, stays; its teams keep their numbers."""
    _write(database, source, by=by, removed=True)
    database.forget_sources()


def _write(database: Database, source: Source, *, by: str, removed: bool = False) -> None:
    database.insert_rows(
        "sources",
        [
            {
                "name": source.name,
                "kind": source.kind,
                "table_name": source.table,
                "tenant_column": source.tenant,
                "user_column": source.user,
                "others": dict(source.others),
                "removed": removed,
                "changed_by": by,
            }
        ],
    )
