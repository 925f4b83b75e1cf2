"""The shape of a theme as people write it: its fields by the names that they have in a file, with types and limits.

What an operator takes is decided in `filter_checks.py`, what fields may be together in `plain.py`; what is said of a
value that does not fit belongs in `wording.py`.
"""

import math
import re
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.functional_validators import AfterValidator, BeforeValidator, model_validator
from pydantic_core import PydanticCustomError

from llma_assets.themes.filter_checks import FilterError, check_filter
from llma_assets.themes.theme import Filter, Level, Method, Mode, Operator, Rule, Schedule

MAX_PROMPT_CHARS = 4_000
MAX_FILTERS = 50
FILTER_ERROR = "filter"
"""Type of the error of a filter that is not sound; its context has the field, `at`, and the `problem`."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
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


def _scalar(value: object) -> bool:
    match value:
        case str():
            return not _UNSTORABLE.search(value)
        case int():
            return -(2**63) <= value < 2**64
        case float():
            return math.isfinite(value)
    return False


def _filter_value(value: object) -> object:
    if value is None or _scalar(value) or (isinstance(value, list | tuple) and all(map(_scalar, value))):
        return tuple(value) if isinstance(value, list) else value
    raise ValueError("must be a text, a finite number, true, false, or a list of such")


Line = Annotated[str, Field(max_length=200), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=MAX_PROMPT_CHARS), AfterValidator(_text)]
Day = Annotated[date | None, BeforeValidator(_day)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FilterEntry(_Entry):
    """`{key, operator, value}`."""

    key: str
    operator: Operator = "exact"
    value: Annotated[Any, BeforeValidator(_filter_value)] = None

    @model_validator(mode="after")
    def _sound(self) -> "FilterEntry":
        try:
            check_filter(self.filter)
        except FilterError as error:
            raise PydanticCustomError(
                FILTER_ERROR, "{problem}", {"at": error.field, "problem": error.problem}
            ) from None
        return self

    @property
    def filter(self) -> Filter:
        """The filter that is meant."""
        return Filter(self.key, self.operator, self.value)


class ClusteringEntry(_Entry):
    """How items are grouped; the fields of `ThemeClustering`."""

    method: Method = "graph"
    target_clusters: Annotated[int, Field(ge=2, le=1000)] | None = None
    min_cluster_size: Annotated[int, Field(ge=2, le=100_000)] | None = None
    min_k: int = Field(default=3, ge=2, le=1000)
    max_k: int = Field(default=6, ge=2, le=1000)
    min_items: int = Field(default=20, ge=2, le=1_000_000)
    max_samples: Annotated[int, Field(ge=20, le=1_000_000)] | None = None
    mix_versions: bool = False


class DateRangeEntry(_Entry):
    """`{from, to}`, both included; what is left out is open."""

    first: Day = Field(default=None, alias="from")
    last: Day = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> "DateRangeEntry":
        if self.first and self.last and self.first > self.last:
            raise ValueError(f"goes from {self.first} to {self.last}, which is before it; exchange the two")
        return self


class ThemeEntry(_Entry):
    """The settings of one theme; what is left out is as it ships, or the default."""

    name: Line = ""
    description: Text = ""
    level: Level = "trace"
    prompt: Annotated[str, Field(max_length=MAX_PROMPT_CHARS, min_length=1), AfterValidator(_text)] = ""
    mode: Mode = "detailed"
    judged: bool = True
    base_filters: Annotated[list[FilterEntry], Field(max_length=MAX_FILTERS)] = []
    filters: Annotated[list[FilterEntry], Field(max_length=MAX_FILTERS)] = []
    rule: Rule | None = None
    keywords: Annotated[list[Annotated[Line, Field(min_length=1)]], Field(max_length=200)] = []
    screen: bool = False
    after: str | None = None
    sample_rate: Annotated[float, Field(gt=0, le=1)] | None = None
    sample_seed: int = Field(default=42, ge=0, lt=2**31)
    model: Annotated[Line, Field(min_length=1)] | None = None
    date_range: DateRangeEntry = Field(default_factory=DateRangeEntry)
    lookback_days: Annotated[int, Field(ge=1, le=365)] | None = None
    clustering: ClusteringEntry = Field(default_factory=ClusteringEntry)
    schedule: Schedule = "daily"
    enabled: bool = True
    daily_budget_usd: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)] | None = None


class FiltersEntry(_Entry):
    """The team's own settings for all its themes."""

    base_filters: Annotated[list[FilterEntry], Field(max_length=MAX_FILTERS)] = []
