"""Stores a theme's summaries of a team's day: which items need one, and what became of each.

What is asked and how an answer is judged belongs in the modules beside this one; what Dagster is told, in `assets`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ledger import UsageLedger
from llma_assets.models import ChatModel
from llma_assets.summaries.prompt import content_hash
from llma_assets.summaries.queries import ITEMS_OF_DAY, SUMMARISED, TEXTS
from llma_assets.summaries.summarise import SummaryResult, TextItem, summarise
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

STAGE = "trace_summaries"
TEXTS_AT_ONCE = 50
ROWS_AT_ONCE = 50


def store_theme(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    chat: ChatModel,
    *,
    concurrency: int,
    progress: Callable[[int, int], None],
) -> "Counter[str]":
    """Summarise each item once for its text, theme, prompt, model and mode; failed ones are tried again.

    Args:
        concurrency: calls of the chat model under way at once.
        progress: told how many items of how many are done.

    Returns:
        counts by name: `items_queried`, `skipped` (had their summary), `generated`, `failed`, `stored`, and the line
        references that models gave.
    """
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
            progress(counts["skipped"] + finished, len(rows))
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
