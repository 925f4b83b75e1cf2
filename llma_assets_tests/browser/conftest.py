"""One planted state, one server and one browser for all tests here."""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from llma_assets.cli.commands.web import listen
from llma_assets.clickhouse import ServerState, connect
from llma_assets.clickhouse.lifecycle import address as database_address
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, create_app, token_hash
from llma_assets.web.access import Entry
from llma_assets_tests.browser.planted import CALM, plant_all
from llma_assets_tests.reports.stored_runs import DAY

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = 1440, 390
TOKEN = "llma_of-rita"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is here is left out of every other target."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@dataclass
class Visit:
    """A page of the browser, and what must not happen on it.

    Attributes:
        page: of Playwright.
        home: address of the server.
        wrong: scripts that ran, requests to elsewhere, errors, and what the policy refused.
    """

    page: "Page"
    home: str
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """Open an address of the server."""
        answer = self.page.goto(self.home + path, wait_until="load")
        assert answer is not None
        assert answer.status < 500, path


def _executable() -> str:
    named = os.environ.get("LLMA_TEST_BROWSER", "")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), "")
    if not found:
        pytest.skip("no browser is installed: `apt install chromium`, or LLMA_TEST_BROWSER names its program")
    return found


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """Headless Chromium of this machine."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright's client is not installed: make test-web")
    executable = _executable()
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=["--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def site(data_dir: Path, server: ServerState, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """What the server stands on; planted once."""
    host, port, user, password = database_address(data_dir, server)
    settings = replace(
        Settings.from_env({"LLMA_DATA_DIR": str(tmp_path_factory.mktemp("llma"))}),
        clickhouse_url=f"http://{user}:{password}@{host}:{port}/browser",
    )
    database = connect(settings)
    plant_all(database)
    database.close()
    started, noon = datetime.now(UTC), datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
    return Site(settings, Access(owner="me"), clock=lambda: noon + timedelta(hours=12) + (datetime.now(UTC) - started))


@pytest.fixture(scope="session")
def home(site: Site) -> Iterator[str]:
    """Address of the server."""
    with served(site) as address:
        yield address


@pytest.fixture(scope="session")
def guarded_home(site: Site) -> Iterator[str]:
    """Address of a server of the same data that wants a token."""
    entry = Entry(name="Rita", sha256=token_hash(TOKEN), teams=[CALM], rights="change")
    with served(replace(site, access=Access(entries=(entry,), is_open=False))) as address:
        yield address


@contextmanager
def served(site: Site) -> Iterator[str]:
    """A server in a thread."""
    socket = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(site), log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    socket.close()


@pytest.fixture
def visits(browser: "Browser", home: str) -> "Iterator[Any]":
    """Opens pages; at the end of the test nothing wrong may have happened on any."""
    opened: list[Visit] = []

    def visit(home: str = home, **options: Any) -> Visit:
        options = {"viewport": {"width": WIDE, "height": 900}, "accept_downloads": True, **options}
        context = browser.new_context(**options)
        made = Visit(context.new_page(), home)
        opened.append(made)

        def asked(route: Any) -> None:
            url = route.request.url
            if url.startswith((home, "data:", "blob:")):
                route.continue_()
            else:
                made.wrong.append(f"asks {url}")
                route.abort()

        context.route("**/*", asked)
        made.page.on("dialog", lambda dialog: (made.wrong.append(f"dialog {dialog.message}"), dialog.dismiss()))
        made.page.on("pageerror", lambda error: made.wrong.append(f"error {error}"))
        made.page.on("console", lambda said: _heard(made, said))
        made.page.on("popup", lambda page: made.wrong.append(f"popup {page.url}"))
        return made

    yield visit
    for each in opened:
        each.page.context.close()
    assert [wrong for each in opened for wrong in each.wrong] == []


def _heard(made: Visit, said: Any) -> None:
    # A page that answers 404 is said there, too.
    if said.type == "error" and "status of 4" not in said.text:
        made.wrong.append(f"console {said.text}")


@pytest.fixture
def visit(visits: Any) -> Visit:
    """A page with the usual options."""
    made: Visit = visits()
    return made
