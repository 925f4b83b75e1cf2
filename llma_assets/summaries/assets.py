"""The asset `trace_summaries`: asks the chat model for a summary of each stored text that has none yet.

What is asked and how an answer is judged belongs in the modules beside this one; they know no database.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import orjson
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ledger import UsageLedger, usage_totals
from llma_assets.models import ChatModel
from llma_assets.partitions import team_days
from llma_assets.resources import ChatModelResource, ClickHouseResource
from llma_assets.stage import Progress, Report, run_tags, walk_partitions
from llma_assets.summaries import SummaryResult, TextItem, content_hash, summarise
from llma_assets.summaries.queries import ITEMS_OF_DAY, SUMMARISED, TEXTS
from llma_assets.team_day import TeamDay
from llma_assets.themes import BUILT_IN, Theme

STAGE = "trace_summaries"
TEXTS_AT_ONCE = 50
ROWS_AT_ONCE = 50


class SummaryConfig(dg.Config):
    """Options of a run."""

    concurrency: int = 5
    """Calls of the chat model under way at once."""


@dg.asset(
    partitions_def=team_days,
    deps=["trace_texts"],
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=7),
    group_name="traces",
    kinds={"clickhouse", "openai"},
    pool="models",
)
def trace_summaries(
    context: dg.AssetExecutionContext,
    config: SummaryConfig,
    clickhouse: ClickHouseResource,
    chat: ChatModelResource,
    progress: dg.ResourceParam[Progress],
) -> None:
    """What happened in each trace and generation: title, flow, bullets and notes, per theme."""
    database = clickhouse.database().tagged(**run_tags(context))
    model = chat.model()

    def work(team_day: TeamDay) -> Report:
        return store_summaries(database, team_day, model, concurrency=config.concurrency, progress=progress)

    walk_partitions(context, work)


def store_summaries(
    database: Database,
    team_day: TeamDay,
    chat: ChatModel,
    *,
    themes: Sequence[Theme] = BUILT_IN,
    concurrency: int = 5,
    progress: Progress,
) -> Report:
    """Summarise each item once for its text, theme, prompt, model and mode; failed ones are tried again."""
    items, metadata = 0, dict[str, Any](model=chat.name)
    for theme in themes:
        counts = _store_theme(database, team_day, theme, chat, concurrency, progress)
        items += counts["stored"]
        metadata |= {f"{theme.theme_id}_{name}": number for name, number in sorted(counts.items())}
    spent = usage_totals(database, team_day, stage=STAGE)
    metadata |= {
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost_usd": spent.cost_usd,
    }
    return Report(items=items, reason="" if items else "no_texts", metadata=metadata)


def _store_theme(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    chat: ChatModel,
    concurrency: int,
    progress: Progress,
) -> "Counter[str]":
    key = {"team_id": team_day.team_id, "day": team_day.day}
    rows = database.rows(ITEMS_OF_DAY, **key, level=theme.level)
    hashes = {
        row["item_id"]: content_hash(
            row["text_hash"],
            theme_id=theme.theme_id,
            prompt=theme.prompt,
            model=chat.name,
            mode=theme.mode,
        )
        for row in rows
    }
    done = {row["item_id"]: row["content_hash"] for row in database.rows(SUMMARISED, **key, theme_id=theme.theme_id)}
    missing = {row["item_id"]: row for row in rows if done.get(row["item_id"]) != hashes[row["item_id"]]}
    counts: Counter[str] = Counter(items_queried=len(rows), skipped=len(rows) - len(missing))

    def texts() -> Iterator[TextItem]:
        for item_ids in chunked(missing, TEXTS_AT_ONCE):
            for row in database.rows(TEXTS, **key, level=theme.level, item_ids=list(item_ids)):
                yield TextItem(item_id=row["item_id"], text=row["text"])

    with UsageLedger(database, team_day, stage=STAGE, theme_id=theme.theme_id) as ledger:
        results = summarise(
            texts(),
            chat,
            theme_id=theme.theme_id,
            prompt=theme.prompt,
            mode=theme.mode,
            concurrency=concurrency,
            record=ledger.record,
        )
        for batch in chunked(results, ROWS_AT_ONCE):
            database.insert_rows(
                "trace_summaries",
                [_row(result, missing[result.item_id], hashes[result.item_id], theme, team_day) for result in batch],
            )
            for result in batch:
                counts[result.status] += 1
                counts["line_refs"] += result.refs_total
                counts["line_refs_valid"] += result.refs_valid
            finished = counts["generated"] + counts["failed"]
            progress(STAGE, team_day, counts["skipped"] + finished, len(rows))
    counts["stored"] = counts["skipped"] + counts["generated"]
    return counts


def _row(
    result: SummaryResult, item: Mapping[str, Any], content: str, theme: Theme, team_day: TeamDay
) -> dict[str, Any]:
    def points(of: Sequence[Any]) -> str:
        return orjson.dumps([{"text": point.text, "line_refs": point.line_refs} for point in of]).decode()

    return {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "theme_id": theme.theme_id,
        "level": theme.level,
        "item_id": result.item_id,
        "trace_id": item["trace_id"],
        "generation_id": item["generation_id"],
        "content_hash": content,
        "status": result.status,
        "error": result.error,
        "model": result.model,
        "mode": result.mode,
        "title": result.title,
        "flow_diagram": result.flow_diagram,
        "bullets": points(result.bullets),
        "interesting_notes": points(result.interesting_notes),
        "text_length": item["text_length"],
        "event_count": item["event_count"],
        "trace_timestamp": item["trace_timestamp"],
        "batch_run_id": f"team_{team_day.team_id}_{team_day.start:%Y-%m-%dT%H:%M:%SZ}",
    }
