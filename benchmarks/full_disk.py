"""A disk that is full, or nearly so, in every stage: what the command says, what is there, and whether it recovers.

    python -m benchmarks.full_disk [--stages ingest,trace_texts]

Needs root and Linux. The embedded database lies on a tmpfs of 96 MB, Dagster's files elsewhere; two teams have equal
ids. Stage after stage: the disk is filled, wholly (0 bytes free) or nearly (one insert or two still fit), and the
command that comes to the stage is run as a person would; then room is made, the stage is done, and the next one's turn
comes. In the end all must be stored as on a disk that was never full. Three to four minutes on two cores.

A row is `ok` where the command exits with 1, says why in one line that names the disk, and has published nothing by
halves (no blocking check fails, no event stands without its run). Where the little room sufficed the row says `fits`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.small_disk import CannotMount, SmallDisk, small_disk
from llma_assets.cli.run.runner import runner_of
from llma_assets.clickhouse import connect, start, stop
from llma_assets.clickhouse.server.disk_space import DiskSpace
from llma_assets.clusters.checks import CHECKS as CLUSTER_CHECKS
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.partitions import partition_key, range_tags
from llma_assets.events.checks import CHECKS as EVENT_CHECKS
from llma_assets.settings import Settings
from llma_assets.stage import silent
from llma_assets.tasks import list_tasks, segment_counts
from llma_assets.tasks.checks import CHECKS as TASK_CHECKS
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces

DAY = date(2026, 11, 7)
TEAM, OTHER = 1, 2
TRACES, SEGMENTS = 24, 24
MEGABYTES = 96
FILLS = ("full", "nearly full")
# A part of few rows takes some tens of kB.
SOME_PARTS = 96 << 10
ENVIRONMENT = ("CLICKHOUSE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "LLMA_CHAT_MODEL", "LLMA_EMBEDDING_MODEL")
CHECKS = [
    *(check for check in (*CLUSTER_CHECKS, *EVENT_CHECKS) if check.blocking),
    *(check for check in (*EVENT_CHECKS, *TASK_CHECKS) if not check.blocking),
]
PROBLEMS = (
    "The user clicks Pay, an error toast appears and the payment fails; the user retries three times and leaves.",
    "The user uploads a file, the page shows an upload error and nothing is saved; the user gives up.",
)
PUBLISHED = "event IN ('$ai_trace_clusters', '$ai_generation_clusters')"
STORED = f"""
SELECT
    (SELECT (count(), sum(cityHash64(uuid, team_id, properties))) FROM events FINAL WHERE NOT {PUBLISHED}) AS events,
    (SELECT (count(), sum(cityHash64(team_id, item_id, text))) FROM trace_texts FINAL) AS texts,
    (SELECT (count(), sum(cityHash64(team_id, item_id, title))) FROM trace_summaries FINAL) AS summaries,
    (SELECT (count(), sum(cityHash64(team_id, document_id, embedding))) FROM document_embeddings FINAL) AS vectors,
    (SELECT count() FROM clustering_runs FINAL) AS clustering_runs,
    (SELECT (count(), sum(cityHash64(team_id, item_id, cluster_id))) FROM cluster_members FINAL) AS members,
    (SELECT (count(), sum(cityHash64(team_id, cluster_id, title))) FROM cluster_labels FINAL) AS labels,
    (SELECT (count(), sum(cityHash64(uuid, team_id))) FROM events FINAL WHERE {PUBLISHED}) AS published,
    (SELECT count() FROM segment_batches FINAL) AS segment_batches
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, and how it is done.

    Attributes:
        command: the arguments of `llma` that come to this stage first, where all before it is stored.
        finish: does this stage alone, given the room; False where there is nothing to do.
    """

    name: str
    command: Sequence[str]
    finish: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did."""

    code: int
    errors: Sequence[str]
    out: str


@dataclass(frozen=True, slots=True)
class Row:
    """One stage on one disk."""

    stage: str
    disk: str
    code: int
    verdict: str
    said: str


