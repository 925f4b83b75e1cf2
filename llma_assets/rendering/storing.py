"""Stores the texts of a team's day: renders what is new, has grown or came under other options, and nothing else.

All themes read the same texts, and each is rendered once. Which items are drawn belongs in `candidates`, how events
become text in the modules beside this one, what Dagster is told in `assets`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.discovery import TRIGGER_EVENTS_OF_TEAM
from llma_assets.ledger import record_item_skips
from llma_assets.rendering.candidates import HOME_DAYS, REACH, Frame, items_of_day
from llma_assets.rendering.options import RenderOptions, redactions_like, renderer_of
from llma_assets.rendering.queries import (
    COUNT_TEXTS_MADE_OTHERWISE,
    COUNT_TEXTS_REDACTED_OTHERWISE,
    DELETE_TEXTS_OF_LATER_DAYS,
    DELETE_TEXTS_REDACTED_OTHERWISE,
    MADE,
    MOMENT,
    Candidate,
    batches,
    events_of_generations,
    events_of_traces,
)
from llma_assets.rendering.rows import MadeText, made_text
from llma_assets.team_day import TeamDay
from llma_assets.themes import GENERAL, Level, Theme, draws, is_selected, matching_items, needs_texts, rate_of
from llma_assets.trace_events import TRIGGER_EVENTS

STAGE = "trace_texts"
NOT_RENDERED = "not_rendered"
"""Why an item is shown as it was recorded."""

MANY_FAULTS, NEARLY_ALL = 10, 0.9
"""So many faults, and such a share of what is rendered at once, are no fault of the items."""

IDS_AT_ONCE = 1_000

Read = Callable[[Database, int, Sequence[Candidate]], dict[str, list[dict[str, Any]]]]
_READ: dict[Level, Read] = {"trace": events_of_traces, "generation": events_of_generations}


class RendererBroken(RuntimeError):
    """Nearly nothing can be rendered: the fault is ours, and nothing is stored that would hide it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """When items are taken, and how many.

    Attributes:
        now: the present moment, UTC.
        quiet: an item is taken once it has been silent for so long.
        per_hour: of each hour, at most so many items are sampled, by level.
        themes: those that texts are made for: the sample of a level where one of them looks at it, and what matches
            the filters of the others.
    """

    now: datetime
    quiet: timedelta
    per_hour: Mapping[Level, int]
    themes: Sequence[Theme] = GENERAL

    def of_level(self, level: Level, day: date) -> list[Theme]:
        """The themes that look at a level's items of a day."""
        return [theme for theme in self.themes if theme.level == level and theme.covers(day)]


