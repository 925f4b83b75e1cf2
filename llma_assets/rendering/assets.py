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
from llma_assets.rendering import RenderedTrace, RenderOptions, item_facts, render_generation, render_trace
from llma_assets.rendering.losses import sum_up
from llma_assets.rendering.options import redactions_like, renderer_of
from llma_assets.rendering.queries import (
    COUNT_TEXTS_REDACTED_OTHERWISE,
    DELETE_TEXTS_REDACTED_OTHERWISE,
    LOSSES_OF_DAY,
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
from llma_assets.settings import Settings
from llma_assets.stage import Progress, Report, run_tags, walk_partitions
from llma_assets.team_day import TeamDay
from llma_assets.themes import Level

STAGE = "trace_texts"

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
    settings, model = team_settings.settings(), Settings.from_env().chat_model

    def work(team_day: TeamDay) -> Report:
        if team_day.team_id in settings.skip_team_ids:
            return Report(items=0, reason="team_on_skip_list")
        options = RenderOptions.of_team(settings.options_of(team_day.team_id), model)
        return store_texts(database, team_day, options, now=clock(), progress=progress)

    walk_partitions(context, work)


def store_texts(
    database: Database, team_day: TeamDay, options: RenderOptions, *, now: datetime, progress: Progress
) -> Report:
    """Render what is new, has grown, or was rendered with other options; what is stored already costs nothing.

    What was stored before the team had private values hidden that it wants hidden now is deleted.
    """
    renderer = renderer_of(options)
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
                STORED_TEXTS, team_id=team_day.team_id, day=team_day.day, level=level, renderer=renderer
            )
        }
        missing = [item for item in candidates if stored.get(item.item_id) != item.events]
        counts: Counter[str] = Counter()
        for batch in batches(missing):
            rows = list(_rendered(read(database, team_day.team_id, batch), batch, level, team_day, options, counts))
            database.insert_rows("trace_texts", rows)
            progress(STAGE, team_day, len(stored) + counts["rendered"], len(candidates))
        metadata[f"{level}s_sampled"] = len(candidates)
        metadata[f"{level}s_rendered"] = counts["rendered"]
        metadata[f"{level}_characters"] = counts["characters"]
    metadata["texts_deleted"] = _delete_redacted_otherwise(database, team_day, options)
    metadata |= _losses(database, team_day)
    return Report(
        items=len(traces),
        reason="" if traces else ("traces_not_quiet_yet" if not_quiet else "no_traces"),
        metadata=metadata,
    )


def _delete_redacted_otherwise(database: Database, team_day: TeamDay, options: RenderOptions) -> int:
    """Delete what shows values that the team has hidden since, and versions of it that a newer one only covers."""
    if not options.redact:
        return 0
    where = {"team_id": team_day.team_id, "day": team_day.day, "redactions": redactions_like(options)}
    found: int = database.value(COUNT_TEXTS_REDACTED_OTHERWISE, **where)
    if found:
        database.execute(DELETE_TEXTS_REDACTED_OTHERWISE, **where)
    return found


def _losses(database: Database, team_day: TeamDay) -> dict[str, Any]:
    """What all texts of the day leave out, also those that earlier runs stored."""
    rows = database.rows(LOSSES_OF_DAY, team_id=team_day.team_id, day=team_day.day)
    losses = sum_up((row["level"], row["item_id"], orjson.loads(row["loss"])) for row in rows)
    if not losses.texts:
        return {}
    worst = [dg.TableRecord(dict(row)) for row in losses.worst]
    return {
        "loss": {"texts": losses.texts, **losses.totals},
        "loss_rules": losses.rules,
        "redactions": losses.redactions,
        "survivors_missing": losses.survivors_missing,
        **({"loss_worst": dg.MetadataValue.table(worst)} if worst else {}),
    }


def _rendered(
    events_by_item: Mapping[str, Sequence[dict[str, Any]]],
    batch: Sequence[Candidate],
    level: Level,
    team_day: TeamDay,
    options: RenderOptions,
    counts: "Counter[str]",
) -> Iterator[dict[str, Any]]:
    for item in batch:
        events = [{**event, "properties": _parsed(event["properties"])} for event in events_by_item[item.item_id]]
        rendered = render_trace(events, options) if level == "trace" else render_generation(events[0], options)
        counts["rendered"] += 1
        counts["characters"] += len(rendered.text)
        yield _row(rendered, events, item, level, team_day, renderer_of(options))


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
    renderer: str,
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
        "renderer": renderer,
    }
