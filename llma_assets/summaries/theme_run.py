"""Summarises one theme in one partition, from its selection to stored summaries and the skip that explains gaps.

Prompts and answers belong in `task`, concurrency in `summarise`, the report over all themes in `partition`.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ledger import Skip, UsageLedger, clear_skip, record_skip
from llma_assets.models import (
    BUDGET,
    ChatModel,
    ModelConfigurationError,
    ModelHealth,
    NothingUsable,
    OpenAIChat,
    paid_by,
)
from llma_assets.summaries.batch_rows import STAGE
from llma_assets.summaries.batches import WAITING, ThemeBatches, Via
from llma_assets.summaries.estimate import forecast_summaries
from llma_assets.summaries.pending import Pending, pending
from llma_assets.summaries.queries import SET_THEME_VERSION, TEXTS, TEXTS_AT_ONCE
from llma_assets.summaries.result_writer import ROWS_AT_ONCE, Writer, columns_of, copied_row
from llma_assets.summaries.reuse import delete_later_days
from llma_assets.summaries.selection import NO_CONTENT, NO_TEXTS, Selection, update_selection
from llma_assets.summaries.summarise import remaining_results, summarise
from llma_assets.summaries.task import SummaryResult, SummaryTask, TextItem
from llma_assets.summaries.triage import TIME_IS_UP
from llma_assets.team_day import TeamDay
from llma_assets.themes import TeamThemes, Theme

IDS_AT_ONCE = 500
SUMMARIES_FAILED = "summaries_failed"
"""Reason of a skip: many summaries failed; its detail says how many."""

MAX_FAILED_SHARE = 0.2
"""If a larger share of a theme's items fails, a skip says so."""

_NOT_THE_SERVER = {BUDGET, TIME_IS_UP, WAITING, "not_in_a_batch", "batch_overtaken"}
"""Reasons of deferred items that say nothing about the server."""


@dataclass(frozen=True, slots=True)
class RunLimits:
    """The limits of the run.

    Attributes:
        run_id: the run; an item's failures count once for each run.
        concurrency: concurrent calls of the chat model at most.
        time_is_up: whether the run's deadline has passed; items that were not begun are deferred.
        budget_usd: the team's budget for the day, None for no limit; items above it are deferred.
        via: how new questions are asked; see `batches`.
        health: what the models have answered so far in the run, over all days and themes.
    """

    run_id: str
    concurrency: int = 5
    time_is_up: Callable[[], bool] = lambda: False
    budget_usd: float | None = None
    via: Via = "calls"
    health: ModelHealth = field(default_factory=ModelHealth)


def store_theme(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    chat: ChatModel,
    *,
    limits: RunLimits,
    progress: Callable[[int, int], None],
    team_themes: TeamThemes | None = None,
) -> "Counter[str]":
    """Summarise each selected item that has no summary yet for its text, theme, prompt, model and mode.

    An answer to the same question for another theme, item or day of the team is copied. Items with the same text are
    asked about once. Failed items are tried again in up to `MAX_FAILURES` runs. Items that could not be asked about are
    deferred: a skip says why, and the next run asks.

    Args:
        progress: gets the number of items that are done, and of all.
        team_themes: all themes of the team, for a theme with a parent; read if not given.

    Returns:
        counts by name: `matched` and `sampled` (see `Selection`), `items_queried` (selected), `skipped` (had their
        summary), `reused` (copied), `dead_letters`, `generated`, `failed`, `undone` (deferred), `waiting` (of these, in
        an open batch), `stored`, of these `relevant` and `irrelevant` where the theme asks for relevance, `moved_here`
        (from a later day), `other_version` (kept, under the theme's present version), and the line references.

    Raises:
        NothingUsable: no answer of the model is usable; the items do not count as failed.
        ModelConfigurationError: no further item can succeed, or the model does not support batches.
    """
    selection = update_selection(database, team_day, theme, team_themes)
    work = pending(database, team_day, theme, chat.name, selection=selection)
    counts: Counter[str] = Counter(
        matched=selection.matched,
        sampled=selection.sampled,
        items_queried=len(work.items),
        skipped=work.done,
        reused=len(work.reused),
        dead_letters=work.dead,
        generated=0,
        failed=0,
    )
    _store_known_answers(database, team_day, theme, work)
    counts["other_version"] = _set_version(database, team_day, theme, work)
    known = (work.answers[work.items[item_id]["question_hash"]] for item_id in work.reused)
    irrelevant = work.irrelevant + sum(not answer["relevant"] for answer in known)

    with UsageLedger(
        database,
        team_day,
        stage=STAGE,
        theme_id=theme.theme_id,
        limit_usd=limits.budget_usd,
        theme_limit_usd=theme.daily_budget_usd,
    ) as ledger:
        if limits.via == "calls" and not chat.name.startswith("offline/"):
            ledger.expect(forecast_summaries(database, team_day, theme, chat.name, work))
        batches, results = _ask(database, team_day, theme, chat, work, ledger, limits)
        writer = Writer(database, team_day, theme, work, ledger, run_id=limits.run_id)
        try:
            answered = len(work.items) - work.asked
            for result in results:
                writer.add(result)
                progress(answered + writer.finished, len(work.items))
            writer.flush()
        # Also on an interrupt: answers that are paid for are stored first.
        except BaseException as error:
            writer.store_remaining(remaining_results(results, error))
            if isinstance(error, NothingUsable):
                raise error.of(work.asked, skip_reason=SUMMARIES_FAILED) from None
            raise
        counts.update(writer.counts)
        irrelevant += counts.pop("answered_no")
        if batches is not None:
            batches.close()
            counts.update(batches.counts)
            counts["waiting"] = sum(len(work.questions[question]) for question in batches.in_flight)
    counts["undone"] = work.asked - counts["generated"] - counts["failed"]
    counts["stored"] = counts["skipped"] + counts["reused"] + counts["generated"]
    if theme.judged:
        counts["relevant"], counts["irrelevant"] = counts["stored"] - irrelevant, irrelevant
    counts["moved_here"] = delete_later_days(database, team_day, theme.theme_id)
    _record_missing(database, team_day, theme, selection, counts, writer, ledger.refusal)
    if counts["undone"] and writer.reasons.keys() - _NOT_THE_SERVER and not limits.health.has_answered(chat.name):
        counts["unanswered"] = counts["undone"]
    return counts


