"""Filters that are refused, with the field and what would be right; and what each operator means, by example."""

import json
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.themes import Filter
from llma_assets.themes.filter import FilterValue, Operator
from llma_assets.themes.filter_checks import (
    LARGEST_NUMBER,
    MOST_FILTERS,
    MOST_KEY_BYTES,
    MOST_KEY_CHARS,
    MOST_VALUE_BYTES,
    MOST_VALUE_CHARS,
    MOST_VALUES,
    FilterError,
    check_filter,
    check_filters,
    pattern_problem,
)
from llma_assets.themes.filter_sql import compile_filters

EVENT: dict[str, Any] = {
    "name": "Support Agent",
    "number": 10,
    "number_text": "10",
    "decimal": 9.5,
    "yes": True,
    "yes_text": "True",
    "empty": "",
    "zero": 0,
    "null": None,
    "tags": ["a", "b c"],
    "day": "2026-11-05",
    "moment": "2026-11-05T23:30:00-01:00",
    "unix": 1767225600,
    "milliseconds": 1767225600123,
    "german": "STRASSE Äpfel",
    "lines": "first\nsecond",
    "meta": {"plan": "pro", "deep": {"er": 5}},
    "dotted.key": "literal",
    "dotted": {"key": "nested"},
}
MEANINGS: list[tuple[str, Operator, FilterValue, bool]] = [
    ("name", "exact", "Support Agent", True),
    ("name", "exact", "support agent", False),
    ("name", "exact", ("other", "Support Agent"), True),
    ("name", "is_not", "Support Agent", False),
    ("name", "is_not", ("other", "another"), True),
    ("name", "in", ("Support Agent",), True),
    ("name", "not_in", ("Support Agent", "x"), False),
    ("name", "icontains", "PORT A", True),
    ("name", "icontains", "%", False),
    ("name", "icontains", ("nope", "agent"), True),
    ("name", "not_icontains", "agent", False),
    ("name", "not_icontains", ("nope", "agent"), False),
    ("name", "regex", "^Sup.*t$", True),
    ("name", "regex", "^sup", False),
    ("name", "regex", "(?i)^sup", True),
    ("name", "not_regex", ("^Sup", "x"), False),
    ("name", "gt", 5, False),
    ("german", "icontains", "äPFEL", True),
    ("german", "icontains", "straße", False),
    ("lines", "regex", "first.second", True),
    ("lines", "regex", "(?-s)first.second", False),
    ("number", "exact", "10", True),
    ("number", "exact", 10.0, True),
    ("number_text", "exact", 10, True),
    ("number_text", "gt", 9, True),
    ("number_text", "gt", "9", True),
    ("number", "gt", 10, False),
    ("number", "gte", 10, True),
    ("number_text", "lt", 10, False),
    ("number_text", "lte", 10, True),
    ("decimal", "lt", "10", True),
    ("decimal", "between", (9.5, 10), True),
    ("number_text", "between", ("1", 9), False),
    ("number", "icontains", 1, True),
    ("yes", "exact", True, True),
    ("yes", "exact", "true", True),
    ("yes_text", "exact", True, True),
    ("yes_text", "exact", "true", False),
    ("yes", "exact", False, False),
    ("yes", "exact", 1, False),
    ("empty", "is_set", None, True),
    ("zero", "is_set", None, True),
    ("null", "is_set", None, False),
    ("null", "is_not_set", None, True),
    ("missing", "is_set", None, False),
    ("missing", "is_not_set", None, True),
    ("missing", "exact", "", False),
    ("missing", "is_not", "x", True),
    ("missing", "not_icontains", "x", True),
    ("missing", "not_regex", "x", True),
    ("missing", "not_in", ("x",), True),
    ("missing", "lt", 5, False),
    ("missing", "date_before", "2030-01-01", False),
    ("tags", "icontains", '"b c"', True),
    ("tags", "exact", '["a","b c"]', True),
    ("day", "date_exact", "2026-11-05", True),
    ("day", "date_before", "2026-11-05", False),
    ("day", "date_after", "2026-11-05", False),
    ("day", "date_after", "2026-11-04", True),
    ("moment", "date_exact", "2026-11-06", True),
    ("moment", "date_after", "2026-11-05", True),
    ("moment", "date_before", "2026-11-06T00:30:01Z", True),
    ("moment", "date_exact", "2026-11-06T01:30+01:00", True),
    ("unix", "date_exact", "2026-01-01", True),
    ("milliseconds", "date_exact", "2026-01-01T00:00:00", True),
    ("name", "date_exact", "2026-01-01", False),
    ("meta.plan", "exact", "pro", True),
    ("meta.deep.er", "gt", 4, True),
    ("meta.deep", "exact", '{"er":5}', True),
    ("meta.none.er", "is_set", None, False),
    ("dotted.key", "exact", "literal", True),
    ("dotted.key", "exact", "nested", False),
    ("event", "exact", "$ai_generation", True),
    ("distinct_id", "icontains", "@EXAMPLE.org", True),
    ("timestamp", "date_exact", "2026-11-05", True),
    ("timestamp", "date_after", "2026-11-05T12:00", False),
]


