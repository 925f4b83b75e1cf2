"""Files of themes: what is read, what is refused and how it is said, and that what is written is read again."""

from contextlib import suppress
from dataclasses import fields
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from llma_assets.themes import (
    GENERAL_IDS,
    MAX_BYTES,
    SHIPPED,
    DateRange,
    Document,
    Filter,
    FilterError,
    InvalidThemesError,
    Theme,
    ThemeClustering,
    document_of,
    examples,
    read_document,
    settings_of,
    write_document,
)
from llma_assets.themes.filter_checks import check_filter
from llma_assets.themes.validation import theme_from
from llma_assets.themes.yaml_text import read_yaml, write_yaml
from llma_assets_tests.fuzzing import example_count

OWN = {"prompt": "Look."}


def problems(settings: dict[str, Any], theme_id: str = "mine") -> list[str]:
    return [str(each) for each in theme_from(theme_id, settings, "themes[0]")[1]]


def refused(text: str | bytes) -> str:
    with pytest.raises(InvalidThemesError) as caught:
        read_document(text)
    return str(caught.value)


def test_a_file_gives_base_filters_and_themes() -> None:
    document = read_document("base_filters: [{key: env, value: prod}]\nthemes:\n- theme_id: mine\n  prompt: Look.\n")
    assert document == Document(({"theme_id": "mine", "prompt": "Look."},), [{"key": "env", "value": "prod"}])


def test_a_file_that_says_nothing_of_base_filters_differs_from_one_that_takes_them_out() -> None:
    assert read_document("themes: []").base_filters is None
    assert read_document("base_filters:\nthemes: []").base_filters == []
    assert read_document("base_filters: []").base_filters == []


@pytest.mark.parametrize("text", ["no", "on", "12:30", "2026-11-07", "0x1F", "1_000", "010", "=", ".inf", "1e3"])
def test_what_old_yaml_takes_for_something_else_is_text(text: str) -> None:
    assert read_yaml(f"value: {text}") == {"value": text}
    assert read_yaml(write_yaml({"value": text})) == {"value": text}


