"""Objects around messages that belong to no provider: states, requests, runs. What else they hold is shown too.

They are told by what they hold: under any key a conversation, or a question and an answer. What they hold is given in
the order of talk: system prompt, what came in, calls and their results, what came out.
"""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.jsontext import NOT_JSON, compact_json, parse_container
from llma_assets.rendering.message import Message
from llma_assets.rendering.shapes.inner import Inner, result_text, string
from llma_assets.rendering.shapes.openai_chat import calls_of
from llma_assets.rendering.shapes.speaking import first_of, speaks
from llma_assets.rendering.shapes.transcripts import read_transcript

_CONTENT: Final = {
    "content", "name", "id", "finish_reason", "stop_reason", "index", "isError", "is_error", "structuredContent",
    "_meta", "finishReason",
}  # fmt: skip
_LISTS: Final = ("messages", "input_messages", "output_messages", "chat_history", "history")
_SYSTEM: Final = (
    "system", "instructions", "system_prompt", "systemPrompt", "preamble", "gen_ai.system_instructions",
)  # fmt: skip
_QUESTIONS: Final = (
    "question", "query", "prompt", "user_input", "user_message", "user_query", "instruction", "input", "message",
    "task", "inputText",
)  # fmt: skip
_ANSWERS: Final = (
    "answer", "response", "reply", "completion", "generated_text", "output_text", "outputText", "model_output",
    "assistant_response", "output", "outputs", "text",
)  # fmt: skip
_PLAIN_ANSWERS: Final = ("generated_text", "completion", "output_text", "outputText", "response", "answer", "reply")
"""Keys that name a model's words also where nothing else speaks."""

_SIDES: Final = (("input", "output"), ("inputs", "outputs"), ("inputs", "output"), ("request", "response"))
"""Where a run's two sides stand: when one of them speaks, the other belongs to it."""

_OUTWARD: Final = ("output", "response", "result", "completion", "replies", "reply", "answer", "generated", "choices")
_SETTINGS: Final = {
    "model", "model_name", "temperature", "top_p", "top_k", "n", "stop", "stream", "stream_options", "max_tokens",
    "max_completion_tokens", "max_output_tokens", "tools", "tool_choice", "functions", "function_call",
    "parallel_tool_calls", "response_format", "seed", "user", "metadata", "usage", "id", "object", "created",
    "created_at",
    "frequency_penalty", "presence_penalty", "logprobs", "logit_bias", "system_fingerprint", "service_tier", "store",
    "stop_sequences", "stop_reason", "stop_sequence", "thinking", "reasoning_effort", "tool_definitions", "llm_output",
    "run", "type", "is_last_step", "remaining_steps", "lc_serializable", "jsonrpc", "maxTokens", "generation_id",
    "max_tokens_to_sample", "done", "context", "total_duration", "finish_reason", "finishReason", "lg_name",
    "conversation_id", "token_count", "tokenCount", "generated_token_count", "completionReason", "timestamp",
    "inputTextTokenCount", "run_type",
}  # fmt: skip


def read(item: Mapping[str, object], role: str, inner: Inner) -> list[Message] | None:
    """Read a state, a request, a run or a prompt.

    `{"messages": […], "documents": […]}`, `{"system": "…", "prompt": "…"}`, `{"inputs": {…}, "outputs": {…}}`
    """
    held = {key: value for key, value in item.items() if _holds(key, value)}
    for came, went in _SIDES:
        if (
            isinstance(item.get(came), Mapping)
            and item.get(went)
            and (went in held or came in held or _asks(item[came]))
        ):
            held |= {came: item[came], went: item[went]}
    if not held and "content" in item and set(item) <= _CONTENT:
        return inner(item["content"], role)
    question = _question(item, bool(held))
    answer = first_of(item, _ANSWERS if held or question else _PLAIN_ANSWERS)
    has_answer = bool(answer) and answer not in held and _is_words(item[answer])
    if not held and not question and not (has_answer and set(item) <= _SETTINGS | {answer}):
        return _results(item, inner)
    used = {*held, question, *([answer] if has_answer else [])}
    messages = _system(item, used, inner)
    outward = [key for key in held if any(word in key.lower() for word in _OUTWARD)]
    for key in held:
        if key not in outward and key not in _SYSTEM:
            speaker = role if key in _LISTS or role == "assistant" else "user" if "input" in key.lower() else role
            messages.extend(_said(held[key], speaker, inner))
    if question:
        messages.extend(read_transcript(string(item[question])) or inner(item[question], "user"))
    messages.extend(_steps(item, used, inner))
    for key in outward:
        messages.extend(_said(held[key], "assistant", inner))
    calls = () if "role" in item else calls_of(item)
    if has_answer or calls:
        used |= {"tool_calls", "toolCalls"} if calls else set()
        messages.append(Message("assistant", _words(item[answer]) if has_answer else "", calls))
    if isinstance(item.get("observations"), str):
        used.add("observations")
        messages.append(Message("tool", string(item["observations"])))
    rest = {
        key: value for key, value in item.items() if key not in used | _SETTINGS and value not in (None, [], {}, "")
    }
    if rest:
        messages.append(Message("state", compact_json(rest)))
    return messages


def _asks(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(value.get(key), str) for key in _QUESTIONS)


def _holds(key: object, value: object) -> bool:
    """Whether a conversation stands under `key`; a list of texts only under the keys that are meant for one."""
    if (
        not isinstance(key, str)
        or not isinstance(value, Mapping | list | str)
        or (key in _SETTINGS and not (key == "tools" and isinstance(value, Mapping)))
    ):
        return False
    if key in _LISTS and isinstance(value, list):
        return all(isinstance(part, Mapping | str | list) for part in value)
    if key == "input" and isinstance(value, list) and value:
        return all(isinstance(part, Mapping) and ("role" in part or "type" in part) for part in value) or speaks(value)
    return speaks(value)


def _said(value: object, role: str, inner: Inner) -> list[Message]:
    """The messages of a conversation; those that a tracer wrote down as strings are read again."""
    if isinstance(value, str):
        parsed = parse_container(value)
        value = value if parsed is NOT_JSON else parsed
    if not isinstance(value, list):
        return inner(value, role)
    found: list[Message] = []
    for part in value:
        turn = _turn(part)
        found.extend(turn or (read_transcript(part) if isinstance(part, str) else []) or inner(part, role))
    return found


def _turn(part: object) -> list[Message]:
    """What was asked and what was answered, as pairs of texts: `["Hi", "Hello!"]`."""
    if not isinstance(part, list | tuple) or len(part) != 2 or not all(isinstance(side, str) for side in part):
        return []
    first, second = str(part[0]), str(part[1])
    if first.lower() in {"user", "human", "ai", "assistant", "system", "tool", "bot", "developer"}:
        return []
    return [Message("user", first), Message("assistant", second)]


def _system(item: Mapping[str, object], used: set[str], inner: Inner) -> list[Message]:
    messages: list[Message] = []
    for key in _SYSTEM:
        value = item.get(key)
        parsed = parse_container(value) if isinstance(value, str) else NOT_JSON
        if isinstance(value, str | list) and value:
            used.add(key)
            found = inner(value if parsed is NOT_JSON else parsed, "system")
            messages.extend(Message("system", message.text) for message in found if message.text)
    return messages


def _question(item: Mapping[str, object], has_held: bool) -> str:
    """The key of a question in words: beside an answer or a conversation, or alone with settings."""
    key = first_of(item, _QUESTIONS)
    if not key or not isinstance(item[key], str):
        return ""
    answer = first_of(item, _ANSWERS)
    if has_held or (answer and _is_words(item[answer])):
        return key if key not in {"task"} or has_held else ""
    return key if key in {"prompt", "input"} and set(item) <= _SETTINGS | {key, *_SYSTEM} else ""


def _is_words(value: object) -> bool:
    return (isinstance(value, str) and value != "") or (
        isinstance(value, list) and bool(value) and all(isinstance(part, str) for part in value)
    )


def _words(value: object) -> str:
    return "".join(str(part) for part in value) if isinstance(value, list) else string(value)


def _steps(item: Mapping[str, object], used: set[str], inner: Inner) -> list[Message]:
    """Actions and what was observed after each: `[[{"tool": "f", "tool_input": {}}, "…"]]`."""
    messages: list[Message] = []
    for key in ("intermediate_steps", "actions", "tool_results"):
        for step in item[key] if isinstance(item.get(key), list) else []:  # type: ignore[attr-defined]
            used.add(key)
            if isinstance(step, list | tuple) and len(step) == 2 and isinstance(step[0], Mapping):
                messages.extend(inner(step[0], "assistant"))
                messages.append(Message("tool", result_text(step[1], inner)))
            else:
                messages.extend(inner(step, "tool"))
    return messages


def _results(item: Mapping[str, object], inner: Inner) -> list[Message] | None:
    """An answer or a result one level down, alone with settings: `{"results": [{"outputText": "…"}]}`."""
    if isinstance(item.get("tool_results"), list) and item["tool_results"]:
        return _steps(item, set(), inner)
    if "jsonrpc" in item or "method" in item:
        body = item.get("params", item.get("result"))
        if isinstance(body, Mapping):
            tool = "content" in body
            return [Message("tool", result_text(body["content"], inner))] if tool else inner(body, "assistant")
    results = item.get("results")
    only = results[0] if isinstance(results, list) and len(results) == 1 else None
    if isinstance(only, Mapping) and first_of(only, _PLAIN_ANSWERS) and set(item) <= _SETTINGS | {"results"}:
        return inner(only, "assistant")
    return None
