"""How long does a browser take to draw a map of many points, and does it pan without stutter?

    python -m benchmarks.web_map                    # 100,000 points
    python -m benchmarks.web_map --items 20000

Needs Chromium and Playwright (`pip install playwright`; it downloads no browser). Drawn by SwiftShader, which stands in
for a graphics card. Prints the time from the request of the page until its points are drawn, what the server took for
the points of it, and the time between frames while the map is dragged.
"""

import argparse
import contextlib
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn

from benchmarks.web import LAST_DAY, plant
from llma_assets.clickhouse import connect, stop
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, create_app

FRAMES = 90
DRAWN = "(performance.getEntriesByName('map drawn')[0] || {}).startTime || 0"
FETCHED = "performance.getEntriesByType('resource').filter(e => e.name.includes('/map/'))[0].duration"
RECORD = """window.frames_ms = []; let before = performance.now();
(function next() { requestAnimationFrame(now => { frames_ms.push(now - before); before = now; next(); }); })()"""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The application on a free port, for a `with` block."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.05)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def opened(page: Any, address: str) -> tuple[float, float]:
    """Milliseconds until the points were drawn, and for fetching them."""
    page.goto(address)
    for _ in range(300):
        if drawn := page.evaluate(DRAWN):
            return drawn, page.evaluate(FETCHED)
        page.wait_for_timeout(100)
    raise SystemExit("the map was not drawn in 30 s")


def cpu_s_below(parent: int) -> float:
    """Seconds of the processor that the processes below one have taken so far (Linux)."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            parents[int(process.name)] = int(fields[1])
            spent[int(process.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    below = {parent}
    while grown := {each for each, its_parent in parents.items() if its_parent in below} - below:
        below |= grown
    return sum(spent[each] for each in below - {parent})


def dragged(page: Any) -> list[float]:
    """Milliseconds between frames while the map is dragged to and fro."""
    box = page.locator("canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(RECORD)
    for step in range(FRAMES):
        page.mouse.move(x + 150 * np.sin(step / 10), y + 80 * np.cos(step / 7))
    times: list[float] = page.evaluate("frames_ms")
    page.mouse.up()
    return times[2:]


def main() -> None:
    """Plant, open, drag."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--picture", type=Path, help="a screenshot is written there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        try:
            with connect(settings) as database, sync_playwright() as playwright:
                plant(database, teams=1, days=1, items=arguments.items)
                site = Site(settings, Access(), opened=database)
                browser = playwright.chromium.launch(
                    executable_path=shutil.which("chromium"), args=["--no-sandbox", "--enable-unsafe-swiftshader"]
                )
                with served(create_app(site)) as address:
                    page = browser.new_page(viewport={"width": 1440, "height": 1000})
                    at = f"{address}/teams/1/map?date={LAST_DAY}&theme=traces"
                    opened(page, at)
                    cpu = cpu_s_below(os.getpid())
                    times = [opened(page, at) for _ in range(arguments.times)]
                    cpu = (cpu_s_below(os.getpid()) - cpu) / arguments.times
                    drawn, fetched = np.median(times, axis=0)
                    frames = dragged(page)
                    if arguments.picture:
                        page.screenshot(path=str(arguments.picture))
                    browser.close()
                print(f"{arguments.items:,} points drawn after {drawn:.0f} ms, of which {fetched:.0f} ms to get them;")
                print(f"the browser took {1000 * cpu:.0f} ms of the processor for it")
                middle, high = np.percentile(frames, [50, 95])
                print(f"while dragged {middle:.0f} ms between frames, {high:.0f} ms at the 95th percentile")
        finally:
            stop(Path(folder))


if __name__ == "__main__":
    main()
