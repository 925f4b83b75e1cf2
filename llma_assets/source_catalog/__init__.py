"""The catalogue of sources: which tables of other tools are read, and which team each of their tenants is."""

from llma_assets.source_catalog.store import add_source, check_source, remove_source, source_named
from llma_assets.source_catalog.tenants import (
    register_tenants,
    seen_tenants,
    store_tenants,
    team_names,
    team_of,
    team_of_tenant,
)

__all__ = [
    "add_source",
    "check_source",
    "register_tenants",
    "remove_source",
    "seen_tenants",
    "source_named",
    "store_tenants",
    "team_names",
    "team_of",
    "team_of_tenant",
]
