"""How fast are the pages? Stored results of many teams are generated, not run, and each page is asked for many times.

    python -m benchmarks.web                                    # 3 teams, 14 days, 20,000 traces in each window
    python -m benchmarks.web --teams 50 --days 30

Prints the median and the 95th percentile of the time to a whole page, beside those of the sign-in page, which reads
nothing; what the web process and the embedded database take of the processor together, which says more than time on a
machine that is shared; and the size.
"""

import argparse
import contextlib
import os
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path
from uuid import uuid4

import numpy as np
from starlette.testclient import TestClient

from llma_assets.clickhouse import Database, connect, stop
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, create_app

LAST_DAY = date(2026, 11, 7)
CLUSTERS = 60
WINDOW_DAYS = 7
EMPTY = "/sign-in"
PAGES = {
    "teams": "/",
    "results": "/teams/1/results?date={day}&theme=traces",
    "table": "/teams/1/items?date={day}&theme=traces",
    "search": "/teams/1/items?date={day}&theme=traces&q=77",
    "trends": "/teams/1/trends?theme=traces",
    "expected": "/teams/1/trends/expected?theme=traces&to={day}",
    "cluster": "/teams/1/clusters/lineage-3?theme=traces&date={day}",
    "trace": "/teams/1/trace?id={item}",
    "themes": "/teams/1/themes",
    "theme": "/teams/1/themes/traces",
    "health": "/teams/1/health?date={day}",
    "map": "/teams/1/map?date={day}&theme=traces",
    "points": "/api/v1/teams/1/map/traces?date={day}",
    "picture": "/teams/1/map.png?date={day}&theme=traces",
}

# Items of a day are those of one day of each of the windows that hold it.
MEMBERS = """
INSERT INTO cluster_members
    (team_id, day, theme_id, attempt_id, item_id, trace_id, item_day, cluster_id, distance, rank, strength, x, y,
    timestamp)
SELECT
    {team:Int64}, {day:Date}, 'traces', {attempt:UUID},
    concat(toString({day:Date} - number % {window:UInt8}), '-', toString(intDiv(number, {window:UInt8}))) AS item,
    item, {day:Date} - number % {window:UInt8},
    cityHash64(item) % {clusters:UInt32} - 1 AS cluster, cityHash64(item, 1) / pow(2, 64) AS distance,
    row_number() OVER (PARTITION BY cluster ORDER BY distance) - 1, 1,
    cityHash64(item, 2) / pow(2, 64), cityHash64(item, 3) / pow(2, 64),
    toDateTime({day:Date} - number % {window:UInt8}, 'UTC') + number % 86400
FROM numbers({items:UInt64})
"""
CLUSTERS_OF_RUN = """
INSERT INTO clusters
    (team_id, day, theme_id, attempt_id, cluster_id, lineage_id, size, traces, centroid, centroid_x, centroid_y,
    lineage_status, lineage_parents)
SELECT
    {team:Int64}, {day:Date}, 'traces', {attempt:UUID}, number - 1,
    if(number = 0, '', concat('lineage-', toString(number))) AS lineage,
    intDiv({items:UInt64}, {clusters:UInt32}), intDiv({items:UInt64}, {clusters:UInt32}),
    arrayMap(i -> i / 384., range(384)), 0, 0, 'continued', [lineage]
FROM numbers({clusters:UInt32})
"""
NAMES = """
INSERT INTO cluster_labels (team_id, day, theme_id, attempt_id, cluster_id, title, description, status, model)
SELECT
    {team:Int64}, {day:Date}, 'traces', {attempt:UUID}, number - 1, concat('Topic ', toString(number)), 'What it is',
    'generated', 'x'
FROM numbers({clusters:UInt32})
"""
TEXTS = """
INSERT INTO trace_texts
    (team_id, day, level, item_id, trace_id, text, loss, cost_usd, latency_s, error_count, line_count, event_count)
SELECT DISTINCT
    team_id, item_day, 'trace', item_id, item_id, repeat('L1: a line of a text\n', 100), '{}', 0.01, 2,
    cityHash64(item_id) % 10 = 0, 100, 3
FROM cluster_members
WHERE team_id = {team:Int64}
"""
SUMMARIES = """
INSERT INTO trace_summaries
    (team_id, day, theme_id, level, item_id, trace_id, status, title, bullets, interesting_notes, relevant)
SELECT DISTINCT
    team_id, item_day, 'traces', 'trace', item_id, item_id, 'generated', concat('What was asked in ', item_id),
    '[{"text": "The user asked for it", "line_refs": "L1"}]', '[]', true
FROM cluster_members
WHERE team_id = {team:Int64}
"""


