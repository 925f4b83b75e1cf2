"""The trial of a theme on a few items, before it is switched on, saved or changed. No result is stored.

Texts are made in memory, as in a run. Questions cost what they cost in a run: the caller passes a `record` that stores
the usage, and a model that is `paid_by` the team's budget.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.models import ChatModel, Usage
from llma_assets.rendering import REACH, Candidate, RenderOptions, Sampling, items_of_day, text_rows
from llma_assets.summaries import (
    Point,
    RuleAnswers,
    SummaryResult,
    TextItem,
    Verdict,
    applies,
    facts_of,
    question_hash,
    read_norms,
    relevant_items,
    stored_answers,
    summarise,
)
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, matching_items, place_of, rate_of, uses_hourly_sample

MAX_READ_PER_ITEM = 10
"""Items that are read, at most, for each item to show, until enough pass the theme's rule."""


@dataclass(frozen=True, slots=True)
class TrialResult:
    """The answer of a theme about one item.

    Attributes:
        day: the day of the item.
        result: the answer; status `undone` means deferred: the budget was used up, or the server did not answer.
        verdict: the verdict of the theme's rule, None for a theme without a rule.
        known: the answer is from an earlier run.
    """

    day: date
    trace_id: str
    result: SummaryResult
    verdict: Verdict | None
    known: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """The outcome of a trial.

    Attributes:
        theme: the theme.
        matched: number of items that match its filters, and are relevant to the theme that it runs after.
        sampled: how many of these a run would select.
        read: number of items whose text was made, in the order of the sample.
        left_out: how many of these the theme's rule left out before the model was asked.
        items: those that the model was asked about, in the same order.
    """

    theme: Theme
    matched: int
    sampled: int
    read: int
    left_out: int
    items: tuple[TrialResult, ...]

    @property
    def relevant(self) -> int:
        """Number of items that are relevant to the theme."""
        return sum(item.result.status == "generated" and item.result.relevant for item in self.items)


@dataclass(frozen=True, slots=True)
class _Found:
    """An item that the theme may select, with its partition."""

    team_day: TeamDay
    item: Candidate


def try_theme(
    database: Database,
    days: Sequence[TeamDay],
    theme: Theme,
    chat: ChatModel,
    *,
    sampling: Sampling,
    options: RenderOptions,
    record: Callable[[str, Usage], None],
    size: int = 20,
    concurrency: int = 5,
) -> Trial:
    """Ask a theme's question about the first items of its sample, without storing results.

    The number of items does not depend on the sample rate. Items with the same text are asked about once, and answers
    of earlier runs are used again.

    Args:
        days: of one team, ascending, at least one; norms are those of the last.
        theme: need not be saved, or switched on.
        sampling: when items are quiet, and how many an hour has; its themes do not matter.
        options: how texts are made.
        record: gets the usage of each call; see `summarise`.
        size: how many items are shown.

    Raises:
        ModelConfigurationError: no question can be answered.
    """
    found, sampled = _found(database, days, theme, sampling)
    norms = read_norms(database, days[-1], theme.level)
    rule_answers = RuleAnswers(theme, norms)
    is_offline = chat.name.startswith("offline/")
    rows: dict[str, dict[str, Any]] = {}
    verdicts: dict[str, Verdict | None] = {}
    read = 0
    for row in _texts(database, theme, options, found[: size * MAX_READ_PER_ITEM], at_once=size):
        read += 1
        if not row["has_content"]:
            continue
        verdict = applies(theme.rule, row["text"], facts_of(row), norms, theme.keywords) if theme.rule else None
        # Without a model the rule gives the answer, so negative ones are shown, too.
        if theme.screen and not is_offline and verdict is not None and not verdict.relevant:
            continue
        rows[row["item_id"]], verdicts[row["item_id"]] = row, verdict
        if len(rows) == size:
            break
    hashes = {
        item_id: question_hash(
            row["text_hash"],
            prompt=theme.prompt,
            model=chat.name,
            mode=theme.mode,
            judged=theme.judged,
            by=rule_answers.basis(row) if is_offline and theme.judged else "",
        )
        for item_id, row in rows.items()
    }
    known = stored_answers(database, days[-1], hashes.values()) if rows else {}
    first = {hashes[item_id]: item_id for item_id in reversed(rows)}
    answered = {
        hashes[result.item_id]: result
        for result in summarise(
            (TextItem(each, rows[each]["text"]) for key, each in first.items() if key not in known),
            chat,
            theme_id=theme.theme_id,
            prompt=theme.prompt,
            mode=theme.mode,
            concurrency=concurrency,
            record=record,
            judged=theme.judged,
            offline=(lambda item: rule_answers.answer(rows[item.item_id], item.text)) if theme.judged else None,
        )
    }
    answered |= {key: _known_result(row) for key, row in known.items()}
    return Trial(
        theme=theme,
        matched=len(found),
        sampled=sampled,
        read=read,
        left_out=read - len(rows),
        items=tuple(
            TrialResult(
                day=row["day"],
                trace_id=row["trace_id"],
                result=replace(answered.get(hashes[item_id], _not_asked(theme, chat)), item_id=item_id),
                verdict=verdicts[item_id],
                known=hashes[item_id] in known,
            )
            for item_id, row in rows.items()
        ),
    )


