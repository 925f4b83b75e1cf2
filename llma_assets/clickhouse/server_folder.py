"""The files of an embedded server in `{data_dir}/clickhouse/`: password, state, locks and log, for their owner only.

Starting and stopping the process belong in `lifecycle`.
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
"""Free bytes on the disk without which the engine must not start."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """The state of a server that is ready.

    Attributes:
        pid: process id.
        port: port on 127.0.0.1.
        instance: random id of this start.
        version: ClickHouse version of the engine.
        started_at: Unix time, seconds.
    """

    pid: int
    port: int
    instance: str
    version: str
    started_at: float


class ServerFolder:
    """Paths and small files of an embedded server; the folder is created with mode 0700."""

    def __init__(self, path: Path) -> None:
        self.path = private_folder(path)

    @property
    def _server_lock(self) -> Path:
        return self.path / "server.lock"

    def acquire(self, timeout_s: float) -> bool:
        """Lock the folder for this process and its forks until the last of them ends.

        The kernel releases the lock when they end, however they end, so that it cannot be stale.

        Returns:
            False if another process holds the lock.
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

    def is_locked(self) -> bool:
        """Whether a server process has locked the folder."""
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

    def is_disk_full(self) -> bool:
        """Whether the disk has too little space to start the engine, which would corrupt files that it cannot write."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize < NEEDED_TO_START

    @property
    def start_lock(self) -> Path:
        """Locked by a process that starts or stops a server."""
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
        """The password of the last server, "" before the first."""
        try:
            return self._password.read_text().strip()
        except FileNotFoundError:
            return ""

    def renew_password(self) -> str:
        """Create a new password for each start of a server; earlier passwords become invalid."""
        fresh = secrets.token_urlsafe(32)
        write_private(self._password, fresh)
        return fresh

    def state(self) -> ServerState | None:
        """The state that the last server wrote, which may have ended since; None if there is no valid state."""
        try:
            return ServerState(**json.loads(self._state.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write_state(self, state: ServerState) -> None:
        """Write the state atomically."""
        write_private(self._state, json.dumps(asdict(state)))

    def forget_state(self) -> None:
        """Remove the state of a server that has ended."""
        self._state.unlink(missing_ok=True)
