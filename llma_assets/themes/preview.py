"""What a theme would find and cost, before it runs: counts by filter, the sample, calls, tokens, money, examples.

The statements are in `preview_queries.py`. Nothing is stored, no text is made and no model is asked.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.themes.errors import did_you_mean
from llma_assets.themes.filter import NEGATIVE, Filter
from llma_assets.themes.filter_checks import COLUMNS
from llma_assets.themes.preview_queries import STORED_TEXTS, Hour, first_events, scan, seen_keys, seen_values
from llma_assets.themes.sampling import is_selected, rate_of, uses_hourly_sample
from llma_assets.themes.theme import Theme
from llma_assets.tokens import BYTES_PER_TOKEN

EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class Asking:
    """What one question takes, and who is asked.

    Attributes:
        model: as it will be asked for; of `offline/…` nothing costs anything.
        frame_tokens: the prompt without the text.
        answer_tokens: a usual answer.
        calls_per_item: above 1 where some answers have to be asked for twice.
        longest_text: a text is never longer, in characters.
        basis: what these stand on, for people.
    """

    model: str
    frame_tokens: int
    answer_tokens: float
    longest_text: int
    calls_per_item: float = 1.0
    basis: str = ""


@dataclass(frozen=True, slots=True)
class FilterCount:
    """One filter, and how many items match it alone.

    Attributes:
        hint: what might be meant where nothing matches, else "".
    """

    filter: Filter
    items: int
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """An item that matches.

    Attributes:
        item_id, trace_id: what it is, and the trace that it is or belongs to.
        first_at: time of its first event.
        name: of the trace or of its first step, "" if it has none.
        input: what its first event was given, JSON, "" if nothing.
        selected: it is in the sample; of a theme that takes from the sample of each hour this is not known here.
    """

    item_id: str
    trace_id: str
    first_at: datetime
    name: str
    input: str
    selected: bool | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a theme would find and cost.

    Attributes:
        items: all items of the theme's level that began in these days.
        filters: each filter with what it matches alone.
        matched: what all of them match.
        selected: of these, about how many are in the sample.
        lowest_rate: the smallest share that is selected of a day, or of an hour.
        calls, input_tokens, output_tokens: of the questions about them, at most: what is answered already, and what a
            rule or another theme leaves out, is not asked.
        cost_usd: None for a model without a price.
        batch_cost_usd: the same through the Batch API.
        basis: what the numbers stand on.
        examples: ten at most, drawn by a hash and so the same each time, in order of time.
        notes: what whoever reads the numbers should know.
    """

    theme: Theme
    team_id: int
    first_day: date
    last_day: date
    items: int
    filters: Sequence[FilterCount]
    matched: int
    selected: int
    lowest_rate: float
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    batch_cost_usd: float | None
    basis: str
    examples: Sequence[Example]
    notes: Sequence[str]


def preview_theme(
    database: Database,
    team_id: int,
    theme: Theme,
    first_day: date,
    last_day: date,
    *,
    asking: Asking,
    per_hour: int,
    reach: timedelta,
) -> Preview:
    """Count what a theme would find and cost for the items that begin in these days, both included.

    Args:
        per_hour: at most so many items are in the sample of an hour, from which the general themes and those without
            filters take.
        reach: how far before and after the days a trace's events are looked for.

    Raises:
        FilterError: a filter is not sound.
        DatabaseError: ClickHouse refused.
    """
    hours = scan(
        database,
        team_id,
        theme,
        first_day,
        last_day,
        reach=reach,
        most_bytes=asking.longest_text,
        examples=EXAMPLES,
    )
    rates = _rates(theme, hours, per_hour)
    items = sum(hour.items for hour in hours)
    matched = sum(hour.matched for hour in hours)
    selected = round(sum(hour.matched * rates[hour.hour] for hour in hours))
    counts = [sum(hour.each[place] for hour in hours) for place in range(len(theme.filters))]
    text_tokens, text_basis = _text_tokens(database, team_id, theme, first_day, last_day, hours, matched)
    is_free = asking.model.startswith("offline/")
    calls = 0 if is_free else round(selected * asking.calls_per_item)
    spoken = round(text_tokens) + asking.frame_tokens
    return Preview(
        theme=theme,
        team_id=team_id,
        first_day=first_day,
        last_day=last_day,
        items=items,
        filters=_filter_counts(database, team_id, theme, first_day, last_day, counts, has_items=items > 0),
        matched=matched,
        selected=selected,
        lowest_rate=min((rates[hour.hour] for hour in hours if hour.matched), default=1.0),
        model=asking.model,
        calls=calls,
        input_tokens=calls * spoken,
        output_tokens=round(calls * asking.answer_tokens),
        cost_usd=_cost(asking, calls, spoken, batch=False),
        batch_cost_usd=_cost(asking, calls, spoken, batch=True),
        basis="the offline model is free" if is_free else "; ".join(filter(None, (text_basis, asking.basis))),
        examples=_examples(database, team_id, theme, hours, rates),
        notes=_notes(theme, items, matched, counts),
    )


