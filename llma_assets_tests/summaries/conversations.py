"""Numbered texts of conversations for the tests of rules, as the renderer makes them."""

import json
from collections.abc import Iterable
from typing import Any

from llma_assets.rendering import RenderOptions, render_trace

Turn = tuple[str, str] | tuple[str, str, Any]
"""("user", said), ("assistant", said), ("call", tool, arguments), ("result", tool, output), ("error", tool, error)."""


def conversation(*turns: Turn) -> str:
    """The text of a trace with these turns; what the user said opens each model call."""
    return render_trace(list(_events(turns)), RenderOptions()).text


def _events(turns: Iterable[Turn]) -> Iterable[dict[str, Any]]:
    history: list[dict[str, Any]] = []
    for at, turn in enumerate([*turns, ("assistant", "")]):
        kind, name, *rest = turn
        if kind == "user":
            history.append({"role": "user", "content": name})
        elif kind in {"result", "error"}:
            failed = {"$ai_is_error": True, "$ai_error": rest[0]} if kind == "error" else {}
            output = {} if failed else {"$ai_output_state": rest[0]}
            yield _event(at, "$ai_span", {"$ai_span_name": name, "$ai_latency": 0.2, **output, **failed})
            history.append({"role": "tool", "content": rest[0] if isinstance(rest[0], str) else json.dumps(rest[0])})
        else:
            said = {"role": "assistant", "content": name}
            if kind == "call":
                call = {"id": f"c{at}", "type": "function"}
                call["function"] = {"name": name, "arguments": json.dumps(rest[0])}
                said = {"role": "assistant", "content": "", "tool_calls": [call]}
            model = {"$ai_model": "m", "$ai_latency": 1.5 + at, "$ai_total_cost_usd": 0.001 * (at + 1)}
            yield _event(at, "$ai_generation", {"$ai_input": list(history), "$ai_output_choices": [said], **model})
            history.append(said)


def _event(at: int, name: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "uuid": f"00000000-0000-4000-8000-{at:012d}",
        "event": name,
        "team_id": 1,
        "distinct_id": "someone",
        "timestamp": f"2026-11-07T{8 + at // 60:02d}:{at % 60:02d}:00Z",
        "properties": {"$ai_trace_id": "t", "$ai_span_id": f"s{at}", **properties},
    }
