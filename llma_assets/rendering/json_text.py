"""Parses and writes JSON of hostile values: too deep, too big, not quite JSON. Never raises.

Messages are not known here.
"""

import json
from collections.abc import Mapping
from typing import Final

import orjson

MAX_DEPTH: Final = 60
"""Deepest nesting that is shown; anything deeper is one ellipsis."""

NOT_JSON: Final = object()
"""What `parse_json` returns for a text that is not JSON."""

_OPTIONS: Final = orjson.OPT_NON_STR_KEYS


def parse_json(text: str) -> object:
    """The value of the JSON in `text`, or `NOT_JSON`. Accepts NaN and Infinity, as Python writes them."""
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
    """The object or array in `text`, else `NOT_JSON`. Text that does not begin with a bracket is not parsed."""
    head = text[:64].lstrip()
    if not head or head[0] not in "{[":
        return NOT_JSON
    value = parse_json(text)
    return value if isinstance(value, dict | list) else NOT_JSON


def compact_json(value: object) -> str:
    """`value` as JSON without spaces, keys in order; a value that JSON cannot hold becomes its `str`."""
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
    """`str` of a value, also where `str` fails: integers of more than 4,300 digits, objects of any class."""
    try:
        return str(value)
    except Exception:  # it may raise anything; only its type is known then
        return f"[{type(value).__name__}]"


def _plain(value: object, depth: int = 0) -> object:
    """A copy that the standard encoder accepts: bounded depth, string keys, no huge integers."""
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, int):
        return value if value.bit_length() < 1024 else f"[integer of {value.bit_length()} bits]"
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {text_of(key): _plain(child, depth + 1) for key, child in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(child, depth + 1) for child in value]
    shown = _shown(value)
    return shown if isinstance(shown, str) else text_of(value)
