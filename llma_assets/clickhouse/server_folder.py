"""The files of one embedded server in `{data_dir}/clickhouse/`: password, state, locks, log, and who may read them.

Nothing here starts or ends a process.
"""

import fcntl
import json
import os
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from llma_assets.private_files import private_folder, private_opener, write_private

USER = "default"
NEEDED_TO_START = 512 << 10
"""Bytes on the disk."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """A server that said it was ready.

    Attributes:
        pid: its process id.
        port: its port on 127.0.0.1.
        instance: random id of this one start.
        version: ClickHouse version of the engine.
        started_at: Unix time, seconds.
    """

    pid: int
    port: int
    instance: str
    version: str
    started_at: float


class Folder:
    """Paths and small files of an embedded server; made with mode 0700 on first use."""

    def __init__(self, path: Path) -> None:
        self.path = private_folder(path)

    @property
    def _server_lock(self) -> Path:
        return self.path / "server.lock"

    def take(self, timeout_s: float) -> bool:
        """Make this process, and whoever it forks, the holder of the folder until the last of them ends.

        The kernel lets go of the lock when they are dead, however they died; nothing can be stale.

        Returns:
            False if another process holds it.
        """
        descriptor = private_opener(str(self._server_lock), os.O_RDWR | os.O_CREAT)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(descriptor)
                    return False
                time.sleep(0.01)

    def is_taken(self) -> bool:
        """Whether a server process holds the folder."""
        try:
            descriptor = os.open(self._server_lock, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)

    def is_full(self) -> bool:
        """Whether the disk has no room for an engine to begin with, which would damage what it cannot write."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize < NEEDED_TO_START

    @property
    def start_lock(self) -> Path:
        """Held by whoever is starting or stopping a server."""
        return self.path / "start.lock"

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @property
    def _state(self) -> Path:
        return self.path / "state.json"

    @property
    def _password(self) -> Path:
        return self.path / "password"

    def password(self) -> str:
        """The password of the server that started last, "" before there was one."""
        try:
            return self._password.read_text().strip()
        except FileNotFoundError:
            return ""

    def renew_password(self) -> str:
        """Make a password for a server that starts: what an earlier one was told opens nothing."""
        fresh = secrets.token_urlsafe(32)
        write_private(self._password, fresh)
        return fresh

    def state(self) -> ServerState | None:
        """What the last server wrote; it may be dead by now. None if there is nothing usable."""
        try:
            return ServerState(**json.loads(self._state.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_state(self, state: ServerState) -> None:
        """Publish the state at once and whole."""
        write_private(self._state, json.dumps(asdict(state)))

    def forget_state(self) -> None:
        """Remove the state of a server that is no more."""
        self._state.unlink(missing_ok=True)