@pytest.mark.parametrize(("text", "value"), [("true", True), ("-7", -7), ("0.25", 0.25), ("null", None), ("~", None)])
def test_truth_values_and_decimal_numbers_are_read_as_such(text: str, value: object) -> None:
    assert read_yaml(f"value: {text}") == {"value": value}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty; begin with `themes:`"),
        ("- theme_id: mine", "the file must be a mapping that begins with `themes:`"),
        ("theme: []", "theme: there is no such field; did you mean 'themes'?"),
        ("theme_id: mine", "theme_id: there is no such field"),
        ("themes: {mine: {}}", "themes: must be a list; begin each theme with `- theme_id:`"),
        ("themes: false", "themes: must be a list; begin each theme with `- theme_id:`"),
        ("themes:\n- theme_id: a\n  theme_id: b\n", "line 3, column 3: 'theme_id' is given twice; keep one"),
        ("themes: [\n", "line 2, column 1: "),
        ("themes:\n- &a {theme_id: a}\n- *a\n", "line 3, column 3: aliases (*name) are not allowed here"),
        ("themes: " + "[" * 5_000, "nested more than 12 deep"),
        ("themes: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("themes: !!timestamp 2026-99-99", "a value cannot be read"),
        ("themes: " + "9" * 5_000, "a value cannot be read"),
        ("themes: [" + "a" * MAX_BYTES + "]", "more than 256 KiB of YAML"),
        (b"themes: [\xff]", "this is not UTF-8 text"),
        ("themes: ['\x1b']", "special characters are not allowed"),
        ("themes:\n" + "- theme_id: a\n" * 101, "themes: has 101 themes; at most 100 are allowed"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_reason(text: str | bytes, said: str) -> None:
    assert said in refused(text)


def test_a_bomb_of_nested_aliases_is_refused_at_its_first_alias() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    assert "line 2, column 8: aliases" in refused(bomb)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"promt": "x"}, "themes[0].promt: there is no such field; did you mean 'prompt'?"),
        ({"theme_filters": []}, "themes[0].theme_filters: there is no such field; it is called 'filters'"),
        ({"budget": 1}, "themes[0].budget: there is no such field; it is called 'daily_budget_usd'"),
        (
            {"schedule": "dayly"},
            "themes[0].schedule: 'dayly' is not one of manual, every_10_minutes, hourly, daily, weekly",
        ),
        ({"level": "traces"}, "themes[0].level: 'traces' is not one of trace, generation; did you mean 'trace'?"),
        ({"enabled": "yes"}, "themes[0].enabled: must be true or false, not 'yes'"),
        ({"enabled": 1}, "themes[0].enabled: must be true or false, not 1"),
        ({"sample_rate": 0}, "themes[0].sample_rate: must be greater than 0, not 0"),
        ({"sample_rate": 10}, "themes[0].sample_rate: must be at most 1, not 10"),
        ({"sample_rate": True}, "themes[0].sample_rate: must be a number, not True"),
        ({"daily_budget_usd": float("nan")}, "themes[0].daily_budget_usd: must be a finite number, not nan"),
        ({"name": 7}, "themes[0].name: must be a text, not 7; put it into quotes"),
        ({"name": "a\nb"}, "themes[0].name: goes over several lines; write it on one"),
        ({"prompt": "a\0b"}, "themes[0].prompt: holds the character U+0000, which no text may hold"),
        ({"prompt": "\ud800"}, "themes[0].prompt: "),
        ({"prompt": "x" * 4_001}, "themes[0].prompt: has 4,001 characters; at most 4,000 are allowed"),
        ({"prompt": " "}, "themes[0].prompt: is missing; say what the summary should look at"),
        ({"date_range": {"from": "7.11.2026"}}, "themes[0].date_range.from: '7.11.2026' is not a day; write it like"),
        ({"date_range": {"from": "2026-11-07", "to": "2026-11-01"}}, "themes[0].date_range: goes from 2026-11-07 to"),
        ({"date_range": {"until": "2026-11-07"}}, "themes[0].date_range.until: there is no such field"),
        (
            {"clustering": {"methd": "graph"}},
            "themes[0].clustering.methd: there is no such field; did you mean 'method'",
        ),
        ({"clustering": {"min_k": 9}}, "themes[0].clustering.max_k: 6 is less than min_k, which is 9"),
        ({"clustering": "graph"}, "themes[0].clustering: must be a mapping of fields, not 'graph'"),
        ({"rule": "keywords"}, "themes[0].keywords: the rule `keywords` needs words to look for"),
        ({"keywords": ["a"]}, "themes[0].keywords: words are only looked for with `rule: keywords`"),
        ({"screen": True}, "themes[0].screen: there is no rule to screen by"),
        ({"filters": {"key": "a"}}, "themes[0].filters: must be a list, not {'key': 'a'}"),
        ({"filters": [{"key": "a", "operator": "has"}]}, "themes[0].filters[0].operator: 'has' is not one of exact,"),
        ({"filters": [{"key": "a", "value": {}}]}, "themes[0].filters[0].value: must be a text, a number, true or"),
        ({"filters": [{"key": "a", "value": [1, [2]]}]}, "themes[0].filters[0].value[1]: must be a text, a number,"),
        ({"daily_budget_usd": 1e7}, "themes[0].daily_budget_usd: must be at most 1,000,000, not 10000000.0"),
        ({"clustering": {"max_samples": 7}}, "themes[0].clustering.max_samples: must be at least 20, not 7"),
        ({"sample_seed": 2**31}, "themes[0].sample_seed: must be less than 2,147,483,648, not 2147483648"),
        ({"keywords": [" "]}, "themes[0].keywords[0]: is empty; write something, or leave it out"),
        ({"filters": [{"operator": "is_set"}]}, "themes[0].filters[0].key: is missing"),
        ({"filters": [{"key": "a", "operator": "regex", "value": "(("}]}, "themes[0].filters[0].value: character 2"),
        ({"base_filters": [{"key": "a"}]}, "themes[0].base_filters[0].value: "),
        ({1: 2}, "themes[0]"),
    ],
)
def test_a_problem_names_its_field_and_what_would_be_right(given: dict[str, Any], said: str) -> None:
    found = problems(OWN | given)
    assert len(found) == 1
    assert found[0].startswith(said)