def llma(*arguments: str) -> Outcome:
    """Run a command as a person would."""
    command = [sys.executable, "-m", "llma_assets.cli.main", *arguments]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return Outcome(done.returncode, done.stderr.strip().splitlines(), done.stdout)


def job(name: str, stage: str, **options: Any) -> None:
    """Do one stage of a job."""
    with opened_instance(Settings.from_env()) as instance, connect(Settings.from_env()) as database:
        runner = runner_of(instance, database, progress=silent)
        runner._register_team(TEAM)
        done = runner._execute(name, [stage], **options)
    assert not done.error, done.error


def stages(files: Path) -> list[Stage]:
    """All stages in order."""
    last = TeamDay(TEAM, DAY)
    first, key = TeamDay(TEAM, DAY - timedelta(days=6)), partition_key(last)
    run = ("run", "--team", str(TEAM), "--date", DAY.isoformat())
    pass_over = ("segments", "run", "--team", str(TEAM))

    def command(*arguments: str) -> Callable[[], object]:
        def finish() -> None:
            done = llma(*arguments)
            assert done.code == 0, done

        return finish

    def texts(stage: str) -> Stage:
        return Stage(stage, run, lambda: job("texts_job", stage, tags=range_tags(first, last)))

    def clusters(stage: str) -> Stage:
        return Stage(stage, run, lambda: job("clusters_job", stage, partition_key=key))

    ingest = ("ingest", str(files / "events.jsonl"))
    segments = ("segments", "ingest", str(files / "segments.jsonl"))
    return [
        Stage("db upgrade", ("db", "upgrade"), command("db", "upgrade")),
        Stage("ingest", ingest, command(*ingest)),
        Stage("eligible_teams", run, lambda: job("discovery_job", "eligible_teams", partition_key=DAY.isoformat())),
        *map(texts, ("trace_texts", "trace_summaries", "summary_embeddings")),
        *map(clusters, ("cluster_assignments", "cluster_labels", "cluster_events")),
        Stage("segments ingest", segments, command(*segments)),
        Stage("segment_clusters", pass_over, lambda: job("tasks_job", "segment_clusters", partition_key=str(TEAM))),
        Stage("tasks", pass_over, command(*pass_over)),
        Stage("doctor", ("doctor",), command("doctor")),
    ]


def write_files(folder: Path) -> None:
    """What is ingested: traces and segments of two teams, with equal ids."""
    with (folder / "events.jsonl").open("w") as file:
        for team_id in (TEAM, OTHER):
            for event in day_of_traces(team_id, DAY, TRACES):
                line = {**event, "uuid": str(event["uuid"]), "timestamp": event["timestamp"].isoformat()}
                file.write(json.dumps({**line, "properties": json.loads(event["properties"])}) + "\n")
    with (folder / "segments.jsonl").open("w") as file:
        for number in range(2 * SEGMENTS):
            begin = datetime.combine(DAY, datetime.min.time()) + timedelta(minutes=number)
            segment = {
                "team_id": (TEAM, OTHER)[number % 2],
                "session_id": f"session-{number // 2}",
                "start": begin.isoformat() + "Z",
                "end": (begin + timedelta(seconds=30)).isoformat() + "Z",
                "distinct_id": f"user-{number // 2}",
                "description": f"{PROBLEMS[number // 2 % 2]} Attempt {number // 2}.",
            }
            file.write(json.dumps(segment) + "\n")


def stored() -> dict[str, Any]:
    """What is there, by content."""
    with connect(Settings.from_env()) as database:
        tasks = [
            (task.title, task.user_count, task.occurrence_count)
            for task in list_tasks(database, TEAM, now=datetime.now(UTC))
        ]
        return {**database.rows(STORED)[0], "tasks": sorted(tasks), "segments": segment_counts(database, TEAM)}


def halves() -> list[str]:
    """What is published by halves. A clustering without an event is not published at all, and its run has failed."""
    with connect(Settings.from_env()) as database:
        findings = [each for check in CHECKS for each in check.findings(database, TeamDay(TEAM, DAY))]
    return [each.sentence for each in findings if not each.passed and each.outcome.found != "no event"]


