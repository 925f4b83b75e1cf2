"""What the events of streamed answers share: fields of events, and texts and calls that grow fragment by fragment.

Each provider joins its own events to one object, by the function `join` of its module; parsing that object is left to
`read`.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from llma_assets.rendering.json_text import NOT_JSON, parse_json
from llma_assets.rendering.provider_formats.nested import mapping, string

_LOOKED_AT: Final = 5


def kinds_of(items: Sequence[object], key: str = "type") -> set[str]:
    """The values of `key` in the first events."""
    return {string(mapping(item).get(key)) for item in items[:_LOOKED_AT]}


def place_of(event: Mapping[str, object], *keys: str) -> int:
    """The position of the part that an event belongs to, 0 if it names none."""
    return next((found for key in keys or ("index",) if isinstance(found := event.get(key), int)), 0)


def extend(part: dict[str, object], key: str, fragment: object) -> None:
    """Add a fragment to the text under `key`; anything but text is ignored."""
    if isinstance(fragment, str):
        part[key] = string(part.get(key)) + fragment


def in_order(parts: Mapping[int, dict[str, object]]) -> list[dict[str, object]]:
    """Parts by position."""
    return [parts[place] for place in sorted(parts)]


def parsed_or_text(text: str) -> object:
    """The JSON that fragments added up to, or their text."""
    parsed = parse_json(text)
    return text if parsed is NOT_JSON else parsed


def list_of(value: object) -> list[object]:
    """`value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []
