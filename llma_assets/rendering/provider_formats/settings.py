"""What is a setting of a request or a number about it, and not something that somebody said.

A name is not enough: applications keep retrieved documents under `context`, a plan under `thinking`, a person under
`user`. A value that says something is shown whatever it is called.
"""

import re
from collections.abc import Mapping
from typing import Final

SETTINGS: Final = {
    "model", "model_name", "temperature", "top_p", "top_k", "n", "stop", "stream", "stream_options", "max_tokens",
    "max_completion_tokens", "max_output_tokens", "tools", "tool_choice", "functions", "function_call",
    "parallel_tool_calls", "response_format", "seed", "user", "metadata", "usage", "id", "object", "created",
    "created_at", "done_reason",
    "frequency_penalty", "presence_penalty", "logprobs", "logit_bias", "system_fingerprint", "service_tier", "store",
    "stop_sequences", "stop_reason", "stop_sequence", "thinking", "reasoning_effort", "tool_definitions", "llm_output",
    "run", "type", "is_last_step", "remaining_steps", "lc_serializable", "jsonrpc", "maxTokens", "generation_id",
    "max_tokens_to_sample", "done", "context", "total_duration", "finish_reason", "finishReason", "lg_name",
    "conversation_id", "token_count", "tokenCount", "generated_token_count", "completionReason", "timestamp",
    "inputTextTokenCount", "run_type",
}  # fmt: skip
"""Names under which requests and responses keep settings."""

_STRUCTURED: Final = {
    "tools", "functions", "tool_definitions", "tool_choice", "function_call", "response_format", "usage", "stop",
    "stop_sequences", "stop_sequence", "logprobs", "logit_bias", "stream_options",
}  # fmt: skip
"""Settings whatever their value: definitions, counts, and texts that end an answer."""

_FREE: Final = {"context", "thinking", "user", "metadata", "store", "run", "object"}
"""Names that applications use for values of their own, so that one word is enough to be shown."""

_WORDS: Final = re.compile(r"[^\W\d_]{2,}[^\w/.:-]+[^\W\d_]{2,}")
_ONE_WORD: Final = re.compile(r"[^\W\d_][^\W\d_]+(?:[ .,'-][^\W\d_]+){0,20}[.!?]?")
_MODES: Final = {"enabled", "disabled", "adaptive", "auto", "none", "low", "medium", "high", "default", "true", "false"}
_DEPTH: Final = 6
_FAN_OUT: Final = 50


def is_setting(key: object, value: object) -> bool:
    """Whether `value` under `key` is a setting.

    >>> is_setting("temperature", 0.2), is_setting("thinking", {"type": "enabled", "budget_tokens": 1024})
    (True, True)
    >>> is_setting("context", ["Refunds take ten days."]), is_setting("user", "Anna"), is_setting("user", "u-4711")
    (False, False, True)
    """
    if key not in SETTINGS:
        return False
    return key in _STRUCTURED or not says_something(value, one_word=key in _FREE)


def says_something(value: object, *, one_word: bool = False, depth: int = _DEPTH) -> bool:
    """Whether a value holds words that were meant for a reader; with `one_word`, a single one that is no id."""
    if isinstance(value, str):
        head = value[:2_000]
        is_word = one_word and head.lower() not in _MODES and _ONE_WORD.fullmatch(head) is not None
        return is_word or _WORDS.search(head) is not None
    if depth <= 0:
        return False
    if isinstance(value, Mapping):
        items = [(key, child) for key, child in value.items() if not _is_name(key)]
        return any(says_something(child, one_word=one_word, depth=depth - 1) for _, child in items[:_FAN_OUT])
    if isinstance(value, list | tuple):
        return any(says_something(child, one_word=one_word, depth=depth - 1) for child in value[:_FAN_OUT])
    return False


def _is_name(key: object) -> bool:
    """Whether the value of a key only names or types something."""
    return isinstance(key, str) and (
        key in {"type", "object", "model", "model_name", "role", "id", "provider"}
        or key.endswith(("_id", "Id", "_type", "_provider", "_name"))
        or key.startswith(("ls_", "lc_", "langgraph_", "$"))
    )
