"""What a large team costs: `python -m benchmarks.large_team [--traces 10000]`, as Markdown on stdout.

One team with so many traces on one day, all selected and all asked about, 64 questions at once, through the code of
`llma run`. Models are a server of another process that answers in 20 ms. CPU is that of this process and of the
embedded server, by stage; what a process does once is done before, by a run of another team. Peak memory is theirs.
"""

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from datetime import UTC, date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

from more_itertools import chunked

from benchmarks.ceremony import Cost, Meter, model_server, peak_mb
from llma_assets.cli.run.settings import team_settings
from llma_assets.cli.run.team_runs import TeamRunOptions, run_teams
from llma_assets.clickhouse import Database, connect, start, stop
from llma_assets.defs.stage_work import StageWork
from llma_assets.settings import Settings
from llma_assets.summaries import RunLimits
from llma_assets.testing import Request, answer_from_schema, trace, write_events
from llma_assets.testing.traffic import TOPICS
from llma_assets.themes import set_enabled

DAY = date(2026, 11, 7)
AT_ONCE = 64
TEAMS = "max_traces_per_hour = 1000000\nmax_generations_per_hour = 0\n"
SMALL, LARGE = 1, 2


class StageMeter(Meter):
    """Counts no events of Dagster: to read them costs more than many a stage."""

    def _events(self) -> int:
        return 0


def main(arguments: list[str]) -> int:
    """Measure and print; 1 if a run fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--traces", type=int, default=10_000)
    parser.add_argument("--theme", action="append", default=[], help="switch this theme on, too")
    parser.add_argument("--again", action="store_true", help="measure a second run, which has nothing to do")
    parser.add_argument("--callers", type=int, default=0, help="show who makes the most queries")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="llma-benchmark-") as folder, model_server(answer) as url:
        for name in [each for each in os.environ if each.startswith(("LLMA_", "OPENAI_", "CLICKHOUSE_"))]:
            del os.environ[name]
        os.environ |= {"LLMA_DATA_DIR": folder, "DAGSTER_HOME": "", "OPENAI_BASE_URL": url, "LLMA_IDLE_MINUTES": "60"}
        Path(folder, "teams.toml").write_text(TEAMS)
        settings = Settings.from_env()
        start(settings.data_dir)
        meter = StageMeter(settings)
        try:
            with connect(settings) as database, many_at_once():
                for team_id, traces in ((SMALL, 30), (LARGE, chosen.traces)):
                    for some in chunked(events_of(team_id, traces), 15_000):
                        write_events(database, some)
                for theme_id in chosen.theme:
                    set_enabled(database, LARGE, theme_id, True, "benchmark")
                run(database, SMALL)
                print(f"# A team of {chosen.traces:,} traces on one day, {AT_ONCE} questions at once\n")
                with meter.counting():
                    stages = list(measured(database, meter))
                    show(stages, chosen.traces)
                    for caller, count in meter.callers.most_common(chosen.callers):
                        print(f"    {count:6,}  {caller}", file=sys.stderr)
                    if chosen.again:
                        print("\nThe same again, with nothing to do:\n")
                        show(list(measured(database, meter)), chosen.traces)
                print(f"\nPeak memory: client {peak_mb('self'):,} MiB, server {meter.server_mb():,} MiB")
        finally:
            stop(settings.data_dir)
    return 0


def answer(request: Request) -> str | Mapping[str, Any]:
    """A summary that says what the trace is about, and names that differ; other questions by schema."""
    if "flow_diagram" not in (request.schema or {}).get("properties", {}):
        made: dict[str, Any] = json.loads(str(answer_from_schema(request)))
        for item in made.get("items", ()):
            if "cluster_id" in item:
                item["title"] = f"{item['title']} {item['cluster_id']}"
        return made
    asked = re.findall(r"^(L\d+).*?((?:I|Where|Please) .* \(case \d+\))", request.prompt, re.MULTILINE)
    line, words = asked[-1] if asked else ("", "Nothing that is known")
    bullets = [{"text": words, "line_refs": line}]
    return {"title": words[:40], "flow_diagram": "", "bullets": bullets, "interesting_notes": []}


def events_of(team_id: int, traces: int) -> Iterator[dict[str, Any]]:
    """Traces of three events, spread over the day."""
    topics = sorted(TOPICS)
    for number in range(traces):
        topic = topics[number % len(topics)]
        when = datetime.combine(DAY, time(0), tzinfo=UTC) + timedelta(seconds=86_000 * number / traces)
        yield from trace(
            team_id,
            f"trace-{number}",
            when,
            request=f"{TOPICS[topic]} (case {number})",
            answer=f"I have opened a ticket about the {topic} for you.",
        )


@contextmanager
def many_at_once() -> Iterator[None]:
    """So many questions at once, as `trace_summaries` has it in the launchpad."""

    def limits(delivery: str, _: int, *others: Any, **options: Any) -> RunLimits:
        return RunLimits(delivery, AT_ONCE, *others, **options)

    with mock.patch("llma_assets.defs.trace_summaries.RunLimits", limits):
        yield


def measured(database: Database, meter: Meter) -> Iterator[tuple[str, Cost]]:
    """What each stage of the run cost, and what the rest of it did."""
    found: list[tuple[str, Cost]] = []
    before = StageWork.metadata_of

    def metadata_of(work: StageWork, *arguments: Any) -> dict[str, Any]:
        begun = meter.read()
        metadata = before(work, *arguments)
        found.append((work.stage.name, meter.read().since(begun)))
        print(f"{found[-1]}", file=sys.__stderr__, flush=True)
        return metadata

    begun = meter.read()
    with mock.patch.object(StageWork, "metadata_of", metadata_of):
        run(database, LARGE)
    whole = meter.read().since(begun)
    stages: dict[str, list[Cost]] = {}
    for name, cost in found:
        stages.setdefault(name, []).append(cost)
    for name, costs in stages.items():
        yield name, total(costs)
    yield "checks and the rest", whole.since(total([cost for _, cost in found]))


def total(costs: list[Cost]) -> Cost:
    """Costs together."""
    return Cost(
        sum(each.queries for each in costs),
        sum(each.events for each in costs),
        sum(each.client_s for each in costs),
        sum(each.server_s for each in costs),
        sum(each.wall_s for each in costs),
    )


def run(database: Database, team_id: int) -> None:
    """Run a team; its output only if it is not done."""
    with redirect_stderr(StringIO()) as said:
        runs, _ = run_teams(database, DAY, [team_id], TeamRunOptions(), team_settings())
    if any(each.status != "done" for each in runs):
        raise SystemExit(f"{[(each.status, each.detail) for each in runs]}\n{said.getvalue()}")


def show(stages: list[tuple[str, Cost]], traces: int) -> None:
    """A table of stages, and their sum without that of the texts."""
    print("| stage | queries | client s | server s | ms an item | wall s |\n|---|--:|--:|--:|--:|--:|")
    others = total([cost for name, cost in stages if name != "trace_texts"])
    for name, cost in [*stages, ("all but trace_texts", others)]:
        each = (cost.client_s + cost.server_s) / traces * 1_000
        times = f"{cost.client_s:.1f} | {cost.server_s:.1f} | {each:.2f} | {cost.wall_s:.0f}"
        print(f"| {name} | {cost.queries:,} | {times} |")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
