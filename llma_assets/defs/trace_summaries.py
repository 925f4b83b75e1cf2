"""The asset `trace_summaries`."""

from dataclasses import replace
from typing import Literal

from llma_assets.defs.catalog import CHAT
from llma_assets.defs.stage_asset import ThemesConfig, stage_asset
from llma_assets.reports import by_step, funnel_tables
from llma_assets.stage import Report, StageContext
from llma_assets.summaries import PROMPT_VERSION, RunLimits, store_summaries

STEPS = ("matched", "sampled", "screened", "summarised", "relevant")
"""Steps of a day's funnel; clustering comes later."""


class SummaryConfig(ThemesConfig):
    """Options of a run."""

    concurrency: int = 5
    """Concurrent calls of the chat model; fewer while the server reports a rate limit."""

    deadline_minutes: float = 180
    """Minutes after the start of the run; what has not begun by then is deferred to the next run."""

    via: Literal["calls", "batch"] = "calls"
    """How the model is called: `batch` is OpenAI's Batch API, for backfills: half the price, within a day. Answers that
    come after the end of the run are read by a later run, which the sensor `open_batches` requests."""


@stage_asset(
    deps=["trace_texts"],
    group="traces",
    kinds={"clickhouse"},
    models={CHAT},
    pool="models",
    table="trace_summaries",
    nothing_reason="no_texts",
    code_version=PROMPT_VERSION,
    config=SummaryConfig,
)
def trace_summaries(ctx: StageContext) -> Report:
    """What happened in each trace and generation: title, flow, bullets and notes, per theme."""
    options: SummaryConfig = ctx.options
    limits = RunLimits(
        ctx.delivery,
        options.concurrency,
        lambda: ctx.run_seconds() >= 60 * options.deadline_minutes,
        via=options.via,
        budget_usd=ctx.team.daily_budget_usd,
    )
    report = store_summaries(
        ctx.database,
        ctx.partition,
        lambda theme: ctx.chat(theme.model),
        themes=ctx.themes,
        team_themes=ctx.team_themes,
        limits=limits,
        progress=ctx.progress,
        forecasts=ctx.details,
    )
    if not (ctx.overview and ctx.details):
        return report
    funnels = funnel_tables(ctx.database, ctx.partition, ctx.themes, STEPS)
    return replace(report, tables={"funnel": by_step(funnels)})
