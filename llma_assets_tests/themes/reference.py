"""What filters mean, in plain Python over one event at a time; what is asked of ClickHouse has to give the same."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any

import re2

from llma_assets.themes import Filter

NUMBER = re.compile(r" *[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})? *")
DATE = re.compile(
    r"(19[7-9][0-9]|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}"
    r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
UNIX = re.compile(r"[0-9]{9,10}(\.[0-9]+)?")
UNIX_MS = re.compile(r"[0-9]{12,13}(\.[0-9]+)?")
SIGNS = {"gt": gt, "gte": ge, "lt": lt, "lte": le}
NEGATIVE = {
    "is_not": "exact",
    "not_in": "in",
    "not_icontains": "icontains",
    "not_regex": "regex",
    "is_not_set": "is_set",
}


def meets(row: Mapping[str, Any], condition: Filter) -> bool:
    """Whether an event, a row of the table with its properties as text, meets a filter."""
    if condition.operator in NEGATIVE:
        return not _meets(row, condition, NEGATIVE[condition.operator])
    return _meets(row, condition, condition.operator)


def _meets(row: Mapping[str, Any], condition: Filter, operator: str) -> bool:
    if condition.key in ("event", "distinct_id", "timestamp"):
        value = row[condition.key]
    else:
        properties = json.loads(row["properties"])
        value = properties.get(condition.key)
        if value is None:
            value = _within(properties, condition.key.split("."))
    if value is None:
        return False
    wanted = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    if operator == "is_set":
        return True
    if operator == "between":
        number = as_number(as_text(value))
        return number is not None and float(wanted[0]) <= number <= float(wanted[1])  # type: ignore[arg-type]
    return any(_compares(operator, value, each) for each in wanted)


def _within(properties: Any, way: list[str]) -> Any:
    for name in way if len(way) > 1 else [""]:
        if not name or not isinstance(properties, dict):
            return None
        properties = properties.get(name)
    return properties


def _compares(operator: str, value: Any, wanted: Any) -> bool:
    if operator.startswith("date"):
        return _dated(operator, value, wanted)
    text = as_text(value)
    if operator in ("exact", "in"):
        if isinstance(wanted, bool):
            return ascii_lower(text) == str(wanted).lower()
        return text == wanted if isinstance(wanted, str) else as_number(text) == wanted
    if operator == "icontains":
        part = as_text(wanted)
        lower = ascii_lower if part.isascii() else lower_of_any
        return lower(part) in lower(text)
    if operator == "regex":
        options = re2.Options()
        options.dot_nl = True
        return re2.compile(wanted, options).search(text) is not None
    number, bound = as_number(text), float(wanted)
    return number is not None and SIGNS[operator](number, bound)


def as_text(value: Any) -> str:
    """A JSON value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return _float_text(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _float_text(value: float) -> str:
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    digits, _, exponent = repr(value).partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent)}"


def as_number(text: str) -> float | None:
    """What reads as a finite number."""
    if not NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def ascii_lower(text: str) -> str:
    """A to Z alone have a case."""
    return re.sub("[A-Z]+", lambda match: match.group().lower(), text)


def lower_of_any(text: str) -> str:
    """All letters have a case, and any sigma is the same."""
    return text.lower().replace("ς", "σ")


def _dated(operator: str, value: Any, wanted: str) -> bool:
    moment = value if isinstance(value, datetime) else _moment(as_text(value))
    if moment is None:
        return False
    start = datetime.fromisoformat(wanted)
    start = start.replace(tzinfo=start.tzinfo or UTC)
    clock = re.sub(r"(Z|[+-][0-9]{2}:[0-9]{2})$", "", wanted[11:])
    length = {
        0: timedelta(days=1),
        5: timedelta(minutes=1),
        8: timedelta(seconds=1),
    }.get(len(clock), timedelta(microseconds=1))
    if operator == "date_before":
        return moment < start
    return moment >= start + length if operator == "date_after" else start <= moment < start + length


def _moment(text: str) -> datetime | None:
    if DATE.fullmatch(text):
        try:
            moment = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text))
        except ValueError:
            return None
        return moment.replace(tzinfo=moment.tzinfo or UTC)
    for form, unit in ((UNIX, 1_000_000), (UNIX_MS, 1_000)):
        if form.fullmatch(text):
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(float(text) * unit))
    return None
