"""A stop for any other reason than a normal end is one line, and survives when the text is cut."""

from typing import Any

import pytest

from llma_assets.rendering import RenderOptions, render_generation, render_trace
from llma_assets.summaries.transcript import read_steps
from llma_assets_tests.rendering.events import assistant, event, user

STOPS: list[tuple[dict[str, Any], str]] = [
    ({"stop_reason": "max_tokens"}, "max_tokens"),
    ({"output_choices": [{"message": assistant(""), "finish_reason": "content_filter"}]}, "content_filter"),
    ({"output_choices": {"choices": [{"message": assistant("x"), "finish_reason": "length"}]}}, "length"),
    ({"output_choices": [{"message": {**assistant(""), "refusal": "No."}, "finish_reason": "stop"}]}, "refusal"),
    ({"output_choices": {"role": "assistant", "content": [], "stop_reason": "refusal"}}, "refusal"),
    ({"output": {"output": {"message": assistant("")}, "stopReason": "guardrail_intervened"}}, "guardrail_intervened"),
    ({"output": {"object": "response", "output": [], "incomplete_details": {"reason": "max_output_tokens"}}},
     "max_output_tokens"),
    ({"output": {"candidates": [], "promptFeedback": {"blockReason": "SAFETY"}}}, "SAFETY"),
    ({"output": {"candidates": [{"content": {"parts": []}, "finishReason": "FinishReason.RECITATION"}]}}, "RECITATION"),
    ({"output": {"candidates": [{"content": {"parts": []}, "finish_reason": 3}]}}, "safety"),
    ({"output": '{"choices": [{"message": {"content": ""}, "finish_reason": "length"}]}'}, "length"),
    ({"output": {"generations": [[{"text": "x", "generation_info": {"finish_reason": "length"}}]]}}, "length"),
    ({"output": [*({"choices": [{"delta": {"content": "x"}}]} for _ in range(300)),
                 {"choices": [{"delta": {}, "finish_reason": "length"}]}]}, "length"),
    ({"output": [{"role": "assistant", "parts": [], "finish_reason": "error"}]}, "error"),
    ({"stop_reason": "max_tokens", "output_choices": [{"finish_reason": "length"}]}, "max_tokens, length"),
]  # fmt: skip

NORMAL: list[dict[str, Any]] = [
    {"stop_reason": "end_turn"},
    {"output_choices": [{"message": assistant("hi"), "finish_reason": "stop"}]},
    {"output_choices": {"content": [{"type": "text", "text": "hi"}], "stop_reason": "tool_use"}},
    {"output": {"candidates": [{"content": {"parts": [{"text": "hi"}]}, "finishReason": "STOP"}]}},
    {"output": {"message": assistant("hi"), "done_reason": "stop"}},
    {"output_choices": [{"message": assistant("hi"), "finish_reason": None}]},
    {"output_choices": [{"message": {"role": "assistant", "tool_calls": [
        {"function": {"name": "f", "arguments": {"finish_reason": "content_filter"}}}]}}]},
    {"input": [{"role": "assistant", "content": "x", "stop_reason": "max_tokens"}], "output": "hi"},
]  # fmt: skip


@pytest.mark.parametrize(("properties", "reason"), STOPS)
def test_another_reason_than_a_normal_end_is_said(properties: dict[str, Any], reason: str) -> None:
    made = event("generation", **properties)
    assert f"Stopped: {reason}" in [
        line.partition(": ")[2].strip("│ ") for line in render_trace([made]).text.split("\n")
    ]
    assert f"\nStopped: {reason}" in render_generation(made, RenderOptions(line_numbers=False)).text


@pytest.mark.parametrize("properties", NORMAL)
def test_a_normal_end_is_not_said(properties: dict[str, Any]) -> None:
    made = event("generation", **properties)
    assert "Stopped" not in render_trace([made]).text + render_generation(made).text


def test_the_line_survives_cutting() -> None:
    page = "word " * 400
    made = [event("generation", n, input=[user(f"{n} {page}")], output_choices=[assistant(page)]) for n in range(60)]
    made[30]["properties"]["$ai_stop_reason"] = "content_filter"
    rendered = render_trace(made, RenderOptions(max_chars=3_000))
    assert "sampling" in rendered.loss.rules
    assert "Stopped: content_filter" in rendered.text


def test_the_line_is_no_part_of_the_message_before_it() -> None:
    made = event("generation", input=[user("Tell me all")], output_choices=[assistant("All is")], stop_reason="length")
    steps = read_steps(render_trace([made]).text)
    assert [step.text for step in steps if step.kind == "message"] == ["Tell me all", "All is"]
