"""Message formats of two providers: OpenAI chat and Anthropic blocks. Events and topics are not known here."""

from typing import Any, Protocol

import orjson

from llma_assets.demo.topics import Call

Message = dict[str, Any]


class MessageFormat(Protocol):
    """Writes the messages of a conversation in the format of a provider."""

    def text(self, role: str, text: str) -> Message:
        """A message of a user, a system or an assistant."""

    def request(self, call: Call, call_id: str) -> Message:
        """The message of the assistant with a tool call."""

    def result(self, call: Call, call_id: str) -> Message:
        """The message with the result of a tool call."""


class OpenAIFormat:
    """Chat completions: `tool_calls` with arguments as JSON text, and messages of the role `tool`."""

    def text(self, role: str, text: str) -> Message:
        return {"role": role, "content": text}

    def request(self, call: Call, call_id: str) -> Message:
        function = {"name": call.name, "arguments": orjson.dumps(call.arguments).decode()}
        return {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": f"call_{call_id}", "type": "function", "function": function}],
        }

    def result(self, call: Call, call_id: str) -> Message:
        return {"role": "tool", "tool_call_id": f"call_{call_id}", "content": result_text(call)}


class AnthropicFormat:
    """Messages of blocks: `text`, `tool_use`, and `tool_result` inside a user's message."""

    def text(self, role: str, text: str) -> Message:
        return {"role": role, "content": [{"type": "text", "text": text}]}

    def request(self, call: Call, call_id: str) -> Message:
        use = {"type": "tool_use", "id": f"toolu_{call_id}", "name": call.name, "input": dict(call.arguments)}
        return {"role": "assistant", "content": [{"type": "text", "text": "Let me look that up."}, use]}

    def result(self, call: Call, call_id: str) -> Message:
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": f"toolu_{call_id}"}
        if call.failed:
            block["is_error"] = True
        return {"role": "user", "content": [{**block, "content": result_text(call)}]}


def result_text(call: Call) -> str:
    """The result of a tool call as text, JSON if it is an object."""
    return call.result if isinstance(call.result, str) else orjson.dumps(call.result).decode()
