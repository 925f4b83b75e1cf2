"""Stores the texts of a partition: renders items that are new, have other events or were rendered with other options.

All themes share the texts, so that each item is rendered once. Which items are drawn belongs in `candidates`, how
events become text in `rows` and the modules that it uses, the report of the stage in `partition`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.discovery import TRIGGER_EVENTS_OF_TEAM
from llma_assets.ledger import record_item_skips
from llma_assets.rendering.candidates import FEW_EVENTS, HOME_DAYS, REACH, SamplingFrame, items_of_day
from llma_assets.rendering.options import RenderOptions, renderer_of, sufficient_redactions
from llma_assets.rendering.queries import (
    COUNT_TEXTS_OF_OTHER_RENDERERS,
    COUNT_UNDER_REDACTED_TEXTS,
    DELETE_TEXTS_OF_LATER_DAYS,
    DELETE_UNDER_REDACTED_TEXTS,
    MOMENT,
    TEXTS_MADE,
    Candidate,
    batches,
    events_of_generations,
    events_of_traces,
)
from llma_assets.rendering.rows import TextRow, text_row
from llma_assets.team_day import TeamDay
from llma_assets.themes import GENERAL, Level, Theme, draws, is_selected, matching_items, needs_texts, rate_of
from llma_assets.trace_events import TRIGGER_EVENTS, EventsSeen

STAGE = "trace_texts"
NOT_RENDERED = "not_rendered"
"""Reason of the skip of an item that is shown as recorded."""

MANY_FAULTS, NEARLY_ALL = 10, 0.9
"""So many faults, and such a share of a batch, are a fault of the renderer, not of the items."""

IDS_AT_ONCE = 1_000

Read = Callable[[Database, int, Sequence[Candidate]], dict[str, list[dict[str, Any]]]]
_READ: dict[Level, Read] = {"trace": events_of_traces, "generation": events_of_generations}


class RendererBroken(RuntimeError):
    """Rendering failed for nearly all items: a fault of the renderer. Nothing is stored that would hide it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """When items are selected, and how many.

    Attributes:
        now: the current time, UTC.
        quiet: an item is selected once its last event is so long ago.
        per_hour: most sampled items of an hour, by level.
        themes: the themes that texts are made for: a theme without filters needs the sample of its level, a theme with
            filters the items that match them.
    """

    now: datetime
    quiet: timedelta
    per_hour: Mapping[Level, int]
    themes: Sequence[Theme] = GENERAL

    def of_level(self, level: Level, day: date) -> list[Theme]:
        """The themes of a level that cover the day."""
        return [theme for theme in self.themes if theme.level == level and theme.covers(day)]


@dataclass(frozen=True, slots=True)
class LevelTexts:
    """The texts of a day and a level, and what the run did for them.

    Attributes:
        found: number of items that began on the day.
        not_quiet: number of these that are not quiet yet.
        sampled: number of stored texts in the sample.
        matching: number of further stored texts, which match or once matched the filters of a theme.
        estimated: number of items that the sample represents; its expectation is the number of quiet items.
        lowest_probability: lowest inclusion probability in the sample; 1 if all items are in it.
        counts: `rendered`, `failed` (of these, not rendered properly), `characters`, `moved` (from a later day),
            `anew` (texts that were stored from another source, with other options, or of rows that were repaired),
            `wanted` (texts that themes need, counted for each theme), `reused` (of these, not rendered now).
    """

    found: int = 0
    not_quiet: int = 0
    sampled: int = 0
    matching: int = 0
    estimated: float = 0.0
    lowest_probability: float = 1.0
    counts: "Counter[str]" = field(default_factory=Counter)

    @property
    def held(self) -> int:
        """Number of texts that are stored for the day."""
        return self.sampled + self.matching


