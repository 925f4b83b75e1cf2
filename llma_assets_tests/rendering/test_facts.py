"""Facts of an item count each event once, and only what is a number."""

from datetime import UTC, datetime

import pytest

from llma_assets.rendering import item_facts
from llma_assets_tests.rendering.events import START, event


def test_cost_and_tokens_come_from_generations_and_embeddings_only() -> None:
    numbers = {"total_cost_usd": 1.5, "input_tokens": 10, "output_tokens": 5}
    events = [event(name, **numbers) for name in ("generation", "embedding", "span", "trace")]
    facts = item_facts(events)
    assert (facts.cost_usd, facts.tokens, facts.event_count) == (3.0, 30, 4)


def test_numbers_may_come_as_text() -> None:
    facts = item_facts([event("generation", total_cost_usd="0.25", input_tokens="7", latency="1.5")])
    assert (facts.cost_usd, facts.tokens, facts.latency_s) == (0.25, 7, 1.5)


@pytest.mark.parametrize("bad", ["NaN", "inf", -1, True, None, [], "many", 10**400, float("nan")])
def test_what_is_no_number_or_negative_counts_as_nothing(bad: object) -> None:
    facts = item_facts([event("generation", total_cost_usd=bad, input_tokens=bad, latency=bad)])
    assert (facts.cost_usd, facts.tokens, facts.latency_s) == (0.0, 0, 0.0)


def test_parts_of_the_cost_are_added_where_there_is_no_total() -> None:
    assert item_facts([event("generation", input_cost_usd=1, output_cost_usd=2)]).cost_usd == 3.0


def test_the_latency_of_the_trace_event_wins() -> None:
    assert item_facts([event("trace", latency=9), event("span", 100, latency=50)]).latency_s == 9.0


def test_without_it_latency_is_the_time_from_the_first_start_to_the_last_end_of_roots() -> None:
    events = [
        event("span", 10, latency=4, span_id="a"),
        event("span", 12, latency=1),
        event("span", 50, latency=50, parent_id="a"),
    ]
    assert item_facts(events).latency_s == 6.0


@pytest.mark.parametrize(
    "properties",
    [{"is_error": True}, {"is_error": "true"}, {"error": "no"}, {"error": {"code": 1}}, {"http_status": 400},
     {"http_status": "500"}],
)  # fmt: skip
def test_an_event_that_says_so_in_any_way_is_an_error(properties: dict[str, object]) -> None:
    assert item_facts([event("span", **properties)]).error_count == 1


@pytest.mark.parametrize(
    "properties", [{}, {"is_error": False}, {"is_error": "false"}, {"error": ""}, {"error": None}, {"http_status": 200}]
)
def test_an_event_that_does_not_say_so_is_no_error(properties: dict[str, object]) -> None:
    assert item_facts([event("span", **properties)]).error_count == 0


def test_an_item_starts_with_its_earliest_event_in_utc() -> None:
    events = [event("span", 60), event("span", 0), {**event("span"), "timestamp": "2026-01-05T13:30:00+02:00"}]
    assert item_facts(events).started_at == datetime(2026, 1, 5, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize("timestamp", [START, START.replace(tzinfo=None), "2026-01-05 12:00:00", START.timestamp()])
def test_timestamps_may_be_datetimes_texts_or_unix_times(timestamp: object) -> None:
    assert item_facts([{**event("span"), "timestamp": timestamp}]).started_at == START


def test_the_name_is_that_of_the_trace_event() -> None:
    assert item_facts([event("span", span_name="step"), event("trace", span_name="agent")]).name == "agent"
    assert item_facts([event("span", span_name="step")]).name == "step"


def test_an_event_that_came_twice_counts_once_and_pipelines_events_never() -> None:
    made = event("generation", total_cost_usd=1)
    facts = item_facts([made, dict(made), event("trace_summary"), event("tag")])
    assert (facts.event_count, facts.cost_usd) == (1, 1.0)


def test_nothing_has_no_start_and_no_cost() -> None:
    facts = item_facts([])
    assert (facts.started_at, facts.cost_usd, facts.latency_s, facts.event_count) == (None, 0.0, 0.0, 0)
