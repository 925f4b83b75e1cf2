"""`llma dev`: the UI that it serves is behind the guard, and Ctrl-C ends all that it has started."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llma_assets.defs.home_config import shipped_config

pytestmark = pytest.mark.slow

QUESTION = json.dumps({"query": "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"})
SCHEDULE = """
{
    scheduleOrError(scheduleSelector: {
        repositoryName: "__repository__", repositoryLocationName: "llma_assets", scheduleName: "discovery_hourly"
    }) { ... on Schedule { description scheduleState { status } } }
}
"""
OUTPUT = "output"
LLMA = (sys.executable, "-m", "llma_assets.cli.main")
JSON = {"Content-Type": "application/json"}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def ask(port: int, method: str, path: str, headers: dict[str, str] | None = None, body: str | None = None) -> int:
    """The status of the answer, 0 where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, headers or {})
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def answer(port: int, query: str) -> str:
    """What GraphQL says."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/graphql", json.dumps({"query": query}), JSON)
    return connection.getresponse().read().decode()


def session_of(leader: int) -> list[str]:
    """What is alive of the session that a process leads."""
    found = subprocess.run(["ps", "-s", str(leader), "-o", "args="], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`llma dev` in a session of its own, as a script starts it in the background: with Ctrl-C ignored."""
    port = free_port()
    # As in the repository: Dagster warns of one that it takes for another than that of DAGSTER_HOME.
    (tmp_path / "dagster.yaml").write_text(shipped_config())
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" "$@"', *LLMA, "dev", "--port", str(port), "--web-port", "0"],
        env=environment | {"LLMA_DATA_DIR": str(tmp_path / "llma")},
        cwd=tmp_path,
        stdout=(tmp_path / OUTPUT).open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    yield process, port
    if session_of(process.pid):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_the_ui_is_guarded_works_and_leaves_nothing_behind(
    dev: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    process, port = dev
    until = time.monotonic() + 120
    while not ask(port, "GET", "/server_info"):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.2)
    assert ask(port, "GET", "/", {"Accept": "text/html"}) == 200
    pages = re.search(r"The pages are at http://127\.0\.0\.1:(\d+)", (tmp_path / OUTPUT).read_text())
    assert pages is not None
    assert ask(int(pages[1]), "GET", "/sign-in") == 200
    assert ask(port, "POST", "/graphql", JSON, QUESTION) == 200
    assert ask(port, "POST", "/graphql", {**JSON, "Origin": f"http://127.0.0.1:{port}"}, QUESTION) == 200
    assert ask(port, "POST", "/graphql", {**JSON, "Origin": "http://evil.example"}, QUESTION) == 403
    assert ask(port, "POST", "/graphql", {**JSON, "Host": "evil.example"}, QUESTION) == 403
    foreign = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert ask(port, "GET", "/graphql?query=mutation%7BsetNuxSeen%7D", foreign) == 403
    assert ask(port, "GET", "/graphql?query=mutation%7BsetNuxSeen%7D") == 403
    assert '"STOPPED"' in answer(port, SCHEDULE)
    environment = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
    subprocess.run(
        [*LLMA, "automation", "on", "discovery_hourly"],
        env=environment | {"LLMA_DATA_DIR": str(tmp_path / "llma")},
        cwd=tmp_path,
        check=True,
    )
    switched = answer(port, SCHEDULE)
    assert '"RUNNING"' in switched
    assert "Every hour: decides which teams take part today." in switched
    process.send_signal(signal.SIGINT)
    assert process.wait(90) == 0
    assert session_of(process.pid) == []
    assert ask(int(pages[1]), "GET", "/sign-in") == 0
    assert [line for line in (tmp_path / OUTPUT).read_text().splitlines() if "warn" in line.lower()] == []


def test_a_port_that_is_taken_is_said_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        options = {"--port": str(free_port()), "--web-port": "0"}
        for option in options:
            done = subprocess.run(
                [*LLMA, "dev", *(word for each in (options | {option: port}).items() for word in each)],
                env=os.environ | {"LLMA_DATA_DIR": str(tmp_path / "llma")},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            assert done.returncode == 2
            assert f"port {port} of 127.0.0.1 is taken" in done.stderr
            assert f"a free one by {option}" in done.stderr
