"""The web app over planted results."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.routing import BaseRoute
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, create_app, token_hash
from llma_assets.web.access import Entry
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import MINE, OTHER, plant

ADDRESS = "http://127.0.0.1:8321"
READER, CHANGER, STRANGER = "reads-one", "changes-one", "reads-two"
TOKENS = Access(
    entries=(
        Entry(name="Rita", sha256=token_hash(READER), teams=[MINE], rights="read"),
        Entry(name="Chris", sha256=token_hash(CHANGER), teams=[MINE], rights="change"),
        Entry(name="Otto", sha256=token_hash(STRANGER), teams=[OTHER], rights="change"),
    ),
    is_open=False,
)


def bearer(token: str) -> dict[str, str]:
    """The header that sends a token."""
    return {"authorization": f"Bearer {token}"}


@pytest.fixture(scope="session", autouse=True)
def routes_are_made_once() -> Iterator[None]:
    """Keep what FastAPI makes of a router, none of which goes before the process does: each app makes it anew at its
    first request, for a fifth of a second.
    """
    real, made = FastAPI.include_router, dict[tuple[int, str], BaseRoute]()

    def included(app: FastAPI, router: APIRouter, *, prefix: str = "", **options: Any) -> None:
        if (kept := made.get((id(router), prefix))) is None:
            real(app, router, prefix=prefix, **options)
            made[id(router), prefix] = app.router.routes[-1]
        else:
            app.router.routes.append(kept)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FastAPI, "include_router", included)
        yield


@pytest.fixture
def planted(database: Database, planted_once: PlantedOnce) -> Database:
    """The database with the results of two teams."""
    planted_once(plant)
    return database


@pytest.fixture
def site(settings: Settings, planted: Database) -> Site:
    """A server on the loopback interface without tokens."""
    noon, asked = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC), count()
    made = Site(settings, Access(owner="me"), clock=lambda: noon + timedelta(seconds=next(asked)))
    made.opened = planted
    return made


@pytest.fixture
def client(site: Site) -> TestClient:
    """A browser in front of the server that lets everybody in."""
    return TestClient(create_app(site), ADDRESS, raise_server_exceptions=False)


@pytest.fixture
def guarded(site: Site) -> TestClient:
    """A browser in front of the same server with tokens."""
    site.access = TOKENS
    return TestClient(create_app(site), ADDRESS, raise_server_exceptions=False)
