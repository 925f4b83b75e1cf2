"""No shape stops a trace: known ones with things wrong with them, short; `benchmarks.shapes_fuzz` takes longer."""

import json
from typing import Any

import pytest

from benchmarks.mutated_messages import check_value, failure_of
from llma_assets.rendering import read_messages, render_trace
from llma_assets_tests.rendering.events import event

ROWS: list[list[Any]] = [
    [{"text": "a"}] * 201,
    [{"question": "q", "answer": "a"}] * 300,
    [{"prompt": "p"}, {"completion": "c"}] * 150,
    [{"input": "i", "output": "o"}] * 201,
]
TYPES: list[Any] = [
    {"name": "email", "type": ["string", "null"]},
    {"kind": {"group": "apps", "name": "Deployment"}, "spec": {}},
    {"type": {"type": "record", "name": "Order"}, "content": "x"},
    [{"role": ["user"], "content": "x", "kind": ["text"]}],
    [{"role": "tool", "content": [{"type": ["tool-result"], "output": 1}]}],
    [{"role": "user", "content": [{"type": {"a": 1}, "text": "x"}, {"type": ["ai"]}]}],
    [{"llm.input_messages.0.contents": {"a": 1}, "llm.input_messages.0.contents.0.text": "x", 1: 2}],
    [{"message.role": "user", 7: 8, "message.content": "x"}],
    "{'message.role': 'user', 7: {8, 9}, 'type': b'x'}",
]


@pytest.mark.parametrize("rows", ROWS, ids=lambda rows: json.dumps(rows[0]))
def test_many_rows_are_one_value_also_as_json_that_somebody_typed(rows: list[Any]) -> None:
    (message,) = read_messages(rows)
    assert json.loads(message.text) == rows
    assert read_messages(json.dumps(rows)) == [message]
    for wrapped in (
        [json.dumps(rows)],
        json.dumps([json.dumps(rows)]),
        [{"role": "user", "content": json.dumps(rows)}],
    ):
        assert [found.text for found in read_messages(wrapped)]
    assert rows[0].popitem()[1] in render_trace([event("generation", input=rows)]).text


@pytest.mark.parametrize("value", TYPES, ids=lambda value: str(value)[:60])
def test_types_and_kinds_that_are_no_text_are_shown(value: Any) -> None:
    check_value(value)
    check_value(json.dumps(value))
    for word in ("email", "Deployment", "Order", "x"):
        if word in str(value):
            assert any(word in str(message) for message in read_messages(value))


@pytest.mark.parametrize(("depth", "shown"), [(30, "deep"), (400, "…"), (1_000, "…")])
def test_lists_of_any_depth_lose_nothing_without_a_mark(depth: int, shown: str) -> None:
    nested: Any = [{"role": "user", "content": "deep"}]
    for _ in range(depth):
        nested = [nested]
    check_value(nested)
    assert shown in read_messages(nested)[0].text


def test_unclosed_tool_calls_cost_no_time() -> None:
    text = "<tool_call>{" * 200_000
    (message,) = read_messages([{"role": "assistant", "content": text}], "assistant")
    assert message.text == text
    (message,) = read_messages([{"role": "assistant", "content": f'{text}"name": "f"}}</tool_call>'}])
    assert not message.tool_calls


def test_numbers_with_more_digits_than_python_writes_stand_as_what_they_are() -> None:
    made = event("metric", metric_value=10**5_000, metric_name="m")
    assert "[METRIC] m ([int])" in render_trace([made]).text


@pytest.mark.heavy
@pytest.mark.parametrize("first", [1, 61, 121])
def test_mutated_messages_become_texts_and_summaries(first: int) -> None:
    assert [failure for seed in range(first, first + 60) if (failure := failure_of(seed))] == []
