"""The embedded server through its life: started, shared, killed, idle, stopped. Each test has its own folder."""

import base64
import fcntl
import json
import os
import resource
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from llma_assets.clickhouse import Database, DatabaseError, DatabaseUnavailable, connect, start, status, stop
from llma_assets.settings import Settings

pytestmark = pytest.mark.slow

NUMBERS = "CREATE TABLE IF NOT EXISTS numbers (n Int64) ENGINE = ReplacingMergeTree ORDER BY n"
START = "import sys; from llma_assets.clickhouse import start; state = start(sys.argv[1])"
COUNT = "SELECT count() FROM numbers FINAL"


@pytest.fixture
def folder(data_dir: Path) -> Iterator[Path]:
    """A data folder whose name needs care; its server is ended after the test."""
    path = data_dir / secrets.token_hex(4) / "data folder?x=1&y=ü'%"
    yield path
    stop(path)


@pytest.fixture(scope="session")
def migrated(data_dir: Path) -> Path:
    """A data folder with an empty, migrated database, whose server has ended."""
    path = data_dir / "migrated"
    connect(Settings.from_env({"LLMA_DATA_DIR": str(path)})).close()
    stop(path)
    return path


@pytest.fixture
def embedded(folder: Path, migrated: Path) -> Iterator[Database]:
    shutil.copytree(migrated, folder, symlinks=True)
    with connect(Settings.from_env({"LLMA_DATA_DIR": str(folder)})) as database:
        yield database


def kill(folder: Path) -> None:
    """Kill the server of a folder, or the next one that comes up, and see it dead."""
    assert wait_for(lambda: status(folder) is not None)
    state = status(folder)
    assert state is not None
    os.kill(state.pid, signal.SIGKILL)
    assert wait_for(lambda: status(folder) != state)


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def test_starting_twice_gives_the_same_server(folder: Path) -> None:
    assert start(folder) == start(folder) == status(folder)


def test_two_processes_that_start_at_once_get_one_server(folder: Path) -> None:
    code = f"{START}; print(state.instance)"
    processes = [run_python(code, str(folder)) for _ in range(3)]
    answers = {process.communicate(timeout=240)[0] for process in processes}
    state = status(folder)
    assert state is not None
    assert answers == {state.instance + "\n"}


def test_asking_for_the_status_makes_nothing(tmp_path: Path) -> None:
    assert status(tmp_path / "none") is None
    assert not stop(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_stopping_leaves_no_state_and_keeps_the_data(folder: Path, embedded: Database) -> None:
    embedded.execute(NUMBERS)
    embedded.insert_rows("numbers", [{"n": 1}])
    assert stop(folder)
    assert status(folder) is None
    assert not (folder / "clickhouse" / "state.json").exists()
    assert embedded.value(COUNT) == 1


def test_a_running_query_finishes_before_the_server_stops(folder: Path, embedded: Database) -> None:
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(embedded.value("SELECT sleep(2) + 7")))
    asking.start()
    time.sleep(0.5)
    assert stop(folder)
    asking.join()
    assert answers == [7]


def test_a_server_killed_between_queries_is_replaced_unseen(folder: Path, embedded: Database) -> None:
    embedded.execute(NUMBERS)
    kill(folder)
    embedded.insert_rows("numbers", [{"n": 1}])
    kill(folder)
    assert embedded.value(COUNT) == 1
    kill(folder)
    assert list(embedded.stream("SELECT n FROM numbers")) == [{"n": 1}]
    kill(folder)
    embedded.execute("INSERT INTO numbers VALUES (2)")
    kill(folder)
    assert embedded.arrow("SELECT n FROM numbers ORDER BY n")["n"].to_pylist() == [1, 2]


