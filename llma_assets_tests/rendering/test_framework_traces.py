"""What nine real frameworks record is read as the chat messages that an independent reader expects of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llma_assets.rendering import Message, read_messages, render_generation

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "framework_traces"
FRAMEWORKS = [path.name.removesuffix(".trace.json") for path in sorted(DATA.glob("*.trace.json"))]

pytestmark = pytest.mark.skipif(not FRAMEWORKS, reason="the shared framework traces are not here")


def _sides(framework: str) -> Iterator[tuple[str, str, Any, list[dict[str, Any]]]]:
    """Observation id, side, raw value and expected messages, where the expectation succeeded."""
    observations = json.loads((DATA / f"{framework}.trace.json").read_text())["observations"]
    raw = {observation["id"]: observation for observation in observations}
    for identity, sides in json.loads((DATA / f"{framework}.chatml.json").read_text()).items():
        for side, expectation in sides.items():
            if expectation.get("success"):
                yield identity, side, raw[identity][side], expectation["data"]


def _json(value: Any) -> Any:
    """A value in which JSON texts and the objects they hold are equal."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value.strip()
    return value


def _wanted(expected: dict[str, Any]) -> tuple[str | None, str, list[tuple[str, Any]]]:
    """Role, text and calls of an expected message; its content may be text, blocks, or a tool's parsed result."""
    content, calls = expected.get("content"), expected.get("tool_calls") or []
    texts: list[str] = []
    wishes = [(call["name"], _json(call["arguments"])) for call in calls]
    if isinstance(content, list) and any(isinstance(part, dict) and "type" in part for part in content):
        texts = [part["text"] for part in content if part.get("type") == "text"]
        wishes += [(part["name"], part["input"]) for part in content if part.get("type") == "tool_use"]
    elif content is not None:
        texts = [content if isinstance(content, str) else json.dumps(content)]
    return expected.get("role"), "\n".join(texts), wishes


def _is_found(expected: dict[str, Any], messages: list[Message]) -> bool:
    role, text, wishes = _wanted(expected)
    return any(
        (role is None or role == message.role)
        and (not text or _json(text) == _json(message.text))
        and [(call.name, _json(call.arguments)) for call in message.tool_calls][: len(wishes)] == wishes
        for message in messages
    )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_expected_message_is_found_in_what_is_read_of_the_raw_value(framework: str) -> None:
    missing = [
        (identity, side, expected)
        for identity, side, raw, messages in _sides(framework)
        for expected in messages
        if not _is_found(expected, read_messages(raw, "user" if side == "input" else "assistant"))
    ]
    assert missing == []


def test_expected_messages_are_many_and_say_something() -> None:
    wanted = [_wanted(message) for name in FRAMEWORKS for *_, messages in _sides(name) for message in messages]
    assert sum(1 for _, text, wishes in wanted if text or wishes) > 50


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_expected_messages_come_in_the_order_in_which_they_were_said(framework: str) -> None:
    for identity, side, raw, messages in _sides(framework):
        read = iter(read_messages(raw, "user" if side == "input" else "assistant"))
        for expected in messages:
            if any(_wanted(expected)):
                assert any(_is_found(expected, [message]) for message in read), (identity, side, expected)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_text_of_a_generation_shows_what_was_said(framework: str) -> None:
    for identity, side, raw, messages in _sides(framework):
        key = "$ai_input" if side == "input" else "$ai_output_choices"
        text = render_generation({"event": "$ai_generation", "properties": {key: raw}}).text
        for expected in messages:
            role, said, wishes = _wanted(expected)
            assert role is None or f"] {role.upper()}" in text
            assert not said or said[:80].split("\n")[0] in text or isinstance(_json(said), list), (identity, side)
            assert all(f"{name}(" in text for name, _ in wishes)


def test_a_pydantic_repr_that_a_tracer_wrote_is_read_as_the_message_that_it_was() -> None:
    agno = DATA / "agno-2025-06-11.trace.json"
    observation = next(o for o in json.loads(agno.read_text())["observations"] if o["id"] == "b38a82eaa62b551e")
    messages = read_messages(observation["input"])
    assert [message.role for message in messages] == ["system", "user", "assistant", "tool"]
    assert messages[1].text == "What is currently trending on Twitter?"
    assert messages[2].tool_calls[0].arguments == {"query": "currently trending on Twitter"}


def test_a_conversation_that_a_tracer_wrote_as_one_string_is_read_turn_by_turn() -> None:
    autogen = DATA / "autogen-2025-06-06.trace.json"
    observation = next(o for o in json.loads(autogen.read_text())["observations"] if o["id"] == "83517f9062f5ada4")
    messages = read_messages(observation["input"])
    assert [message.role for message in messages] == ["system", "user"]
    assert messages[1].text == "Say 'Hello World!'"
