"""Start, find and stop the embedded server of a data folder, from any process and from several at once.

Whether a server lives is told by the lock that it holds, never by a process id in a file: ids are reused,
and files stay behind when a process is killed.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock, Timeout

from llma_assets.clickhouse.errors import DatabaseUnavailable
from llma_assets.clickhouse.server_folder import USER, Folder, ServerState
from llma_assets.clickhouse.server_identity import has_password
from llma_assets.private_files import private_opener

_START_S = 90.0
_START_TRIES = 2
_STRANGER_S = 5.0
"""For so long a server may answer that does not know the password: one that is ending, while another begins."""
_STOP_S = 60.0
_POLL_S = 0.02
_LOG_BYTES = 1 << 20
# What the server inherits: no keys, no proxies, and UTC wherever it runs.
_ENVIRONMENT = frozenset(("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT"))


def _folder(data_dir: Path) -> Folder:
    path = Path(data_dir).absolute() / "clickhouse"
    try:
        return Folder(path)
    except OSError as error:
        raise DatabaseUnavailable(f"the data folder {path} cannot be used: {error.strerror}") from error


def has_data(data_dir: Path) -> bool:
    """Whether a server ever ran in this folder; nothing is made or started to find out."""
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
        raise DatabaseUnavailable(f"LLMA_IDLE_MINUTES is {text!r}; a number of minutes above 0 is needed")
    return minutes


def address(data_dir: Path, state: ServerState) -> tuple[str, int, str, str]:
    """Host, port, user and password of a running server."""
    return "127.0.0.1", state.port, USER, _folder(data_dir).password()


def status(data_dir: Path) -> ServerState | None:
    """The server of this folder, or None if none is running or it is not ready yet."""
    path = Path(data_dir).absolute() / "clickhouse"
    if not path.is_dir():
        return None
    folder = Folder(path)
    state = folder.state()
    if state is None or not folder.is_taken():
        return None
    return state if _answers(folder, state) else None


def start(data_dir: Path) -> ServerState:
    """Start the server of this folder unless it runs; several processes may ask at once and get the same one.

    The server belongs to nobody: it outlives its starter, shares none of its pipes and does not see its Ctrl-C.

    Raises:
        DatabaseUnavailable: it did not get ready; the message says where its log is.
    """
    found = status(data_dir)
    if found is not None:
        return found
    folder = _folder(data_dir)
    minutes = idle_minutes()
    try:
        with FileLock(folder.start_lock, timeout=_START_S, mode=0o600):
            return _start_locked(data_dir, folder, minutes)
    except Timeout:
        raise DatabaseUnavailable(f"another process has been starting the database for {_START_S:.0f} s") from None


def _start_locked(data_dir: Path, folder: Folder, minutes: float) -> ServerState:
    deadline = time.monotonic() + _START_S
    while folder.is_taken():  # somebody else's server: ready, getting ready, or ending
        if (found := status(data_dir)) is not None:
            return found
        left_s = deadline - time.monotonic()
        if left_s < _START_S - _STRANGER_S and (state := folder.state()) and _is_stranger(folder, state):
            raise DatabaseUnavailable(
                f"whoever answers on port {state.port} does not know the password of {folder.path}: perhaps a server "
                f"of an earlier version; end process {state.pid}, and run it again"
            )
        if left_s < 0:
            raise DatabaseUnavailable(f"the database server does not answer; its log is {folder.log}")
        time.sleep(_POLL_S)
    for _ in range(_START_TRIES):
        _spawn(folder, minutes)
        while folder.is_taken():
            state = folder.state()
            if state is not None and _answers(folder, state):
                return state
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(
                    f"the database server was not ready after {_START_S:.0f} s; its log is {folder.log}"
                )
            time.sleep(_POLL_S)
    why = (
        "the disk of the database is full, make room and run it again"
        if folder.is_full()
        else f"its log is {folder.log}"
    )
    raise DatabaseUnavailable(f"the database server ended while it started; {why}")


def _spawn(folder: Folder, minutes: float) -> None:
    """Run the server detached; returns once it holds the folder."""
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
    """End the server of this folder after its running queries.

    Returns:
        False if none was running.

    Raises:
        DatabaseUnavailable: it did not end in time.
    """
    state = status(data_dir)
    if state is None:
        return False
    folder = _folder(data_dir)
    with FileLock(folder.start_lock, timeout=_START_S, mode=0o600):
        if status(data_dir) != state:
            return False
        os.kill(state.pid, signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        while folder.is_taken():
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"the database server did not end within {_STOP_S:.0f} s")
            time.sleep(_POLL_S)
    return True


def _answers(folder: Folder, state: ServerState) -> bool:
    """Whether the very server that wrote this state answers on its port; no secret is sent to find out."""
    try:
        return _is_known(folder, state)
    except OSError:
        return False


def _is_stranger(folder: Folder, state: ServerState) -> bool:
    """Whether somebody else answers there."""
    try:
        return not _is_known(folder, state)
    except OSError:
        return False


def _is_known(folder: Folder, state: ServerState) -> bool:
    with socket.create_connection(("127.0.0.1", state.port), timeout=5) as connection:
        return has_password(connection, folder.password())
