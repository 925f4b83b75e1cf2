"""A theme as plain values by the names of a file: as it is exported, stored, compared and shown."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from llma_assets.themes.built_in import SHIPPED, base_of
from llma_assets.themes.filter import Filter
from llma_assets.themes.theme import Theme

THEME_ADAPTER = TypeAdapter(Theme)
_FILTERS = TypeAdapter(tuple[Filter, ...])
_FIRST_FIELDS = ("theme_id", "name", "description")
_NAMES = tuple("filters" if each.name == "theme_filters" else each.name for each in fields(Theme))
THEME_FIELDS = (*_FIRST_FIELDS, *(name for name in _NAMES if name not in _FIRST_FIELDS))
"""In their order in a file."""


def settings_of(theme: Theme, base: Theme | None = None) -> dict[str, Any]:
    """A theme's settings by their names in a file, as plain values; only what differs from `base`, if one is given."""
    values = THEME_ADAPTER.dump_python(theme, mode="json", by_alias=True, warnings=False)
    settings = {name: values[name] for name in THEME_FIELDS if name != "theme_id"}
    return settings if base is None else _what_differs(settings, settings_of(base))


def settings_of_filters(filters: Iterable[Filter]) -> list[dict[str, Any]]:
    """Filters as plain values, as a file has them."""
    found: list[dict[str, Any]] = _FILTERS.dump_python(tuple(filters), mode="json", warnings=False)
    return found


def with_defaults(theme_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with what they leave out, also settings that are not valid; "" stands for the team's own settings."""
    if not theme_id:
        return {"base_filters": [], **settings}
    base = _defaults(theme_id if theme_id in SHIPPED else "")
    inner = {
        name: {**base[name], **settings[name]}
        for name in ("clustering", "date_range")
        if isinstance(settings.get(name), dict)
    }
    return {**base, **settings, **inner}


@cache
def _defaults(theme_id: str) -> Mapping[str, Any]:
    return settings_of(base_of(theme_id))


def _what_differs(settings: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _what_differs(value, base[name]) if isinstance(value, dict) else value
        for name, value in settings.items()
        # True == 1 and 1 == 1.0, but not in what is stored.
        if repr(value) != repr(base[name])
    }
