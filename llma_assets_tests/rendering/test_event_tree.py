"""The events of a trace as a tree: every event once, failed ones first, no private value of an application."""

from itertools import pairwise
from typing import Any

from llma_assets.rendering import RenderOptions
from llma_assets.rendering.event_tree import MOST_DEPTH, MOST_SHOWN, tree_of
from llma_assets_tests.rendering.events import event

OPTIONS = RenderOptions()


def child(name: str, at_s: float, span: str, parent: str, **properties: Any) -> dict[str, Any]:
    """An event below another."""
    return event(name, at_s, span_id=span, parent_id=parent, **properties)


def test_cost_and_errors_add_up_to_the_events_above() -> None:
    tree = tree_of(
        [
            child("trace", 9, "root", "", span_name="support", latency=9.0),
            child("span", 8, "plan", "root", span_name="plan", latency=4.0),
            child("generation", 5, "g1", "plan", latency=1.0, total_cost_usd=0.25, input_tokens=7, model="gpt-4o"),
            child("generation", 7, "g2", "plan", latency=1.0, total_cost_usd=0.5, is_error=True, error="no quota"),
            child("span", 9, "end", "root", span_name="end", total_cost_usd=99),
        ],
        OPTIONS,
    )
    shown = [(each.kind, each.depth, each.name or each.model, each.cost_usd, each.failed) for each in tree.events]
    assert shown == [
        ("TRACE", 0, "support", 0.75, False),
        ("SPAN", 1, "plan", 0.75, False),
        ("GEN", 2, "gpt-4o", 0.25, False),
        ("GEN", 2, "", 0.5, True),
        ("SPAN", 1, "end", None, False),
    ]
    assert (tree.count, tree.failed, tree.left_out, tree.duration_s) == (5, 1, 0, 9.0)
    assert [each.errors_below for each in tree.events] == [1, 1, 0, 0, 0]
    assert [each.starts_after_s for each in tree.events] == [0.0, 4.0, 4.0, 6.0, 9.0]
    assert tree.events[3].error == "no quota"


def test_of_very_many_the_failed_ones_are_shown_with_all_above_them() -> None:
    events = [child("trace", 0, "root", "")] + [
        child("span", number, f"s{number}", "root" if number % 10 == 0 else f"s{number - number % 10}")
        for number in range(10_000)
    ]
    events[9_876]["properties"]["$ai_is_error"] = True
    tree = tree_of(events, OPTIONS)
    assert (tree.count, len(tree.events), tree.left_out) == (10_001, MOST_SHOWN, 10_001 - MOST_SHOWN)
    (failed,) = [place for place, each in enumerate(tree.events) if each.failed]
    assert [each.depth for each in tree.events[failed - 1 : failed + 1]] == [1, 2]
    assert sum(each.left_out for each in tree.events) == tree.left_out
    assert tree.events[0].below == 10_000


def test_all_events_can_be_paged_through_in_order_below_what_they_belong_to() -> None:
    events = [child("trace", 0, "root", "")] + [
        child("span", number, f"s{number}", "root" if number % 700 == 0 else f"s{number - number % 700}")
        for number in range(2_100)
    ]
    seen: list[str] = []
    for start in range(0, 2_101, MOST_SHOWN):
        tree = tree_of(events, OPTIONS, start=start)
        depths = [each.depth for each in tree.events]
        assert depths[0] == 0
        assert all(after - before <= 1 for before, after in pairwise(depths)), "no level is missing"
        seen += [each.uuid for each in tree.events if each.uuid not in seen]
    assert len(seen) == 2_101
    assert tree_of(events, OPTIONS, start=9_999).events == ()


def test_a_page_of_a_deep_chain_is_no_longer_than_a_page() -> None:
    chain = [child("span", at, f"s{at}", f"s{at - 1}") for at in range(5_000)]
    tree = tree_of(chain, OPTIONS, start=4_000)
    assert len(tree.events) == MOST_SHOWN + MOST_DEPTH
    assert [each.depth for each in tree.events][: MOST_DEPTH + 2] == [*range(MOST_DEPTH), MOST_DEPTH, MOST_DEPTH]


def test_a_chain_of_thousands_is_no_deeper_than_a_page_can_be() -> None:
    tree = tree_of([child("span", at, f"s{at}", f"s{at - 1}", is_error=True) for at in range(5_000)], OPTIONS)
    assert max(each.depth for each in tree.events) == MOST_DEPTH
    assert len(tree.events) <= MOST_SHOWN


def test_cycles_and_wrong_values_are_shown_once() -> None:
    tree = tree_of(
        [
            child("span", 1, "a", "b"),
            child("span", 2, "b", "a"),
            child("generation", 3, "c", "c", latency="soon", total_cost_usd=-4, model={"name": "x"}),
            {"uuid": None, "event": 7, "timestamp": "never", "properties": "{"},
        ],
        OPTIONS,
    )
    assert sorted(each.kind for each in tree.events) == ["EVENT", "GEN", "SPAN", "SPAN"]
    assert tree.events[-1].starts_after_s is None


def test_names_and_errors_hide_what_texts_hide() -> None:
    made = [child("span", 1, "a", "", span_name="Mail to\nann@example.com", is_error=True, error="bob@example.com?")]
    (shown,) = tree_of(made, OPTIONS).events
    assert (shown.name, shown.error) == ("Mail to [EMAIL_1]", "[EMAIL_2]?")
    (plain,) = tree_of(made, RenderOptions(redact=False)).events
    assert plain.name == "Mail to ann@example.com"
