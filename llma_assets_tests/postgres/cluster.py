"""A PostgreSQL of Debian's on a free port, in a folder that goes with it; and Dagster's parts as processes to kill."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_S = 900.0


def programs() -> Path | None:
    """Where PostgreSQL's programs are, None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def free_port() -> int:
    """A port of the loopback interface that nobody has at the moment."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def wait_for(condition: Callable[[], bool], what: str, seconds: float = START_S) -> None:
    """Wait until something is so; the test fails with its name if it never is."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)


def answers(port: int) -> bool:
    """Whether anybody listens on a port."""
    with socket.socket() as asking:
        asking.settimeout(1)
        return asking.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def postgres(binaries: Path) -> Iterator[Mapping[str, str]]:
    """A running server with an empty database; gives the variables of deploy/dagster.yaml.

    PostgreSQL refuses root: as root it runs as the user `postgres`, whom Debian's package makes.
    """
    folder = Path(tempfile.mkdtemp(prefix="llma-postgres-"))
    user = "postgres" if os.getuid() == 0 else None
    if user:
        owner = pwd.getpwnam(user)
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    options: dict[str, Any] = {"user": user, "group": user, "extra_groups": []} if user else {}
    password, port = secrets.token_urlsafe(16), free_port()
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o644)
    data = folder / "data"
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "llma", "--auth=scram-sha-256", f"--pwfile={secret}",
             "--no-sync", "--encoding=UTF8"],
            check=True, capture_output=True, cwd=folder, **options,
        )  # fmt: skip
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1",
             "-c", f"unix_socket_directories={folder}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **options,
        )  # fmt: skip
        try:
            wait_for(lambda: answers(port), "PostgreSQL")
            yield {
                "DAGSTER_PG_HOST": "127.0.0.1",
                "DAGSTER_PG_PORT": str(port),
                "DAGSTER_PG_DB": "postgres",
                "DAGSTER_PG_USERNAME": "llma",
                "DAGSTER_PG_PASSWORD": password,
            }
        finally:
            server.send_signal(signal.SIGINT)  # "fast": ends sessions
            server.wait(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Part:
    """A part of Dagster as a process of its own.

    Attributes:
        name: of the part, and of its log.
        command: after `python -m`.
        environment: all of it.
        folder: of the log.
    """

    name: str
    command: list[str]
    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; its log goes on."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                env=dict(self.environment), stdout=log, stderr=log, cwd=self.folder, start_new_session=True,
            )  # fmt: skip

    def kill(self) -> None:
        """Kill this process alone, without a word; what it has started may live on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        """End it and all that it has started."""
        if self.process is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(self.process.pid, number)
                    self.process.wait(20)
                except (ProcessLookupError, subprocess.TimeoutExpired):
                    continue

    @property
    def log(self) -> Path:
        """What it has written."""
        return self.folder / f"{self.name}.log"
