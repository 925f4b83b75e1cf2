"""Hostile keys, values and patterns against the real ClickHouse: each answer is that of `reference.py`, and no team
sees another's."""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import re2
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.themes import Filter, FilterError, Theme, matching_items
from llma_assets.themes.filter import Operator
from llma_assets.themes.filter_checks import MOST_FILTERS, check_filter
from llma_assets.themes.filter_sql import compile_filters
from llma_assets_tests.fuzzing import example_count
from llma_assets_tests.themes.reference import as_number, meets

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
DAY = date(2026, 11, 5)
ANSWERS = "SELECT uuid, [__conditions__] AS answers FROM events FINAL WHERE team_id = {team_id:Int64}"

TEAMS = itertools.count(1, 2)

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
    "2026-00-10",
    "2026-11-00",
    "2026-11-05T10:60",
    "2026-11-05T10:00:60",
    "2026-11-05T10:00:00+25:00",
    "2024-02-29T23:59:59.123456789-2359",
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
    "'",
    "(?i)[Σς]+",
)
ODD_NUMBERS = (0, -0.0, 9, 10, 9.5, 0.1, 1e-7, 1e21, 1.5e300, 123456.789, -3, 2**53)

letters = st.text(st.characters(max_codepoint=0x24F) | st.sampled_from("αΣςжЖ語🦔\u2028"), max_size=12)
texts = st.sampled_from(HOSTILE) | st.sampled_from(NUMBERS) | st.sampled_from(DATES) | letters
keys = st.sampled_from([text for text in HOSTILE if text]) | letters.filter(bool)
numbers = (
    st.integers(-(2**53), 2**53)
    | st.integers(-9, 9)
    | st.decimals(-100, 100, places=2).map(float)
    | st.sampled_from(ODD_NUMBERS)
)
tame = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.sampled_from(["a", "b/c", "é"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)
values = texts | numbers | st.booleans() | st.none() | tame


def filters_over(key: str, seen: Sequence[Any]) -> st.SearchStrategy[Filter]:
    """Sound and unsound filters over a key; the values are in part those that events have, or parts of them."""
    scalars = [value for value in seen if isinstance(value, str | int | float)] or ["a"]
    known = st.sampled_from(scalars)
    any_value = known | texts | numbers | st.booleans()
    part = st.builds(
        lambda text, start, size: text[start : start + size], known.map(str), st.integers(0, 3), st.integers(1, 3)
    )
    like_number = known.filter(lambda value: as_number(str(value)) is not None) | numbers | st.sampled_from(NUMBERS)
    like_date = st.sampled_from(DATES) | known
    like_pattern = st.sampled_from(PATTERNS) | part.map(re2.escape) | part

    def of(operators: str, value: st.SearchStrategy[Any], *, single: bool = False) -> st.SearchStrategy[Filter]:
        lists = st.lists(value, min_size=1, max_size=3).map(tuple)
        return st.builds(Filter, st.just(key), st.sampled_from(operators.split()), value if single else value | lists)

    return st.one_of(
        of("exact is_not", any_value),
        st.builds(Filter, st.just(key), st.sampled_from(["in", "not_in"]), st.lists(any_value, max_size=3).map(tuple)),
        of("icontains not_icontains", part | part.map(str.swapcase) | texts),
        of("regex not_regex", like_pattern),
        of("gt gte lt lte", like_number, single=True),
        st.builds(Filter, st.just(key), st.just("between"), st.tuples(like_number, like_number)),
        of("date_exact date_before date_after", like_date, single=True),
        of("is_set is_not_set", st.none(), single=True),
    )


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[Filter]]:
    """Properties of some events, and filters over the same keys; each key has values of one kind, or of all."""
    kinds = st.sampled_from([texts, numbers | st.sampled_from(NUMBERS), st.sampled_from(DATES), values])
    names = {name: draw(kinds) for name in draw(st.lists(keys, min_size=1, max_size=3, unique=True))}
    events = draw(st.lists(st.fixed_dictionaries({}, optional=names), min_size=1, max_size=8))
    filters = []
    for key in draw(st.lists(st.sampled_from([*names, *names, "event", "distinct_id", "timestamp"]), max_size=12)):
        seen = [each[key] for each in events if key in each] + (["$ai_span"] if key == "event" else [])
        filters.append(draw(filters_over(key, seen)))
    return events, filters


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
            "distinct_id": HOSTILE[place % len(HOSTILE)],
            "timestamp": NOON + timedelta(minutes=place),
            "properties": json.dumps({"$ai_trace_id": f"trace-{place}", **properties}, ensure_ascii=bool(place % 3)),
        }
        for place, properties in enumerate(events)
    ]


def check(database: Database, rows: Sequence[dict[str, Any]], filters: Sequence[Filter]) -> None:
    """Every filter says of every event what the reference says, and all together match the traces that they should."""
    team_id = rows[0]["team_id"]
    for some in chunked(filters, MOST_FILTERS):
        compiled = compile_filters(some)
        statement = ANSWERS.replace("__conditions__", ", ".join(compiled.conditions))
        found = {
            row["uuid"]: row["answers"] for row in database.rows(statement, team_id=team_id, **compiled.parameters)
        }
        assert found.keys() == {row["uuid"] for row in rows}
        for row in rows:
            for each, told in zip(some, found[row["uuid"]], strict=True):
                assert told == meets(row, each), (each, row)


@settings(
    max_examples=example_count(60),
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(worlds())
def test_clickhouse_answers_as_the_reference_does(
    database: Database, world: tuple[list[dict[str, Any]], list[Filter]]
) -> None:
    events, drawn = world
    filters = [each for each in drawn if is_sound(each)]
    for each in filters:
        event(each.operator)
    team_id = next(TEAMS)
    teams = [rows_of(team_id, events), rows_of(team_id + 1, [*events[1:], {}])]
    for rows in teams:
        database.insert_rows("events", rows)
    for rows in teams:
        check(database, rows, filters)
        theme = Theme("fuzz", "trace", "?", theme_filters=tuple(filters[:2]))
        matched = matching_items(database, TeamDay(rows[0]["team_id"], DAY), theme, reach=timedelta(days=1))
        assert set(matched) == {
            f"trace-{place}" for place, row in enumerate(rows) if all(meets(row, each) for each in filters[:2])
        }


def test_every_odd_value_is_compared_with_every_other_by_every_operator(database: Database) -> None:
    odd: list[Any] = [*HOSTILE, *NUMBERS, *DATES, *ODD_NUMBERS, True, False, "True", None, [], {"a": [1, "b"]}]
    rows = rows_of(next(TEAMS), [{"v": value} for value in odd])
    database.insert_rows("events", rows)
    scalars = [value for value in odd if isinstance(value, str | int | float)]
    drawn = [
        *(Filter("v", operator, value) for operator in get_args(Operator) for value in (*scalars, *PATTERNS)),
        *(Filter("v", operator, (value, "b")) for operator in ("in", "not_in") for value in scalars),
        *(Filter("v", "between", (low, high)) for low in NUMBERS for high in ODD_NUMBERS),
        *(Filter("v", operator) for operator in ("is_set", "is_not_set")),
    ]
    filters = [each for each in drawn if is_sound(each)]
    assert {each.operator for each in filters} == set(get_args(Operator))
    check(database, rows, filters)


@settings(
    max_examples=example_count(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
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