def plant(database: Database, *, teams: int, days: int, items: int) -> None:
    """Results of so many teams and days, with so many items in each window."""
    for team_id in range(1, teams + 1):
        for back in range(days):
            day, attempt = LAST_DAY - timedelta(days=back), uuid4()
            run = {"team": team_id, "day": day, "attempt": attempt, "clusters": CLUSTERS, "items": items}
            database.execute(MEMBERS, **run, window=WINDOW_DAYS)
            for statement in (CLUSTERS_OF_RUN, NAMES):
                database.execute(statement, **run)
            _store_run(database, team_id, day, attempt, items)
        for statement in (TEXTS, SUMMARIES):
            database.execute(statement, team=team_id)


def _store_run(database: Database, team_id: int, day: date, attempt: object, items: int) -> None:
    midnight = datetime.combine(day, time_of_day(), UTC)
    row = {
        "team_id": team_id,
        "day": day,
        "theme_id": "traces",
        "level": "trace",
        "attempt_id": attempt,
        "run_id": "run",
        "method": "graph",
        "params": "{}",
        "items": items,
        "window_items": items,
        "clusters": CLUSTERS - 1,
        "noise_items": items // CLUSTERS,
        "silhouette": None,
        "inertia": None,
        "quality": '{"stability": 0.9}',
        "lineage": '{"previous_day": null}',
        "embedding_model": "x",
        "window_start": midnight - timedelta(days=WINDOW_DAYS - 1),
        "window_end": midnight + timedelta(days=1),
    }
    database.insert_rows("clustering_runs", [row])


def server_cpu_s(folder: Path) -> float:
    """Seconds of the processor that the embedded server of a folder has taken so far (Linux)."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(folder / "clickhouse") in (process / "cmdline").read_text().split("\0"):
                spent = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
                return sum(map(int, spent)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def measure(client: TestClient, folder: Path, address: str, times: int) -> tuple[list[float], float, int]:
    """Milliseconds of each answer, of the processor for one in this process and the server's, and bytes."""
    client.get(address)
    took, cpu = [], time.process_time() + server_cpu_s(folder)
    for _ in range(times):
        started = time.perf_counter()
        answer = client.get(address)
        took.append(1000 * (time.perf_counter() - started))
        if answer.status_code != 200:
            raise SystemExit(f"{address}: {answer.status_code}")
    spent = time.process_time() + server_cpu_s(folder) - cpu
    return took, 1000 * spent / times, len(answer.content)


def main() -> None:
    """Plant and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teams", type=int, default=3)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--data-dir", type=Path, help="keeps what is planted; one that exists is measured as it is")
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = (arguments.data_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        is_new = not folder.exists() or not any(folder.iterdir())
        stack.callback(stop, folder)
        database = stack.enter_context(connect(Settings.from_env({"LLMA_DATA_DIR": str(folder)})))
        if is_new:
            started = time.perf_counter()
            plant(database, teams=arguments.teams, days=arguments.days, items=arguments.items)
            print(f"planted in {time.perf_counter() - started:.0f} s")
        site = Site(Settings.from_env(os.environ), Access(), opened=database)
        client = TestClient(create_app(site), "http://127.0.0.1")
        empty, own, _ = measure(client, folder, EMPTY, arguments.times)
        print("| page | median | 95 % | times an empty page | CPU, app and server | kB |\n|---|--:|--:|--:|--:|--:|")
        for name, address in PAGES.items():
            asked = address.format(day=LAST_DAY, item=f"{LAST_DAY}-0")
            took, cpu, size = measure(client, folder, asked, arguments.times)
            middle, high = np.percentile(took, [50, 95])
            print(
                f"| {name} | {middle:.0f} ms | {high:.0f} ms | {middle / np.median(empty):.0f} | {cpu:.0f} ms | "
                f"{size / 1000:.0f} |"
            )
        print(f"\nan empty page: {np.median(empty):.1f} ms, {own:.1f} ms of the processor")


if __name__ == "__main__":
    main()
