"""The stage `summary_embeddings` for one partition: one vector for each summary, in the space of its theme.

The text of a summary and its embedding belong in `compose`, which knows no database.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.embeddings.compose import (
    EMPTY_TEXT,
    EmbeddedItem,
    FailedItem,
    embed_batches,
    error_on_sample,
    text_of_summary,
)
from llma_assets.embeddings.estimate import STAGE, forecast_texts
from llma_assets.embeddings.queries import EMBEDDED_OF_DAY, PRODUCT, space_of
from llma_assets.embeddings.reuse import delete_later_days, known_vectors
from llma_assets.embeddings.selection import delete_left_items, summaries_of_day
from llma_assets.isolation import fault_of
from llma_assets.ledger import (
    Skip,
    UsageLedger,
    note_deferred,
    record_skip,
    spending_metadata,
)
from llma_assets.models import BudgetExhausted, Embedder, ModelHealth, NothingUsable, Record, paid_by
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

ROWS_AT_ONCE = 100
MAX_FAILED_SHARE = 0.2
"""If a larger share of a theme's summaries has no vector, a skip says so."""

EMBEDDINGS_FAILED = "embeddings_failed"


def store_embeddings(
    database: Database,
    team_day: TeamDay,
    embedder: Embedder,
    *,
    themes: Sequence[Theme],
    budget_usd: float | None = None,
    progress: Progress,
    health: ModelHealth | None = None,
    forecasts: bool = True,
) -> Report:
    """Embed each relevant summary whose text this model has not embedded yet.

    Args:
        budget_usd: the team's budget for the day, None for no limit; summaries above it are deferred.
        health: what the model has answered so far in the run; None for nothing yet.
        forecasts: whether the report says what was forecast.

    Raises:
        ThemesFailed: some themes failed; the vectors of the others are stored.
        NothingUsable: no vector of the model is usable.
    """
    items, waiting, failed, metadata = 0, 0, 0, dict[str, Any](model=embedder.name)
    seen = health or ModelHealth()
    had_vectors = database.may_hold("document_embeddings", team_day.team_id, team_day.day, team_day.day)

    def work(theme: Theme) -> "Counter[str]":
        return _store_theme(database, team_day, theme, embedder, budget_usd, progress, seen)

    def clear(done: Sequence[tuple[Theme, "Counter[str]"]]) -> None:
        moved = delete_later_days(database, team_day, [theme for theme, _ in done])
        left = delete_left_items(database, team_day, [theme for theme, _ in done]) if had_vectors else {}
        for theme, counts in done:
            counts["moved_here"], counts["left_the_theme"] = moved[theme.theme_id], left.get(theme.theme_id, 0)

    for theme, counts in each_theme(database, team_day, STAGE, themes, work, clear):
        items += counts["stored"]
        waiting += counts["undone"]
        failed += counts["failed"]
        metadata |= {f"{theme.theme_id}_{name}": number for name, number in sorted(counts.items())}
    metadata |= spending_metadata(
        database,
        team_day,
        stage=STAGE,
        budget_usd=budget_usd,
        theme_budgets_usd={theme.theme_id: theme.daily_budget_usd for theme in themes},
        forecasts=forecasts,
    )
    reason = "" if items else "all_failed" if failed else "no_summaries"
    return Report(items=items, reason=reason, details=metadata, deferred=waiting, failed=failed)