def store_texts(
    database: Database,
    team_day: TeamDay,
    options: RenderOptions,
    sampling: Sampling,
    *,
    progress: Callable[[int, int], None],
    completes_day: bool = True,
) -> dict[Level, LevelTexts]:
    """Render the items that are new, have new events or were rendered with other options; others cost nothing.

    An item that is stored under a later day, but began on this one, is moved. A level without themes stays as it is,
    unless it was rendered with other options.

    Args:
        progress: is called with the number of texts that are done and their total, level by level.
        completes_day: record that the day's sample is up to date; False for a run of some themes that need only a part
            of the sample.

    Raises:
        RendererBroken: nearly all items failed. A single item that fails is shown as recorded.
    """
    # Counted before events are read, so that an event that arrives meanwhile makes the day due again.
    (seen,) = database.rows(
        TRIGGER_EVENTS_OF_TEAM,
        team_id=team_day.team_id,
        start=team_day.start,
        end=team_day.end,
        trigger_events=list(TRIGGER_EVENTS),
    )
    # Read before any item is.
    moment = database.value(MOMENT)
    waits: list[datetime] = []
    texts: dict[Level, LevelTexts] = {}
    for level, per_hour in sampling.per_hour.items():
        themes = sampling.of_level(level, team_day.day)
        if not themes and not _has_texts_of_other_renderers(database, team_day, level, options):
            texts[level] = LevelTexts()
            continue
        wanted = {theme.theme_id: _wanted(database, team_day, theme) for theme in needs_texts(themes)}
        drawing = sum(map(draws, themes))
        frame = items_of_day(
            database,
            team_day,
            level,
            now=sampling.now,
            quiet=sampling.quiet,
            per_hour=per_hour if drawing else 0,
            wanted=set().union(*wanted.values()),
            is_small=seen["events"] <= FEW_EVENTS,
        )
        stored = _store_level(database, team_day, level, options, frame, moment, progress)
        held = {item.item_id for item in frame.candidates}
        uses = drawing * stored.sampled + sum(len(ids & held) for ids in wanted.values())
        stored.counts.update(wanted=uses, reused=max(0, uses - stored.counts["rendered"]))
        texts[level] = stored
        waits += [frame.waits_until] if frame.waits_until else []
        if frame.continued:
            _mark_due(database, team_day.back(1), min(frame.continued.values()) + sampling.quiet)
    if completes_day:
        _record_made(database, team_day, EventsSeen.of(seen), min(waits, default=None))
    return texts


def _has_texts_of_other_renderers(database: Database, team_day: TeamDay, level: Level, options: RenderOptions) -> bool:
    """Whether texts of other renderers or options are stored."""
    if not database.may_hold("trace_texts", team_day.team_id, team_day.day, team_day.day, part=level):
        return False
    where = {"team_id": team_day.team_id, "day": team_day.day, "level": level, "renderer": renderer_of(options)}
    return bool(database.value(COUNT_TEXTS_OF_OTHER_RENDERERS, **where))


def _wanted(database: Database, team_day: TeamDay, theme: Theme) -> set[str]:
    """The items of a theme with filters: those that match and are in the theme's sample."""
    found = matching_items(database, team_day, theme, reach=REACH)
    rate = rate_of(theme, len(found))
    return {item_id for item_id, item in found.items() if is_selected(theme, item.trace_id, rate)}


def delete_under_redacted_texts(database: Database, team_day: TeamDay, options: RenderOptions) -> int:
    """Delete texts that show values which the team now hides, and older versions of rows that do."""
    if not options.redact:
        return 0
    where = {"team_id": team_day.team_id, "day": team_day.day, "redactions": sufficient_redactions(options)}
    found: int = database.value(COUNT_UNDER_REDACTED_TEXTS, **where)
    if found:
        database.execute(DELETE_UNDER_REDACTED_TEXTS, **where)
    return found


def text_rows(
    database: Database, team_day: TeamDay, level: Level, options: RenderOptions, items: Sequence[Candidate]
) -> Iterator[list[TextRow]]:
    """Render items in batches, as rows of `trace_texts` that are not stored yet."""
    for batch in batches(items):
        events = _READ[level](database, team_day.team_id, batch)
        yield [text_row(item, events.get(item.item_id, ()), level, team_day, options) for item in batch]


