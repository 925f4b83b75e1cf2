"""Entry point of the server process: `python -m llma_assets.clickhouse.server FOLDER --idle-s N`."""

import argparse
import logging
import os
import resource
import sys
from pathlib import Path

from llma_assets.clickhouse.server.process import serve
from llma_assets.clickhouse.server_folder import ServerFolder

_MOST_FILES = 1 << 20
NEEDED_FILES = 4096
"""Enough to read a few hundred parts with wide columns at once."""


def raise_file_limit() -> None:
    """Raise the limit of open files to the most that the system allows, whatever the starting shell has set."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, _MOST_FILES) if hard != resource.RLIM_INFINITY else _MOST_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        wanted = soft
    else:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if 0 <= wanted < NEEDED_FILES:
        logging.warning(
            "only %d files can be open at once; many parts or clients may need more: raise `ulimit -Hn`", wanted
        )


def main() -> int:
    """Lock the folder, detach from the starting process, and serve.

    Returns:
        3 if another process serves the folder; 0 in the process that the starter waits for.
    """
    parser = argparse.ArgumentParser(prog="llma-clickhouse", description="The embedded ClickHouse of one data folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--idle-s", type=float, default=900.0)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--foreground", action="store_true")
    options = parser.parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s"
    )
    os.umask(0o077)  # only the owner may read the engine's files
    raise_file_limit()
    folder = ServerFolder(options.folder)
    if not folder.acquire(timeout_s=1):
        logging.error("another process serves this folder")
        return 3
    folder.forget_state()
    # The lock is held by both sides of the fork; no thread and no engine exists yet. With its parent gone the
    # server is nobody's child, so nobody has to wait for it when it ends.
    if not options.foreground and os.fork():
        os._exit(0)
    return serve(folder, idle_s=options.idle_s, port=options.port)


if __name__ == "__main__":
    sys.exit(main())
