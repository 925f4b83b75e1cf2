"""Sources: tables of other tools that the pipeline reads in place, as if they were its table `events`.

A kind of source says in SQL what its rows are as trace events; one module a kind in `kinds`. Nothing here knows a
database: which sources there are, whose they are and whether they can be read belongs in `source_catalog`.
"""

from llma_assets.sources.errors import SourceError
from llma_assets.sources.kinds import KINDS
from llma_assets.sources.reading import Kind
from llma_assets.sources.selection import over_sources, tenants_statement
from llma_assets.sources.source import Source, Tenant, column_sql, table_sql
from llma_assets.sources.statement import EVENTS_PLACEHOLDER

__all__ = [
    "EVENTS_PLACEHOLDER",
    "KINDS",
    "Kind",
    "Source",
    "SourceError",
    "Tenant",
    "column_sql",
    "over_sources",
    "table_sql",
    "tenants_statement",
]