def _store_level(
    database: Database,
    team_day: TeamDay,
    level: Level,
    options: RenderOptions,
    frame: SamplingFrame,
    moment: datetime,
    progress: Callable[[int, int], None],
) -> LevelTexts:
    """Render and store the missing texts of a frame that was read after `moment`."""
    renderer = renderer_of(options)
    missing = [item for item in frame.candidates if not _is_up_to_date(item, team_day, renderer)]
    anew = {each.item_id for each in missing if each.is_repaired or (each.stored and each.stored.renderer != renderer)}
    counts: Counter[str] = Counter()
    for made in text_rows(database, team_day, level, options, missing):
        rows = [each.row for each in made]
        faults = {each.row["item_id"]: each.fault for each in made if each.fault}
        if len(faults) >= MANY_FAULTS and len(faults) > NEARLY_ALL * len(made):
            raise RendererBroken(
                f"rendering failed for {len(faults)} of {len(made)} {level}s, first: {next(iter(faults.values()))}"
            )
        # Stored items are not rendered again, so the faults are recorded first.
        item_ids = [row["item_id"] for row in rows]
        record_item_skips(
            database, team_day, stage=STAGE, level=level, failed=faults, reason=NOT_RENDERED, recovered=item_ids
        )
        database.insert_rows("trace_texts", [row for row in rows if row["drawn"]])
        # A concurrent run may have drawn the item since: with the earlier time, this row does not replace that one.
        database.insert_rows("trace_texts", [{**row, "inserted_at": moment} for row in rows if not row["drawn"]])
        counts["rendered"] += len(rows)
        counts["anew"] += sum(item_id in anew for item_id in item_ids)
        counts["failed"] += len(faults)
        counts["characters"] += sum(len(row["text"]) for row in rows)
        progress(len(frame.candidates) - len(missing) + counts["rendered"], len(frame.candidates))
    moved = [item.item_id for item in frame.candidates if item.stored and item.stored.last_day > team_day.day]
    for start in range(0, len(moved), IDS_AT_ONCE):
        database.execute(
            DELETE_TEXTS_OF_LATER_DAYS,
            team_id=team_day.team_id,
            day=team_day.day,
            last_day=team_day.back(-HOME_DAYS).day,
            level=level,
            item_ids=moved[start : start + IDS_AT_ONCE],
        )
    counts["moved"] = len(moved)
    drawn = [item.probability for item in frame.candidates if item.drawn]
    return LevelTexts(
        found=frame.found,
        not_quiet=frame.not_quiet,
        sampled=len(drawn),
        matching=len(frame.candidates) - len(drawn),
        estimated=sum(1 / probability for probability in drawn),
        lowest_probability=min(drawn, default=1.0),
        counts=counts,
    )


def _is_up_to_date(item: Candidate, team_day: TeamDay, renderer: str) -> bool:
    stored = item.stored
    return (
        stored is not None
        and stored.day == team_day.day
        and stored.events == item.events
        and not item.is_repaired
        and stored.renderer == renderer
        and stored.drawn == item.drawn
        # The probability rises when the limit is raised; with the lower, stored one the item would count for too many.
        and stored.probability >= item.probability
    )


def _mark_due(database: Database, team_day: TeamDay, waits_until: datetime) -> None:
    """Make a day due again at a time, because one of its traces continued. A day without texts is due anyway."""
    may_be = database.may_hold("texts_made", team_day.team_id, team_day.day, team_day.day)
    made = database.rows(TEXTS_MADE, team_id=team_day.team_id, day=team_day.day) if may_be else []
    if made and (made[0]["waits_until"] is None or made[0]["waits_until"] > waits_until):
        _record_made(database, team_day, EventsSeen.of(made[0]), waits_until)


def _record_made(database: Database, team_day: TeamDay, seen: EventsSeen, waits_until: datetime | None) -> None:
    made = {"events": seen.events, "events_digest": seen.digest, "waits_until": waits_until}
    may_be = database.may_hold("texts_made", team_day.team_id, team_day.day, team_day.day)
    if not may_be or database.rows(TEXTS_MADE, team_id=team_day.team_id, day=team_day.day) != [made]:
        database.insert_rows("texts_made", [{"team_id": team_day.team_id, "day": team_day.day, **made}])
