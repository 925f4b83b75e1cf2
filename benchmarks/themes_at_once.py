"""Themes one after another and at once: `python -m benchmarks.themes_at_once [EVENTS.jsonl.gz]`, as Markdown.

`llma run` with ten themes over a week of real traces, each way on an empty database of its own: offline, and with a
server of models on a loopback port whose every answer takes a fixed time. The time is that of the command, from the
events to the clusters; the texts, which all themes share, are in it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from benchmarks.themes import DATA, TEAM, answer
from llma_assets.clickhouse import connect, start, stop
from llma_assets.clickhouse.lifecycle import address
from llma_assets.ingest import ingest
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer
from llma_assets.themes import OPTIONAL, Filter, Theme
from llma_assets.themes.changes import apply
from llma_assets.themes.document import document_of

DAY = date(2026, 11, 7)
DELAY_S = 0.5

OWN = tuple(
    Theme(
        theme_id=name,
        level="trace",
        prompt=f"Say what users want about {', '.join(words)}, and whether they get it.",
        rule="keywords",
        keywords=words,
        screen=True,
        theme_filters=(Filter("$ai_trace_id", "is_set"),),
    )
    for name, words in {
        "travel": ("flight", "bus", "train"),
        "meals": ("restaurant", "reservation", "dinner"),
        "homes": ("apartment", "hotel", "house"),
        "culture": ("movie", "music", "concert"),
        "money": ("account", "balance", "transfer"),
    }.items()
)
TEN = (*(replace(theme, enabled=True) for theme in OPTIONAL), *OWN)


def main(arguments: list[str]) -> int:
    """Measure; 2 if the file is missing, 1 if a run fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=DATA[0])
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--delay-s", type=float, default=DELAY_S)
    parser.add_argument("--models", nargs="+", choices=["offline", "server"], default=["offline", "server"])
    chosen = parser.parse_args(arguments)
    if not chosen.path.is_file():
        print(f"not found: {chosen.path}", file=sys.stderr)
        return 2
    print("# Ten themes, one after another and at once\n")
    print(f"{chosen.path.name}, on two cores; run it again with `python -m benchmarks.themes_at_once`.\n")
    print("| models | themes at once | wall time | calls | most calls at once |\n|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        try:
            with connect(settings) as database:
                ingest(chosen.path, database, rejects=settings.rejects_dir, team_id=TEAM)
                events_table = f"{database.name}.events"
            for models in chosen.models:
                for at_once in chosen.at_once:
                    measure(settings, events_table, models, at_once, chosen.delay_s)
        finally:
            stop(settings.data_dir)
    return 0


def measure(settings: Settings, events_table: str, models: str, at_once: int, delay_s: float) -> None:
    """One run on an empty database; prints its line."""
    host, port, user, password = address(settings.data_dir, start(settings.data_dir))
    url = f"http://{user}:{password}@{host}:{port}/{models}_{at_once}"
    with connect(replace(settings, clickhouse_url=url, events_table=events_table)) as database:
        apply(database, TEAM, document_of(TEN), "a benchmark")
    environment = {
        "CLICKHOUSE_URL": url,
        "LLMA_EVENTS_TABLE": events_table,
        "LLMA_DATA_DIR": str(settings.data_dir / f"{models}_{at_once}"),
    }
    command = ["run", "--team", str(TEAM), "--date", DAY.isoformat(), "--themes-at-once", str(at_once), "--json"]
    command += [word for theme in TEN for word in ("--theme", theme.theme_id)]
    if models == "offline":
        took_s, calls, most = timed(command, environment), 0, 0
        name = "offline"
    else:
        with ChatServer(answer, latency_s=delay_s) as server:
            took_s = timed(command, {**environment, "OPENAI_BASE_URL": server.url, "LLMA_CHAT_MODEL": "delayed"})
            calls, most = len(server.requests), server.most_at_once
        name = f"a server, {delay_s:g} s an answer"
    print(f"| {name} | {at_once} | {took_s:.0f} s | {calls:,} | {most} |", flush=True)


def timed(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Wall time of `llma`, seconds.

    Raises:
        CalledProcessError: it failed.
    """
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "llma_assets.cli.main", *command],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
