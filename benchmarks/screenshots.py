"""Pictures of every page for the docs: `make screenshots`, or `python -m benchmarks.screenshots --data-dir DIR`.

They show the data of a demo, in Debian's Chromium. Wide ones go to docs/images/, narrow and dark ones elsewhere, to be
looked at.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import uvicorn
from PIL import Image

from llma_assets.cli.commands.web import listen
from llma_assets.clickhouse import stop
from llma_assets.demo import THEMED_TEAM, THEMES, TRAVEL
from llma_assets.reports import published_clusters, tasks_report
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.web import Access, Site, create_app

DAY = date(2026, 11, 7)
IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDE, NARROW = 1440, 390
HEIGHT = 1_000
COLOURS = 128


def pages(site: Site) -> Iterator[tuple[str, str]]:
    """Name and address of each page."""
    team = TRAVEL.team_id
    (run, *_) = [
        each for each in published_clusters(site.database, TeamDay(team, DAY)).runs if each.theme_id == "traces"
    ]
    newest = next((each for each in run.clusters if each.lineage_status == "new"), run.clusters[0])
    tasks = tasks_report(site.database, team, now=site.clock(), options=site.task_options(team)).tasks
    yield "teams", "/"
    yield "results", f"/teams/{team}/results?theme=traces&date={DAY}"
    yield "map", f"/teams/{team}/map?theme=traces&date={DAY}"
    yield "week", f"/teams/{team}/week?theme=traces&date={DAY}"
    yield "alerts", f"/teams/{team}/alerts"
    yield "table", f"/teams/{team}/items?theme=traces&date={DAY}"
    yield "trends", f"/teams/{team}/trends?theme=traces&weeks=2&date={DAY}"
    yield "cluster", f"/teams/{team}/clusters/{newest.lineage_id}?theme=traces&date={DAY}"
    yield "trace", f"/teams/{team}/trace?id={newest.item_ids[0]}"
    yield "tasks", f"/teams/{team}/tasks"
    yield "task", f"/teams/{team}/tasks/{tasks[0].task_id}"
    yield "themes", f"/teams/{THEMED_TEAM.team_id}/themes"
    yield "theme", f"/teams/{THEMED_TEAM.team_id}/themes/{THEMES[0]}/edit"
    yield "funnel", f"/teams/{THEMED_TEAM.team_id}/themes/{THEMES[0]}?date={DAY}"
    yield "health", f"/teams/{team}/health?date={DAY}"
    yield "api", "/api"
    yield "empty", f"/teams/{team}/results?date=2026-10-01"
    yield "problem", f"/teams/{team}/clusters/none?theme=traces&date={DAY}"


@contextmanager
def served(site: Site) -> Iterator[str]:
    """The address of a server in a thread."""
    socket = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(create_app(site), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{socket.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def shoot(browser: Any, home: str, name: str, path: str, width: int, folder: Path, scheme: str = "light") -> Path:
    """Take the picture of a page, as much of it as a window shows; narrow ones are whole."""
    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page.goto(home + path, wait_until="networkidle")
    taken = page.screenshot(full_page=width == NARROW)
    page.close()
    file = folder / f"web_{name}.png"
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS).save(file, optimize=True)
    return file


def make_demo(folder: Path) -> None:
    """Run the demo into a folder of its own."""
    environment = {**os.environ, "LLMA_DATA_DIR": str(folder), "LLMA_CHAT_MODEL": "offline"}
    environment.pop("DAGSTER_HOME", None)
    command = [sys.executable, "-m", "llma_assets.cli.main", "demo", "--date", DAY.isoformat()]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Take all pictures."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="Data of a demo of 2026-11-07; without it one is made first.")
    parser.add_argument("--narrow", type=Path, help="Where the narrow and the dark pictures go.")
    given = parser.parse_args()
    folder = given.data_dir or Path(tempfile.mkdtemp(prefix="llma-screenshots-"))
    narrow = given.narrow or Path(tempfile.mkdtemp(prefix="llma-narrow-"))
    narrow.mkdir(parents=True, exist_ok=True)
    if given.data_dir is None:
        make_demo(folder)
    settings = Settings.from_env({"LLMA_DATA_DIR": str(folder)})
    evening = datetime.combine(DAY, time(22), UTC)
    site = Site(settings, Access(owner="ana"), "http://127.0.0.1:3000", clock=lambda: evening)
    executable = shutil.which("chromium") or os.environ["LLMA_TEST_BROWSER"]
    with served(site) as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable)
        for name, path in pages(site):
            file = shoot(browser, home, name, path, WIDE, IMAGES)
            shoot(browser, home, f"{name}_narrow", path, NARROW, narrow)
            shoot(browser, home, f"{name}_dark", path, WIDE, narrow, "dark")
            print(f"{file.name}: {file.stat().st_size // 1024} kB")
        browser.close()
    print(f"narrow and dark ones: {narrow}")
    if given.data_dir is None:
        stop(folder)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
