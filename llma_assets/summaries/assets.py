"""The asset `trace_summaries`: asks the chat model for a summary of each stored text that has none yet.

What is stored belongs in `storing`, what is asked and how an answer is judged in the modules beside it.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.ledger import usage_totals
from llma_assets.models import ChatModel
from llma_assets.partitions import team_days
from llma_assets.resources import ChatModelResource, ClickHouseResource
from llma_assets.stage import Progress, Report, run_tags, walk_partitions
from llma_assets.summaries.storing import STAGE, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import BUILT_IN, Theme


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
        counts = store_theme(
            database, team_day, theme, chat, concurrency=concurrency, progress=partial(progress, STAGE, team_day)
        )
        items += counts["stored"]
        metadata |= {f"{theme.theme_id}_{name}": number for name, number in sorted(counts.items())}
    spent = usage_totals(database, team_day, stage=STAGE)
    metadata |= {
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "cost_usd": spent.cost_usd,
    }
    return Report(items=items, reason="" if items else "no_texts", metadata=metadata)
