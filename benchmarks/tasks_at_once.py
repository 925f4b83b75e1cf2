"""Two runs of `llma segments run` at the same moment: is any segment lost? `python -m benchmarks.tasks_at_once`.

Each time another team gets segments that wait alone, and after a pass one like each of them, and a group; then two
processes of the command begin together. With `--kill` one of the two is killed after a random time, and a third ends
the work. Afterwards every segment must be in a task and the checks must pass. One embedded database for all; prints
Markdown, exit code 1 if anything was lost.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llma_assets.clickhouse import Database, connect, stop
from llma_assets.models import OfflineChat, embedder
from llma_assets.settings import Settings
from llma_assets.tasks import cluster_new_segments, segment_counts, update_tasks
from llma_assets.tasks.checks import CHECKS
from llma_assets.team_day import TeamDay
from llma_assets.testing import axis_vector, segment, similar_segments, write_segments

SEGMENTS = 9
RUN = (sys.executable, "-c", "from llma_assets.cli.main import main; main()", "segments", "run", "--json", "--team")


def main(argv: Sequence[str] | None = None) -> int:
    """Run it so many times and count what was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--kill", action="store_true", help="kill one of the two after a random time")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args(argv)
    chance = random.Random(options.seed)
    lost = failed = broken = 0
    seconds = list[float]()
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        environment = {**os.environ, "LLMA_DATA_DIR": folder}
        settings = Settings.from_env(environment)
        try:
            with connect(settings) as database:
                for team_id in range(1, options.times + 1):
                    _prepare(database, team_id, embedder(settings).name)
                    start = time.perf_counter()
                    failed += _at_once(team_id, environment, chance if options.kill else None, seconds)
                    seconds.append(time.perf_counter() - start)
                    lost += SEGMENTS - segment_counts(database, team_id)["in_tasks"]
                    day = TeamDay(team_id, datetime.now(UTC).date())
                    broken += any(not each.passed for check in CHECKS for each in check.findings(database, day))
        finally:
            stop(Path(folder))
    print("| runs of two at once | one killed | segments | lost | runs that failed | times a check failed | s each |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    print(
        f"| {options.times} | {'yes' if options.kill else 'no'} | {options.times * SEGMENTS} | {lost} | {failed} "
        f"| {broken} | {sum(seconds) / len(seconds):.1f} |"
    )
    return 1 if lost or failed or broken else 0


def _prepare(database: Database, team_id: int, model: str) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    earlier = now - timedelta(hours=2)
    held = [
        (segment(f"h{n}", f"Looks at page {n}", team_id=team_id, start=earlier - timedelta(hours=1)), axis_vector(n))
        for n in range(3)
    ]
    write_segments(database, held, model=model)
    cluster_new_segments(database, team_id, model_name=model, now=earlier)
    update_tasks(database, team_id, OfflineChat(), now=earlier)
    like = [
        (segment(f"n{n}", f"Looks at page {n}", team_id=team_id, start=earlier), axis_vector(n, shift=0.1))
        for n in range(3)
    ]
    write_segments(database, [*like, *similar_segments("g", 7, start=earlier, team_id=team_id)], model=model)


def _at_once(
    team_id: int, environment: dict[str, str], chance: random.Random | None, earlier_s: Sequence[float]
) -> int:
    """Run two processes at once; how many of those that were left alone did not succeed."""
    two = [_started(team_id, environment), _started(team_id, environment)]
    if chance is not None:
        time.sleep(chance.uniform(0.3, 1.0) * (min(earlier_s) if earlier_s else 5.0))
        two[0].kill()
        two[0].wait()
        two = [two[1]]
    failed = sum(each.wait() != 0 for each in two)
    return failed + (_started(team_id, environment).wait() != 0 if chance is not None else 0)


def _started(team_id: int, environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([*RUN, str(team_id)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
