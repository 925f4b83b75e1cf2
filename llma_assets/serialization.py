"""How reports become the JSON that docs/cli.md describes: one function for all of them.

A report is a frozen dataclass whose fields are in the order of the document's keys. What a key is called, or that a
field is no part of the document, stands in the field's type.
"""

from datetime import date, datetime
from functools import cache
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, TypeAdapter

TeamId = Annotated[int, Field(serialization_alias="team")]
ThemeId = Annotated[str, Field(serialization_alias="theme")]
Day = Annotated[date, Field(serialization_alias="date")]
FirstDay = Annotated[date, Field(serialization_alias="from")]
OptionalTeamId = Annotated[int | None, Field(serialization_alias="team")]
OptionalFirstDay = Annotated[date | None, Field(serialization_alias="from")]

Moment = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]
UtcMoment = Annotated[datetime, PlainSerializer(lambda at: at.isoformat().replace("+00:00", "Z"), return_type=str)]
Bucket = Annotated[date, PlainSerializer(lambda bucket: bucket.isoformat(), return_type=str)]
"""A day, or the beginning of an hour as a datetime."""
Rounded = Annotated[float, PlainSerializer(lambda value: round(value, 6), return_type=float)]
OptionalRounded = Annotated[
    float | None, PlainSerializer(lambda value: None if value is None else round(value, 6), return_type=float | None)
]
Seconds = Annotated[float, PlainSerializer(lambda value: round(value, 3), return_type=float)]

Amount = int | float
"""A sum, which is the integer 0 where nothing was added up."""

NOT_IN_JSON = Field(exclude=True)
"""Of a field that only people are shown."""


def json_object(report: Any) -> dict[str, Any]:
    """The JSON object of a report: keys in the order of the fields, days and moments as ISO 8601.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Spent:
    ...     team_id: TeamId
    ...     day: Day
    ...     cost_usd: Rounded
    >>> json_object(Spent(7, date(2026, 11, 7), 0.12345678))
    {'team': 7, 'date': '2026-11-07', 'cost_usd': 0.123457}
    """
    adapter = _adapter(type(report))  # type: ignore[arg-type]  # mypy takes a class for something without a hash
    document: dict[str, Any] = adapter.dump_python(report, mode="json", by_alias=True)
    return document


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
