"""Entry of the server process: `python -m llma_assets.clickhouse.server FOLDER --idle-s N`."""

import argparse
import logging
import sys
from pathlib import Path

from llma_assets.clickhouse.server.process import serve


def main() -> int:
    """Serve until told to end or until nobody has asked for long enough."""
    parser = argparse.ArgumentParser(prog="llma-clickhouse", description="The embedded ClickHouse of one data folder")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--idle-s", type=float, default=900.0)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s"
    )
    return serve(options.folder, idle_s=options.idle_s, port=options.port)


if __name__ == "__main__":
    sys.exit(main())
