"""A trace is a header and a tree in which every event stands once."""

import json
import random
import time
from typing import Any

import pytest

from llma_assets.rendering import RenderOptions, render_trace
from llma_assets_tests.rendering.events import assistant, event, user

PLAIN = RenderOptions(line_numbers=False)


def test_header_and_tree_of_a_small_trace() -> None:
    events = [
        event("trace", 9, span_name="support agent", span_id="root"),
        event("span", 3, span_name="plan", span_id="p", parent_id="root", latency=1.2),
        event(
            "generation", 2.5, span_name="think", parent_id="p", latency=0.45, total_cost_usd=0.0023,
            model="gpt-4o", input="Hi", output="Hello", is_error=True,
        ),
        event("embedding", 5, parent_id="root", input="some text"),
        event("evaluation", 6, evaluation_name="polite", evaluation_result=True, parent_id="root"),
    ]  # fmt: skip
    assert render_trace(events, PLAIN).text.split("\n") == [
        "SUPPORT AGENT",
        "=" * 80,
        "",
        "TRACE HIERARCHY:",
        "",
        "├─ [SPAN] plan (1.20s)",
        "│  └─ [GEN] think (0.45s, $0.0023, gpt-4o, ERROR)",
        "│     [1] USER",
        "│     Hi",
        "│     [2] ASSISTANT",
        "│     Hello",
        "│     ERROR: An error occurred (no details available)",
        "├─ [EMBED] embedding",
        "│  [1] USER",
        "│  some text",
        "└─ [EVAL] polite (PASS)",
    ]


@pytest.mark.parametrize(
    ("properties", "verdict"),
    [
        ({"evaluation_result": True}, "(PASS)"),
        ({"evaluation_result": "true"}, "(PASS)"),
        ({"evaluation_result": False}, "(FAIL)"),
        ({"evaluation_result": True, "evaluation_applicable": False}, "(N/A)"),
        ({"evaluation_result": 0.5}, "(0.5)"),
        ({"evaluation_numeric_result": -1.5}, "(-1.5)"),
        ({"evaluation_numeric_result": 4, "evaluation_numeric_result_max": 5}, "(4 of 5)"),
        ({"evaluation_categorical_result": ["rude", "slow"]}, "(rude + slow)"),
        ({"evaluation_categorical_result": "ERROR"}, "(error)"),
        ({"sentiment_label": "negative"}, "(negative)"),
        (
            {"evaluation_skipped": True, "evaluation_skip_reason": "too_short", "evaluation_result": False},
            "(SKIPPED: too_short)",
        ),
    ],
)
def test_an_evaluation_shows_its_verdict(properties: dict[str, Any], verdict: str) -> None:
    text = render_trace([event("evaluation", evaluation_name="tone", **properties)], PLAIN).text
    assert f"[EVAL] tone {verdict}" in text


def test_the_error_of_a_trace_stands_under_its_header() -> None:
    text = render_trace([event("trace", span_name="x", error={"code": 7}), event("span", span_name="s")], PLAIN).text
    assert text.startswith("X\n" + "=" * 80 + "\n\nTRACE ERROR:\ncode: 7\n\nTRACE HIERARCHY:")


def test_input_and_output_of_a_trace_without_events_are_shown() -> None:
    text = render_trace([event("trace", input_state="Book a table", output_state={"booked": True})], PLAIN).text
    assert "TRACE INPUT:\nBook a table" in text
    assert 'TRACE OUTPUT:\n{"booked":true}' in text


def test_input_and_output_of_a_trace_that_its_events_show_are_not_repeated() -> None:
    events = [
        event("trace", 9, input_state={"messages": [user("Hi")]}, output_state="Hello"),
        event("generation", 1, input=[user("Hi")], output_choices=[assistant("Hello")]),
    ]
    text = render_trace(events, PLAIN).text
    assert text.count("Hi") == text.count("Hello") == 1


def test_an_output_that_is_the_last_tools_result_is_not_announced_again() -> None:
    events = [
        event("trace", 9, output_state={"messages": [{"role": "tool", "content": '{"done": true}'}]}),
        event("span", 1, span_name="f", output_state='{"done": true}'),
    ]
    assert "TRACE OUTPUT" not in render_trace(events, PLAIN).text


def test_last_words_that_only_the_trace_has_are_shown() -> None:
    events = [
        event("trace", 9, output_state={"messages": [user("Good bye.")]}),
        event("generation", 1, input=[user("Hi")], output="Hello"),
    ]
    assert render_trace(events, PLAIN).text.endswith("TRACE OUTPUT:\n[1] USER\nGood bye.")


def test_siblings_stand_in_the_order_in_which_they_started() -> None:
    events = [
        event("span", 10, span_name="long", latency=9.5),
        event("span", 2, span_name="short", latency=0.1),
        event("span", 11, span_name="late"),
    ]
    names = ["long", "short", "late"]
    text = render_trace(random.Random(3).sample(events, 3)).text
    assert sorted(names, key=text.index) == names


def test_the_order_of_the_events_does_not_change_the_text() -> None:
    events = [event("span", number % 7, span_name=f"s{number}", span_id=f"s{number}") for number in range(50)]
    shuffled = random.Random(5).sample(events, len(events))
    assert render_trace(events).text == render_trace(shuffled).text