def test_all_problems_of_a_theme_are_named_at_once() -> None:
    filters = [
        {"key": "a", "operator": "like"},
        {"ky": "b"},
        {"key": "c", "operator": "gt", "value": "much"},
        {"key": "", "value": 1},
    ]
    given = {"mode": "long", "sample_rate": 7, "filters": filters, "shedule": 1}
    named = [each.split(": ")[0] for each in problems(OWN | given)]
    assert sorted(named) == sorted(
        [
            "themes[0].mode",
            "themes[0].sample_rate",
            "themes[0].filters[0].operator",
            "themes[0].filters[1].key",
            "themes[0].filters[1].ky",
            "themes[0].filters[2].value",
            "themes[0].filters[3].key",
            "themes[0].shedule",
        ]
    )


def test_the_level_of_a_shipped_theme_stays() -> None:
    assert problems({"level": "generation"}, "ux_issues")[0].startswith("themes[0].level: ux_issues is about traces")
    assert problems({"level": "trace"}, "ux_issues") == []


@pytest.mark.parametrize("theme_id", sorted(GENERAL_IDS))
def test_a_general_theme_has_no_schedule_of_its_own(theme_id: str) -> None:
    assert problems({"schedule": "hourly"}, theme_id)[0].startswith("themes[0].schedule: the general themes are run by")


def test_an_own_theme_named_almost_like_a_shipped_one_is_asked_about() -> None:
    assert problems({"enabled": True}, "error_analisys")[0].endswith("did you mean 'error_analysis'?")


def test_days_are_read_from_text() -> None:
    theme, found = theme_from("mine", OWN | {"date_range": {"from": "2026-11-01", "to": "2026-11-07"}})
    assert (found, theme.first_day, theme.last_day) == ([], date(2026, 11, 1), date(2026, 11, 7))


def test_a_prompt_does_not_depend_on_the_line_end_of_a_block() -> None:
    block = read_yaml("prompt: |\n  Look.\n")
    assert theme_from("mine", block)[0].version == theme_from("mine", OWN)[0].version


def test_every_field_of_a_theme_can_be_written_in_a_file() -> None:
    wanted = {"filters" if each.name == "theme_filters" else each.name for each in fields(Theme)} - {"theme_id"}
    assert set(settings_of(SHIPPED["traces"])) == wanted
    assert set(settings_of(SHIPPED["traces"])["clustering"]) == {each.name for each in fields(ThemeClustering)}


@pytest.mark.parametrize("name", examples())
def test_an_example_is_valid_as_it_ships(name: str) -> None:
    (entry,) = read_document(examples()[name]).themes
    theme_id = entry.pop("theme_id")
    theme, found = theme_from(theme_id, entry)
    assert (theme_id, found) == (name, [])
    assert theme.enabled


def test_the_example_of_unhappy_users_is_for_one_agent() -> None:
    (entry,) = read_document(examples()["unhappy_users"]).themes
    assert entry["filters"] == [{"key": "$ai_span_name", "operator": "exact", "value": "airline_support"}]


@pytest.mark.parametrize("theme_id", SHIPPED)
def test_a_shipped_theme_obeys_the_rules_for_own_ones(theme_id: str) -> None:
    theme, found = theme_from(theme_id, settings_of(SHIPPED[theme_id]))
    assert (theme, found) == (SHIPPED[theme_id], [])


texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=80).map(str.strip)
lines = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=40).map(str.strip)
scalars = st.one_of(
    lines, st.booleans(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False)
)


@st.composite
def filters(draw: st.DrawFn) -> Filter:
    operator = draw(st.sampled_from(["exact", "icontains", "gt", "in", "is_set", "between", "date_after", "not_in"]))
    key = draw(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20))
    values = {
        "is_set": st.none(),
        "gt": st.floats(-1e9, 1e9),
        "between": st.tuples(st.integers(-5, 5), st.integers(6, 9)),
        "in": st.lists(scalars, min_size=1, max_size=3).map(tuple),
        "not_in": st.lists(scalars, min_size=1, max_size=3).map(tuple),
        "date_after": st.dates(date(2000, 1, 1), date(2100, 1, 1)).map(str),
    }
    found = Filter(key, operator, draw(values.get(operator, scalars)))
    try:
        check_filter(found)
    except FilterError:
        assume(False)
    return found


