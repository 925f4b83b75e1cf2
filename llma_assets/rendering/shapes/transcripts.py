"""Conversations that a tracer wrote down as one string: `user: hello` lines, and Python reprs of message objects."""

import ast
import re
from typing import Final

from llma_assets.rendering.message import Message, ToolCall, role_of
from llma_assets.rendering.shapes.inner import tool_call

_TURN: Final = re.compile(r"^(system|developer|user|human|assistant|ai|tool|function): ", re.MULTILINE)
_REPR: Final = re.compile(r"^(?:\w{1,40}\()?role='(\w{1,40})',? content=")
_CALLS: Final = re.compile(r" tool_calls=(\[\{.{1,20000}?\}\]) ", re.DOTALL)


def read_transcript(text: str) -> list[Message]:
    """The turns of a written-down conversation, or `[]` when `text` is none.

    >>> [(m.role, m.text) for m in read_transcript("system: Be kind.\\nuser: Hi\\nthere")]
    [('system', 'Be kind.'), ('user', 'Hi\\nthere')]
    >>> read_transcript("Please note: user: is a word")
    []
    """
    if text.startswith("role='") or _REPR.match(text[:100]):
        return _from_repr(text)
    first = _TURN.match(text[:40])
    if first is None:
        return []
    turns = list(_TURN.finditer(text))
    ends = [turn.start() for turn in turns[1:]] + [len(text) + 1]
    return [
        Message(role_of(turn.group(1), "user"), text[turn.end() : end - 1])
        for turn, end in zip(turns, ends, strict=True)
    ]


def _from_repr(text: str) -> list[Message]:
    """`role='user' content='hello' name=None tool_calls=None …`, as pydantic prints a model."""
    match = _REPR.match(text[:100])
    if match is None or len(text) > 1_000_000:
        return []
    rest = text[match.end() :]
    content: object = None
    if rest[:1] in {"'", '"'}:
        end = _end_ofliteral(rest)
        if end < 0:
            return []
        content = literal(rest[:end])
        rest = rest[end:]
    elif not rest.startswith("None"):
        return []
    calls: tuple[ToolCall, ...] = ()
    found = _CALLS.search(rest)
    if found is not None:
        wishes = literal(found.group(1))
        if isinstance(wishes, list):
            functions = [wish.get("function", wish) for wish in wishes if isinstance(wish, dict)]
            calls = tuple(
                tool_call(function.get("name"), function.get("arguments"))
                for function in functions
                if isinstance(function, dict)
            )
    return [Message(role_of(match.group(1), "user"), content if isinstance(content, str) else "", calls)]


def _end_ofliteral(text: str) -> int:
    """Index behind the closing quote of the Python string that `text` begins with, -1 if there is none."""
    quote, position = text[0], 1
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == quote:
            return position + 1
        else:
            position += 1
    return -1


def literal(text: str) -> object:
    """The value of a Python literal of sane length, None for anything else."""
    if len(text) > 500_000:
        return None
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return value
