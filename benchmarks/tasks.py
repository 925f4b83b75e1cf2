"""Do planted problems become tasks, one each, and soon? `python -m benchmarks.tasks`.

Simulates days of session replays (`benchmarks.replays`): known problems, each with its own users, rate and first
day and in several wordings, among harmless sessions. Runs the real room on a real embedded database, a pass every
few hours, with the offline models, and a second team beside it. Then scores the tasks that are shown (not ignored)
against the planted problems. Prints a Markdown table; writes nothing but a temporary folder.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.replays.generator import FIRST_DAY, SEEN, UNSEEN, planted_problems, segments_of_day
from llma_assets.clickhouse import Database, connect, stop
from llma_assets.models import OfflineChat, embedder
from llma_assets.settings import Settings
from llma_assets.tasks import (
    Segment,
    Task,
    TaskOptions,
    cluster_new_segments,
    list_tasks,
    task_segments,
    update_tasks,
)
from llma_assets.tasks.segment_queries import DOCUMENT_TYPE, PRODUCT, RENDERING
from llma_assets.tasks.segments import metadata_of

MODEL = "offline/benchmark"
TEAM, OTHER_TEAM = 1, 2


@dataclass(frozen=True, slots=True)
class Score:
    """How the tasks of a simulation compare with what was planted.

    Attributes:
        problems: planted problems that occurred at least twice.
        detected: of these, the ones that are the majority of some shown task.
        shown: tasks that are not ignored.
        true_tasks: of these, the ones whose majority is one planted problem.
        purity: share of segments in true tasks that are of the task's problem.
        passes: median number of passes with its segments until a problem has a task.
    """

    problems: int
    detected: int
    shown: int
    true_tasks: int
    purity: float
    passes: float

    @property
    def duplicates(self) -> float:
        """Tasks for each detected problem; 1 is right."""
        return self.true_tasks / max(self.detected, 1)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the simulation for each threshold, and each least impact at the default one, and print its score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--every-hours", type=float, default=4)
    parser.add_argument("--harmless", type=int, default=60, help="harmless segments a day")
    parser.add_argument("--seeds", type=int, nargs="*", default=[7])
    parser.add_argument("--distances", type=float, nargs="*", default=[0.3, 0.35, 0.4])
    parser.add_argument("--least-impacts", type=float, nargs="*", default=[0.1])
    parser.add_argument("--least-troubles", type=float, nargs="*", default=[0.0])
    parser.add_argument("--unseen", action="store_true", help="the texts that the rules of wording were not made by")
    options = parser.parse_args(argv)
    print(
        "| seed | match distance | least impact | least trouble | recall | precision | tasks a problem | purity "
        "| passes until seen |"
    )
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    texts = UNSEEN if options.unseen else SEEN
    for seed in options.seeds:
        problems = planted_problems(options.days, seed, texts)
        days = [
            list(segments_of_day(TEAM, day, problems, harmless=options.harmless, seed=seed, texts=texts))
            for day in range(options.days)
        ]
        vectors = _embedded([segment.description for day in days for segment, _ in day])
        variants = [TaskOptions(match_distance=distance) for distance in options.distances]
        variants += [TaskOptions(least_impact=least) for least in options.least_impacts]
        variants += [TaskOptions(least_trouble=least) for least in options.least_troubles]
        for variant in variants:
            score = simulate(days, vectors, every=timedelta(hours=options.every_hours), options=variant)
            print(
                f"| {seed} | {variant.match_distance} | {variant.least_impact} | {variant.least_trouble} "
                f"| {score.detected} of {score.problems} | {score.true_tasks} of {score.shown} "
                f"| {score.duplicates:.2f} | {score.purity:.3f} | {score.passes:.0f} |",
                flush=True,
            )


def simulate(
    days: Sequence[Sequence[tuple[Segment, str]]],
    vectors: NDArray[np.float32],
    *,
    every: timedelta,
    options: TaskOptions,
) -> Score:
    """Run the passes of all days on a fresh database and score the tasks at the end."""
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder:
        settings = replace(Settings.from_env({"LLMA_DATA_DIR": folder}))
        try:
            with connect(settings) as database:
                return _run(database, days, vectors, every, options)
        finally:
            stop(Path(folder))


def _run(
    database: Database,
    days: Sequence[Sequence[tuple[Segment, str]]],
    vectors: NDArray[np.float32],
    every: timedelta,
    options: TaskOptions,
) -> Score:
    truth = {segment.document_id: name for day in days for segment, name in day}
    waiting = [
        (segment, vector) for (segment, _), vector in zip((pair for day in days for pair in day), vectors, strict=True)
    ]
    seen_passes: Counter[str] = Counter()
    detected_after: dict[str, int] = {}
    now = FIRST_DAY
    end = FIRST_DAY + timedelta(days=len(days))
    while now < end:
        now += every
        arrived = [pair for pair in waiting if pair[0].end <= now]
        waiting = waiting[len(arrived) :]
        if not arrived:
            continue
        for team_id in (TEAM, OTHER_TEAM):
            database.insert_rows("document_embeddings", [_row(team_id, *pair) for pair in arrived])
        cluster_new_segments(database, TEAM, model_name=MODEL, now=now)
        update_tasks(database, TEAM, OfflineChat(), now=now, options=options)
        present = {truth[segment.document_id] for segment, _ in arrived} - {""}
        seen_passes.update(name for name in present if name not in detected_after)
        for name in _majorities(database, list_tasks(database, TEAM, now=now, options=options), truth).values():
            if name and name not in detected_after:
                detected_after[name] = seen_passes[name]
    return _score(database, days, truth, detected_after, now, options)


def _score(
    database: Database,
    days: Sequence[Sequence[tuple[Segment, str]]],
    truth: dict[str, str],
    detected_after: dict[str, int],
    now: datetime,
    options: TaskOptions,
) -> Score:
    occurred = Counter(name for day in days for _, name in day if name)
    problems = {name for name, count in occurred.items() if count >= 2}
    tasks = list_tasks(database, TEAM, now=now, options=options)
    majority = _majorities(database, tasks, truth)
    true = {task_id: name for task_id, name in majority.items() if name}
    right = total = 0
    for task in tasks:
        if task.task_id in true:
            names = [truth[row["document_id"]] for row in task_segments(database, TEAM, task, most=10_000)]
            right += sum(name == true[task.task_id] for name in names)
            total += len(names)
    return Score(
        problems=len(problems),
        detected=len(problems & set(true.values())),
        shown=len(majority),
        true_tasks=len(true),
        purity=right / max(total, 1),
        passes=float(np.median(list(detected_after.values()) or [0])),
    )


def _majorities(database: Database, tasks: Sequence[Task], truth: dict[str, str]) -> dict[str, str]:
    """The planted problem that most segments of each shown task have, "" where that is none."""
    found: dict[str, str] = {}
    for task in tasks:
        if task.status == "ignored":
            continue
        names = Counter(truth[row["document_id"]] for row in task_segments(database, TEAM, task, most=10_000))
        name, count = names.most_common(1)[0]
        found[task.task_id] = name if 2 * count > names.total() else ""
    return found


def _embedded(texts: Sequence[str]) -> NDArray[np.float32]:
    return embedder(Settings.from_env({})).embed(texts)


def _row(team_id: int, segment: Segment, vector: NDArray[np.float32]) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "product": PRODUCT,
        "document_type": DOCUMENT_TYPE,
        "model_name": MODEL,
        "rendering": RENDERING,
        "document_id": segment.document_id,
        "timestamp": segment.start,
        "inserted_at": segment.end,
        "content": segment.description,
        "metadata": metadata_of(segment),
        "embedding": vector.tolist(),
    }


if __name__ == "__main__":
    main()
