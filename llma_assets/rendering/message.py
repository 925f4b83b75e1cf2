"""A message, whatever its provider format: role, text, tool calls.

Parsing belongs in `message_parser` and `provider_formats`, writing text in `document`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

NOT_RECORDED: Final = "[tool output not recorded]"

THINKING: Final = "thinking"
"""Role of a model's reasoning: shown, but not part of the conversation that later calls repeat."""

INJECTED: Final = "injected"
"""Role of what a harness put into the words of a user or a tool, where the team named its tags."""

_ROLES: Final = {
    "human": "user",
    "humanmessage": "user",
    "usermessage": "user",
    "ai": "assistant",
    "bot": "assistant",
    "chatbot": "assistant",
    "aimessage": "assistant",
    "aimessagechunk": "assistant",
    "assistantmessage": "assistant",
    "systemmessage": "system",
    "function": "tool",
    "toolmessage": "tool",
    "tool-response": "tool",
    "tool_response": "tool",
    "functionmessage": "tool",
    "ipython": "tool",
    "tool-call": "assistant",
    "tool_call": "assistant",
    "tool_calls": "assistant",
    "function_call": "assistant",
    "tool_call_result": "tool",
    "tool_result": "tool",
    "tool_results": "tool",
    "tool_return": "tool",
    "observation": "tool",
    "agent": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "choice": "assistant",
    "api": "assistant",
    "incoming": "user",
    "inbound": "user",
    "outgoing": "assistant",
    "outbound": "assistant",
    "reasoning": THINKING,
}
_KNOWN: Final = {"user", "assistant", "system", "developer", "model", "tool", THINKING}


_FAILURE: Final = re.compile(
    r"\s{0,8}[\"'(\[*]{0,3}(?:"
    r"(?i:error|exception|failed|failure|fatal)[\"')\]*]{0,3}\s{0,2}(?::|\s-|\s(?:occurred|while|calling|executing|in)\b)"
    r"|Traceback \(most recent call last"
    r"|(?:[A-Za-z_]\w{0,40}\.){0,6}[A-Z]\w{0,40}(?:Error|Exception)\b"
    r"|\{\s{0,8}\"(?i:error|errors|error_?message|exception)\"\s{0,2}:\s{0,2}+(?!null|\"\"|false|\[\]|\{\}|0\b|none)"
    r"|\{\s{0,8}\"(?:success|ok)\"\s{0,2}:\s{0,2}false"
    r"|\{\s{0,8}\"status\"\s{0,2}:\s{0,2}\"(?i:error|failed|failure)\")"
)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call that a model asked for.

    Attributes:
        name: name of the tool; for a provider's built-in tools the item's type, such as `web_search_call`.
        arguments: the parsed JSON, or the raw text if it is not JSON.
        status: the status in the provider format, "" if it is missing or `completed`.
    """

    name: str
    arguments: object
    status: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    Attributes:
        role: `system, developer, user, assistant, model, tool, thinking`, or what the application wrote.
        text: the whole text; pictures and files are markers.
        tool_calls: the tool calls that the message asks for.
        is_error: the message is the result of a failed tool call.
    """

    role: str
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    is_error: bool = False


def role_of(value: object, default: str) -> str:
    """The role in this project's terms.

    >>> role_of("human", "user"), role_of("AIMessageChunk", "user"), role_of(None, "user"), role_of("MODEL", "user")
    ('user', 'assistant', 'user', 'model')
    """
    if isinstance(value, Mapping):
        value = next(
            (value[key] for key in ("label", "Label", "value", "role") if isinstance(value.get(key), str)), None
        )
    if not isinstance(value, str) or not value.strip():
        return default
    role = value.strip().lower()[:400]
    return _ROLES.get(role, role)


def known_role(name: str) -> str:
    """The known role in `name`, which may be a longer name of a message type; "" for none.

    >>> known_role("gen_ai.user.message"), known_role("CHATBOT"), known_role("tool_return_message"), known_role("Bob")
    ('user', 'assistant', 'tool', '')
    """
    role = name.strip().lower()[:60].removeprefix("gen_ai.")
    for suffix in ("_message", ".message", "-message"):
        role = role.removesuffix(suffix)
    role = _ROLES.get(role, role)
    return role if role in _KNOWN else ""


def says_failure(result: str) -> bool:
    """Whether the text of a tool's result begins like a failure: most provider formats have no flag for it.

    >>> says_failure("Error: user not found"), says_failure('{"error": "no seat"}'), says_failure("KeyError: 'x'")
    (True, True, True)
    >>> says_failure('{"error": null, "rows": []}'), says_failure("Errors are rare")
    (False, False)
    """
    return _FAILURE.match(result) is not None


def merged(messages: Iterable[Message]) -> list[Message]:
    """Adjacent messages of the same role joined to one: texts by lines, tool calls in order.

    Tool results stay separate, because each answers another call.
    """
    groups: list[list[Message]] = []
    for message in messages:
        last = groups[-1][-1] if groups else None
        if last is not None and last.role == message.role != "tool" and last.is_error == message.is_error:
            groups[-1].append(message)
        else:
            groups.append([message])
    return [group[0] if len(group) == 1 else _joined(group) for group in groups]


def _joined(group: list[Message]) -> Message:
    text = "\n".join(message.text for message in group if message.text)
    calls = tuple(call for message in group for call in message.tool_calls)
    return Message(group[0].role, text, calls, group[0].is_error)
