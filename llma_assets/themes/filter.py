"""The filter itself: a condition that one event of a trace must meet.

What a filter means belongs in `filter_sql.py`, which ones are sound in `filter_checks.py`.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, PlainValidator, StrictStr, with_config

Operator = Literal[
    "exact",
    "is_not",
    "icontains",
    "not_icontains",
    "regex",
    "not_regex",
    "gt",
    "gte",
    "lt",
    "lte",
    "in",
    "not_in",
    "is_set",
    "is_not_set",
    "between",
    "date_exact",
    "date_before",
    "date_after",
]

Scalar = str | int | float | bool
FilterValue = Scalar | None | tuple[Scalar, ...]

NEGATIVE: tuple[Operator, ...] = ("is_not", "not_in", "not_icontains", "not_regex", "is_not_set")
"""Met by what does not meet the positive one, so also by an event without the property."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that one event of a trace must meet.

    Attributes:
        key: name of an event property, such as `$ai_span_name`.
        operator: how the property is compared.
        value: what with; a tuple for `in`, `not_in` and `between`, None for `is_set` and `is_not_set`.
    """

    key: StrictStr
    operator: Operator = "exact"
    value: Annotated[
        FilterValue,
        PlainValidator(lambda value: tuple(value) if isinstance(value, list) else value),
        Field(exclude_if=lambda value: value is None),
    ] = None
