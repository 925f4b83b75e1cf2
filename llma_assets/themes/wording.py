"""What is said of a field that does not fit: what was found, what would be right. The shapes are in `entries.py`."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from llma_assets.themes.entries import FILTER_ERROR, ClusteringEntry, FilterEntry, ThemeEntry
from llma_assets.themes.errors import Problem, did_you_mean

THEME_FIELDS = ("theme_id", *ThemeEntry.model_fields)
_FIELDS_OF = {
    "clustering": tuple(ClusteringEntry.model_fields),
    "date_range": ("from", "to"),
    "filters": tuple(FilterEntry.model_fields),
    "base_filters": tuple(FilterEntry.model_fields),
}


_SPELLED_OTHERWISE = {
    "id": "theme_id",
    "theme_filters": "filters",
    "filter": "filters",
    "budget": "daily_budget_usd",
    "budget_usd": "daily_budget_usd",
    "lookback": "lookback_days",
    "first_day": "date_range",
    "last_day": "date_range",
    "method": "clustering",
    "property": "key",
    "op": "operator",
    "values": "value",
    "start": "from",
    "end": "to",
}


def at(where: str, name: str) -> str:
    """A field's place within another's."""
    return f"{where}.{name}" if where else name


def problems_in(error: ValidationError, where: str) -> list[Problem]:
    """What is wrong, field by field; `where` is the place of the whole."""
    return [Problem(_path(where, _loc(each)), _message(each)) for each in error.errors(include_url=False)]


def _loc(error: Mapping[str, Any]) -> tuple[int | str, ...]:
    inner = (error["ctx"]["at"],) if error["type"] == FILTER_ERROR else ()
    return (*error["loc"], *inner)


def _path(where: str, loc: tuple[int | str, ...]) -> str:
    for part in loc:
        where = f"{where}[{part}]" if isinstance(part, int) else at(where, str(part)[:80])
    return where


def _message(error: Mapping[str, Any]) -> str:
    kind, found, limits = error["type"], error["input"], error.get("ctx", {})
    shown = repr(found) if len(repr(found)) <= 80 else f"{repr(found)[:77]}..."
    if kind in _WANTED:
        message = f"{shown} found, but {_WANTED[kind]} is needed"
    elif kind == "extra_forbidden":
        message = _no_such_field(error["loc"])
    elif kind == "literal_error":
        known = re.findall(r"'([^']*)'", limits["expected"])
        message = f"{shown} is none of {', '.join(known)}{did_you_mean(found, known)}"
    elif kind == FILTER_ERROR:
        message = str(limits["problem"])
    elif kind == "value_error":
        message = str(limits["error"])
    elif kind in _OUTSIDE:
        size = len(found) if isinstance(found, str | list) else 0
        message = _OUTSIDE[kind].format(shown=shown, size=size, **limits)
    else:
        message = f"{shown}: {error['msg']}"
    return message


def _no_such_field(loc: tuple[int | str, ...]) -> str:
    name = str(loc[-1])
    known = _FIELDS_OF.get(str(loc[0]), THEME_FIELDS) if len(loc) > 1 else THEME_FIELDS
    if _SPELLED_OTHERWISE.get(name) in known:
        return f"there is no such field; it is called {_SPELLED_OTHERWISE[name]!r}"
    return f"there is no such field{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"


_WANTED = {
    "string_type": "a text (put it into quotes)",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "date_type": "a day such as 2026-11-07",
    "model_type": "a mapping of fields",
}
_OUTSIDE = {
    "missing": "is missing",
    "string_too_long": "has {size:,} characters; at most {max_length:,} are allowed",
    "string_too_short": "is empty; write something, or leave it out",
    "too_long": "has {size:,} items; at most {max_length:,} are allowed",
    "greater_than": "{shown} is not above {gt}",
    "greater_than_equal": "{shown} is less than {ge}",
    "less_than": "{shown} is not below {lt}",
    "less_than_equal": "{shown} is more than {le}",
    "finite_number": "{shown} is no finite number",
}
