"""The stage `trace_summaries` for one partition: a summary of each stored text that has none yet.

One theme is worked on in `theme_run`, one item in `task`.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.ledger import list_skips, spending_metadata
from llma_assets.models import ChatModel, NothingAnswered
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.summaries.batch_rows import STAGE
from llma_assets.summaries.queries import SUMMARY_COUNTS
from llma_assets.summaries.selection import NO_CONTENT
from llma_assets.summaries.theme_run import RunLimits, store_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import TeamThemes, Theme


def store_summaries(
    database: Database,
    team_day: TeamDay,
    chat_of: Callable[[Theme], ChatModel],
    *,
    themes: Sequence[Theme],
    limits: RunLimits,
    progress: Progress,
    team_themes: TeamThemes | None = None,
    forecasts: bool = True,
) -> Report:
    """Summarise items that have no summary yet, theme by theme; see `store_theme`.

    Themes run one after the other; those that must not wait for each other have separate runs.

    Args:
        forecasts: whether the report says what was forecast.

    Raises:
        ThemesFailed: some themes failed, after all others were done; see `each_theme`.
        NothingUsable: no answer of the model is usable, for any theme.
    """
    totals: Counter[str] = Counter()
    metadata = dict[str, Any]()
    asked: set[str] = set()

    def work(theme: Theme) -> None:
        chat = chat_of(theme)
        asked.add(chat.name)
        counts = store_theme(
            database,
            team_day,
            theme,
            chat,
            limits=limits,
            progress=partial(progress, STAGE, team_day),
            team_themes=team_themes,
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
    items = totals["stored"]
    metadata |= spending_metadata(
        database,
        team_day,
        stage=STAGE,
        budget_usd=limits.budget_usd,
        theme_budgets_usd={theme.theme_id: theme.daily_budget_usd for theme in themes},
        forecasts=forecasts,
    )
    return Report(
        items=items,
        reason="" if items else _why_nothing(totals),
        details=metadata,
        deferred=totals["undone_for_budget"],
        waiting=totals["waiting"],
        failed=totals["failed"],
    )


def _unanswered(database: Database, team_day: TeamDay, theme: Theme, chat: ChatModel) -> NothingAnswered:
    """The error of a run in which the server answered nothing: its items are deferred, the run fails."""
    stored = next(
        skip
        for skip in list_skips(database, day=team_day.day, team_id=team_day.team_id)
        if (skip.stage, skip.theme_id) == (STAGE, theme.theme_id)
    )
    return NothingAnswered(
        f"{stored.detail}: the model {chat.name} answered nothing ({stored.reason})", kind=stored.reason
    )


def _why_nothing(totals: "Counter[str]") -> str:
    if not totals["items_queried"]:
        if totals["no_content"]:
            return NO_CONTENT
        return "themes_took_nothing" if totals["took_nothing"] else "no_texts"
    if totals["waiting"]:
        return "batch_waiting"
    if totals["undone"]:
        return "deferred"
    return "all_failed" if totals["failed"] else "dead_letters"
