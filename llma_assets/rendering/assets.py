"""The asset `trace_texts`: reads a day's events and stores the text of each trace and of each sampled generation.

How a trace becomes text belongs in the modules beside this one; they know no database.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import orjson

from llma_assets.clickhouse import Database
from llma_assets.partitions import by_day, team_days
from llma_assets.rendering import RenderedTrace, item_facts, render_generation, render_trace
from llma_assets.rendering.queries import (
    QUIET,
    STORED_TEXTS,
    Candidate,
    batches,
    events_of_generations,
    events_of_traces,
    generation_candidates,
    trace_candidates,
)
from llma_assets.resources import ClickHouseResource, Clock, TeamSettingsResource
from llma_assets.stage import Progress, Report, run_tags, walk_partitions
from llma_assets.team_day import TeamDay
from llma_assets.themes import Level

STAGE = "trace_texts"
RENDERER = "2"
"""Raised when the same events give another text, so that stored texts are made anew."""

Read = Callable[[Database, int, Sequence[Candidate]], dict[str, list[dict[str, Any]]]]


@dg.asset(
    partitions_def=team_days,
    deps=[dg.AssetDep("eligible_teams", partition_mapping=by_day)],
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=7),
    group_name="traces",
    kinds={"clickhouse"},
    pool="clickhouse",
)
def trace_texts(
    context: dg.AssetExecutionContext,
    clickhouse: ClickHouseResource,
    team_settings: TeamSettingsResource,
    clock: dg.ResourceParam[Clock],
    progress: dg.ResourceParam[Progress],
) -> None:
    """The readable text of each trace and generation of a team's day, which all themes share."""
    database = clickhouse.database().tagged(**run_tags(context))
    left_out = team_settings.settings().skip_team_ids

    def work(team_day: TeamDay) -> Report:
        if team_day.team_id in left_out:
            return Report(items=0, reason="team_on_skip_list")
        return store_texts(database, team_day, now=clock(), progress=progress)

    walk_partitions(context, work)


def store_texts(database: Database, team_day: TeamDay, *, now: datetime, progress: Progress) -> Report:
    """Render what is new or has grown since the last time; what is stored already costs nothing."""
    quiet_before = now.astimezone(UTC) - QUIET
    traces, found, not_quiet = trace_candidates(database, team_day, quiet_before=quiet_before)
    generations = generation_candidates(database, team_day, quiet_before=quiet_before)
    metadata: dict[str, Any] = {"traces_found": found, "traces_not_quiet_yet": not_quiet}
    levels: tuple[tuple[Level, Sequence[Candidate], Read], ...] = (
        ("trace", traces, events_of_traces),
        ("generation", generations, events_of_generations),
    )
    for level, candidates, read in levels:
        stored = {
            row["item_id"]: row["event_count"]
            for row in database.rows(
                STORED_TEXTS, team_id=team_day.team_id, day=team_day.day, level=level, renderer=RENDERER
            )
        }
        missing = [item for item in candidates if stored.get(item.item_id) != item.events]
        counts: Counter[str] = Counter()
        for batch in batches(missing):
            rows = list(_rendered(read(database, team_day.team_id, batch), batch, level, team_day, counts))
            database.insert_rows("trace_texts", rows)
            progress(STAGE, team_day, len(stored) + counts["rendered"], len(candidates))
        metadata[f"{level}s_sampled"] = len(candidates)
        metadata[f"{level}s_rendered"] = counts["rendered"]
        metadata[f"{level}_characters"] = counts["characters"]
    return Report(
        items=len(traces),
        reason="" if traces else ("traces_not_quiet_yet" if not_quiet else "no_traces"),
        metadata=metadata,
    )


def _rendered(
    events_by_item: Mapping[str, Sequence[dict[str, Any]]],
    batch: Sequence[Candidate],
    level: Level,
    team_day: TeamDay,
    counts: "Counter[str]",
) -> Iterator[dict[str, Any]]:
    for item in batch:
        events = [{**event, "properties": _parsed(event["properties"])} for event in events_by_item[item.item_id]]
        rendered = render_trace(events) if level == "trace" else render_generation(events[0])
        counts["rendered"] += 1
        counts["characters"] += len(rendered.text)
        yield _row(rendered, events, item, level, team_day)


def _parsed(properties: str) -> Any:
    """The properties as an object; the renderer shows what cannot be parsed as it is."""
    try:
        return orjson.loads(properties)
    except orjson.JSONDecodeError:
        return properties


def _row(
    rendered: RenderedTrace,
    events: Sequence[Mapping[str, Any]],
    item: Candidate,
    level: Level,
    team_day: TeamDay,
) -> dict[str, Any]:
    facts = item_facts(events)
    return {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "level": level,
        "item_id": item.item_id,
        "trace_id": item.trace_id,
        "generation_id": item.item_id if level == "generation" else "",
        "text": rendered.text,
        "text_hash": hashlib.sha256(rendered.text.encode()).hexdigest(),
        "loss": orjson.dumps(asdict(rendered.loss)).decode(),
        "line_count": rendered.text.count("\n") + 1,
        "event_count": item.events,
        "trace_timestamp": item.first_at,
        "cost_usd": facts.cost_usd,
        "latency_s": facts.latency_s,
        "tokens": facts.tokens,
        "error_count": facts.error_count,
        "renderer": RENDERER,
    }