def test_a_server_killed_under_a_query_answers_it_all_the_same(folder: Path, embedded: Database) -> None:
    answers: list[int] = []
    asking = threading.Thread(target=lambda: answers.append(embedded.value("SELECT sleep(1) + 7")))
    asking.start()
    time.sleep(0.4)
    kill(folder)
    asking.join(60)
    assert answers == [7]


def test_what_was_acknowledged_survives_a_kill_during_inserts(folder: Path, embedded: Database) -> None:
    embedded.execute(NUMBERS)
    acknowledged: list[int] = []
    errors: list[BaseException] = []
    stopping = threading.Event()

    def write(base: int) -> None:
        for number in range(base, base + 100_000, 50):
            if stopping.is_set():
                return
            try:
                embedded.insert_rows("numbers", [{"n": n} for n in range(number, number + 50)])
            except DatabaseError as error:
                errors.append(error)
                return
            acknowledged.extend(range(number, number + 50))

    threads = [threading.Thread(target=write, args=(base * 1_000_000,)) for base in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        assert wait_for(lambda: status(folder) is not None)
        time.sleep(0.7)  # let them write
        kill(folder)
    assert wait_for(lambda: status(folder) is not None)
    time.sleep(0.7)
    stopping.set()
    for thread in threads:
        thread.join(60)
    stored = {row["n"] for row in embedded.rows("SELECT DISTINCT n FROM numbers")}
    assert errors == []
    assert len(acknowledged) > 500
    assert set(acknowledged) <= stored


def test_several_processes_read_and_write_at_once(folder: Path, embedded: Database) -> None:
    embedded.execute(NUMBERS)
    code = """
import sys
from llma_assets.clickhouse import connect
from llma_assets.settings import Settings
base = int(sys.argv[2])
with connect(Settings.from_env({"LLMA_DATA_DIR": sys.argv[1]})) as database:
    for number in range(base, base + 20):
        database.insert_rows("numbers", [{"n": number}])
        assert database.value("SELECT count() FROM numbers WHERE n = {n:Int64}", n=number) == 1
print("done")
"""
    processes = [run_python(code, str(folder), str(base * 1000)) for base in range(3)]
    assert [process.communicate(timeout=240)[0] for process in processes] == ["done\n"] * 3
    assert embedded.value(COUNT) == 60


def test_an_idle_server_ends_and_the_next_query_starts_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_IDLE_MINUTES", str(0.5 / 60))
    first = start(folder)
    assert wait_for(lambda: status(folder) is None)
    monkeypatch.setenv("LLMA_IDLE_MINUTES", "5")
    with connect(Settings.from_env({"LLMA_DATA_DIR": str(folder)})) as database:
        assert database.value("SELECT 1") == 1
    second = status(folder)
    assert second is not None
    assert second.instance != first.instance


def test_a_server_with_a_running_query_is_not_idle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_IDLE_MINUTES", str(0.5 / 60))
    with connect(Settings.from_env({"LLMA_DATA_DIR": str(folder)})) as database:
        before = status(folder)
        assert database.value("SELECT sleep(2.5) + 1") == 1
        assert status(folder) == before


@pytest.mark.parametrize("minutes", ["0", "-1", "soon", "nan"])
def test_unusable_idle_minutes_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch, minutes: str) -> None:
    monkeypatch.setenv("LLMA_IDLE_MINUTES", minutes)
    with pytest.raises(DatabaseUnavailable, match="LLMA_IDLE_MINUTES"):
        start(folder)


def test_the_password_is_for_its_owner_alone(folder: Path) -> None:
    start(folder)
    password = folder / "clickhouse" / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "clickhouse").stat().st_mode) == 0o700
    assert password.read_text() not in (folder / "clickhouse" / "server.log").read_text()
    password.chmod(0o644)
    stop(folder)
    start(folder)
    assert stat.S_IMODE(password.stat().st_mode) == 0o600