def _rates(theme: Theme, hours: Sequence[Hour], per_hour: int) -> dict[datetime, float]:
    """The share of what matches in an hour that is selected."""
    of_day: dict[date, int] = defaultdict(int)
    for hour in hours:
        of_day[hour.hour.date()] += hour.matched
    drawn = {hour.hour: min(1.0, per_hour / hour.items) if uses_hourly_sample(theme) else 1.0 for hour in hours}
    return {hour.hour: drawn[hour.hour] * rate_of(theme, of_day[hour.hour.date()]) for hour in hours}


def _text_tokens(
    database: Database,
    team_id: int,
    theme: Theme,
    first_day: date,
    last_day: date,
    hours: Sequence[Hour],
    matched: int,
) -> tuple[float, str]:
    """Tokens of a text, and where that is known from."""
    (stored,) = database.rows(STORED_TEXTS, team_id=team_id, first_day=first_day, last_day=last_day, level=theme.level)
    rule = f"{BYTES_PER_TOKEN:g} bytes a token"
    if stored["texts"]:
        return stored["bytes"] / stored["texts"] / BYTES_PER_TOKEN, f"mean of {stored['texts']:,} stored texts, {rule}"
    size = sum(hour.matched_bytes for hour in hours) / max(1, matched)
    return size / BYTES_PER_TOKEN, f"no texts are stored yet: the largest payload of each, {rule}, rather too much"


def _cost(asking: Asking, calls: int, spoken: int, *, batch: bool) -> float | None:
    from llma_assets.models import price_of  # and with it the clients of all models: whoever lists themes needs none

    if not calls:
        return 0.0
    price = price_of(asking.model)
    if price is None:
        return None
    answer = round(asking.answer_tokens / asking.calls_per_item)
    return calls * price.cost_usd(input_tokens=spoken, output_tokens=answer, batch=batch)


def _filter_counts(
    database: Database,
    team_id: int,
    theme: Theme,
    first_day: date,
    last_day: date,
    counts: Sequence[int],
    *,
    has_items: bool,
) -> list[FilterCount]:
    keys: dict[str, int] | None = None
    found = []
    for each, items in zip(theme.filters, counts, strict=True):
        hint = ""
        if not items and has_items:
            values = seen_values(database, team_id, each.key, first_day, last_day)
            if values:
                hint = f"values of {each.key} are such as {', '.join(map(repr, values))}"
            else:
                keys = seen_keys(database, team_id, first_day, last_day) if keys is None else keys
                hint = f"no event has {each.key!r}{did_you_mean(each.key, (*keys, *COLUMNS))}"
        found.append(FilterCount(each, items, hint))
    return found


def _examples(
    database: Database, team_id: int, theme: Theme, hours: Sequence[Hour], rates: dict[datetime, float]
) -> list[Example]:
    drawn = sorted((each, hour.hour) for hour in hours for each in hour.examples)[:EXAMPLES]
    if not drawn:
        return []
    told = first_events(database, team_id, theme.level, [(item_id, at) for (_, item_id, at), _ in drawn])
    examples = []
    for (_, item_id, first_at), hour in sorted(drawn, key=lambda each: (each[0][2], each[0][1])):
        first = told.get(item_id, {})
        trace_id = first.get("trace_id") or item_id
        selected = None if uses_hourly_sample(theme) else is_selected(theme, trace_id, rates[hour])
        examples.append(Example(item_id, trace_id, first_at, first.get("name", ""), first.get("input", ""), selected))
    return examples


def _notes(theme: Theme, items: int, matched: int, counts: Sequence[int]) -> list[str]:
    notes = []
    if items and not matched and len(counts) > 1 and all(counts):
        notes.append("Each filter matches something, but no single event meets all of them.")
    if any(each.operator in NEGATIVE for each in theme.filters) and theme.level == "trace":
        notes.append(
            "A negative operator is met by any event that is not so, also by one without the property; beside "
            "`event exact $ai_trace` it is asked of that event alone."
        )
    if uses_hourly_sample(theme):
        notes.append("It takes what matches of the fair sample of each hour, which all general themes share.")
    if theme.after:
        notes.append(f"It looks only at what {theme.after} finds relevant, so at fewer than these.")
    if theme.screen:
        notes.append(f"Its rule ({theme.rule}) leaves out some before the model is asked: calls are at most these.")
    return notes
