"""Dagster's pages over a year of a thousand teams, in headless Chromium: part of `benchmarks.year --pages`.

The web server is the guarded one with its code server, as `llma dev` starts it. A page is there when a word stands on
it that comes with its last answer. Besides the wall time of each page it prints the CPU of server and code server for
it, and the slowest GraphQL operation with its time. The second visit is measured too: Dagster keeps the state of an
asset's partitions with the asset.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Request, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from llma_assets_tests.postgres.cluster import answers, free_port, wait_for

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "asset graph": ("/asset-groups", "clusters"),
    "catalog of assets": ("/assets", "cluster_events"),
    "an asset": ("/assets/cluster_events", "Partitions"),
    "its partitions": ("/assets/cluster_events?view=partitions", "{day}"),
    "one partition": ("/assets/cluster_events?view=partitions&partition={partition}", "done"),
    "its events": ("/assets/cluster_events?view=events", "{day}"),
    "runs": ("/runs", "{short}"),
    "failed runs": ("/runs?q%5B0%5D=status%3AFAILURE", "Failure"),
    "one run": ("/runs/{run}", "shard_job"),
    "automation": ("/automation", "texts_hourly"),
    "deployment": ("/deployment", "llma_assets"),
}
"""Of each page: its address, and the word that it waits for."""


def measure_pages(home: Path, oldest: date, partition: str, run: str) -> None:
    """Open each page twice, and print what it costs."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with _web_server(home, oldest) as (address, cpu_s), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--disable-gpu"])
        given = {"partition": partition, "day": partition.partition("|")[0], "run": run, "short": run[:8]}
        _visit(browser, address + "/deployment", "llma_assets")  # the scripts of the pages are read once
        print("\n| page | visit | wall s | server s | GraphQL answers | slowest operation | its wall s |")
        print("|---|--:|--:|--:|--:|---|--:|")
        for name, (path, word) in PAGES.items():
            for visit in (1, 2):
                before = cpu_s()
                wall, operations = _visit(browser, address + path.format(**given), word.format(**given))
                slowest = max(operations, key=lambda each: each[1], default=("", 0.0))
                print(f"| {name} | {visit} | {wall:.2f} | {cpu_s() - before:.2f} | {len(operations)} | {slowest[0]} | "
                      f"{slowest[1]:.2f} |", flush=True)  # fmt: skip
        browser.close()


def _visit(browser: Browser, address: str, word: str) -> tuple[float, list[tuple[str, float]]]:
    """Seconds until the word could be seen, infinite if it never could; each GraphQL operation with its seconds."""
    operations: list[tuple[str, float]] = []
    begun_at: dict[Request, float] = {}

    def finished(request: Request) -> None:
        if "/graphql" in request.url:
            asked = json.loads(request.post_data or "{}")
            operations.append((str(asked.get("operationName")), time.perf_counter() - begun_at[request]))

    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.on("request", lambda request: begun_at.setdefault(request, time.perf_counter()))
    page.on("requestfinished", finished)
    started = time.perf_counter()
    page.goto(address, wait_until="commit", timeout=180_000)
    try:
        page.get_by_text(word).locator("visible=true").first.wait_for(timeout=120_000)
        took = time.perf_counter() - started
    except PlaywrightTimeout:
        took = float("inf")
    if pictures := os.environ.get("LLMA_YEAR_PICTURES"):
        page.screenshot(path=Path(pictures) / (re.sub(r"\W+", "_", address.partition("127.0.0.1")[2])[:60] + ".png"))
    page.close()
    return took, operations


@contextmanager
def _web_server(home: Path, oldest: date) -> Iterator[tuple[str, Callable[[], float]]]:
    """The guarded web server; its address, and the CPU seconds that it and its code server have taken."""
    port = free_port()
    environ = {**os.environ, "DAGSTER_HOME": str(home), "LLMA_OLDEST_DAY": oldest.isoformat(), "PYTHONPATH": str(ROOT)}
    workspace = str(ROOT / "llma_assets" / "workspace.yaml")
    command = [sys.executable, "-m", "llma_assets.webserver", "-w", workspace, "-h", "127.0.0.1", "-p", str(port)]
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, env=environ, stdout=log, stderr=log, cwd=home)
        known = psutil.Process(server.pid)

        def cpu_s() -> float:
            spent = [each.cpu_times() for each in (known, *known.children(recursive=True))]
            return sum(each.user + each.system for each in spent)

        try:
            wait_for(lambda: answers(port), "Dagster's web server")
            yield f"http://127.0.0.1:{port}", cpu_s
        finally:
            started = known.children(recursive=True)
            server.terminate()
            server.wait(60)
            for each in started:
                if each.is_running():
                    each.kill()