ONE_EVENT = """
SELECT [__conditions__] AS answers
FROM
(
    SELECT
        '$ai_generation' AS event,
        'anna@example.org' AS distinct_id,
        toDateTime64('2026-11-05 12:00:00', 6, 'UTC') AS timestamp,
        {properties:String} AS properties
)
"""


@pytest.fixture(scope="module")
def answers(default_database: Database) -> list[bool]:
    """What ClickHouse says of the one event to each of MEANINGS, asked together."""
    compiled = compile_filters([Filter(key, operator, value) for key, operator, value, _ in MEANINGS])
    statement = ONE_EVENT.replace("__conditions__", ", ".join(compiled.conditions))
    properties = json.dumps({"$ai_trace_id": "one", **EVENT})
    return [bool(each) for each in default_database.value(statement, properties=properties, **compiled.parameters)]


@pytest.mark.parametrize("place", range(len(MEANINGS)), ids=[" ".join(map(str, each[:3])) for each in MEANINGS])
def test_an_event_meets_a_filter_as_its_operator_says(answers: list[bool], place: int) -> None:
    assert answers[place] is MEANINGS[place][3]


REFUSED: list[tuple[Filter, str, str]] = [
    (Filter("", "exact", "x"), "key", "name of an event property"),
    (Filter("x" * (MOST_KEY_CHARS + 1), "is_set"), "key", "has 401 characters; at most 400"),
    (Filter(".".join("abcdefghi"), "is_set"), "key", "at most 8 names"),
    (Filter("\ud83e", "is_set"), "key", "character 1 is half of a surrogate pair"),
    (Filter("a", "equals", "x"), "operator", "'equals' is not one of exact, is_not"),  # type: ignore[arg-type]
    (Filter("timestamp", "exact", "x"), "operator", "date_exact, date_before, date_after"),
    (Filter("a", "is_set", "yes"), "value", "takes none; leave it out"),
    (Filter("a", "is_not_set", ()), "value", "takes none; leave it out"),
    (Filter("a", "exact"), "value", "there is is_not_set"),
    (Filter("a", "in", "x"), "value", "in takes a list; for a single value there is exact"),
    (Filter("a", "in", ()), "value", "1 to 200 values; this has 0"),
    (Filter("a", "in", ("x",) * (MOST_VALUES + 1)), "value", "this has 201"),
    (Filter("a", "gt", (1, 2)), "value", "gt takes a single value"),
    (Filter("a", "date_after", ("2026-01-01",)), "value", "takes a single value"),
    (Filter("a", "gt", "many"), "value", "gt needs a number, not 'many'"),
    (Filter("a", "gt", True), "value", "gt needs a number, not True"),
    (Filter("a", "lt", "2026-01-01"), "value", "for dates there are date_before and date_after"),
    (Filter("a", "gt", "1e999"), "value", "too large for a number"),
    (Filter("a", "exact", float("nan")), "value", "must be a finite number, not nan"),
    (Filter("a", "between", (0, float("inf"))), "value[1]", "must be a finite number, not inf"),
    (Filter("a", "exact", LARGEST_NUMBER + 1), "value", "put it in quotes"),
    (Filter("a", "between", 5), "value", "between takes two numbers"),
    (Filter("a", "between", (1, 2, 3)), "value", "between takes two numbers"),
    (Filter("a", "between", (3, 1.5)), "value", "the smaller one: [1.5, 3]"),
    (Filter("a", "between", (1, "x")), "value[1]", "between needs a number, not 'x'"),
    (Filter("a", "icontains", ""), "value", "use is_set"),
    (Filter("a", "icontains", 1e21), "value", "put the one that is meant in quotes"),
    (Filter("a", "not_icontains", ("x", "")), "value[1]", "at least one character"),
    (Filter("a", "exact", "x" * (MOST_VALUE_CHARS + 1)), "value", "has 1,001 characters; at most 1,000"),
    (Filter("a", "in", ("x" * 1_000,) * 17), "value", f"has 17,000 bytes; at most {MOST_VALUE_BYTES:,}"),
    (Filter("a", "exact", "a\0b"), "value", "holds the character U+0000"),
    (Filter("a", "exact", ("ok", "\udfff")), "value[1]", "character 1 is half of a surrogate pair"),
    (Filter("a", "exact", ("ok", None)), "value[1]", "not NoneType"),  # type: ignore[arg-type]
    (Filter("a", "exact", {"b": 1}), "value", "not dict"),  # type: ignore[arg-type]
    (Filter("a", "date_exact", "5.1.2026"), "value", "a day like 2026-01-31"),
    (Filter("a", "date_exact", 20260105), "value", "a day like 2026-01-31"),
    (Filter("a", "date_exact", "2026-02-30"), "value", "is not a date: day"),
    (Filter("a", "date_before", "1969-12-31"), "value", "years from 1970 to 2199"),
    (Filter("a", "date_before", "0001-01-01T00:00+14:00"), "value", "is not a date"),
    (Filter("a", "regex", ""), "value", "a text that is not empty"),
    (Filter("a", "regex", 5), "value", "a pattern in RE2's syntax"),
    (Filter("a", "regex", "a(b"), "value", "character 2, at '(b': missing )"),
    (Filter("a", "not_regex", ("ok", "x*y|*z")), "value[1]", "character 5, at '*': no argument for repetition"),
]


