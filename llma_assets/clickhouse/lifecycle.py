"""Starts, finds and stops the embedded server of a data folder, from any process and from several at once.

The lock on the folder tells whether a server runs, not the process id in a file: ids are reused, and files remain
when a process is killed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from llma_assets.clickhouse.errors import DatabaseUnavailable, EmbeddedNotInstalled
from llma_assets.clickhouse.server_folder import USER, ServerFolder, ServerState
from llma_assets.clickhouse.server_identity import knows_password
from llma_assets.extras import missing_extra
from llma_assets.private_files import private_opener

_START_S = 90.0
_START_TRIES = 2
_OTHER_SERVER_S = 5.0
"""For so long a server may answer that does not know the password: it may be ending while another one starts."""
_STOP_S = 60.0
_POLL_S = 0.02
_LOG_BYTES = 1 << 20
# Environment of the server: no keys, no proxies, and always UTC.
_ENVIRONMENT = frozenset(("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT"))


def _folder(data_dir: Path) -> ServerFolder:
    path = Path(data_dir).absolute() / "clickhouse"
    try:
        return ServerFolder(path)
    except OSError as error:
        raise DatabaseUnavailable(
            f"the data folder {path} cannot be used: {error.strerror}; LLMA_DATA_DIR names another one"
        ) from error


def has_data(data_dir: Path) -> bool:
    """Whether a server ever ran in this folder. Creates and starts nothing."""
    return (Path(data_dir).absolute() / "clickhouse" / "data").is_dir()


def idle_minutes() -> float:
    """Minutes without a request after which a server ends, from LLMA_IDLE_MINUTES; default 15.

    Raises:
        DatabaseUnavailable: the variable is not a positive number.
    """
    text = os.environ.get("LLMA_IDLE_MINUTES", "").strip() or "15"
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if not 0 < minutes < 1e6:
        raise DatabaseUnavailable(f"LLMA_IDLE_MINUTES must be a number of minutes above 0, not {text[:40]!r}")
    return minutes


def address(data_dir: Path, state: ServerState) -> tuple[str, int, str, str]:
    """Host, port, user and password of a running server."""
    return "127.0.0.1", state.port, USER, _folder(data_dir).password()


def status(data_dir: Path) -> ServerState | None:
    """The server of this folder, or None if no server is running and ready."""
    path = Path(data_dir).absolute() / "clickhouse"
    if not path.is_dir():
        return None
    folder = ServerFolder(path)
    state = folder.state()
    if state is None or not folder.is_locked():
        return None
    return state if _answers(folder, state) else None


def missing_embedded() -> str:
    """Why no embedded server can be started on this installation, and the ways out; "" where one can."""
    complaint = missing_extra("embedded", "the embedded database")
    return complaint and f"{complaint}, or set CLICKHOUSE_URL to a ClickHouse server"


def start(data_dir: Path) -> ServerState:
    """Start the server of this folder unless it runs; concurrent calls of several processes get the same server.

    The server is detached: it outlives the process that started it, and does not get its pipes or its Ctrl-C.

    Raises:
        EmbeddedNotInstalled: chdb is not installed.
        DatabaseUnavailable: the server did not become ready; the message names its log.
    """
    found = status(data_dir)
    if found is not None:
        return found
    if complaint := missing_embedded():
        raise EmbeddedNotInstalled(complaint)
    folder = _folder(data_dir)
    minutes = idle_minutes()
    try:
        with FileLock(folder.start_lock, timeout=_START_S, mode=0o600):
            return _start_locked(data_dir, folder, minutes)
    except Timeout:
        raise DatabaseUnavailable(f"another process has been starting the database for {_START_S:.0f} s") from None


def _start_locked(data_dir: Path, folder: ServerFolder, minutes: float) -> ServerState:
    deadline = time.monotonic() + _START_S
    while folder.is_locked():  # another process's server: ready, starting or ending
        if (found := status(data_dir)) is not None:
            return found
        left_s = deadline - time.monotonic()
        if left_s < _START_S - _OTHER_SERVER_S and (state := folder.state()) and _is_other_server(folder, state):
            raise DatabaseUnavailable(
                f"the server on port {state.port} does not know the password of {folder.path}; it may be of an earlier "
                f"version: end process {state.pid} and run it again"
            )
        if left_s < 0:
            raise DatabaseUnavailable(f"the database server does not answer; its log is {folder.log}")
        time.sleep(_POLL_S)
    for _ in range(_START_TRIES):
        _spawn(folder, minutes)
        while folder.is_locked():
            state = folder.state()
            if state is not None and _answers(folder, state):
                return state
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"the database server was not ready after {_START_S:.0f} s; its log is {folder.log}"
                )
            time.sleep(_POLL_S)
    why = (
        "the disk of the database is full; free some space and run it again"
        if folder.is_disk_full()
        else f"its log is {folder.log}"
    )
    raise DatabaseUnavailable(f"the database server ended while it started; {why}")


def _spawn(folder: ServerFolder, minutes: float) -> None:
    """Start the server process; returns once it has locked the folder."""
    if folder.log.exists() and folder.log.stat().st_size > _LOG_BYTES:
        folder.log.replace(folder.log.with_suffix(".old.log"))
    command = [sys.executable, "-m", "llma_assets.clickhouse.server", str(folder.path), "--idle-s", str(minutes * 60)]
    kept = {name: value for name, value in os.environ.items() if name in _ENVIRONMENT or name.startswith("LC_")}
    paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    with open(folder.log, "ab", opener=private_opener) as log:
        process = subprocess.run(
            command,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=folder.path,
            env={**kept, "TZ": "UTC", "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
    if process.returncode != 0:
        raise DatabaseUnavailable(f"the database server ended with code {process.returncode}; its log is {folder.log}")


def stop(data_dir: Path) -> bool:
    """Stop the server of this folder after its running queries.

    Returns:
        False if no server was running.

    Raises:
        DatabaseUnavailable: the server did not end in time.
    """
    state = status(data_dir)
    if state is None:
        return False
    folder = _folder(data_dir)
    with FileLock(folder.start_lock, timeout=_START_S, mode=0o600):
        if status(data_dir) != state:
            return False
        _end(folder, state)
    return True


@contextmanager
def halted(data_dir: Path) -> Iterator[ServerFolder]:
    """No server has the folder while this is open; whoever wants one waits, and starts it afterwards.

    Raises:
        DatabaseUnavailable: the server did not end in time.
    """
    folder = _folder(data_dir)
    try:
        with FileLock(folder.start_lock, timeout=_START_S, mode=0o600):
            if (state := status(data_dir)) is not None:
                _end(folder, state)
            _wait_until_free(folder)  # of one that had not become ready when its starter was killed
            yield folder
    except Timeout:
        raise DatabaseUnavailable(f"another process has been starting the database for {_START_S:.0f} s") from None


def _end(folder: ServerFolder, state: ServerState) -> None:
    os.kill(state.pid, signal.SIGTERM)
    _wait_until_free(folder)


def _wait_until_free(folder: ServerFolder) -> None:
    deadline = time.monotonic() + _STOP_S
    while folder.is_locked():
        if time.monotonic() > deadline:
            raise DatabaseUnavailable(f"the database server did not end within {_STOP_S:.0f} s")
        time.sleep(_POLL_S)


def _answers(folder: ServerFolder, state: ServerState) -> bool:
    """Whether the server that wrote this state answers on its port. No secret is sent."""
    try:
        return _is_known(folder, state)
    except OSError:
        return False


def _is_other_server(folder: ServerFolder, state: ServerState) -> bool:
    """Whether a server answers there that does not know the folder's password."""
    try:
        return not _is_known(folder, state)
    except OSError:
        return False


def _is_known(folder: ServerFolder, state: ServerState) -> bool:
    with socket.create_connection(("127.0.0.1", state.port), timeout=5) as connection:
        return knows_password(connection, folder.password())
