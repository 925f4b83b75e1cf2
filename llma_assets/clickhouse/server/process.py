"""The server process of a locked folder: listen, open the engine, publish the state, serve, shut down."""

import logging
import os
import signal
import threading
import time
import uuid

from llma_assets.clickhouse.server.engine import Engine
from llma_assets.clickhouse.server.errors import QueryError
from llma_assets.clickhouse.server.http import Server
from llma_assets.clickhouse.server_folder import USER, ServerFolder, ServerState

log = logging.getLogger(__name__)

_TICK_S = 1.0
_GRACE_S = 20.0
_KILL_S = 5.0


def serve(folder: ServerFolder, *, idle_s: float, port: int = 0) -> int:
    """Serve a folder that this process has locked, until SIGTERM, SIGINT or `idle_s` seconds without a request.

    Returns:
        4 if the port cannot be used, 5 if the disk is full. After serving, the process exits with 0.
    """
    if folder.is_disk_full():
        log.error("the disk is full")
        return 5
    try:
        server = Server(("127.0.0.1", port), USER, folder.renew_password())
    except OSError as error:
        log.error("port %d cannot be used: %s", port, error.strerror)
        return 4
    _serve(folder, server, idle_s)
    # Threads of the engine may outlive it; the lock is released when the process exits, not before.
    logging.shutdown()
    os._exit(0)


def _serve(folder: ServerFolder, server: Server, idle_s: float) -> None:
    started_s = time.monotonic()
    end = threading.Event()
    os.chdir(folder.path)
    server.open(Engine("data"))  # a relative path: chDB reads options out of an absolute one with `?` in it
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    threading.Thread(target=server.serve_forever, args=(0.05,), name="http", daemon=True).start()
    folder.write_state(
        ServerState(os.getpid(), server.server_port, uuid.uuid4().hex, server.engine.version, time.time())
    )
    log.info("ready on port %d after %.2f s", server.server_port, time.monotonic() - started_s)
    _wait(server, end, idle_s)
    folder.forget_state()
    _close(server)


def _wait(server: Server, end: threading.Event, idle_s: float) -> None:
    while not end.wait(min(_TICK_S, max(idle_s / 4, 0.05))):
        try:
            server.engine.pause_merges_if_short()
        except (QueryError, OSError) as error:
            log.warning("the disk space cannot be checked: %s", error)
        server.executor.sessions.expire()
        for query_id in server.executor.running.kill_abandoned():
            log.info("ended query %s, whose client has disconnected", query_id)
        if server.activity.idle_s() > idle_s:
            log.info("ending after %.0f idle seconds", idle_s)
            return
    log.info("shutting down after a signal")


def _close(server: Server) -> None:
    """Accept no more requests, wait for the running ones, kill the rest, and close the engine."""
    server.shutdown()
    server.socket.close()
    if not _quiet(server, _GRACE_S):
        server.executor.running.kill_all()
        if not _quiet(server, _KILL_S):
            log.warning("ending with %d requests unfinished", server.activity.running)
            return  # as safe as a kill: acknowledged data is on disk
    server.executor.sessions.close()
    server.engine.close()
    log.info("ended")


def _quiet(server: Server, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while server.activity.running and time.monotonic() < deadline:
        time.sleep(0.01)
    return not server.activity.running
