"""What a request for a structured answer says: its messages and its body. Knows no HTTP."""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel

from llma_assets.models.budget import answer_limit
from llma_assets.models.chat_capabilities import RequestForm
from llma_assets.models.protocols import ChatMessage
from llma_assets.models.structured import Unreadable, bounded_schema, strict_schema

_SENT_BACK = 8_000  # characters of an invalid answer that are sent back for repair

_JSON_ORDER = (
    "Answer with one JSON object and nothing else, no prose and no code fence. It must fit this JSON schema:\n{schema}"
)
_REPAIR_ORDER = (
    "That answer cannot be used. What is wrong with it:\n{problems}\n"
    "Answer again: one complete JSON object and nothing else. It must fit this JSON schema:\n{schema}"
)


def as_sent(messages: Sequence[ChatMessage]) -> list[dict[str, str]]:
    """A prompt as servers take it."""
    return [{"role": message.role, "content": message.text} for message in messages]


def request_body(
    model: str, prompt: list[dict[str, str]], schema: type[BaseModel], form: RequestForm
) -> dict[str, Any]:
    """The body of a request for an object of `schema`, in a form that the server takes."""
    order = "" if form.mode == "json_schema" else _JSON_ORDER.format(schema=json.dumps(strict_schema(schema)))
    body: dict[str, Any] = {"model": model, "messages": system_first(prompt, order, form.takes_system)}
    if form.takes_temperature:
        body["temperature"] = 0
    if form.effort:
        body["reasoning_effort"] = form.effort
    if form.limit_name:
        body[form.limit_name] = answer_limit(model, form.effort)
    if form.mode == "json_schema":
        strict = {"name": schema.__name__, "strict": True, "schema": strict_schema(schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": strict}
    elif form.mode != "text":
        body["response_format"] = {"type": "json_object"}
    if form.mode == "json_object_schema":
        body["response_format"]["schema"] = bounded_schema(schema)
    return body


def repair_prompt(prompt: list[dict[str, str]], error: Unreadable, schema: type[BaseModel]) -> list[dict[str, str]]:
    """The prompt, the unusable answer and what is wrong with it; the bare prompt where none came."""
    if not error.answer:
        return prompt
    problems = "\n".join(f"- {line}" for line in error.problems)
    order = _REPAIR_ORDER.format(problems=problems, schema=json.dumps(strict_schema(schema)))
    said = {"role": "assistant", "content": error.answer[:_SENT_BACK]}
    return [*prompt, said, {"role": "user", "content": order}]


def system_first(prompt: Sequence[dict[str, str]], order: str, takes_system: bool) -> list[dict[str, str]]:
    """The prompt with one system message, which comes first; or with none, and what it says before the question.

    Templates of chat models refuse a second one, and many do not know any.
    """
    told = [message["content"] for message in prompt if message["role"] == "system"]
    instructions = "\n\n".join(filter(None, (*told, order)))
    said = [message for message in prompt if message["role"] != "system"]
    if not instructions:
        return said
    if takes_system or not said:
        return [{"role": "system" if takes_system else "user", "content": instructions}, *said]
    return [{**said[0], "content": f"{instructions}\n\n{said[0]['content']}"}, *said[1:]]
