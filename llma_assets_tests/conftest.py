"""Fixtures that all rooms share: a real embedded ClickHouse, one server a test process, for each test a
database of its own."""

import gc
import os
import secrets
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import numpy as np
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from numpy.typing import NDArray

from llma_assets.clickhouse import Database, ServerState, connect, start, stop
from llma_assets.clickhouse.client import SharedClient, database_name
from llma_assets.clickhouse.connecting import open_database
from llma_assets.clickhouse.lifecycle import address
from llma_assets.defs import instance
from llma_assets.models import OfflineEmbedder
from llma_assets.settings import Settings
from llma_assets_tests.databases import BorrowedClient, PlantedOnce, PlantedStates, UsedDatabases
from llma_assets_tests.environment import SETTINGS
from llma_assets_tests.fuzzing import FEW, FULL

if TYPE_CHECKING:
    from llma_assets_tests.pipeline.runs import Pipeline

MEMORY = Path("/dev/shm")
"""Where a database costs no disk; thousands of small files take their time on one."""


def _has_room(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK) and shutil.disk_usage(folder).free > 4 << 30


# `make test-exhaustive` tries all examples; everything else, and a run in an editor, a part of them.
for profile in (FULL, FEW):
    hypothesis.settings.register_profile(profile, hypothesis.settings())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Keep Python's garbage collector away from modules and tests, none of which goes before the process does.

    It would look through more and more of them while they are collected, a fifth of that time, and through all of them
    now and then while tests run.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


LEFT_OUT = ("browser", "llm", "postgres")
"""Folders with a target of their own, which names them."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out whole files of which no test is asked for: to import them is most of what collecting costs."""
    asked = config.option.markexpr
    if collection_path.name in LEFT_OUT and collection_path.parent == Path(__file__).parent:
        is_named = asked == collection_path.name or any(collection_path.name in given for given in config.args)
        return None if is_named else True
    is_slow_tier = asked == "slow" or asked.startswith("slow and ")
    is_file = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    return True if is_slow_tier and is_file and "mark.slow" not in collection_path.read_text() else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the embedded server, through whatever fixtures; put the longest tests first.

    A worker that begins a test of a minute when the others are done keeps them all waiting.
    """
    for item in items:
        if "data_dir" in getattr(item, "fixturenames", ()):
            item.add_marker("database")
    items.sort(key=_known_seconds, reverse=True)


def _known_seconds(item: pytest.Item) -> float:
    """About how long a test takes, where its mark says so: `@pytest.mark.slow(seconds=60)`."""
    mark = item.get_closest_marker("slow")
    return mark.kwargs.get("seconds", 0) if mark else 0


@pytest.fixture(scope="session")
def started_processes() -> Iterator[list[str]]:
    """What this process has started: Python programs and copies of itself."""
    started: list[str] = []
    open_process, fork, start_process = subprocess.Popen.__init__, os.fork, BaseProcess.start

    def opened(self: subprocess.Popen[Any], args: Any, *rest: Any, **options: Any) -> None:
        program = str(args if isinstance(args, str | bytes | os.PathLike) else next(iter(args)))
        if Path(program).name.startswith(("python", "llma", "dagster", "make")):  # matplotlib asks `fc-list` for fonts
            started.append(program)
        open_process(self, args, *rest, **options)

    def forked() -> int:
        started.append("os.fork")
        return fork()

    def process_started(self: BaseProcess) -> None:
        started.append(type(self).__name__)
        start_process(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(subprocess.Popen, "__init__", opened)
        patched.setattr(os, "fork", forked)
        patched.setattr(BaseProcess, "start", process_started)
        yield started


@pytest.fixture(autouse=True)
def only_marked_tests_start_processes(request: pytest.FixtureRequest, started_processes: list[str]) -> Iterator[None]:
    """Hold `make test-fast` to what it promises."""
    yield
    started, started_processes[:] = started_processes[:], []
    is_marked = any(request.node.get_closest_marker(name) for name in ("process", "database", "slow", "llm"))
    if started and not is_marked:
        pytest.fail(f"this test starts {started[0]}: mark it with @pytest.mark.process")


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """A data folder for this test process; its embedded server ends with the session."""
    os.environ["LLMA_IDLE_MINUTES"] = "30"  # others than tests of the database may run for long
    folder = Path(tempfile.mkdtemp(prefix="llma-tests-", dir=MEMORY if _has_room(MEMORY) else None))
    yield folder
    stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(data_dir: Path) -> ServerState:
    """The embedded server of this test process."""
    return start(data_dir)


@pytest.fixture(scope="session")
def server_link(data_dir: Path, server: ServerState) -> SharedClient:
    """The connection of this test process."""
    return SharedClient(Settings.from_env({"LLMA_DATA_DIR": str(data_dir)}))


@pytest.fixture(scope="session")
def default_database(server_link: SharedClient) -> Iterator[Database]:
    """The server's own database, without a schema, to make and drop others from."""
    with open_database(server_link, "default") as opened:
        yield opened