def test_state_left_behind_by_a_killed_server_is_not_believed(folder: Path) -> None:
    state = start(folder)
    kill(folder)
    with socket.create_server(("127.0.0.1", 0)) as foreign:  # the port went to somebody else, the pid to us
        left = {**json.loads((folder / "clickhouse" / "state.json").read_text())}
        left |= {"pid": os.getpid(), "port": foreign.getsockname()[1]}
        (folder / "clickhouse" / "state.json").write_text(json.dumps(left))
        assert wait_for(lambda: status(folder) is None)
        assert not stop(folder)
        again = start(folder)
    assert again.instance != state.instance
    assert again.pid != os.getpid()


def test_a_damaged_state_file_does_not_matter(folder: Path) -> None:
    (folder / "clickhouse").mkdir(parents=True)
    (folder / "clickhouse" / "state.json").write_text('{"pid": 1')
    assert status(folder) is None
    assert start(folder) == status(folder)


def test_a_second_server_in_the_same_folder_is_refused(folder: Path) -> None:
    start(folder)
    command = [sys.executable, "-m", "llma_assets.clickhouse.server", str(folder / "clickhouse")]
    second = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert second.returncode == 3
    assert "another process" in second.stderr
    assert status(folder) is not None


def test_a_port_in_use_is_an_error(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "llma_assets.clickhouse.server", str(folder), "--foreground"]
        command += ["--port", str(taken.getsockname()[1])]
        refused = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert refused.returncode == 4
    assert "cannot be used" in refused.stderr


def test_a_folder_that_cannot_be_used_names_the_log(folder: Path) -> None:
    (folder / "clickhouse").mkdir(parents=True)
    (folder / "clickhouse" / "data").write_text("in the way")
    with pytest.raises(DatabaseUnavailable, match=r"server\.log"):
        start(folder)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DatabaseUnavailable, match="cannot be used"):
        start(tmp_path / "file")


def test_the_starter_is_not_held_up_and_its_interrupt_is_not_passed_on(folder: Path) -> None:
    code = f"{START}; print('up', flush=True); import time; time.sleep(60)"
    starter = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert starter.stdout is not None
    assert starter.stdout.readline() == "up\n"
    os.killpg(starter.pid, signal.SIGINT)
    assert starter.stdout.read() == ""  # nobody else holds the pipe
    starter.wait(30)
    state = status(folder)
    assert state is not None


def test_a_query_ends_when_its_client_has_gone(folder: Path, embedded: Database) -> None:
    code = """
import sys
from llma_assets.clickhouse import connect
from llma_assets.settings import Settings
database = connect(Settings.from_env({"LLMA_DATA_DIR": sys.argv[1]}))
print("asking", flush=True)
database.value("SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1")
"""
    client = run_python(code, str(folder))
    assert client.stdout is not None
    client.stdout.readline()
    running = (
        "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64(number) = 1%' AND query NOT LIKE '%LIKE%'"
    )
    assert wait_for(lambda: embedded.value(running) == 1)
    client.kill()
    client.wait()
    assert wait_for(lambda: embedded.value(running) == 0)


class Listener:
    """Somebody else on a port, who answers everybody politely and keeps what they said."""

    def __init__(self, port: int) -> None:
        self.heard = b""
        assert wait_for(lambda: self._takes(port))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _takes(self, port: int) -> bool:
        try:
            self._socket = socket.create_server(("127.0.0.1", port))
        except OSError:
            return False
        return True

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                while b"\r\n\r\n" not in (piece := self._read(connection)) and piece:
                    pass
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Llma-Proof: 00\r\n\r\nOk.\n")

    def _read(self, connection: socket.socket) -> bytes:
        try:
            piece = connection.recv(1 << 16)
        except OSError:
            piece = b""
        self.heard += piece
        return piece

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def test_who_takes_the_port_of_a_killed_server_hears_no_password(folder: Path, embedded: Database) -> None:
    state, password = start(folder), (folder / "clickhouse" / "password").read_text()
    assert embedded.value("SELECT 1") == 1  # the client is made, with the password
    embedded._client._client.http.clear()  # a connection that is open when the server ends keeps the port for a minute
    kill(folder)
    listener = Listener(state.port)
    try:
        assert embedded.value("SELECT 2") == 2
        with connect(Settings.from_env({"LLMA_DATA_DIR": str(folder)})) as other:
            assert other.value("SELECT 3") == 3
    finally:
        listener.close()
    again = (folder / "clickhouse" / "password").read_text()
    assert again != password
    assert b"GET /ping " in listener.heard  # the old client did knock
    for secret in (password, again):
        for form in (secret.encode(), base64.b64encode(f"default:{secret}".encode())):
            assert form not in listener.heard
    assert b"Authorization" not in listener.heard
    assert b"X-ClickHouse" not in listener.heard


