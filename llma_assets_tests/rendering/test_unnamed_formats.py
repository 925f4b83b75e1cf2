"""Conversations in the structures of many frameworks are read as what they say, and no unknown word is lost.

`fixtures/conversations.jsonl` has a case a line, written by hand after the frameworks' documentation: `name`, `role`
of what names none, `value` as it comes, and `wanted`: role, text and calls of each message that a reader finds. Nothing
in the code knows these names: what is detected is structure.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llma_assets.rendering import Message, read_messages, render_generation, render_trace
from llma_assets_tests.fuzzing import example_count
from llma_assets_tests.rendering.events import event

CASES = [json.loads(line) for line in (Path(__file__).parent / "fixtures" / "conversations.jsonl").open()]
PARTLY = {"tool", "thinking"}
"""Roles whose text may hold more than the words: a tool's result may be JSON around them."""


def _fits(message: Message, role: str, text: str, calls: list[Any]) -> bool:
    said = text in message.text if role in PARTLY else text == message.text
    return message.role == role and said and [[call.name, call.arguments] for call in message.tool_calls] == calls


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_each_message_is_found_in_its_order(case: dict[str, Any]) -> None:
    messages = read_messages(case["value"], case["role"])
    rest = iter(messages)
    for role, text, calls in case["wanted"]:
        assert any(_fits(message, role, text, calls) for message in rest), (role, text, calls, messages)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_the_same_is_found_in_its_json(case: dict[str, Any]) -> None:
    if not isinstance(case["value"], str):
        assert read_messages(json.dumps(case["value"]), case["role"]) == read_messages(case["value"], case["role"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_the_text_of_a_generation_shows_it(case: dict[str, Any]) -> None:
    key = "$ai_output_choices" if case["role"] == "assistant" else "$ai_input"
    text = render_generation({"event": "$ai_generation", "properties": {key: case["value"]}}).text
    for _, said, calls in case["wanted"]:
        assert all(line in text for line in said.split("\n"))
        assert all(f"{name}(" in text for name, _ in calls)


def test_what_a_node_of_a_graph_adds_is_read_in_a_span() -> None:
    state = {"agent": {"messages": [{"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {"a": 1}}]}]}}
    assert "f(a=1)" in render_trace([event("span", output_state=state)]).text


@pytest.mark.parametrize(
    "data",
    [
        {"documents": [{"id": 1, "content": "a page"}]},
        {"name": "Oslo", "input": 3},
        {"rows": [{"role": "admin", "name": "Bo"}]},
        {"type": "object", "properties": {"message": {"type": "string"}}},
        {"source": "sensor", "value": 3},
        [{"name": "get_weather", "parameters": {"type": "object", "properties": {}}}],
        {"result": {"output": 3}},
        {"steps": [1, 2, 3]},
    ],
)
def test_data_of_an_application_is_shown_as_data(data: Any) -> None:
    messages = read_messages(data)
    assert not any(message.tool_calls for message in messages)
    shown = "".join(message.text for message in messages)
    assert all(str(leaf) in shown for leaf in _leaves(data))


_KEYS = st.sampled_from(["alpha", "beta", "gamma", "Delta", "epsilon.zeta", "eta_theta", "iota1", "κλ"])


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    return [leaf for inner in value for leaf in _leaves(inner)] if isinstance(value, list) else [value]


@given(
    st.recursive(
        st.integers(10**6, 10**9).map("word{}".format),
        lambda inner: st.dictionaries(_KEYS, inner, min_size=1, max_size=4) | st.lists(inner, min_size=1, max_size=4),
        max_leaves=20,
    ),
    st.sampled_from(["state", "content", "messages", "input", "output", "payload", "parts", "role", "type", "text"]),
)
@settings(max_examples=example_count(300), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_word_under_unknown_keys_is_lost(value: Any, key: str) -> None:
    beside = [{key: value, "alpha": "word5"}] if key in {"state", "output", "payload"} else []
    for shape in (value, [value], {key: value}, beside):
        shown = " ".join(f"{message.role} {message.text}" for message in read_messages(shape))
        assert all(leaf in shown for leaf in _leaves(shape))
