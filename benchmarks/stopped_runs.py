"""What a stopped run pays for twice: `python -m benchmarks.stopped_runs [--signal KILL|TERM|INT] [--times 5]`.

A process summarises 187 texts, five calls at once, against a server on a loopback port that takes a moment for each
answer. Somewhere in the middle it is stopped; then another run finishes the work. Each question that reached the server
more than once was paid for twice.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random

from llma_assets.clickhouse import connect, stop
from llma_assets.models import OpenAIChat
from llma_assets.settings import Settings
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing import ChatServer, Request, numbered_texts, write_texts
from llma_assets.themes import TRACES

TEXTS = 187
DAY = date(2026, 11, 7)

WORK = """
import sys
from datetime import date
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._utils.interrupts import capture_interrupts, raise_interrupts_as
from llma_assets.clickhouse import connect
from llma_assets.models import OpenAIChat
from llma_assets.settings import Settings
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES

chat = OpenAIChat("gpt-4.1-nano", base_url=sys.argv[1])
with capture_interrupts(), raise_interrupts_as(DagsterExecutionInterruptedError):
    store_theme(
        connect(Settings.from_env()), TeamDay(int(sys.argv[2]), date(2026, 11, 7)), TRACES, chat,
        limits=RunLimits("stopped"), progress=lambda *_: None,
    )
"""


def main() -> int:
    """Print a line for each stop."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--signal", choices=["KILL", "TERM", "INT"], default="KILL")
    options.add_argument("--times", type=int, default=5)
    options.add_argument("--latency", type=float, default=0.1, help="seconds that an answer takes")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    random = Random(given.seed)
    print("| stopped after | questions | asked twice |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"LLMA_DATA_DIR": folder}
        os.environ.pop("CLICKHOUSE_URL", None)
        total = 0
        try:
            for team_id in range(1, given.times + 1):
                after = random.randrange(40, TEXTS - 20)
                twice = stopped_once(team_id, after, given.signal, given.latency)
                total += twice
                print(f"| {after} requests | {TEXTS} | {twice} |", flush=True)
        finally:
            stop(Path(folder))
        print(f"\nSIG{given.signal}: {total} of {TEXTS * given.times} questions paid for twice")
    return 0


def stopped_once(team_id: int, after: int, name: str, latency_s: float) -> int:
    """Questions that were asked twice because of one stop."""
    enough, seen = threading.Event(), list[str]()

    def judge(_: Request) -> None:
        seen.append("")
        if len(seen) == after:
            enough.set()

    with connect(Settings.from_env()) as database:
        team_day = TeamDay(team_id, DAY)
        write_texts(database, team_day, numbered_texts(TEXTS))
        with ChatServer(judge=judge, latency_s=latency_s) as first:
            process = subprocess.Popen([sys.executable, "-c", WORK, first.url, str(team_id)])
            enough.wait(300)
            process.send_signal(getattr(signal, f"SIG{name}"))
            process.wait(60)
        with ChatServer() as second:
            chat = OpenAIChat("gpt-4.1-nano", base_url=second.url)
            store_theme(database, team_day, TRACES, chat, limits=RunLimits("next"), progress=lambda *_: None)
    asked = Counter(request.prompt for server in (first, second) for request in server.calls())
    return sum(times - 1 for times in asked.values())


if __name__ == "__main__":
    raise SystemExit(main())