def _found(database: Database, days: Sequence[TeamDay], theme: Theme, sampling: Sampling) -> tuple[list[_Found], int]:
    """The items that the theme may select, in the order of its sample; and how many a run would select."""
    found: list[_Found] = []
    sampled = 0
    for team_day in days:
        items = _of_day(database, team_day, theme, sampling)
        rate = rate_of(theme, len(items)) * 2**64
        sampled += sum(place_of(theme, item.trace_id) < rate for item in items)
        found += [_Found(team_day, item) for item in items]
    return sorted(found, key=lambda each: (place_of(theme, each.item.trace_id), each.item.item_id)), sampled


def _of_day(database: Database, team_day: TeamDay, theme: Theme, sampling: Sampling) -> list[Candidate]:
    """The items that a run would sample from, without their texts."""
    drawing = uses_hourly_sample(theme) and theme.after is None
    wanted: set[str] | None = None
    if theme.filters:
        wanted = set(matching_items(database, team_day, theme, reach=REACH))
    if theme.after is not None:
        before = set(relevant_items(database, team_day, theme.after))
        wanted = before if wanted is None else wanted & before
    frame = items_of_day(
        database,
        team_day,
        theme.level,
        now=sampling.now,
        quiet=sampling.quiet,
        per_hour=sampling.per_hour[theme.level] if drawing else 0,
        wanted=() if drawing or wanted is None else wanted,
    )
    return [
        item for item in frame.candidates if (item.drawn or not drawing) and (wanted is None or item.item_id in wanted)
    ]


def _texts(
    database: Database, theme: Theme, options: RenderOptions, found: Sequence[_Found], *, at_once: int
) -> Iterator[dict[str, Any]]:
    """The texts of items in their order, as rows of `trace_texts`; not more are made than are asked for."""
    for start in range(0, len(found), at_once):
        some = found[start : start + at_once]
        rows = {
            each.row["item_id"]: each.row
            for team_day in dict.fromkeys(each.team_day for each in some)
            for made in text_rows(
                database, team_day, theme.level, options, [each.item for each in some if each.team_day == team_day]
            )
            for each in made
        }
        yield from (rows[each.item.item_id] for each in some)


def _known_result(row: dict[str, Any]) -> SummaryResult:
    """An answer out of the columns that hold it."""

    def points(text: str) -> tuple[Point, ...]:
        return tuple(Point(point["text"], point["line_refs"]) for point in orjson.loads(text))

    return SummaryResult(
        item_id="",
        content_hash="",
        status="generated",
        error="",
        model=row["model"],
        mode=row["mode"],
        title=row["title"],
        flow_diagram=row["flow_diagram"],
        bullets=points(row["bullets"]),
        interesting_notes=points(row["interesting_notes"]),
        refs_total=row["refs_total"],
        refs_valid=row["refs_valid"],
        relevant=row["relevant"],
    )


def _not_asked(theme: Theme, chat: ChatModel) -> SummaryResult:
    """The result of an item whose question was not asked, because the budget was used up before."""
    return SummaryResult("", "", "undone", "not_asked", chat.name, theme.mode)
