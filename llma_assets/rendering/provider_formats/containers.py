"""Objects of any application that contain messages: states, requests, runs. Their other fields are shown, too.

They are recognised by their content: a conversation under any key, or a question and an answer. Messages come in the
order of a conversation: system prompt, input, tool calls and their results, output.
"""

from collections.abc import Mapping
from typing import Final

from llma_assets.rendering.json_text import NOT_JSON, compact_json, parse_container
from llma_assets.rendering.message import THINKING, Message
from llma_assets.rendering.provider_formats.detection import first_of, holds_messages
from llma_assets.rendering.provider_formats.nested import ReadNested, result_text, string
from llma_assets.rendering.provider_formats.openai_chat import calls_of, reasoning_texts
from llma_assets.rendering.provider_formats.settings import SETTINGS, is_setting
from llma_assets.rendering.provider_formats.transcripts import read_transcript

ORDER: Final = 90

_CONTENT: Final = {
    "content", "name", "id", "finish_reason", "stop_reason", "index", "isError", "is_error", "structuredContent",
    "_meta", "finishReason", "usage", "cached", "thought", "logprobs",
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
_UNAMBIGUOUS_ANSWERS: Final = (
    "generated_text",
    "completion",
    "output_text",
    "outputText",
    "response",
    "answer",
    "reply",
)
"""Keys of a model's answer, even where the object holds no other message."""

_INPUT_AND_OUTPUT: Final = (("input", "output"), ("inputs", "outputs"), ("inputs", "output"), ("request", "response"))
"""Keys of a run's input and output: if one holds messages, the other is part of the conversation."""

_OUTPUT_WORDS: Final = (
    "output",
    "response",
    "result",
    "completion",
    "replies",
    "reply",
    "answer",
    "generated",
    "choices",
)


def read(item: Mapping[str, object], role: str, read_nested: ReadNested) -> list[Message] | None:
    """Read a state, a request, a run or a prompt.

    `{"messages": […], "documents": […]}`, `{"system": "…", "prompt": "…"}`, `{"inputs": {…}, "outputs": {…}}`
    """
    held = {key: value for key, value in item.items() if _holds_conversation(key, value)}
    for input_key, output_key in _INPUT_AND_OUTPUT:
        if (
            isinstance(item.get(input_key), Mapping)
            and item.get(output_key)
            and (output_key in held or input_key in held or _has_question(item[input_key]))
        ):
            held |= {input_key: item[input_key], output_key: item[output_key]}
    if not held and "content" in item and set(item) <= _CONTENT:
        thoughts = [Message(THINKING, text) for text in reasoning_texts(item)]
        return [*thoughts, *read_nested(item["content"], role), *_structured(item, role)]
    question = _question(item, bool(held))
    answer = first_of(item, _ANSWERS if held or question else _UNAMBIGUOUS_ANSWERS)
    has_answer = bool(answer) and answer not in held and _is_text(item[answer])
    if not held and not question and not (has_answer and set(item) <= SETTINGS | {answer}):
        return _results(item, read_nested)
    used = {*held, question, *([answer] if has_answer else [])}
    messages = _system(item, used, read_nested)
    output_keys = [key for key in held if any(word in key.lower() for word in _OUTPUT_WORDS)]
    for key in held:
        if key not in output_keys and key not in _SYSTEM:
            speaker = role if key in _LISTS or role == "assistant" else "user" if "input" in key.lower() else role
            messages.extend(_messages_of(held[key], speaker, read_nested))
    if question:
        messages.extend(read_transcript(string(item[question])) or read_nested(item[question], "user"))
    messages.extend(_steps(item, used, read_nested))
    for key in output_keys:
        messages.extend(_messages_of(held[key], "assistant", read_nested))
    calls = () if "role" in item else calls_of(item)
    if (has_answer or held) and isinstance(item.get("thinking"), str):
        messages.extend(Message(THINKING, text) for text in reasoning_texts({"thinking": item["thinking"]}))
        used.add("thinking")
    if has_answer or calls:
        used |= {"tool_calls", "toolCalls"} if calls else set()
        said = _text_of(item[answer]) if has_answer else ""
        in_history = bool(messages) and not calls and messages[-1].text.strip() == said.strip()
        messages.extend([] if in_history else [Message("assistant", said, calls)])
    if isinstance(item.get("observations"), str):
        used.add("observations")
        messages.append(Message("tool", string(item["observations"])))
    rest = {
        key: value
        for key, value in item.items()
        if key not in used and value not in (None, [], {}, "") and not is_setting(key, value)
    }
    if rest:
        messages.append(Message("state", compact_json(rest)))
    return messages


def _structured(item: Mapping[str, object], role: str) -> list[Message]:
    """The structured result of an MCP tool, unless its content is the same as text."""
    value = item.get("structuredContent")
    parts = item.get("content")
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else [parts]
    shown = [parse_container(text) for text in texts if isinstance(text, str)]
    return [] if value in (None, {}) or value in shown else [Message(role, compact_json(value))]


def _has_question(value: object) -> bool:
    return isinstance(value, Mapping) and any(isinstance(value.get(key), str) for key in _QUESTIONS)


def _holds_conversation(key: object, value: object) -> bool:
    """Whether `key` holds a conversation; a list of texts counts only under a key that is meant for one."""
    if (
        not isinstance(key, str)
        or not isinstance(value, Mapping | list | str)
        or (key in SETTINGS and key != "context" and not (key == "tools" and isinstance(value, Mapping)))
    ):
        return False
    if key in _LISTS and isinstance(value, list):
        return all(isinstance(part, Mapping | str | list) for part in value)
    if key == "input" and isinstance(value, list) and value:
        are_messages = all(isinstance(part, Mapping) and ("role" in part or "type" in part) for part in value)
        return are_messages or holds_messages(value)
    return holds_messages(value)


def _messages_of(value: object, role: str, read_nested: ReadNested) -> list[Message]:
    """The messages of a conversation; transcripts and JSON in strings are parsed."""
    if isinstance(value, str):
        parsed = parse_container(value)
        value = value if parsed is NOT_JSON else parsed
    if not isinstance(value, list):
        return read_nested(value, role)
    found: list[Message] = []
    for part in value:
        turn = _question_and_answer(part)
        found.extend(turn or (read_transcript(part) if isinstance(part, str) else []) or read_nested(part, role))
    return found


def _question_and_answer(part: object) -> list[Message]:
    """A question and its answer as a pair of texts: `["Hi", "Hello!"]`."""
    if not isinstance(part, list | tuple) or len(part) != 2 or not all(isinstance(side, str) for side in part):
        return []
    first, second = str(part[0]), str(part[1])
    if first.lower() in {"user", "human", "ai", "assistant", "system", "tool", "bot", "developer"}:
        return []
    return [Message("user", first), Message("assistant", second)]


def _system(item: Mapping[str, object], used: set[str], read_nested: ReadNested) -> list[Message]:
    messages: list[Message] = []
    for key in _SYSTEM:
        value = item.get(key)
        parsed = parse_container(value) if isinstance(value, str) else NOT_JSON
        if isinstance(value, str | list) and value:
            used.add(key)
            found = read_nested(value if parsed is NOT_JSON else parsed, "system")
            messages.extend(Message("system", message.text) for message in found if message.text)
    return messages


def _question(item: Mapping[str, object], has_held: bool) -> str:
    """The key of a question: beside an answer or a conversation, or with nothing but settings; "" for none."""
    key = first_of(item, _QUESTIONS)
    if not key or not isinstance(item[key], str):
        return ""
    answer = first_of(item, _ANSWERS)
    if has_held or (answer and _is_text(item[answer])):
        return key if key not in {"task"} or has_held else ""
    return key if key in {"prompt", "input"} and set(item) <= SETTINGS | {key, *_SYSTEM} else ""


def _is_text(value: object) -> bool:
    return (isinstance(value, str) and value != "") or (
        isinstance(value, list) and bool(value) and all(isinstance(part, str) for part in value)
    )


def _text_of(value: object) -> str:
    return "".join(str(part) for part in value) if isinstance(value, list) else string(value)


def _steps(item: Mapping[str, object], used: set[str], read_nested: ReadNested) -> list[Message]:
    """Actions of an agent, each with its observation: `[[{"tool": "f", "tool_input": {}}, "…"]]`."""
    messages: list[Message] = []
    for key in ("intermediate_steps", "actions", "tool_results"):
        for step in item[key] if isinstance(item.get(key), list) else []:  # type: ignore[attr-defined]
            used.add(key)
            if isinstance(step, list | tuple) and len(step) == 2 and isinstance(step[0], Mapping):
                messages.extend(read_nested(step[0], "assistant"))
                messages.append(Message("tool", result_text(step[1], read_nested)))
            else:
                messages.extend(read_nested(step, "tool"))
    return messages


def _results(item: Mapping[str, object], read_nested: ReadNested) -> list[Message] | None:
    """An answer or a tool result one level down, beside settings only: `{"results": [{"outputText": "…"}]}`."""
    if isinstance(item.get("tool_results"), list) and item["tool_results"]:
        return _steps(item, set(), read_nested)
    if "jsonrpc" in item or "method" in item:
        body = item.get("params", item.get("result"))
        if isinstance(body, Mapping):
            if "content" in body:
                return [Message("tool", result_text(body["content"], read_nested))]
            return read_nested(body, "assistant")
    results = item.get("results")
    only = results[0] if isinstance(results, list) and len(results) == 1 else None
    if isinstance(only, Mapping) and first_of(only, _UNAMBIGUOUS_ANSWERS) and set(item) <= SETTINGS | {"results"}:
        return read_nested(only, "assistant")
    return None
