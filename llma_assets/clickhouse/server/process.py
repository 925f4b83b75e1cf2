"""The life of the server process: take the folder, listen, open the engine, say so, serve, end cleanly."""

import logging
import os
import signal
import threading
import time
import uuid
from pathlib import Path

from filelock import FileLock, Timeout

from llma_assets.clickhouse.folder import USER, Folder, ServerState
from llma_assets.clickhouse.server.engine import Engine
from llma_assets.clickhouse.server.http import Server

log = logging.getLogger(__name__)

_TICK_S = 1.0
_DRAIN_S = 30.0


def serve(path: Path, *, idle_s: float, port: int = 0) -> int:
    """Serve the folder until SIGTERM, SIGINT or `idle_s` seconds without a request.

    Returns:
        the exit code: 0 after a clean end, 3 if another process holds the folder.
    """
    folder = Folder(path)
    lock = FileLock(folder.server_lock)
    try:
        lock.acquire(timeout=5)
    except Timeout:
        log.error("another process serves this folder")
        return 3
    try:
        return _serve_locked(folder, idle_s, port)
    finally:
        lock.release()


def _serve_locked(folder: Folder, idle_s: float, port: int) -> int:
    folder.forget_state()
    end = threading.Event()
    started = time.monotonic()
    instance = uuid.uuid4().hex
    server = Server(("127.0.0.1", port), USER, folder.password(), instance)
    server.engine = Engine(folder.database)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    thread = threading.Thread(target=server.serve_forever, name="http", daemon=True)
    thread.start()
    folder.write_state(
        ServerState(os.getpid(), server.server_port, instance, server.engine.version, time.time())
    )
    log.info("ready on port %d after %.2f s", server.server_port, time.monotonic() - started)
    while not end.wait(min(_TICK_S, max(idle_s / 4, 0.05))):
        if server.activity.idle_s() > idle_s:
            log.info("ending after %.0f idle seconds", idle_s)
            break
    folder.forget_state()
    server.shutdown()
    server.socket.close()
    deadline = time.monotonic() + _DRAIN_S
    while server.activity.running and time.monotonic() < deadline:
        time.sleep(0.02)
    server.engine.close()
    log.info("ended")
    logging.shutdown()
    os._exit(0)
