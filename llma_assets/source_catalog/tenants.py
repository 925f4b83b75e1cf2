"""Which team each tenant of a source is: a number that follows from the names of source and tenant, and is stored.

Team numbers are what the pipeline counts by; tenants are names or ids. A number does not depend on what else there is,
so that two processes, or a second installation, find the same one. Only where it is taken already, the next is given.
"""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from llma_assets.clickhouse import Database
from llma_assets.source_catalog.queries import STORED_TENANTS
from llma_assets.sources import KINDS, Source, tenants_statement

FIRST_TEAM, TEAMS = 100_000, 900_000
"""Teams of tenants have six digits; teams of ingested events usually have fewer."""

MOST_TENANTS: Final = 10_000
"""So many tenants of a source are found at once, the first by name."""


def team_of(source: str, tenant: str, taken: Collection[int] = ()) -> int:
    """The number of a tenant's team.

    Args:
        taken: numbers of other tenants.

    >>> team_of("otel", "shop") == team_of("otel", "shop")
    True
    >>> team_of("otel", "shop", {team_of("otel", "shop")}) - team_of("otel", "shop")
    1
    """
    digest = hashlib.sha256(f"{source}\0{tenant}".encode()).digest()
    start = int.from_bytes(digest[:8], "big") % TEAMS
    for step in range(TEAMS):
        team_id = FIRST_TEAM + (start + step) % TEAMS
        if team_id not in taken:
            return team_id
    raise ValueError("no team number is left")


def register_tenants(database: Database, since: datetime, until: datetime) -> int:
    """Give a team to each tenant that has rows in a time and has no team yet.

    Returns:
        the number of new teams.
    """
    return sum(
        store_tenants(database, source, seen_tenants(database, source, since, until))
        for source in database.sources()
        if _has_tenants(source)
    )


def seen_tenants(database: Database, source: Source, since: datetime, until: datetime) -> list[str]:
    """The tenants of a source that have rows in a time, by name."""
    statement = tenants_statement(source, "{since:DateTime64(6, 'UTC')}", "{until:DateTime64(6, 'UTC')}")
    return [row["tenant"] for row in database.rows(statement, since=since, until=until, most=MOST_TENANTS)]


def store_tenants(database: Database, source: Source, tenants: Sequence[str]) -> int:
    """Give a team to each of these tenants that has none; returns how many got one."""
    return _store(database, source.name, tenants)


def team_of_tenant(database: Database, kind: str, tenant: str) -> int:
    """The team of what a file names as its tenant: that of the source of its kind, if there is one whose rows have it.

    Args:
        kind: a key of `KINDS`, or the name of another tool; without a source it stands for one.
        tenant: not empty.
    """
    of_kind = [source for source in database.sources() if source.kind == kind and _has_tenants(source)]
    name = of_kind[0].name if len(of_kind) == 1 else kind
    _store(database, name, [tenant])
    found: int = next(
        row["team_id"] for row in database.rows(STORED_TENANTS) if (row["source"], row["tenant"]) == (name, tenant)
    )
    return found


def _store(database: Database, name: str, tenants: Sequence[str]) -> int:
    with database.exclusive("source_tenants"):
        stored = database.rows(STORED_TENANTS)
        known = {row["tenant"] for row in stored if row["source"] == name}
        taken = {row["team_id"] for row in stored}
        rows = []
        for tenant in tenants:
            if tenant not in known:
                team_id = team_of(name, tenant, taken)
                taken.add(team_id)
                rows.append({"source": name, "tenant": tenant, "team_id": team_id})
        database.insert_rows("source_tenants", rows)
    if rows:
        database.forget_sources()
    return len(rows)


def team_names(database: Database) -> dict[int, str]:
    """What people call the teams of tenants, of sources and of files, by number; on pages, as of a minute ago."""
    return {row["team_id"]: row["tenant"] or row["source"] for row in database.rows_of_runs(STORED_TENANTS)}


def _has_tenants(source: Source) -> bool:
    """Whether rows say whose they are, and not by the number of a team."""
    return not KINDS[source.kind].numbered and not any(tenant.value == "" for tenant in source.tenants)
