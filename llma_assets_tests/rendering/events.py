"""Builders of events for this room's tests: short to write, complete to read."""

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
_numbers = count(1)


def event(name: str, at_s: float = 0.0, **properties: Any) -> dict[str, Any]:
    """An event `at_s` seconds after noon; properties are named without their `$ai_`."""
    return {
        "uuid": str(UUID(int=next(_numbers))),
        "event": f"$ai_{name}",
        "timestamp": (START + timedelta(seconds=at_s)).isoformat(),
        "properties": {"$ai_trace_id": "t", **{f"$ai_{key}": value for key, value in properties.items()}},
    }


def user(text: str) -> dict[str, Any]:
    """A user's message."""
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    """A model's message."""
    return {"role": "assistant", "content": text}


def system(text: str) -> dict[str, Any]:
    """A system prompt."""
    return {"role": "system", "content": text}


def conversation(turns: int, *, prompt: str = "Be kind.", label: str = "", parent: str = "") -> list[dict[str, Any]]:
    """Generations of an agent, each of which repeats the whole history."""
    history, events = [system(prompt)], []
    for turn in range(turns):
        history = [*history, user(f"question {label}{turn}?")]
        answer = assistant(f"answer {label}{turn}!")
        made = event("generation", turn, input=history, output_choices=[answer], span_id=f"g{label}{turn}")
        if parent:
            made["properties"]["$ai_parent_id"] = parent
        events.append(made)
        history = [*history, answer]
    return events
