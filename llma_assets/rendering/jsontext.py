"""JSON in and out for hostile values: too deep, too big, not quite JSON. Never raises; knows no message shapes."""

import json
from collections.abc import Mapping
from typing import Final

import orjson

MAX_DEPTH: Final = 60
"""Nesting that is still shown; what lies deeper is one ellipsis."""

NOT_JSON: Final = object()
"""What `parse_json` gives for a text that holds no JSON."""

_OPTIONS: Final = orjson.OPT_NON_STR_KEYS


def parse_json(text: str) -> object:
    """The value that `text` holds, or `NOT_JSON`. NaN and Infinity are read, as Python writes them."""
    try:
        return orjson.loads(text)
    except (ValueError, RecursionError):
        pass
    if "NaN" in text or "Infinity" in text:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            pass
    return NOT_JSON


def parse_container(text: str) -> object:
    """The object or array that `text` holds, else `NOT_JSON`; other text costs a look at its first character."""
    head = text[:64].lstrip()
    if not head or head[0] not in "{[":
        return NOT_JSON
    value = parse_json(text)
    return value if isinstance(value, dict | list) else NOT_JSON


def compact_json(value: object) -> str:
    """`value` as JSON without spaces, keys in their order; what JSON cannot hold is shown as its `str`."""
    try:
        return orjson.dumps(value, default=_shown, option=_OPTIONS).decode()
    except (TypeError, ValueError, RecursionError):
        return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))


def _shown(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    if isinstance(value, bytes | bytearray):
        return f"[{len(value)} bytes]"
    return text_of(value)


def text_of(value: object) -> str:
    """`str` of a value, whose own may fail: integers of more than 4,300 digits, objects of whatever class."""
    try:
        return str(value)
    except Exception:  # it may raise anything, and its type is all there is to say
        return f"[{type(value).__name__}]"


def _plain(value: object, depth: int = 0) -> object:
    """A copy that the standard encoder takes: bounded in depth, string keys, no huge integers."""
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < 1024 else f"[integer of {value.bit_length()} bits]"
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {text_of(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner, depth + 1) for inner in value]
    shown = _shown(value)
    return shown if isinstance(shown, str) else text_of(value)