def test_a_missing_parent_makes_a_root() -> None:
    text = render_trace([event("span", span_name="orphan", parent_id="nowhere")], PLAIN).text
    assert "\n└─ [SPAN] orphan" in text


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_cycle_of_parents_loses_and_repeats_no_event(size: int) -> None:
    events = [
        event("span", number, span_name=f"node{number}.", span_id=str(number), parent_id=str((number + 1) % size))
        for number in range(size)
    ]
    tail = event("span", 9, span_name="tail", span_id="tail", parent_id="0")
    text = render_trace([*events, tail], PLAIN).text
    assert all(text.count(f"node{number}.") == 1 for number in range(size))
    assert text.count("tail") == 1
    assert text.count("\n└─ ") + text.count("\n├─ ") == 1


def test_an_event_that_came_twice_is_shown_once() -> None:
    made = event("span", span_name="twice")
    rendered = render_trace([made, dict(made)], PLAIN)
    assert rendered.text.count("twice") == 1
    assert rendered.loss.events_ignored == 1


def test_two_events_with_the_same_id_are_both_shown() -> None:
    events = [event("span", number, span_name=f"n{number}.", span_id="same") for number in range(2)]
    child = event("span", 3, span_name="child", parent_id="same")
    text = render_trace([*events, child], PLAIN).text
    assert [text.count(name) for name in ("n0.", "n1.", "child")] == [1, 1, 1]


def test_events_of_pipelines_do_not_enter_the_text() -> None:
    summary = event("trace_summary", 5, trace_summary_title="A summary")
    assert render_trace([event("span"), summary]).text == render_trace([event("span")]).text


def test_an_unknown_event_is_shown_with_its_own_properties() -> None:
    made = {"uuid": "u", "event": "cart_updated", "timestamp": None, "properties": {"items": 3, "$lib": "web"}}
    text = render_trace([made], PLAIN).text
    assert "[EVENT] cart_updated" in text
    assert '{"items":3}' in text
    assert "$lib" not in text


@pytest.mark.parametrize("hostile", ["'; DROP TABLE events; --", "{team_id:Int64}", "😀%s%d", '"quoted"', "a\nb\x00"])
def test_ids_with_quotes_emoji_and_sql_link_events_like_any_other(hostile: str) -> None:
    events = [
        event("span", 1, span_name="parent", span_id=hostile),
        event("span", 2, span_name=hostile, parent_id=hostile),
    ]
    assert "\n   └─ [SPAN] " in render_trace(events, PLAIN).text


def _walk_lines(text: str) -> int:
    return sum("[SPAN] n" in line for line in text.split("\n"))


@pytest.mark.heavy
@pytest.mark.parametrize("shape", ["chain", "star", "bush", "ring"])
def test_the_cost_of_a_trace_grows_with_its_events_and_each_is_there_once(shape: str) -> None:
    costs_s = []
    for size in (1_500, 9_000):
        parent = {
            "chain": lambda n: str(n - 1),
            "star": lambda _: "0",
            "bush": lambda n: str(n // 3),
            "ring": lambda n, size=size: str((n + 1) % size),
        }[shape]
        events = [event("span", n, span_name=f"n{n}.", span_id=str(n), parent_id=parent(n)) for n in range(size)]
        started = time.thread_time()
        text = render_trace(events, RenderOptions(max_chars=10**8)).text
        costs_s.append(time.thread_time() - started)
        assert _walk_lines(text) == size
        assert all(f" n{n}." in text for n in (0, 1, size // 2, size - 1))
        assert len(text) < 200 * size
    assert costs_s[1] < 20 * costs_s[0], "six times as many events; squared would be 36"


def test_a_trace_of_nothing_is_a_header() -> None:
    assert render_trace([], PLAIN).text == "TRACE\n" + "=" * 80


def test_a_span_shows_its_states_and_its_children_between_them() -> None:
    events = [
        event("span", 5, latency=5, span_name="outer", span_id="o", input_state="in", output_state="out"),
        event("span", 2, span_name="inner", parent_id="o", input_state={"a": 1}, output_state=0),
    ]
    assert render_trace(events, PLAIN).text.split("\n")[5:] == [
        "└─ [SPAN] outer (5.00s)",
        "   Input: in",
        "   └─ [SPAN] inner",
        '      Input: {"a":1}',
        "      Output: 0",
        "   Output: out",
    ]


def test_loss_is_json() -> None:
    from dataclasses import asdict

    loss = asdict(render_trace([event("span", input_state="x" * 9_000)]).loss)
    assert json.loads(json.dumps(loss))["values_shortened"] == 1


def test_what_a_trace_records_under_a_generations_names_is_shown_too() -> None:
    text = render_trace(
        [event("trace", input="Book a room", output="It is booked"), event("span", 1, span_name="x")]
    ).text
    assert "TRACE INPUT:" in text
    assert "Book a room" in text
    assert "It is booked" in text


def test_an_output_beside_an_empty_response_is_shown() -> None:
    empty = {"object": "response", "output": [], "id": "r1"}
    made = event("generation", output_choices=empty, output="It is booked")
    assert "It is booked" in render_trace([made]).text
