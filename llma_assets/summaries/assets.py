"""The asset `trace_summaries`: asks the chat model for a summary of each stored text that has none yet.

What is stored belongs in `storing`, what is asked and how an answer is judged in the modules beside it.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.discovery import TeamOptions
from llma_assets.ledger import list_skips, spending_metadata
from llma_assets.models import ChatModel, NothingAnswered
from llma_assets.partitions import team_days
from llma_assets.resources import ChatModelResource, ClickHouseResource, TeamSettingsResource
from llma_assets.stage import Progress, Report, ThemesConfig, each_theme, run_tags, walk_partitions
from llma_assets.summaries.batches import STAGE
from llma_assets.summaries.funnel import funnel
from llma_assets.summaries.queries import SUMMARY_COUNTS
from llma_assets.summaries.storing import RunLimits, store_theme
from llma_assets.summaries.taking import NO_CONTENT
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme
from llma_assets.themes.store import active_themes

RETRY_NUMBER = "dagster/retry_number"
"""The tag of runs that Dagster's run retries start."""


class SummaryConfig(ThemesConfig):
    """Options of a run."""

    concurrency: int = 5
    """Calls of the chat model under way at once; fewer while the server says that it is too many."""

    deadline_minutes: float = 180
    """What has not been begun so long after the run's start is left undone, and taken up by the next run."""

    via: Literal["calls", "batch"] = "calls"
    """How the model is asked: `batch` is OpenAI's Batch API, for backfills: half the price, within a day. What a batch
    has not brought when the run ends is taken by a later run, which the sensor `open_batches` asks for."""


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
    team_settings: TeamSettingsResource,
    progress: dg.ResourceParam[Progress],
) -> None:
    """What happened in each trace and generation: title, flow, bullets and notes, per theme."""
    database = clickhouse.database().tagged(**run_tags(context))

    deadline = time.monotonic() + 60 * config.deadline_minutes
    limits = RunLimits(delivery(context.run), config.concurrency, lambda: time.monotonic() >= deadline, via=config.via)

    def work(team_day: TeamDay, team: TeamOptions) -> Report:
        return store_summaries(
            database,
            team_day,
            lambda theme: chat.model_for(theme.model),
            themes=active_themes(database, team_day.team_id, config.themes),
            limits=replace(limits, budget_usd=team.daily_budget_usd),
            progress=progress,
        )

    walk_partitions(context, database, team_settings, work)


def store_summaries(
    database: Database,
    team_day: TeamDay,
    chat_of: Callable[[Theme], ChatModel],
    *,
    themes: Sequence[Theme],
    limits: RunLimits,
    progress: Progress,
) -> Report:
    """Summarise what has no summary yet, theme by theme; see `store_theme`.

    Themes go one after the other: those that must not wait for each other have runs of their own.

    Raises:
        ThemesFailed: after the others were worked on; see `each_theme`.
        NothingUsable: the model gives nothing usable, whoever asks.
    """
    totals: Counter[str] = Counter()
    metadata = dict[str, Any]()
    asked: set[str] = set()

    def work(theme: Theme) -> None:
        chat = chat_of(theme)
        asked.add(chat.name)
        counts = store_theme(
            database, team_day, theme, chat, limits=limits, progress=partial(progress, STAGE, team_day)
        )
        if counts["unanswered"]:
            raise _unanswered(database, team_day, theme, chat)
        totals.update(counts)
        metadata.update({f"{theme.theme_id}_{name}": number for name, number in sorted(counts.items())})

    done = {theme.theme_id for theme, _ in each_theme(database, team_day, STAGE, themes, work)}
    metadata["model"] = ", ".join(sorted(asked))
    metadata |= {
        f"{row['theme_id']}_valid_line_refs_share": round(row["refs_kept"] / row["refs_given"], 4)
        for row in database.rows(SUMMARY_COUNTS, team_id=team_day.team_id, day=team_day.day)
        if row["refs_given"] and row["theme_id"] in done
    }
    metadata |= _funnels(database, team_day, [theme for theme in themes if theme.theme_id in done])
    items = totals["stored"]
    metadata |= spending_metadata(
        database,
        team_day,
        stage=STAGE,
        budget_usd=limits.budget_usd,
        theme_budgets_usd={theme.theme_id: theme.daily_budget_usd for theme in themes},
    )
    return Report(
        items=items,
        reason="" if items else _why_nothing(totals),
        metadata=metadata,
        undone_for_budget=totals["undone_for_budget"],
        waiting=totals["waiting"],
        failed=totals["failed"],
    )


def _funnels(database: Database, team_day: TeamDay, themes: Sequence[Theme]) -> dict[str, Any]:
    """How many items of the day came how far, theme by theme; what becomes of them in clusters is known later."""
    records = []
    for theme in themes:
        found = funnel(database, team_day.team_id, team_day.day, team_day.day, theme)
        steps = {step: getattr(found, step) for step in ("matched", "sampled", "screened", "summarised", "relevant")}
        records.append(dg.TableRecord({"theme": theme.theme_id, **steps}))
    return {"funnel": dg.MetadataValue.table(records)} if records else {}


def _unanswered(database: Database, team_day: TeamDay, theme: Theme, chat: ChatModel) -> NothingAnswered:
    """What is raised where the server answered nothing: what is undone is not failed, but the run is."""
    told = next(
        skip
        for skip in list_skips(database, day=team_day.day, team_id=team_day.team_id)
        if (skip.stage, skip.theme_id) == (STAGE, theme.theme_id)
    )
    return NothingAnswered(f"{told.detail}: the model {chat.name} answered nothing ({told.reason})", kind=told.reason)


def _why_nothing(totals: "Counter[str]") -> str:
    if not totals["items_queried"]:
        if totals["no_content"]:
            return NO_CONTENT
        return "themes_took_nothing" if totals["took_nothing"] else "no_texts"
    if totals["waiting"]:
        return "batch_waiting"
    if totals["undone"]:
        return "left_undone"
    return "all_failed" if totals["failed"] else "dead_letters"


def delivery(run: dg.DagsterRun) -> str:
    """The run's id; a run that Dagster starts again by itself, after a crash, is the run that it repeats."""
    if RETRY_NUMBER in run.tags and run.root_run_id is not None:
        return run.root_run_id
    return run.run_id