@dataclass(frozen=True, slots=True)
class LevelTexts:
    """What a day holds of one level, and what was done.

    Attributes:
        found: items that began on the day.
        not_quiet: of these, those that are not silent long enough yet.
        sampled: texts of the sample that the day holds now.
        matching: texts that it holds beside these, because they match some theme's filters, or did.
        estimated: how many items the sample stands for; equal to the quiet items found but for chance.
        lowest_probability: of the items of the sample; 1 if all were taken.
        counts: `rendered`, `failed` (of those, could not be made as they should), `characters`, `moved` (came from a
            later day), `wanted` (texts that themes look at, each counted for each theme), `reused` (of these, those
            that were not rendered for the theme).
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
        """Texts that the day holds now."""
        return self.sampled + self.matching


def store_texts(
    database: Database,
    team_day: TeamDay,
    options: RenderOptions,
    sampling: Sampling,
    *,
    progress: Callable[[int, int], None],
    is_whole: bool = True,
) -> dict[Level, LevelTexts]:
    """Render what is new, has grown, or was rendered with other options; what is stored already costs nothing.

    An item that turned out to have begun on this day, and is stored under a later one, moves here. A level that none
    of the themes looks at is left as it is, unless it was rendered with other options.

    Args:
        progress: told how many texts of how many there are, level by level.
        is_whole: the day's sample is up to date afterwards, which is noted; not so where a run is for some themes
            only, which need less than the day's sample.

    Raises:
        RendererBroken: nearly everything failed; an item that fails alone is shown as it was recorded.
    """
    # Counted before anything is read: what comes in meanwhile makes the day due again.
    events = database.value(
        TRIGGER_EVENTS_OF_TEAM,
        team_id=team_day.team_id,
        start=team_day.start,
        end=team_day.end,
        trigger_events=list(TRIGGER_EVENTS),
    )
    waits: list[datetime] = []
    texts: dict[Level, LevelTexts] = {}
    for level, per_hour in sampling.per_hour.items():
        themes = sampling.of_level(level, team_day.day)
        if not themes and not _is_made_otherwise(database, team_day, level, options):
            texts[level] = LevelTexts()
            continue
        moment = database.value(MOMENT)
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
        )
        stored = _store_level(database, team_day, level, options, frame, moment, progress)
        held = {item.item_id for item in frame.candidates}
        uses = drawing * stored.sampled + sum(len(ids & held) for ids in wanted.values())
        stored.counts.update(wanted=uses, reused=max(0, uses - stored.counts["rendered"]))
        texts[level] = stored
        waits += [frame.waits_until] if frame.waits_until else []
        if frame.went_on:
            _make_due(database, team_day.back(1), min(frame.went_on.values()) + sampling.quiet)
    if is_whole:
        _record_made(database, team_day, events, min(waits, default=None))
    return texts


def _is_made_otherwise(database: Database, team_day: TeamDay, level: Level, options: RenderOptions) -> bool:
    """Whether texts are stored that other options made; what shows too much is deleted where it is not made anew."""
    where = {"team_id": team_day.team_id, "day": team_day.day, "level": level, "renderer": renderer_of(options)}
    return bool(database.value(COUNT_TEXTS_MADE_OTHERWISE, **where))


def _wanted(database: Database, team_day: TeamDay, theme: Theme) -> set[str]:
    """The items of a theme with filters: those that match, and are in its sample."""
    found = matching_items(database, team_day, theme, reach=REACH)
    rate = rate_of(theme, len(found))
    return {item_id for item_id, item in found.items() if is_selected(theme, item.trace_id, rate)}


def delete_redacted_otherwise(database: Database, team_day: TeamDay, options: RenderOptions) -> int:
    """Delete what shows values that the team has hidden since, and versions of it that a newer one only covers."""
    if not options.redact:
        return 0
    where = {"team_id": team_day.team_id, "day": team_day.day, "redactions": redactions_like(options)}
    found: int = database.value(COUNT_TEXTS_REDACTED_OTHERWISE, **where)
    if found:
        database.execute(DELETE_TEXTS_REDACTED_OTHERWISE, **where)
    return found


def made_texts(
    database: Database, team_day: TeamDay, level: Level, options: RenderOptions, items: Sequence[Candidate]
) -> Iterator[list[MadeText]]:
    """The texts of items, some at a time, as rows of `trace_texts` that nobody has stored."""
    for batch in batches(items):
        events = _READ[level](database, team_day.team_id, batch)
        yield [made_text(item, events.get(item.item_id, ()), level, team_day, options) for item in batch]


def _store_level(
    database: Database,
    team_day: TeamDay,
    level: Level,
    options: RenderOptions,
    frame: Frame,
    moment: datetime,
    progress: Callable[[int, int], None],
) -> LevelTexts:
    """Store what is missing of a frame that was read after `moment`."""
    renderer = renderer_of(options)
    missing = [item for item in frame.candidates if not _is_up_to_date(item, team_day, renderer)]
    counts: Counter[str] = Counter()
    for made in made_texts(database, team_day, level, options, missing):
        rows = [each.row for each in made]
        faults = {each.row["item_id"]: each.fault for each in made if each.fault}
        if len(faults) >= MANY_FAULTS and len(faults) > NEARLY_ALL * len(made):
            raise RendererBroken(f"{len(faults)} of {len(made)} {level}s in a row: {next(iter(faults.values()))}")
        # What is stored is not rendered again, so what went wrong is written down before it.
        well = [row["item_id"] for row in rows]
        record_item_skips(
            database, team_day, stage=STAGE, level=level, failed=faults, reason=NOT_RENDERED, recovered=well
        )
        database.insert_rows("trace_texts", [row for row in rows if row["drawn"]])
        # A run beside this one may have drawn the item since: what is written as of then does not replace that.
        database.insert_rows("trace_texts", [{**row, "inserted_at": moment} for row in rows if not row["drawn"]])
        counts["rendered"] += len(rows)
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
        and stored.renderer == renderer
        and stored.drawn == item.drawn
        # It rises where the limit was raised; what is stored under a lower chance would count for too many.
        and stored.probability >= item.probability
    )


def _make_due(database: Database, team_day: TeamDay, waits_until: datetime) -> None:
    """Have a day's texts made again at a time: one of its traces went on. A day that was never made is due anyway."""
    made = database.rows(MADE, team_id=team_day.team_id, day=team_day.day)
    if made and (made[0]["waits_until"] is None or made[0]["waits_until"] > waits_until):
        _record_made(database, team_day, made[0]["events"], waits_until)


def _record_made(database: Database, team_day: TeamDay, events: int, waits_until: datetime | None) -> None:
    made = {"events": events, "waits_until": waits_until}
    if database.rows(MADE, team_id=team_day.team_id, day=team_day.day) != [made]:
        database.insert_rows("texts_made", [{"team_id": team_day.team_id, "day": team_day.day, **made}])
