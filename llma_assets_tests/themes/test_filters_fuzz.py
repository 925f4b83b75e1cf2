"""Hostile keys, values and patterns against the real ClickHouse: each answer is that of `reference.py`, and no team
sees another's."""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, event, example, given, settings
from hypothesis import strategies as st

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.themes.filters import FilterError, check_filter, compile_filters
from llma_assets.themes.matching import matching_items
from llma_assets.themes.theme import Filter, FilterValue, Theme
from llma_assets_tests.themes.reference import meets

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
DAY = date(2026, 11, 5)
ANSWERS = "SELECT uuid, [__conditions__] AS answers FROM events FINAL WHERE team_id = {team_id:Int64}"

HOSTILE = (
    "",
    " ",
    "'",
    '"',
    "`",
    "\\",
    "\\'",
    "\\0",
    "a\0b",
    "\n",
    "\t",
    "\r\n",
    "\x01\x1f\x7f",
    "'; DROP TABLE events; --",
    "') OR 1=1 --",
    "`) Nullable(String), `x",
    "String), x Tuple(y",
    "{f0_texts:Array(String)}",
    "{x:String}",
    "{events_table:Identifier}",
    "%s %(x)s %",
    "$1 ${x} :x ?",
    "\\N",
    "NULL",
    "null",
    "[]",
    "{}",
    "a.b",
    "a..b",
    ".",
    "1",
    "-",
    "ÄÖÜ straße İstanbul",
    "ΟΔΟΣ",
    "ж" * 3,
    "日本語",
    "🦔🏽",
    "e\u0301",
    "\u2028\u202e\ufeff",
    "\u212a",
    "x" * 400,
    "é" * 400,
    "__all__",
    "__trace_id__",
)
NUMBERS = (
    "10",
    " 9.5 ",
    "9",
    "+3",
    "-0",
    "007",
    "5.",
    ".5",
    "1e3",
    "1E-3",
    "1e999",
    "nan",
    "inf",
    "0x10",
    "1_000",
    "٣",
    "\t1",
)
DATES = (
    "2026-11-05",
    "2026-11-05T12:00:00Z",
    "2026-11-05 12:00",
    "2026-11-05T23:30:00-01:00",
    "2026-11-06T01:30:00.250+0130",
    "2026-02-31",
    "2026-13-01",
    "2026-11-05T25:00:00",
    "1967-01-01",
    "1793880000",
    "1793880000.25",
    "1793880000123",
    "179388000012",
)
PATTERNS = (
    "^a",
    "b$",
    "(?i)STRA.E",
    r"\d+",
    "a.b",
    "(?-s)a.b",
    r"[^\x00-\x7f]",
    "^$",
    r"\pL{3}",
    "(a|b)*c",
    r"\\",
    "(",
    "a**",
    "(?=a)",
)
OPERATORS = (
    *("exact", "is_not", "icontains", "not_icontains", "regex", "not_regex", "in", "not_in"),
    *("gt", "gte", "lt", "lte", "between", "is_set", "is_not_set", "date_exact", "date_before", "date_after"),
)

letters = st.text(st.characters(max_codepoint=0x24F) | st.sampled_from("αΣςжЖ語🦔\u2028"), max_size=12)
texts = st.sampled_from(HOSTILE) | st.sampled_from(NUMBERS) | st.sampled_from(DATES) | letters
keys = st.sampled_from([text for text in HOSTILE if text]) | letters.filter(bool)
numbers = (
    st.integers(-(2**53), 2**53)
    | st.integers(-20, 20)
    | st.decimals(-1000, 1000, places=3).map(float)
    | st.sampled_from([0.1, -0.0, 1e21, 1e-7, 1.5e300, 123456.789])
)
tame = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.sampled_from(["a", "b/c", "é"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)
values = texts | numbers | st.booleans() | st.none() | tame


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[Filter]]:
    """Properties of some events, and filters over the same keys and values."""
    names = draw(st.lists(keys, min_size=1, max_size=4, unique=True))
    events = draw(st.lists(st.dictionaries(st.sampled_from([*names, "a"]), values, max_size=4), min_size=1, max_size=6))
    seen = [value for each in events for value in each.values() if isinstance(value, str | int | float)] or ["a"]
    wanted = st.sampled_from(seen) | texts | numbers | st.booleans() | st.sampled_from(PATTERNS)
    operators = st.sampled_from(OPERATORS)
    key = st.sampled_from([*names, *names, "event", "distinct_id", "timestamp"])
    filters = draw(st.lists(st.builds(_filter, key, operators, wanted, wanted, st.booleans()), min_size=1, max_size=6))
    return events, filters