def judged(stage: Stage, disk: str) -> Row:
    """Run the stage's command on the disk as it is now."""
    done = llma(*stage.command)
    fails = [line.strip() for line in done.out.splitlines() if line.startswith("fail")]
    said = fails if stage.name == "doctor" else done.errors
    of_the_disk = [line for line in said if "full" in line or "No space left" in line]
    if done.code == 0 and disk != "full":
        verdict = "fits"
    elif done.code != 1:
        verdict = f"EXIT {done.code}"
    elif not of_the_disk or any(len(line) > 1000 for line in said) or "Traceback" in "".join(done.errors):
        verdict = "UNCLEAR"
    elif stage.name != "db upgrade" and (half := halves()):
        verdict = f"HALF: {half[0]}"
    else:
        verdict = "ok"
    return Row(stage.name, disk, done.code, verdict, of_the_disk[0] if of_the_disk else " / ".join(said))


def leftovers(data_dir: Path) -> list[str]:
    """Files of inserts that did not end."""
    return [path.name for path in (data_dir / "clickhouse" / "data").rglob("tmp_insert*")]


@contextmanager
def environment(data_dir: Path, dagster_home: Path) -> Iterator[None]:
    """Work on this data folder, offline; its server is ended afterwards."""
    before = dict(os.environ)
    for name in ENVIRONMENT:
        os.environ.pop(name, None)
    os.environ |= {"LLMA_DATA_DIR": str(data_dir), "DAGSTER_HOME": str(dagster_home), "LLMA_IDLE_MINUTES": "5"}
    try:
        yield
    finally:
        stop(data_dir)
        os.environ.clear()
        os.environ |= before


def matrix(folder: Path, wanted: Sequence[str], disk: SmallDisk) -> Iterator[Row]:
    """Every wanted stage on every disk; after all of them a comparison with a disk that was never full."""
    write_files(folder)
    every = stages(folder)
    if wanted:
        every = every[: 1 + max(number for number, stage in enumerate(every) if stage.name in wanted)]
    expected: dict[str, Any] = {}
    if not wanted:
        with environment(folder / "roomy", folder / "roomy-dagster"):
            for stage in every:
                stage.finish()
            expected = stored()
    data_dir = disk.path / "data"
    with environment(data_dir, folder / "dagster"):
        start(data_dir)
        for stage in every:
            for name in FILLS if not wanted or stage.name in wanted else ():
                disk.fill(leave_bytes=0 if name == "full" else DiskSpace(disk.path).reserved_bytes + SOME_PARTS)
                yield judged(stage, name)
            disk.make_room()
            stage.finish()
        found = stored()
        differing = [name for name in expected if found[name] != expected[name]]
        left = leftovers(data_dir)
        verdict = f"DIFFERS: {', '.join(differing)}" if differing else "ok" if not left else f"LEFT: {left[0]}"
        yield Row("all, after room was made", "roomy", 0, verdict, "")


def show(rows: Iterable[Row]) -> bool:
    """Print the table; whether every row is good."""
    good = True
    print("| stage | disk | exit | verdict | what was said |\n|---|---|--:|---|---|")
    for row in rows:
        said = (row.said if len(row.said) <= 160 else row.said[:159] + "…").replace("|", "\\|")
        print(f"| {row.stage} | {row.disk} | {row.code} | {row.verdict} | {said} |", flush=True)
        good &= row.verdict in ("ok", "fits")
    return good


def main() -> int:
    """Run the matrix."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stages", default="", help="names, by commas; all by default")
    wanted = [name for name in parser.parse_args().stages.split(",") if name]
    if unknown := set(wanted) - {stage.name for stage in stages(Path())}:
        parser.error(f"no such stage: {', '.join(sorted(unknown))}")
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="llma-full-disk-") as name:
        try:
            with small_disk(Path(name) / "disk", MEGABYTES) as disk:
                good = show(matrix(Path(name), wanted, disk))
        except CannotMount as error:
            sys.exit(f"a small disk cannot be mounted here: {error}")
    print(f"\n{time.monotonic() - begun:.0f} s")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
