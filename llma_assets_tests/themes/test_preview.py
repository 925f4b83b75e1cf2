"""What a preview counts, samples, estimates and shows: from real events, without texts and with them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.testing import event, trace, write_events
from llma_assets.themes import (
    GENERATIONS,
    MANY_MATCHES,
    TRACES,
    Asking,
    Filter,
    Preview,
    Theme,
    is_selected,
    preview_theme,
)

DAY = date(2026, 11, 5)
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
THEME = Theme("angry", "trace", "Is the user angry?")
PRO, SLOW = Filter("plan", "exact", "pro"), Filter("seconds", "gt", 5)
ASKING = Asking("gpt-4.1-nano", frame_tokens=1_000, answer_tokens=500, longest_text=60_000)


def look(
    database: Database,
    *filters: Filter,
    theme: Theme = THEME,
    team_id: int = 1,
    days: int = 1,
    asking: Asking = ASKING,
    per_hour: int = 100,
) -> Preview:
    """A preview of the days up to DAY."""
    return preview_theme(
        database,
        team_id,
        replace(theme, theme_filters=filters),
        DAY - timedelta(days=days - 1),
        DAY,
        asking=asking,
        per_hour=per_hour,
        reach=timedelta(days=1),
    )


def spans(count: int, prefix: str = "trace", *, when: datetime = NOON, **properties: Any) -> Iterator[dict[str, Any]]:
    """Traces of one event each, a second apart."""
    for number in range(count):
        moment = when + timedelta(seconds=number)
        yield event(1, "$ai_span", moment, {"$ai_trace_id": f"{prefix}-{number}", **properties})


def text_row(item_id: str, text: str) -> dict[str, Any]:
    """A stored text; columns that do not matter have their defaults."""
    return {"team_id": 1, "day": DAY, "level": "trace", "item_id": item_id, "trace_id": item_id, "text": text}


def test_each_filter_is_counted_alone_and_all_together(database: Database) -> None:
    write_events(
        database,
        [
            *spans(3, "both", plan="pro", seconds=9),
            *spans(2, "pro", plan="pro", seconds=1),
            *spans(4, "slow", seconds="7.5"),
            *spans(5, "none"),
        ],
    )
    found = look(database, PRO, SLOW)
    assert (found.items, [each.items for each in found.filters], found.matched) == (14, [5, 7], 3)


def test_all_items_count_for_a_theme_without_filters(database: Database) -> None:
    write_events(database, spans(3))
    found = look(database)
    assert (found.items, found.matched, found.filters) == (3, 3, [])


def test_days_are_counted_by_the_first_event_of_a_trace(database: Database) -> None:
    last_second = datetime(2026, 11, 4, 23, 59, 59, tzinfo=UTC)
    late = event(1, "$ai_span", NOON, {"$ai_trace_id": "early-0", "plan": "pro"})
    write_events(database, [*spans(1, "early", when=last_second), late, *spans(2, plan="pro")])
    assert look(database, PRO).matched == 2
    assert look(database, PRO, days=2).matched == 3


def test_generations_are_counted_one_by_one(database: Database) -> None:
    write_events(
        database, [row for n in range(3) for row in trace(1, f"t{n}", NOON, extra={"plan": "pro" if n else "free"})]
    )
    found = look(database, PRO, theme=replace(THEME, level="generation"))
    assert (found.items, found.matched) == (3, 2)
    assert {each.trace_id for each in found.examples} == {"t1", "t2"}


def test_what_is_stored_twice_counts_once(database: Database) -> None:
    for _ in range(2):
        write_events(database, trace(1, "one", NOON, extra={"plan": "pro"}))
    assert look(database, PRO).matched == 1
    assert look(database, PRO, theme=replace(THEME, level="generation")).matched == 1


def test_many_matches_of_a_day_are_sampled_and_few_are_not(database: Database) -> None:
    write_events(database, [*spans(MANY_MATCHES + 100, "many", plan="pro"), *spans(50, "few", plan="free")])
    many, few = look(database, PRO), look(database, Filter("plan", "exact", "free"))
    assert (many.matched, many.selected, many.lowest_rate) == (MANY_MATCHES + 100, 510, 0.1)
    assert (few.matched, few.selected, few.lowest_rate) == (50, 50, 1.0)


def test_a_rate_of_the_theme_itself_holds_for_few_matches_too(database: Database) -> None:
    write_events(database, spans(40, plan="pro"))
    found = look(database, PRO, theme=replace(THEME, sample_rate=0.25))
    assert (found.selected, found.lowest_rate, found.calls) == (10, 0.25, 10)


@pytest.mark.parametrize("theme", [THEME, TRACES])
def test_without_filters_it_takes_from_the_sample_of_each_hour(database: Database, theme: Theme) -> None:
    write_events(database, [*spans(30), *spans(5, "later", when=NOON + timedelta(hours=1))])
    assert look(database, theme=theme, per_hour=10).selected == 15


def test_a_general_theme_with_filters_takes_what_matches_of_the_sample(database: Database) -> None:
    write_events(database, [*spans(30, plan="pro"), *spans(10, "free", plan="free")])
    found = look(database, PRO, theme=TRACES, per_hour=20)
    assert (found.matched, found.selected, found.lowest_rate) == (30, 15, 0.5)


def test_tokens_come_from_stored_texts_where_there_are_some(database: Database) -> None:
    write_events(database, spans(4, plan="pro"))
    database.insert_rows("trace_texts", [text_row("a", "x" * 300), text_row("b", "x" * 900)])
    found = look(database, PRO)
    assert (found.calls, found.input_tokens, found.output_tokens) == (4, 4 * (1_000 + 200), 4 * 500)
    assert "2 stored texts" in found.basis


def test_tokens_come_from_payloads_where_no_text_is_stored(database: Database) -> None:
    write_events(database, spans(4, plan="pro", said="x" * 30_000))
    found = look(database, PRO)
    assert 4 * 11_000 < found.input_tokens < 4 * 11_100
    assert "no texts are stored yet" in found.basis


def test_a_payload_counts_for_no_more_than_a_text_can_hold(database: Database) -> None:
    write_events(database, spans(1, plan="pro", said="x" * 30_000))
    assert look(database, PRO, asking=replace(ASKING, longest_text=3_000)).input_tokens == 2_000


def test_the_cost_is_that_of_the_calls_by_the_price_list(database: Database) -> None:
    write_events(database, spans(10, plan="pro"))
    database.insert_rows("trace_texts", [text_row("a", "x" * 3_000)])
    found = look(database, PRO)
    # gpt-4.1-nano: 0.10 and 0.40 USD for a million tokens, half of that in batches
    assert found.cost_usd == pytest.approx(10 * (2_000 * 0.10 + 500 * 0.40) / 1e6)
    assert found.batch_cost_usd == pytest.approx(found.cost_usd / 2)


def test_a_model_without_a_price_has_tokens_and_no_cost(database: Database) -> None:
    write_events(database, spans(1, plan="pro"))
    found = look(database, PRO, asking=replace(ASKING, model="somebody/else"))
    assert found.cost_usd is None
    assert found.input_tokens > 1_000


def test_the_offline_model_is_asked_for_nothing(database: Database) -> None:
    write_events(database, spans(3, plan="pro"))
    found = look(database, PRO, asking=replace(ASKING, model="offline/extractive"))
    assert (found.selected, found.calls, found.input_tokens, found.cost_usd) == (3, 0, 0, 0.0)


def test_answers_that_had_to_be_asked_for_twice_cost_more_calls(database: Database) -> None:
    write_events(database, spans(10, plan="pro"))
    found = look(database, PRO, asking=replace(ASKING, calls_per_item=1.2))
    assert (found.calls, found.output_tokens) == (12, 12 * 500)


def test_ten_examples_match_are_the_same_each_time_and_stand_in_order_of_time(database: Database) -> None:
    write_events(database, [*spans(40, plan="pro"), *spans(40, "free", plan="free")])
    first, second = look(database, PRO).examples, look(database, PRO).examples
    assert first == second
    assert len(first) == 10
    assert all(each.item_id.startswith("trace-") for each in first)
    assert [each.first_at for each in first] == sorted(each.first_at for each in first)


def test_an_example_tells_the_name_and_what_was_said_first(database: Database) -> None:
    write_events(
        database, trace(1, "one", NOON, request="Where is my parcel?", extra={"$ai_span_name": "support", "n": 1})
    )
    (example,) = look(database, Filter("n", "exact", 1)).examples
    assert (example.item_id, example.trace_id, example.first_at, example.name) == ("one", "one", NOON, "support")
    assert "Where is my parcel?" in example.input


def test_an_example_says_whether_it_is_in_the_sample(database: Database) -> None:
    write_events(database, spans(30, plan="pro"))
    theme = replace(THEME, sample_rate=0.5)
    examples = look(database, PRO, theme=theme).examples
    assert {each.selected for each in examples} == {True, False}
    assert all(each.selected == is_selected(theme, each.trace_id, 0.5) for each in examples)


def test_a_misspelled_property_is_named_with_the_one_that_is_there(database: Database) -> None:
    write_events(database, spans(3, **{"$ai_span_name": "support"}))
    (count,) = look(database, Filter("$ai_spanname", "exact", "support")).filters
    assert count.hint == "no event has '$ai_spanname'; did you mean '$ai_span_name'?"


def test_a_value_that_does_not_occur_is_answered_with_those_that_do(database: Database) -> None:
    write_events(database, [*spans(3, plan="pro"), *spans(1, "free", plan="free")])
    (count,) = look(database, Filter("plan", "exact", "Pro")).filters
    assert count.hint == "values of plan are such as 'pro', 'free'"


def test_filters_that_no_event_meets_together_are_said_to_be_so(database: Database) -> None:
    write_events(database, [*spans(2, plan="pro"), *spans(2, seconds=9)])
    found = look(database, PRO, SLOW)
    assert (found.matched, [each.items for each in found.filters]) == (0, [2, 2])
    assert "Each filter matches something, but no single event meets all of them." in found.notes


def test_a_negative_operator_is_explained(database: Database) -> None:
    write_events(database, spans(2))
    assert any("$ai_trace" in note for note in look(database, Filter("plan", "is_not", "pro")).notes)
    assert look(database, PRO).notes == []


def test_that_another_theme_or_a_rule_leaves_out_some_is_said(database: Database) -> None:
    theme = replace(THEME, after="error_analysis", rule="errors", screen=True)
    notes = " ".join(look(database, PRO, theme=theme).notes)
    assert "error_analysis" in notes
    assert "rule (errors)" in notes


def test_days_without_events_have_nothing_and_cost_nothing(database: Database) -> None:
    found = look(database, PRO)
    assert (found.items, found.matched, found.selected, found.calls, found.cost_usd) == (0, 0, 0, 0, 0.0)
    assert (found.examples, [each.hint for each in found.filters]) == ([], [""])


@pytest.mark.parametrize("theme", [THEME, TRACES, GENERATIONS])
def test_a_second_team_with_equal_ids_changes_nothing(database: Database, theme: Theme) -> None:
    def traffic(team_id: int, count: int) -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield from trace(team_id, f"t{number}", NOON, extra={"plan": "pro" if team_id == 1 else "free"})

    write_events(database, traffic(1, 3))
    alone = look(database, PRO, Filter("$ai_span_nam", "is_set"), theme=theme)
    write_events(database, traffic(2, 5))
    database.insert_rows("trace_texts", [{**text_row("t1", "x" * 9_000), "team_id": 2}])
    assert look(database, PRO, Filter("$ai_span_nam", "is_set"), theme=theme) == alone
    assert look(database, PRO, theme=theme, team_id=2).matched == 0
