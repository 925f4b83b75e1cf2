"""Types of a theme's fields, with their limits: `Theme` is made of them, and `validation.py` checks by them.

An object that Python code makes is checked when it is applied, not before.
"""

import re
from datetime import date
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, Strict

from llma_assets.themes.filter import Filter
from llma_assets.themes.filter_checks import check_filter

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END = re.compile(r"[\t\n\u2028\u2029]")


def _text(value: str) -> str:
    if found := _CONTROL.search(value):
        raise ValueError(f"holds the character U+{ord(found.group()):04X}, which no text may hold; leave it out")
    return value.strip()


def _line(value: str) -> str:
    if _LINE_END.search(value):
        raise ValueError("goes over several lines; write it on one")
    return _text(value)


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a day; write it like 2026-11-07") from None
    return value


def _sound(filter: Filter) -> Filter:
    check_filter(filter)
    return filter


Line = Annotated[str, Strict(), Field(max_length=200), AfterValidator(_line)]
Word = Annotated[Line, Field(min_length=1)]
Text = Annotated[str, Strict(), Field(max_length=4_000), AfterValidator(_text)]
Day = Annotated[Annotated[date, Strict()] | None, BeforeValidator(_day)]
Filters = Annotated[tuple[Annotated[Filter, AfterValidator(_sound)], ...], Field(max_length=50)]
"""As one list in a file; together with the team's there may be `MOST_FILTERS`."""