def _filter(key: str, operator: str, first: Any, second: Any, is_list: bool) -> Filter:
    value: FilterValue = first
    if operator in ("is_set", "is_not_set"):
        value = None
    elif operator == "between":
        value = tuple(sorted((first, second), key=lambda each: (isinstance(each, str), str(each))))
    elif is_list or operator in ("in", "not_in"):
        value = (first, second)
    return Filter(key, operator, value)  # type: ignore[arg-type]


def is_sound(each: Filter) -> bool:
    """Whether a filter may be asked; what may not is refused by no other error."""
    try:
        check_filter(each)
    except FilterError:
        return False
    return True


def rows_of(team_id: int, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each event is a trace of its own; ids are those of every other team."""
    return [
        {
            "uuid": UUID(int=place + 1),
            "event": "$ai_span" if place % 2 else "$ai_generation",
            "team_id": team_id,
            "distinct_id": HOSTILE[place],
            "timestamp": NOON + timedelta(hours=place),
            "properties": json.dumps({"$ai_trace_id": f"trace-{place}", **properties}, ensure_ascii=bool(place % 3)),
        }
        for place, properties in enumerate(events)
    ]


TEAMS = itertools.count(1, 2)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(worlds())
@example(([{name: value} for name, value in zip(HOSTILE[1:], HOSTILE, strict=False)], [Filter("a", "is_set")]))
def test_clickhouse_answers_as_the_reference_does(
    database: Database, world: tuple[list[dict[str, Any]], list[Filter]]
) -> None:
    events, drawn = world
    filters = [each for each in drawn if is_sound(each)]
    for each in filters:
        event(each.operator)
    team_id = next(TEAMS)
    rows = {team_id: rows_of(team_id, events), team_id + 1: rows_of(team_id + 1, [*events[1:], {}])}
    for of_team in rows.values():
        database.insert_rows("events", of_team)
    compiled = compile_filters(filters)
    answers = ANSWERS.replace("__conditions__", ", ".join(compiled.conditions) or "0")
    for team, of_team in rows.items():
        expected = {row["uuid"]: [int(meets(row, each)) for each in filters] for row in of_team}
        found = {row["uuid"]: row["answers"] for row in database.rows(answers, team_id=team, **compiled.parameters)}
        for row in of_team:
            wrong = [
                each
                for each, told, right in zip(filters, found[row["uuid"]], expected[row["uuid"]], strict=False)
                if told != right
            ]
            assert not wrong, (wrong, row)
        theme = Theme("fuzz", "trace", "?", theme_filters=tuple(filters))
        matched = matching_items(database, TeamDay(team, DAY), theme, reach=timedelta(days=1))
        assert set(matched) == {f"trace-{place}" for place, row in enumerate(of_team) if all(expected[row["uuid"]])}


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.text(min_size=1, max_size=60), value=st.text(max_size=200))
def test_any_text_is_found_again_under_any_key(database: Database, key: str, value: str) -> None:
    team_id = next(TEAMS)
    if key == "$ai_trace_id" or not is_sound(Filter(key, "exact", value)):
        return
    if key in ("event", "distinct_id"):
        return
    database.insert_rows("events", rows_of(team_id, [{key: value}, {key: value + "x"}, {}]))
    theme = Theme("fuzz", "trace", "?", theme_filters=(Filter(key, "exact", value),))
    assert set(matching_items(database, TeamDay(team_id, DAY), theme, reach=timedelta(0))) == {"trace-0"}