@pytest.mark.parametrize(("wrong", "field", "problem"), REFUSED, ids=[f"{n}" for n in range(len(REFUSED))])
def test_an_unsound_filter_is_refused_with_its_field_and_what_would_be_right(
    wrong: Filter, field: str, problem: str
) -> None:
    with pytest.raises(FilterError) as refused:
        check_filter(wrong)
    assert refused.value.field == field
    assert problem in refused.value.problem


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("refund|(cancel", 8),
        ("a(b(c)", 2),
        ("((a)", 1),
        (r"\((a", 3),
        ("[(]x(", 5),
        (r"\Q(\E(", 6),
        ("a)b", 2),
        ("a(b)c)", 6),
        ("ok[a-", 3),
        ("a*b|*c", 5),
        ("a**", 2),
        ("ab{3,1}", 3),
        ("x{1001}", 2),
        ("né(?=a)", 3),
        ("[z-a]", 2),
        (r"a\8", 2),
        ("ab\\", 3),
        (r"\pX", 1),
        ("🦔(", 2),
    ],
)
def test_a_bad_pattern_is_refused_with_the_place_of_the_mistake(pattern: str, place: int) -> None:
    assert (pattern_problem(pattern) or "").startswith(f"character {place}, at ")


def test_a_pattern_that_would_take_too_much_memory_is_refused() -> None:
    assert "too large" in (pattern_problem("((a{99}b{99}){9}|[^x]{500})" * 30) or "")


@pytest.mark.parametrize(
    "pattern", ["a|b", "(?i)refund", r"\bNo\b", r"\p{Greek}+", "[[:alpha:]]+", "(?P<n>x)", "a{2,3}?"]
)
def test_a_good_pattern_is_accepted(pattern: str) -> None:
    assert pattern_problem(pattern) is None


def test_a_problem_among_several_filters_has_its_place() -> None:
    with pytest.raises(FilterError) as refused:
        check_filters([Filter("a", "is_set"), Filter("a", "gt", "x")])
    assert refused.value.field == "[1].value"


def test_too_many_filters_are_refused() -> None:
    with pytest.raises(FilterError, match=f"at most {MOST_FILTERS}"):
        check_filters([Filter("a", "is_set")] * (MOST_FILTERS + 1))


def test_keys_that_are_too_long_together_are_refused() -> None:
    with pytest.raises(FilterError, match=f"at most {MOST_KEY_BYTES:,}"):
        check_filters([Filter(f"{n:03}" + "🦔" * 390, "is_set") for n in range(20)])


def test_the_largest_filters_that_are_accepted_can_be_asked(default_database: Database) -> None:
    backslashes = tuple("\\" * 79 + str(100 + n) for n in range(MOST_VALUES - 5))
    filters = [
        *(Filter(f"{n}" + "`" * 190, "in", backslashes) for n in range(MOST_FILTERS - 1)),
        Filter("\\" * MOST_KEY_CHARS, "exact", backslashes[7]),
    ]
    compiled = compile_filters(filters)
    statement = ONE_EVENT.replace("__conditions__", ", ".join(compiled.conditions))
    properties = json.dumps({"\\" * MOST_KEY_CHARS: backslashes[7]})
    answers = default_database.value(statement, properties=properties, **compiled.parameters)
    assert list(answers) == [0] * (MOST_FILTERS - 1) + [1]


def test_nothing_that_a_user_wrote_is_in_the_sql() -> None:
    key, value = "secret'key", "secret'value"
    operators: list[Operator] = ["exact", "icontains", "regex", "not_in"]
    filters = [Filter(key, each, (value,)) for each in operators] + [Filter(f"{key}.b", "is_set")]
    compiled = compile_filters(filters)
    assert "secret" not in " ".join([*compiled.conditions, compiled.trace_id])


def test_two_sets_of_filters_in_one_statement_do_not_share_parameters() -> None:
    first, second = (compile_filters([Filter("a", "gt", 1)], prefix) for prefix in ("base", "own"))
    assert not first.parameters.keys() & second.parameters.keys()


def test_no_filters_compile_to_no_conditions() -> None:
    assert compile_filters([]).conditions == ()