def _ask(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    chat: ChatModel,
    work: Pending,
    ledger: UsageLedger,
    limits: RunLimits,
) -> tuple[ThemeBatches | None, Generator[SummaryResult]]:
    """The results of the open questions, and the batches if the model supports them."""

    def texts(wanted: Iterable[str]) -> Iterator[TextItem]:
        for item_ids in chunked(wanted, TEXTS_AT_ONCE):
            for row in database.rows(
                TEXTS, team_id=team_day.team_id, day=team_day.day, level=theme.level, item_ids=list(item_ids)
            ):
                yield TextItem(item_id=row["item_id"], text=row["text"])

    rule_answers = work.rule_answers

    def by_calls(wanted: Iterable[str]) -> Generator[SummaryResult]:
        yield from summarise(
            texts(wanted),
            paid_by(chat, ledger.allowance),
            theme_id=theme.theme_id,
            prompt=theme.prompt,
            mode=theme.mode,
            concurrency=limits.concurrency,
            record=ledger.record,
            time_is_up=limits.time_is_up,
            judged=theme.judged,
            offline=(lambda item: rule_answers.answer(work.items[item.item_id], item.text)) if rule_answers else None,
            health=limits.health,
        )
        # A batch that follows has a budget of its own, which counts what these calls cost once it is stored.
        ledger.flush()

    if isinstance(chat, OpenAIChat):
        task = SummaryTask(chat, theme.theme_id, theme.prompt, theme.mode, ledger.record, theme.judged)
        batches = ThemeBatches(
            database,
            team_day,
            task,
            chat,
            work.questions,
            texts,
            limit_usd=limits.budget_usd,
            theme_limit_usd=theme.daily_budget_usd,
            health=limits.health,
        )
        return batches, batches.results(by_calls, limits.via)
    if limits.via == "batch":
        raise ModelConfigurationError(
            f"{chat.name} does not support batches; set OPENAI_API_KEY or OPENAI_BASE_URL, or use via: calls",
            kind="no_batches",
        )
    return None, by_calls(same[0] for same in work.questions.values())


def _store_known_answers(database: Database, team_day: TeamDay, theme: Theme, work: Pending) -> None:
    """Store copies of known answers."""
    common = columns_of(team_day, theme)
    for item_ids in chunked(work.reused, ROWS_AT_ONCE):
        items = [work.items[item_id] for item_id in item_ids]
        rows = [copied_row(work.answers[item["question_hash"]], item, common) for item in items]
        database.insert_rows("trace_summaries", rows)


def _set_version(database: Database, team_day: TeamDay, theme: Theme, work: Pending) -> int:
    """Store the present version with summaries that are still valid under it; returns how many."""
    for item_ids in chunked(work.outdated, IDS_AT_ONCE):
        database.execute(
            SET_THEME_VERSION,
            team_id=team_day.team_id,
            day=team_day.day,
            theme_id=theme.theme_id,
            theme_version=theme.version,
            item_ids=item_ids,
        )
    return len(work.outdated)


def _record_missing(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    selection: Selection,
    counts: "Counter[str]",
    writer: Writer,
    refusal: str,
) -> None:
    """Record as a skip why items have no summary; clear the skip of a finished theme."""

    def skip(reason: str, detail: str) -> None:
        record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, theme.theme_id, reason, detail))

    if selection.reason not in ("", NO_TEXTS):
        counts["took_nothing"] = 1
        counts["no_content"] = int(selection.reason == NO_CONTENT)
        detail = f"{selection.matched} items match, {selection.sampled} of them are in the sample"
        if selection.reason == NO_CONTENT:
            detail = "none of the day's texts has any content; the skip of trace_texts says why"
        skip(selection.reason, detail)
        return
    items = counts["items_queried"]
    if not counts["undone"]:
        if counts["failed"] > MAX_FAILED_SHARE * items:
            skip(SUMMARIES_FAILED, f"{counts['failed']} of {items}: {writer.failures.most_common(1)[0][0]}")
        elif counts["dead_letters"] and not counts["stored"]:
            detail = f"{counts['dead_letters']} of {items} items failed in several runs; `llma retry` requeues them"
            skip("dead_letters", detail)
        else:
            clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=STAGE, theme_id=theme.theme_id)
        return
    reason = writer.reasons.most_common(1)[0][0].partition(":")[0] if writer.reasons else "text_gone"
    detail = f"{counts['undone']} of {items} items deferred; the next run takes them up"
    if reason == BUDGET:
        detail += " if there is money left" + (f": {refusal}" if refusal else "")
        counts["undone_for_budget"] = counts["undone"]
    skip(reason, detail)
