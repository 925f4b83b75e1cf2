"""A database of another tool on the test's server."""

import secrets
from collections.abc import Iterator

import pytest

from llma_assets.clickhouse import Database, SharedClient, open_database


@pytest.fixture
def store(server_link: SharedClient, default_database: Database) -> Iterator[Database]:
    """A database for the tables of a tool."""
    name = f"tool_{secrets.token_hex(4)}"
    yield open_database(server_link, name)
    default_database.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)
