"""Transcript parser: conversations in one string, as `user: hello` lines or Python reprs."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from llma_assets.rendering.json_text import parse_container
from llma_assets.rendering.message import Message, ToolCall, role_of
from llma_assets.rendering.provider_formats.chat_templates import read_template
from llma_assets.rendering.provider_formats.nested import tool_call

_TURN: Final = re.compile(r"^(system|developer|user|human|assistant|ai|tool|function): ", re.MULTILINE)
_CAPITAL_TURN: Final = re.compile(r"^(System|User|Human|Assistant|AI|Bot): ?", re.MULTILINE)
_CALL_BEGINS, _CALL_ENDS = "<tool_call>", "</tool_call>"

_REPR: Final = re.compile(r"^(?:\w{1,40}\()?role='(\w{1,40})',? content=")
_CALLS: Final = re.compile(r" tool_calls=(\[\{.{1,20000}?\}\]) ", re.DOTALL)


def read_transcript(text: str) -> list[Message]:
    """The messages of a transcript, or `[]` if `text` is not a transcript.

    >>> [(m.role, m.text) for m in read_transcript("system: Be kind.\\nuser: Hi\\nthere")]
    [('system', 'Be kind.'), ('user', 'Hi\\nthere')]
    >>> read_transcript("Please note: user: is a word")
    []
    """
    if text.startswith("role='") or _REPR.match(text[:100]):
        return _from_repr(text)
    if text.startswith(("<", "[")):
        return read_template(text)
    stripped = text.lstrip("\n")
    pattern = _TURN if _TURN.match(text[:40]) else _CAPITAL_TURN
    if pattern.match(stripped[:40]) is None:
        return []
    text = text if pattern is _TURN else stripped
    turns = list(pattern.finditer(text))
    # A line of prose may begin with "User:"; a transcript has two speakers.
    if pattern is _CAPITAL_TURN and len({turn.group(1) for turn in turns}) < 2:
        return []
    ends = [turn.start() for turn in turns[1:]] + [len(text) + 1]
    said = [(turn.group(1), text[turn.end() : end - 1]) for turn, end in zip(turns, ends, strict=True)]
    if pattern is _CAPITAL_TURN:
        said = [(name, words.strip()) for name, words in said]
        said = said[:-1] if not said[-1][1] else said  # the empty turn that prompts for an answer
    return [Message(role_of(name, "user"), words) for name, words in said]


def written_calls(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """Text without the tool calls that a model wrote into it (`<tool_call>{…}</tool_call>`), and these calls."""
    calls, said, at = [], [], 0
    for start, end in _written(text):
        parsed = parse_container(text[start + len(_CALL_BEGINS) : end])
        if isinstance(parsed, dict) and isinstance(parsed.get("name"), str):
            calls.append(tool_call(parsed["name"], parsed.get("arguments", parsed.get("parameters"))))
        said.append(text[at:start])
        at = end + len(_CALL_ENDS)
    return ("".join([*said, text[at:]]).strip(), tuple(calls)) if calls else (text, ())


def _written(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each tool call that holds an object. Linear time, however many start tags are unclosed."""
    start, end = text.find(_CALL_BEGINS), -1
    while start >= 0:
        inside = start + len(_CALL_BEGINS)
        end = end if end >= inside else text.find(_CALL_ENDS, inside)
        if end < 0:
            return
        is_object = text[inside : min(inside + 64, end)].lstrip().startswith("{")
        if is_object:
            yield start, end
        start = text.find(_CALL_BEGINS, end if is_object else inside)


def _from_repr(text: str) -> list[Message]:
    """The message in the repr of a pydantic model: `role='user' content='hello' name=None tool_calls=None …`."""
    match = _REPR.match(text[:100])
    if match is None or len(text) > 1_000_000:
        return []
    rest = text[match.end() :]
    content: object = None
    if rest[:1] in {"'", '"'}:
        end = _end_of_literal(rest)
        if end < 0:
            return []
        content = literal(rest[:end])
        rest = rest[end:]
    elif not rest.startswith("None"):
        return []
    calls: tuple[ToolCall, ...] = ()
    found = _CALLS.search(rest)
    if found is not None:
        calls_found = literal(found.group(1))
        if isinstance(calls_found, list):
            functions = [call.get("function", call) for call in calls_found if isinstance(call, dict)]
            calls = tuple(
                tool_call(function.get("name"), function.get("arguments"))
                for function in functions
                if isinstance(function, dict)
            )
    return [Message(role_of(match.group(1), "user"), content if isinstance(content, str) else "", calls)]


def _end_of_literal(text: str) -> int:
    """Index after the closing quote of the Python string at the start of `text`, -1 if it is not closed."""
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
    """The value of a Python literal of at most 500,000 characters, None for anything else."""
    if len(text) > 500_000:
        return None
    try:
        value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return value