@st.composite
def themes(draw: st.DrawFn) -> Theme:
    keywords = draw(st.lists(lines.filter(bool), max_size=3).map(tuple))
    first_day = draw(st.none() | st.dates(date(2020, 1, 1), date(2030, 1, 1)))
    return Theme(
        theme_id=draw(st.from_regex(r"x[a-z0-9_]{0,20}", fullmatch=True)),
        level=draw(st.sampled_from(["trace", "generation"])),
        prompt=draw(texts.filter(bool)),
        mode=draw(st.sampled_from(["minimal", "detailed"])),
        name=draw(lines),
        description=draw(texts),
        judged=draw(st.booleans()),
        base_filters=tuple(draw(st.lists(filters(), max_size=2))),
        theme_filters=tuple(draw(st.lists(filters(), max_size=2))),
        rule="keywords" if keywords else draw(st.none() | st.just("errors")),
        keywords=keywords,
        screen=bool(keywords) and draw(st.booleans()),
        after=draw(st.none() | st.just("ux_issues")),
        sample_rate=draw(st.none() | st.floats(0.001, 1)),
        sample_seed=draw(st.integers(0, 2**31 - 1)),
        model=draw(st.none() | lines.filter(bool)),
        date_range=DateRange(first_day, first_day and draw(st.none() | st.just(date(2030, 1, 2)))),
        lookback_days=draw(st.none() | st.integers(1, 90)),
        clustering=ThemeClustering(
            method=draw(st.sampled_from(["graph", "kmeans", "hdbscan"])),
            target_clusters=draw(st.none() | st.integers(2, 50)),
            min_k=draw(st.integers(2, 6)),
            max_k=draw(st.integers(6, 20)),
            mix_versions=draw(st.booleans()),
        ),
        schedule=draw(st.sampled_from(["manual", "every_10_minutes", "hourly", "daily", "weekly"])),
        enabled=draw(st.booleans()),
        daily_budget_usd=draw(st.none() | st.floats(0, 1000)),
    )


@settings(max_examples=example_count(60), deadline=None)
@given(themes())
def test_a_theme_is_the_same_after_being_written_to_a_file_and_read(theme: Theme) -> None:
    (entry,) = read_document(write_document(document_of([theme]))).themes
    assert entry.pop("theme_id") == theme.theme_id
    again, found = theme_from(theme.theme_id, entry)
    assert (again, found) == (theme, [])
    assert again.version == theme.version


@pytest.mark.parametrize("end", ["\r", "\r\n", "\x85", "\u2028", "\u2029", "\n \x85"])
def test_every_kind_of_line_end_survives_yaml(end: str) -> None:
    written = [end, f"{end}a", f"a{end}", f"a{end}b", f"a\n{end}"]
    assert read_yaml(write_yaml(written)) == written


@settings(max_examples=example_count(200), deadline=None)
@given(st.recursive(scalars | texts, lambda inner: st.lists(inner, max_size=3), max_leaves=6))
def test_plain_values_survive_yaml_with_their_types(value: object) -> None:
    again = read_yaml(write_yaml({"value": value}))["value"]
    assert repr(again) == repr(value)


@settings(max_examples=example_count(200), deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200) | st.text("{}[]&*!-: \n\"'|>%@#?a1", max_size=60))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    with suppress(InvalidThemesError):
        assert isinstance(read_document(text), Document)


anything = st.recursive(
    st.none() | scalars | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=example_count(200), deadline=None)
@given(st.dictionaries(st.sampled_from([*settings_of(SHIPPED["traces"]), "other"]), anything, max_size=6))
def test_any_settings_give_a_theme_or_problems_that_begin_with_a_field(given: dict[str, Any]) -> None:
    theme, found = theme_from("mine", given, "themes[0]")
    assert found or theme.prompt
    assert all(each.where.startswith("themes[0]") for each in found)