def _store_theme(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    embedder: Embedder,
    budget_usd: float | None,
    progress: Progress,
    health: ModelHealth,
) -> "Counter[str]":
    summaries = {row["item_id"]: row for row in summaries_of_day(database, team_day, theme)}
    texts, why = _texts(summaries)
    hashes = {item_id: hashlib.sha256(text.encode()).hexdigest() for item_id, text in texts.items()}
    done = {
        row["document_id"]: (row["content_hash"], row["theme_version"])
        for row in database.rows(
            EMBEDDED_OF_DAY,
            team_id=team_day.team_id,
            day=team_day.day,
            **space_of(theme, embedder.name),
        )
    }
    # A vector of the same text under another version of the theme is stored again, without a call.
    wanted = {item_id: (hashes[item_id], summaries[item_id]["theme_version"]) for item_id in texts}
    missing = [item_id for item_id in texts if done.get(item_id) != wanted[item_id]]
    counts: Counter[str] = Counter(skipped=len(texts) - len(missing), failed=why.total())

    def store(vectors: Sequence[tuple[str, Sequence[float]]]) -> None:
        for some in chunked(vectors, ROWS_AT_ONCE):
            rows = [
                _row(summaries[item_id], texts[item_id], hashes[item_id], vector, theme, embedder, team_day)
                for item_id, vector in some
            ]
            database.insert_rows("document_embeddings", rows)

    known = known_vectors(database, team_day, embedder, {hashes[item_id] for item_id in missing})
    reused = {item_id: known[hashes[item_id]] for item_id in missing if hashes[item_id] in known}
    store(list(reused.items()))
    counts["reused"] = len(reused)
    alike: dict[str, list[str]] = {}
    for item_id in missing:
        if item_id not in reused:
            alike.setdefault(hashes[item_id], []).append(item_id)
    asked = [(item_ids[0], texts[item_ids[0]]) for item_ids in alike.values()]
    if asked:
        try:
            health.raise_known_fault(embedder.name, theme.theme_id)
        except NothingUsable as fault:
            raise fault.of(len(missing), skip_reason=EMBEDDINGS_FAILED) from None
    with UsageLedger(
        database,
        team_day,
        stage=STAGE,
        theme_id=theme.theme_id,
        limit_usd=budget_usd,
        theme_limit_usd=theme.daily_budget_usd,
    ) as ledger:
        ledger.expect(forecast_texts(theme, embedder.name, [text for _, text in asked], done=len(texts) - len(asked)))
        payer, record = paid_by(embedder, ledger.allowance), partial(ledger.record, "")
        for batch in _within_budget(embed_batches(asked, payer, record)):
            same = {result.item_id: alike[hashes[result.item_id]] for result in batch}
            embedded = [
                (item_id, result.vector.tolist())
                for result in batch
                if isinstance(result, EmbeddedItem)
                for item_id in same[result.item_id]
            ]
            # Usage first: spending is recorded even if the process ends before the next line.
            ledger.flush()
            store(embedded)
            counts["succeeded"] += len(embedded)
            counts["failed"] += sum(map(len, same.values())) - len(embedded)
            failures = [result.error for result in batch if isinstance(result, FailedItem)]
            why.update(failures)
            if embedded:
                health.accept(embedder.name, theme.theme_id)
            elif any(error != EMPTY_TEXT for error in failures) and not health.is_trusted(
                embedder.name, theme.theme_id
            ):
                _check_sample(payer, record, theme, health, len(failures), len(missing))
            progress(STAGE, team_day, len(texts) - len(missing) + len(reused) + counts["succeeded"], len(texts))
    counts["stored"] = counts["skipped"] + counts["reused"] + counts["succeeded"]
    counts["undone"] = len(summaries) - counts["stored"] - counts["failed"]
    note_deferred(
        database,
        team_day,
        stage=STAGE,
        theme_id=theme.theme_id,
        deferred=counts["undone"],
        items=len(summaries),
        refusal=ledger.refusal,
    )
    if not counts["undone"] and counts["failed"] > MAX_FAILED_SHARE * len(summaries):
        detail = f"{counts['failed']} of {len(summaries)}: {why.most_common(1)[0][0]}"
        record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, theme.theme_id, EMBEDDINGS_FAILED, detail))
    return counts


def _texts(summaries: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, str], "Counter[str]"]:
    """The text of each item, and the errors of items without one; each fails alone."""
    texts: dict[str, str] = {}
    why: Counter[str] = Counter()
    for item_id, row in summaries.items():
        try:
            texts[item_id] = text_of_summary(row)
        except Exception as error:
            why[f"{fault_of(error)}, such as of {item_id}"] += 1
    return texts, why


def _check_sample(
    embedder: Embedder, record: Record, theme: Theme, health: ModelHealth, failures: int, items: int
) -> None:
    """After failures only, go on only if the sample texts get usable vectors.

    Raises:
        NothingUsable: they do not.
        ModelUnavailable: the server does not answer.
    """
    try:
        flaw = error_on_sample(embedder, record)
    except BudgetExhausted:
        return
    if flaw is not None:
        fault = health.fault(embedder.name, theme.theme_id, failures, flaw)
        raise fault.of(items, skip_reason=EMBEDDINGS_FAILED)
    health.accept(embedder.name, theme.theme_id)


def _within_budget(results: Iterator[list[EmbeddedItem | FailedItem]]) -> Iterator[list[EmbeddedItem | FailedItem]]:
    """The results until the budget is exhausted; other items are deferred."""
    try:
        yield from results
    except BudgetExhausted:
        return


def _row(
    summary: Mapping[str, Any],
    text: str,
    content_hash: str,
    vector: Sequence[float],
    theme: Theme,
    embedder: Embedder,
    team_day: TeamDay,
) -> dict[str, Any]:
    metadata = {
        "content_hash": content_hash,
        "trace_id": summary["trace_id"],
        "generation_id": summary["generation_id"],
        "theme_version": summary["theme_version"],
    }
    return {
        "team_id": team_day.team_id,
        "product": PRODUCT,
        "document_type": theme.document_type,
        "model_name": embedder.name,
        "rendering": theme.rendering,
        "document_id": summary["item_id"],
        "timestamp": summary["trace_timestamp"],
        "content": text,
        "metadata": orjson.dumps(metadata).decode(),
        "embedding": vector,
    }