@pytest.fixture(scope="session")
def used_databases(default_database: Database) -> UsedDatabases:
    """What tests of this process have left behind."""
    return UsedDatabases(default_database)


@pytest.fixture(scope="session")
def planted_states(default_database: Database) -> PlantedStates:
    """What planting functions have made in this process."""
    return PlantedStates(default_database)


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    data_dir: Path,
    server: ServerState,
    default_database: Database,
    used_databases: UsedDatabases,
    tmp_path: Path,
) -> Iterator[Settings]:
    """Settings of a database on the embedded server, reached as any other server by CLICKHOUSE_URL.

    A test that asks for `database`, too, gets an empty, migrated one; for others there is none yet, and whoever
    connects first makes it. No key, no model server.
    """
    host, port, user, password = address(data_dir, server)
    shares = "database" in request.fixturenames
    name = used_databases.take() if shares else f"test_{secrets.token_hex(6)}"
    url = f"http://{user}:{password}@{host}:{port}/{name}"
    yield replace(Settings.from_env({"LLMA_DATA_DIR": str(tmp_path / "llma")}), clickhouse_url=url)
    if shares:
        used_databases.give_back(name)
    else:
        default_database.execute("DROP DATABASE IF EXISTS {name:Identifier}", name=name)


@pytest.fixture
def database(settings: Settings, server_link: SharedClient, used_databases: UsedDatabases) -> Database:
    """An empty, migrated database of the embedded server."""
    name = database_name(settings)
    used_databases.make(name, lambda: connect(settings).close())
    return Database(BorrowedClient(settings, server_link), name, settings.events_table)


@pytest.fixture
def environment(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The environment of a process that works on the test's database, without keys."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    return settings


@pytest.fixture
def pipeline(environment: Settings, database: Database) -> "Pipeline":
    """The whole graph on the test's database, offline."""
    from llma_assets_tests.pipeline.runs import Pipeline  # Dagster takes its time to import

    return Pipeline(database)


@pytest.fixture
def planted_once(database: Database, planted_states: PlantedStates) -> PlantedOnce:
    """Plants a state where it is needed for the first time, and copies it afterwards."""
    return partial(planted_states.put, database)


@pytest.fixture(scope="session")
def opened_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Dagster home that was opened once, so that its SQLite files have their tables: those take Dagster a second."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("DAGSTER_HOME", raising=False)
        with instance.opened_instance(Settings.from_env({"LLMA_DATA_DIR": str(folder)})):
            return folder / "dagster"


@pytest.fixture
def new_homes_have_their_tables(opened_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a home that is about to be opened for the first time the empty tables of one that was."""
    real = instance.prepare_home

    def prepared(settings: Settings) -> Path:
        home = real(settings)
        if not (home / "history").exists() and not (home / "schedules").exists():
            for name in ("history", "schedules"):
                shutil.copytree(opened_home / name, home / name)
        return home

    monkeypatch.setattr(instance, "prepare_home", prepared)


@pytest.fixture(scope="session", autouse=True)
def one_authority_is_trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Trust the first of this machine's certificate authorities alone: no test speaks TLS, and each client of a model
    would read all of them, for a thirtieth of a second.
    """
    known = ssl.get_default_verify_paths().cafile
    with pytest.MonkeyPatch.context() as patched:
        if known is not None:
            end = "-----END CERTIFICATE-----\n"
            first = tmp_path_factory.mktemp("authorities") / "one.pem"
            first.write_text(Path(known).read_text().partition(end)[0] + end)
            patched.setenv("SSL_CERT_FILE", str(first))
        yield


@pytest.fixture(scope="session", autouse=True)
def revisions_are_read_once() -> Iterator[None]:
    """Keep the revisions of Dagster's tables, a hundred files that Alembic runs for each SQLite file that is made."""
    real, found = ScriptDirectory.from_config, dict[str | None, ScriptDirectory]()

    def kept(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        return found.get(place) or found.setdefault(place, real(config))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ScriptDirectory, "from_config", kept)
        yield


@pytest.fixture(scope="session")
def vectors_made() -> dict[tuple[str, str], NDArray[np.float32]]:
    """What an offline embedder, by its name, made of each text in this process."""
    return {}


@pytest.fixture(autouse=True)
def vectors_are_made_once(
    monkeypatch: pytest.MonkeyPatch, vectors_made: dict[tuple[str, str], NDArray[np.float32]]
) -> None:
    """Keep what the offline embedder makes of a text: the same small traffic is embedded by hundreds of tests.

    The vectors are the real ones; a text has the same bytes in any company. The embedder's own tests make them anew.
    """
    real = OfflineEmbedder._embed

    def remembered(self: OfflineEmbedder, texts: Sequence[str]) -> NDArray[np.float32]:
        keys = [(self.name, text) for text in texts]
        missing = [key for key in dict.fromkeys(keys) if key not in vectors_made]
        vectors_made.update(zip(missing, real(self, [text for _, text in missing]), strict=True))
        return np.stack([vectors_made[key] for key in keys]) if texts else real(self, texts)

    monkeypatch.setattr(OfflineEmbedder, "_embed", remembered)
