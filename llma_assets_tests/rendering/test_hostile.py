"""Nothing that a customer can send makes rendering fail, run long, or write what no text may hold."""

import json
import re
import time
import tracemalloc
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llma_assets.rendering import RenderOptions, item_facts, read_messages, render_generation, render_trace
from llma_assets.tokens import count_tokens
from llma_assets_tests.fuzzing import example_count
from llma_assets_tests.rendering.events import assistant, event, user

_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
_WORDS = st.sampled_from(
    [
        "role",
        "content",
        "type",
        "text",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "parts",
        "functionCall",
        "functionResponse",
        "response",
        "args",
        "input",
        "output",
        "tool_use",
        "tool_result",
        "thinking",
        "message",
        "messages",
        "choices",
        "candidates",
        "contents",
        "lc",
        "kwargs",
        "id",
        "generations",
        "data",
        "tool-call",
        "toolName",
        "result",
        "state",
        "toolInvocation",
        "part_kind",
        "block_type",
        "blocks",
        "image",
        "source",
        "file",
        "uri",
        "json",
        "status",
        "summary",
        "reasoning",
        "web_search_call",
        "function_call",
        "function_call_output",
        "user",
        "assistant",
        "system",
        "tool",
        "human",
        "ai",
        "model",
        "prompt",
        "system",
        "instructions",
        "tools",
        "parameters",
        "properties",
        "required",
        "description",
        "mimeType",
        "inlineData",
        "message.role",
        "message.content",
        "llm.input_messages.0.message.role",
        "llm.input_messages.x.message",
        "tool_call",
        "author",
        "sender",
        "speaker",
        "utterance",
        "$type",
        "FunctionName",
        "payload",
        "attributes",
        "gen_ai.user.message",
        "tool_input",
        "intermediate_steps",
        "inputs",
        "outputs",
        "answer",
        "question",
        "content_block_delta",
        "delta",
        "index",
        "tool_call_id",
        "toolInvocations",
        "transcript",
        "event_name",
        "body",
    ]
)
_JSON = st.recursive(
    _SCALARS | _WORDS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_WORDS | st.text(max_size=8), inner, max_size=6),
    max_leaves=25,
)
_VALUES = _JSON | _JSON.map(json.dumps)
_KEYS = st.sampled_from(
    [
        "$ai_trace_id",
        "$ai_span_id",
        "$ai_parent_id",
        "$ai_generation_id",
        "$ai_span_name",
        "$ai_trace_name",
        "$ai_latency",
        "$ai_is_error",
        "$ai_error",
        "$ai_http_status",
        "$ai_model",
        "$ai_input",
        "$ai_output",
        "$ai_output_choices",
        "$ai_tools",
        "$ai_input_tokens",
        "$ai_total_cost_usd",
        "$ai_input_state",
        "$ai_output_state",
        "$ai_evaluation_name",
        "$ai_evaluation_result",
        "$ai_evaluation_applicable",
        "$ai_evaluation_reasoning",
        "$ai_metric_value",
        "$ai_feedback_text",
    ]
)
_IDS = st.sampled_from(["a", "b", "c", "'; DROP", "😀"])
_PROPERTIES = st.builds(
    lambda values, ids: {**values, **ids},
    st.dictionaries(_KEYS, _VALUES, max_size=8),
    st.dictionaries(st.sampled_from(["$ai_span_id", "$ai_parent_id", "$ai_generation_id"]), _IDS, max_size=2),
)
_EVENTS = st.fixed_dictionaries(
    {
        "uuid": st.text(max_size=5),
        "event": st.sampled_from(
            ["$ai_generation", "$ai_span", "$ai_trace", "$ai_embedding", "$ai_evaluation", "$ai_metric",
             "$ai_feedback", "$ai_tag", "other"]
        ),
        "timestamp": st.sampled_from(["2026-01-05T12:00:00Z", "2026-01-05 12:00:01.5", "yesterday", None, 5, 1e300]),
        "properties": _PROPERTIES | _PROPERTIES.map(json.dumps) | _SCALARS | st.just("{broken"),
    }
)  # fmt: skip
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_FUZZ = settings(max_examples=example_count(150), deadline=None, suppress_health_check=list(HealthCheck))


def _check(text: str, limit: int) -> None:
    assert len(text) <= limit
    assert _FORBIDDEN.search(text) is None
    text.encode()


@_FUZZ
@given(events=st.lists(_EVENTS, max_size=8), limit=st.integers(1, 3_000), numbers=st.booleans())
def test_any_json_in_any_property_gives_the_same_valid_text_twice(
    events: list[dict[str, Any]], limit: int, numbers: bool
) -> None:
    options = RenderOptions(max_chars=limit, line_numbers=numbers, max_value_chars=100)
    text = render_trace(events, options).text
    _check(text, limit)
    assert render_trace(events, options).text == text


@_FUZZ
@given(
    events=st.lists(_EVENTS, max_size=8),
    limit=st.integers(1, 1_000),
    model=st.sampled_from(["gpt-4.1-nano", "some-model"]),
)
def test_any_json_in_any_property_keeps_a_limit_in_tokens(events: list[dict[str, Any]], limit: int, model: str) -> None:
    options = RenderOptions(max_tokens=limit, model=model)
    rendered = render_trace(events, options)
    assert count_tokens(rendered.text, model) <= limit
    assert render_trace(events, options) == rendered
    assert json.loads(json.dumps(asdict(rendered.loss)))


