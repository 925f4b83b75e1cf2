"""Why a model stopped, where it did not come to an end by itself: cut off, filtered, refused, blocked."""

from collections.abc import Iterator, Mapping
from typing import Final

from llma_assets.rendering.cleaning import Redacts, one_line
from llma_assets.rendering.json_text import NOT_JSON, parse_container

_NORMAL: Final = {
    "", "stop", "end_turn", "tool_use", "tool_calls", "tool_call", "function_call", "function_calls", "stop_sequence",
    "eos", "eos_token", "complete", "completed", "finish", "finished", "success", "end", "done", "null", "none",
    "unknown", "unspecified", "finish_reason_unspecified", "not_finished", "unfinished", "endoftext", "load", "unload",
    "in_progress", "1",
}  # fmt: skip
_REASONS: Final = (
    "finish_reason", "finishReason", "stop_reason", "stopReason", "done_reason", "completionReason", "block_reason",
    "blockReason",
)  # fmt: skip
_INSIDE: Final = (
    "choices", "candidates", "message", "generations", "generation_info", "response_metadata", "kwargs", "response",
    "delta", "messageStop", "results", "promptFeedback", "prompt_feedback", "output",
)  # fmt: skip
"""Keys under which answers hold the reason; never the content of messages, which may be about anything."""

_GEMINI: Final = {"2": "max_tokens", "3": "safety", "4": "recitation", "5": "other"}
"""Google's numbers for reasons."""

_DEPTH: Final = 6
_AT_EITHER_END: Final = 10
_LONGEST_PARSED: Final = 200_000


def stop_line(properties: Mapping[str, object], redactor: Redacts | None = None) -> str:
    """`Stopped: content_filter`, or "" if the model of a generation came to a normal end.

    >>> stop_line({"$ai_output_choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]})
    'Stopped: content_filter'
    >>> stop_line({"$ai_stop_reason": "tool_use", "$ai_output_choices": [{"finish_reason": "stop"}]})
    ''
    """
    stated = properties.get("$ai_stop_reason")
    found = [reason for value in [stated] if (reason := _reason(value))]
    for key in ("$ai_output_choices", "$ai_output", "$ai_output_state"):
        found.extend(_reasons(properties.get(key), _DEPTH))
    different = dict.fromkeys(found)
    return f"Stopped: {', '.join(one_line(reason, 100, redactor) for reason in different)}" if different else ""


def _reasons(value: object, depth: int) -> Iterator[str]:
    if depth <= 0:
        return
    if isinstance(value, str):
        parsed = parse_container(value) if len(value) <= _LONGEST_PARSED and "eason" in value else NOT_JSON
        if parsed is not NOT_JSON:
            yield from _reasons(parsed, depth - 1)
    elif isinstance(value, list):
        ends = value if len(value) <= 2 * _AT_EITHER_END else value[:_AT_EITHER_END] + value[-_AT_EITHER_END:]
        for child in ends:
            if isinstance(child, Mapping | list):
                yield from _reasons(child, depth - 1)
    elif isinstance(value, Mapping):
        yield from _of_object(value)
        for key in _INSIDE:
            child = value.get(key)
            if isinstance(child, Mapping | list):
                yield from _reasons(child, depth - 1)


def _of_object(item: Mapping[str, object]) -> Iterator[str]:
    for key in _REASONS:
        if key in item and (reason := _reason(item[key])):
            yield reason
    details = item.get("incomplete_details")
    if isinstance(details, Mapping) and (reason := _reason(details.get("reason"))):
        yield reason
    if isinstance(item.get("refusal"), str) and item["refusal"]:
        yield "refusal"
    if item.get("amazon-bedrock-guardrailAction") == "INTERVENED" or item.get("action") == "GUARDRAIL_INTERVENED":
        yield "guardrail_intervened"


def _reason(value: object) -> str:
    """A reason other than a normal end: its own name, as the provider writes it."""
    if isinstance(value, Mapping):
        value = value.get("unified", value.get("reason", value.get("type")))
    if not isinstance(value, str | int) or isinstance(value, bool):
        return ""
    name = str(value)[:200].strip().rpartition("FinishReason.")[2].rpartition("BlockReason.")[2]
    return "" if name.lower().replace("-", "_") in _NORMAL else _GEMINI.get(name, name)
