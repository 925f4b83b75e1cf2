"""The stored sources of a database, remembered for some seconds: statements over events read them, too.

How sources are stored, changed and tested belongs in `source_catalog`.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from llma_assets.sources import KINDS, Source, SourceError, Tenant

SECONDS: Final = 5.0

STORED_SOURCES: Final = """
SELECT
    name,
    kind,
    table_name,
    tenant_column,
    user_column,
    others,
    arraySort(groupArrayIf((tenants.tenant, tenants.team_id), tenants.source != '')) AS teams
FROM (SELECT * FROM sources FINAL WHERE NOT removed) AS stored
LEFT JOIN (SELECT source, tenant, team_id FROM source_tenants FINAL) AS tenants ON tenants.source = stored.name
GROUP BY ALL
ORDER BY name
"""


class KnownSources:
    """Remembers sources by database."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, tuple[Source, ...]]] = {}

    def of(self, database: str, read: Callable[[], list[dict[str, Any]]]) -> tuple[Source, ...]:
        """The sources of a database.

        Args:
            read: reads `STORED_SOURCES`.
        """
        now = time.monotonic()
        with self._lock:
            known = self._known.get(database)
        if known is not None and now - known[0] < SECONDS:
            return known[1]
        found = tuple(source for row in read() if (source := _source(row)) is not None)
        with self._lock:
            self._known[database] = (now, found)
        return found

    def forget(self) -> None:
        """Read sources anew: they were changed."""
        with self._lock:
            self._known.clear()


def _source(row: dict[str, Any]) -> Source | None:
    """A stored source; one of a kind that this version does not know is not read."""
    if row["kind"] not in KINDS:
        return None
    try:
        return Source(
            name=row["name"],
            kind=row["kind"],
            table=row["table_name"],
            tenant=row["tenant_column"],
            user=row["user_column"],
            others=dict(row["others"]),
            tenants=tuple(Tenant(value, team_id) for value, team_id in row["teams"]),
        )
    except SourceError:
        return None