@_FUZZ
@given(made=_EVENTS, limit=st.integers(1, 3_000))
def test_any_generation_gives_a_valid_text(made: dict[str, Any], limit: int) -> None:
    _check(render_generation(made, RenderOptions(max_chars=limit)).text, limit)


@_FUZZ
@given(value=_VALUES)
def test_any_value_is_read_as_messages(value: Any) -> None:
    for message in read_messages(value):
        assert isinstance(message.role, str)
        assert isinstance(message.text, str)
        assert all(isinstance(call.name, str) for call in message.tool_calls)


@_FUZZ
@given(events=st.lists(_EVENTS, max_size=6))
def test_any_events_have_finite_facts(events: list[dict[str, Any]]) -> None:
    facts = item_facts(events)
    assert 0 <= facts.cost_usd < float("inf")
    assert 0 <= facts.latency_s < float("inf")
    assert facts.tokens >= 0


@given(texts=st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=6))
@settings(max_examples=example_count(100), deadline=None)
def test_no_unknown_text_is_dropped_from_a_message(texts: list[str]) -> None:
    shown = read_messages([{"unknown": text} for text in texts])
    assert len(shown) == len(texts)


@pytest.mark.parametrize("depth", [300, 5_000, 200_000])
def test_json_of_any_depth_is_shown(depth: int) -> None:
    nested = '{"content":' * depth + '"deep"' + "}" * depth
    made = event("generation", input=nested, output="ok", input_state=nested)
    assert "ok" in render_trace([made]).text
    assert "ok" in render_generation(made).text
    whole = f'{{"$ai_input": {nested}}}'
    assert "[GEN]" in render_trace([{**made, "properties": whole}]).text


@pytest.mark.heavy
@pytest.mark.parametrize("depth", [300, 5_000, 100_000])
@pytest.mark.parametrize("key", ["content", "parts", "messages", "other"])
def test_objects_of_any_depth_are_shown(depth: int, key: str) -> None:
    nested: Any = "deep"
    for _ in range(depth):
        nested = {"role": "user", key: [nested]}
    made = event("generation", input=nested, output="ok", input_state=nested, error=nested)
    assert "ok" in render_trace([made]).text
    assert "ok" in render_generation(made).text
    while isinstance(nested, dict):  # taken apart by hand: Python's own deallocation of it is not what is tested
        nested = nested[key][0]


def test_numbers_beyond_any_machine_are_shown() -> None:
    made = event("span", input_state={"n": 10**6_000, "m": 2**70}, output_state=[float("nan"), float("inf")])
    text = render_trace([made]).text
    assert "1180591620717411303424" in text


@pytest.mark.parametrize("value", ["a\ud800b", {"k\udfff": "v\ud800"}, [user("\ud83d broken pair")]])
def test_lone_surrogates_are_replaced(value: object) -> None:
    made = event("generation", input=value, span_name="n\ud800", error="e\udc00", tools=[{"name": "t\ud800"}])
    _check(render_trace([made]).text, 60_000)
    _check(render_generation(made).text, 60_000)


@pytest.mark.parametrize("wrap", [lambda b: {"data": b}, lambda b: f"see data:image/png;base64,{b} end", lambda b: b])
def test_base64_of_any_length_never_enters_the_text(wrap: Any) -> None:
    for size in (400, 5_000, 3_000_000):
        picture = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ9" * (size // 45 + 1))[:size]
        for made in (event("generation", input=[user(wrap(picture))]), event("span", output_state=wrap(picture))):
            text = render_trace([made]).text
            assert "KGgoAAAANSUhEUg" not in text
            assert len(text) < 700


def _big_trace(shape: str) -> list[dict[str, Any]]:
    """About 50 MB of JSON."""
    if shape == "one value":
        return [event("generation", input=[user("word " * 10_000_000)], output="ok")]
    if shape == "one object":
        rows = [{"id": n, "name": f"row {n}", "tags": ["a", "b"]} for n in range(1_000_000)]
        return [event("span", output_state=rows)]
    if shape == "lines":
        return [event("span", output_state="line\n" * 10_000_000)]
    history: list[Any] = []
    events = []
    for turn in range(500):
        history = [*history, user(f"question {turn} " + "q" * 180)]
        answer = assistant(f"answer {turn} " + "a" * 180)
        events.append(event("generation", turn, input=history, output_choices=[answer]))
        history = [*history, answer]
    return events


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["one value", "one object", "lines", "history"])
def test_a_trace_of_fifty_megabytes_is_rendered_in_bounded_time_and_memory(shape: str) -> None:
    events = [{**made, "properties": json.dumps(made["properties"])} for made in _big_trace(shape)]
    size = sum(len(made["properties"]) for made in events)
    assert size > 40_000_000
    started = time.process_time()
    rendered = render_trace(events)
    assert time.process_time() - started < 5
    assert len(rendered.text) <= 60_000


@pytest.mark.slow
def test_a_long_history_needs_little_memory_beside_its_events() -> None:
    events = [{**made, "properties": json.dumps(made["properties"])} for made in _big_trace("history")]
    tracemalloc.start()
    render_trace(events)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
