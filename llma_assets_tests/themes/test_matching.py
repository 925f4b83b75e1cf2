"""Which items of a day match: by any event of a trace within reach, on the day of its first event, of one team."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.testing import event, trace, write_events
from llma_assets.themes import Filter, FilterError, Theme, matching_items

DAY = date(2026, 11, 5)
NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
REACH = timedelta(days=1)
TRACES = Theme("angry", "trace", "Is the user angry?")
GENERATIONS = replace(TRACES, level="generation")


def matches(database: Database, *filters: Filter, theme: Theme = TRACES, team_id: int = 1, day: date = DAY) -> set[str]:
    """Ids of the items that match."""
    found = matching_items(database, TeamDay(team_id, day), replace(theme, theme_filters=filters), reach=REACH)
    return set(found)


def span(trace_id: str, when: datetime = NOON, team_id: int = 1, **properties: Any) -> dict[str, Any]:
    """One event of a trace."""
    return event(team_id, "$ai_span", when, {"$ai_trace_id": trace_id, **properties})


def generation(trace_id: str, when: datetime = NOON, **properties: Any) -> dict[str, Any]:
    """A model call of a trace."""
    return event(1, "$ai_generation", when, {"$ai_trace_id": trace_id, **properties})


def test_a_trace_matches_when_one_of_its_events_does(database: Database) -> None:
    write_events(database, [*trace(1, "with", NOON, extra={"plan": "pro"}), *trace(1, "without", NOON)])
    assert matches(database, Filter("plan", "exact", "pro")) == {"with"}


def test_what_is_asked_together_must_hold_for_one_event(database: Database) -> None:
    write_events(database, [span("one", plan="pro", slow=True), span("two", plan="pro"), span("two", slow=True)])
    plan, slow = Filter("plan", "exact", "pro"), Filter("slow", "exact", True)
    assert matches(database, plan) == matches(database, slow) == {"one", "two"}
    assert matches(database, plan, slow) == {"one"}


def test_base_filters_and_own_filters_hold_together(database: Database) -> None:
    write_events(database, [span("one", plan="pro", n=1), span("two", plan="pro", n=2), span("three", n=1)])
    theme = replace(TRACES, base_filters=(Filter("plan", "exact", "pro"),))
    assert matches(database, Filter("n", "exact", 1), theme=theme) == {"one"}


def test_a_negative_operator_is_met_by_an_event_without_the_property(database: Database) -> None:
    write_events(
        database, [span("all", plan="free"), span("some", plan="free"), span("some"), span("other", plan="pro")]
    )
    assert matches(database, Filter("plan", "is_not", "free")) == {"some", "other"}


def test_a_negative_operator_says_it_of_a_trace_beside_the_event_that_stands_for_it(database: Database) -> None:
    write_events(
        database,
        [
            *(span("free"), event(1, "$ai_trace", NOON, {"$ai_trace_id": "free", "plan": "free"})),
            *(span("pro"), event(1, "$ai_trace", NOON, {"$ai_trace_id": "pro", "plan": "pro"})),
        ],
    )
    assert matches(database, Filter("event", "exact", "$ai_trace"), Filter("plan", "is_not", "free")) == {"pro"}


def test_a_trace_is_found_on_the_day_of_its_first_event_only(database: Database) -> None:
    before_midnight = datetime(2026, 11, 5, 23, 59, tzinfo=UTC)
    write_events(
        database, [span("late", before_midnight), span("late", before_midnight + timedelta(minutes=5), plan="pro")]
    )
    pro = Filter("plan", "exact", "pro")
    assert matches(database, pro) == {"late"}
    assert matches(database, pro, day=DAY + timedelta(days=1)) == set()


def test_an_event_beyond_reach_does_not_count(database: Database) -> None:
    write_events(database, [span("long"), span("long", NOON + timedelta(days=2), plan="pro")])
    assert matches(database, Filter("plan", "exact", "pro")) == set()


def test_a_generation_matches_by_its_own_properties(database: Database) -> None:
    wanted, other = generation("one", model="a"), generation("one", model="b")
    write_events(database, [wanted, other, span("one", model="a")])
    assert matches(database, Filter("model", "exact", "a"), theme=GENERATIONS) == {str(wanted["uuid"])}


def test_a_generation_is_found_with_its_trace_and_time(database: Database) -> None:
    wanted = generation("one", model="a")
    write_events(database, [wanted, wanted])
    theme = replace(GENERATIONS, theme_filters=(Filter("model", "is_set"),))
    found = matching_items(database, TeamDay(1, DAY), theme, reach=REACH)
    assert {item_id: (item.trace_id, item.first_at) for item_id, item in found.items()} == {
        str(wanted["uuid"]): ("one", NOON)
    }


def test_events_without_a_trace_match_nothing(database: Database) -> None:
    write_events(database, [event(1, name, NOON, {"plan": "pro"}) for name in ("$ai_generation", "$ai_span")])
    pro = Filter("plan", "exact", "pro")
    assert matches(database, pro) == matches(database, pro, theme=GENERATIONS) == set()


def test_what_pipelines_write_neither_matches_nor_begins_a_trace(database: Database) -> None:
    own = event(1, "$ai_trace_summary", NOON - timedelta(hours=20), {"$ai_trace_id": "one", "plan": "pro"})
    write_events(database, [own, span("one", plan="free")])
    assert matches(database, Filter("plan", "exact", "pro")) == set()
    assert matches(database, Filter("plan", "exact", "free")) == {"one"}


def test_items_come_oldest_first(database: Database) -> None:
    write_events(database, [span(name, NOON + timedelta(hours=hour)) for name, hour in (("c", 2), ("a", 0), ("b", 1))])
    theme = replace(TRACES, theme_filters=(Filter("$ai_trace_id", "is_set"),))
    assert list(matching_items(database, TeamDay(1, DAY), theme, reach=REACH)) == ["a", "b", "c"]


def test_a_day_without_events_has_no_matches(database: Database) -> None:
    assert matches(database, Filter("plan", "is_not_set")) == set()


@pytest.mark.parametrize("theme", [TRACES, GENERATIONS])
def test_a_second_team_with_equal_ids_is_never_seen(database: Database, theme: Theme) -> None:
    def traffic(team_id: int, plan: str) -> Iterable[dict[str, Any]]:
        for row in trace(team_id, "same", NOON, extra={"plan": plan}):
            yield {**row, "uuid": event(0, row["event"], row["timestamp"], {})["uuid"]}

    write_events(database, [*traffic(1, "pro"), *traffic(2, "free")])
    assert len(matches(database, Filter("plan", "exact", "pro"), theme=theme)) == 1
    assert matches(database, Filter("plan", "exact", "free"), theme=theme) == set()
    assert len(matches(database, Filter("plan", "exact", "free"), theme=theme, team_id=2)) == 1


def test_an_unsound_filter_is_refused_before_anything_is_asked(database: Database) -> None:
    with pytest.raises(FilterError, match=r"\[0\]\.value: gt needs a number"):
        matches(database, Filter("plan", "gt", "pro"))