def test_state_that_names_a_foreign_port_sends_no_password_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llma_assets.clickhouse.lifecycle._OTHER_SERVER_S", 0.0)
    start(folder)
    kill(folder)
    path = folder / "clickhouse" / "state.json"
    listener = Listener(0)
    left = {**json.loads(path.read_text()), "port": listener.port}
    path.write_text(json.dumps(left))
    lock = os.open(folder / "clickhouse" / "server.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)  # as by a server that gets ready
    try:
        assert status(folder) is None
        with pytest.raises(DatabaseUnavailable, match=f"an earlier version: end process {left['pid']}"):
            start(folder)
    finally:
        os.close(lock)
        listener.close()
    assert b"GET /ping " in listener.heard
    assert b"Authorization" not in listener.heard


def test_a_password_opens_one_start_alone(folder: Path) -> None:
    start(folder)
    before = (folder / "clickhouse" / "password").read_text()
    stop(folder)
    state = start(folder)
    url = f"http://default:{before}@127.0.0.1:{state.port}/default"
    with pytest.raises(DatabaseError) as caught, connect(Settings.from_env({"CLICKHOUSE_URL": url})):
        pass
    assert caught.value.code == 516


def test_who_does_not_know_the_password_keeps_no_server_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_IDLE_MINUTES", str(1 / 60))
    state = start(folder)
    asked = 0

    def ask_and_look() -> bool:
        nonlocal asked
        for path in ("/?query=SELECT+1", "/?query=SELECT+1&user=default&password=x", "/ping", "/nothing"):
            with suppress(OSError), urlopen(f"http://127.0.0.1:{state.port}{path}", timeout=5):
                pass
            asked += 1
        return status(folder) is None

    assert wait_for(ask_and_look)
    assert asked >= 4


def test_a_server_raises_its_own_limit_of_open_files(folder: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    code = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (64, {hard})); {START}"
    assert run_python(code, str(folder)).wait(60) == 0
    state = status(folder)
    assert state is not None
    assert resource.prlimit(state.pid, resource.RLIMIT_NOFILE)[0] >= min(hard, 1 << 20)
    assert "can be open at once" not in (folder / "clickhouse" / "server.log").read_text()


def test_a_low_hard_limit_of_open_files_is_said_in_the_log(folder: Path) -> None:
    code = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (200, 1000)); {START}"
    assert run_python(code, str(folder)).wait(60) == 0
    state = status(folder)
    assert state is not None
    assert resource.prlimit(state.pid, resource.RLIMIT_NOFILE) == (1000, 1000)
    assert "only 1000 files can be open at once" in (folder / "clickhouse" / "server.log").read_text()


def test_all_that_is_written_is_for_its_owner_alone(folder: Path, embedded: Database) -> None:
    embedded.execute(NUMBERS)
    embedded.insert_rows("numbers", [{"n": 1}])
    inside = list(folder.rglob("*"))
    open_to_others = [str(path) for path in (folder, *inside) if path.lstat().st_mode & 0o077 and not path.is_symlink()]
    assert len(inside) > 20
    assert open_to_others == []
