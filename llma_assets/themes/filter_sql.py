"""What a filter means, and how ClickHouse is asked: fixed fragments of SQL, everything else server-side parameters.

Which filters are sound belongs in `filter_checks.py`, which items match in `matching.py`. The table of operators is in
`docs/themes.md`.

A key names an event property. If there is none of that very name and it has dots, it is a way into nested objects
(`metadata.plan` is `plan` within `metadata`). Names that trace stores
have for the same thing are one: `gen_ai.request.model`, `llm.model_name` and `$ai_model` (`attribute_names`); the name
as written goes before the others. Three keys are no properties but the event's own: `event` (its name),
`distinct_id` (its user) and `timestamp` (its time, for dates only). A property that is missing or null is not set; the
empty text, 0 and false are set. Values are compared as texts: a number as JSON writes it (`10.0` is `10`), truth values
as `true` and `false`, lists and objects as JSON without spaces. What reads as a number compares as one with a number.
Of a list of values any one will do. A negative operator is met by what does not meet the positive one, so also by an
event without the property.

An event meets filters if it meets each of them, and a trace matches when an event of it does: what filters ask for
together is asked of one and the same event, as wherever events are counted. So a negative operator says that there is
an event which is not so, and not that none is; beside `event exact $ai_trace` it says it of the trace as a whole.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llma_assets.attribute_names import same_as
from llma_assets.themes.filter import NEGATIVE, Filter
from llma_assets.themes.filter_checks import (
    COLUMNS,
    check_filters,
    span_of,
    text_of,
    values_of,
)

_TRACE_ID = "$ai_trace_id"

# Names that can be elements of a tuple as they stand, without quoting anything; any other key is read by itself.
_PLAIN = re.compile(r"(?!null$)[A-Za-z_$][A-Za-z0-9_$]*", re.ASCII | re.IGNORECASE)
_SIGNS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}

# What reads as a number, and as a date; that there is no 31st of February is for the parser to say.
_NUMBER = r"'^ *[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d{1,3})? *$'"
_CLOCK = r"([01]\\d|2[0-3]):[0-5]\\d"
_DATE = (
    r"'^(19[7-9]\\d|2[01]\\d\\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])"
    rf"([T ]{_CLOCK}(:[0-5]\\d(\\.\\d{{1,9}})?)?(Z|[+-]{_CLOCK.replace(':', ':?')})?)?$'"
)
_UNIX = r"'^\\d{9,10}(\\.\\d+)?$'"
_UNIX_MS = r"'^\\d{12,13}(\\.\\d+)?$'"


@dataclass(frozen=True, slots=True)
class Compiled:
    """Filters as SQL over a row of events.

    Attributes:
        conditions: one expression a filter, in order, each 0 or 1 and never NULL. They read `event`, `distinct_id`,
            `timestamp` and `properties`.
        parameters: what the expressions refer to, by name.
        trace_id: expression for the event's trace id, "" if it has none. It is read together with the properties that
            the filters need, so that a statement that has both parses an event's JSON once.
    """

    conditions: tuple[str, ...]
    parameters: dict[str, Any]
    trace_id: str


def compile_filters(filters: Sequence[Filter], prefix: str = "f") -> Compiled:
    """Compile filters, which all of an event's must meet.

    Args:
        prefix: what the parameters' names begin with, an identifier; two sets in one statement need two prefixes.

    Raises:
        FilterError: a filter is not sound, or there are too many.
    """
    check_filters(filters)
    plain = (each.key for each in filters if each.key not in COLUMNS and _PLAIN.fullmatch(each.key))
    names = list(dict.fromkeys((_TRACE_ID, *plain)))
    parameters: dict[str, Any] = {f"{prefix}_names": _tuple_of(names)}
    conditions = []
    for place, each in enumerate(filters):
        own = f"{prefix}{place}"
        text = _text(each.key, names, prefix, own, parameters)
        condition = _condition(each, text, own, parameters)
        conditions.append(f"(NOT {condition})" if each.operator in NEGATIVE else condition)
    return Compiled(tuple(conditions), parameters, f"ifNull({_of_tuple(names, _TRACE_ID, prefix)}, '')")


def property_of(key: str, prefix: str = "p") -> tuple[str, dict[str, Any]]:
    """Expression for what a filter's key names, as Nullable(String), and its parameters."""
    parameters: dict[str, Any] = {}
    return _text(key, (), prefix, prefix, parameters), parameters


def _tuple_of(names: Sequence[str]) -> str:
    """The type that JSONExtract reads properties of these names into: one parse for all of them."""
    return f"Tuple({', '.join(f'`{name}` Nullable(String)' for name in names)})"


def _of_tuple(names: Sequence[str], name: str, prefix: str) -> str:
    return f"tupleElement(JSONExtract(properties, {{{prefix}_names:String}}), {names.index(name) + 1})"


def _text(key: str, names: Sequence[str], prefix: str, own: str, parameters: dict[str, Any]) -> str:
    """Expression for what a key names, as Nullable(String): under that name, else under others of the same thing."""
    if key in COLUMNS:
        return f"toNullable(toString({key}))"
    known = _named(key, names, prefix, own, parameters)
    others = [each for each in same_as(key) if each != key]
    if not others:
        return known
    parameters[f"{own}_others"] = others
    found = (
        f"arrayFirst(t -> isNotNull(t), arrayMap(n -> JSONExtract(properties, n, 'Nullable(String)'), "
        f"{{{own}_others:Array(String)}}))"
    )
    return f"ifNull({known}, {found})"


def _named(key: str, names: Sequence[str], prefix: str, own: str, parameters: dict[str, Any]) -> str:
    """Expression for the property of that very name, or what it leads to in nested objects."""
    if key in names:
        return _of_tuple(names, key, prefix)
    parameters[f"{own}_key"] = key
    literal = f"JSONExtract(properties, {{{own}_key:String}}, 'Nullable(String)')"
    way = key.split(".")
    if len(way) == 1 or not all(way):
        return literal
    parameters |= {f"{own}_way{step}": name for step, name in enumerate(way)}
    steps = ", ".join(f"{{{own}_way{step}:String}}" for step in range(len(way)))
    return f"ifNull({literal}, JSONExtract(properties, {steps}, 'Nullable(String)'))"


def _condition(filter: Filter, text: str, own: str, parameters: dict[str, Any]) -> str:
    """What an event meets; of a negative operator, what it must not meet."""
    values = values_of(filter)
    match filter.operator.removeprefix("not_"):
        case "is_set" | "is_not_set":
            return f"isNotNull({text})"
        case "exact" | "is_not" | "in":
            return _is_one_of(values, text, own, parameters)
        case "icontains":
            return _contains(values, text, own, parameters)
        case "regex":
            parameters |= {f"{own}_pattern{place}": value for place, value in enumerate(values)}
            each = (f"match({text}, {{{own}_pattern{place}:String}})" for place in range(len(values)))
            return f"ifNull({' OR '.join(each)}, 0)"
        case "between" | "gt" | "gte" | "lt" | "lte" as operator:
            return _compared(operator, values, text, own, parameters)
        case operator:
            return _dated(operator, filter.key, str(values[0]), text, own, parameters)


def _is_one_of(values: Sequence[Any], text: str, own: str, parameters: dict[str, Any]) -> str:
    texts = [value for value in values if isinstance(value, str)]
    truths = [text_of(value) for value in values if isinstance(value, bool)]
    numbers = [float(value) for value in values if not isinstance(value, bool | str)]
    ways = []
    if texts:
        parameters[f"{own}_texts"] = texts
        ways.append(f"has({{{own}_texts:Array(String)}}, {text})")
    if truths:
        parameters[f"{own}_truths"] = truths
        ways.append(f"has({{{own}_truths:Array(String)}}, lower({text}))")
    if numbers:
        parameters[f"{own}_numbers"] = numbers
        ways.append(f"has({{{own}_numbers:Array(Float64)}}, {_number(text)})")
    return f"ifNull({' OR '.join(ways)}, 0)"


def _contains(values: Sequence[Any], text: str, own: str, parameters: dict[str, Any]) -> str:
    """Of a text in ASCII only A to Z have a case, which is quick; else all letters have, and any sigma is the same."""
    texts = [text_of(value) for value in values]
    ways = []
    for name, wanted in (
        ("ascii", [t for t in texts if t.isascii()]),
        ("other", [t for t in texts if not t.isascii()]),
    ):
        parameters |= {f"{own}_{name}{place}": value for place, value in enumerate(wanted)}
        for place in range(len(wanted)):
            part = f"{{{own}_{name}{place}:String}}"
            if name == "ascii":
                ways.append(f"positionCaseInsensitive({text}, {part}) > 0")
            else:
                ways.append(f"position({_lower(text)}, {_lower(part)}) > 0")
    return f"ifNull({' OR '.join(ways)}, 0)"


def _lower(text: str) -> str:
    return f"replaceAll(lowerUTF8({text}), 'ς', 'σ')"


def _number(text: str) -> str:
    """What reads as a finite number, else NULL."""
    number = f"toFloat64OrNull(trimBoth({text}))"
    return f"if(match({text}, {_NUMBER}) AND isFinite({number}), {number}, NULL)"


def _compared(operator: str, values: Sequence[Any], text: str, own: str, parameters: dict[str, Any]) -> str:
    parameters |= {f"{own}_number{place}": float(value) for place, value in enumerate(values)}
    signs = (">=", "<=") if operator == "between" else (_SIGNS[operator],)
    each = (f"{_number(text)} {sign} {{{own}_number{place}:Float64}}" for place, sign in enumerate(signs))
    return f"ifNull({' AND '.join(each)}, 0)"


def _dated(operator: str, key: str, value: str, text: str, own: str, parameters: dict[str, Any]) -> str:
    start, end = span_of(value)
    parameters |= {f"{own}_start": start, f"{own}_end": end}
    moment = "timestamp" if key == "timestamp" else _moment(text)
    before = f"{moment} < {{{own}_start:DateTime64(6, 'UTC')}}"
    after = f"{moment} >= {{{own}_end:DateTime64(6, 'UTC')}}"
    condition = {"date_before": before, "date_after": after}.get(operator, f"NOT ({before} OR {after})")
    return f"ifNull({condition}, 0)"


def _moment(text: str) -> str:
    """What reads as a date, else NULL."""
    seconds = f"multiIf(match({text}, {_UNIX}), 1000000, match({text}, {_UNIX_MS}), 1000, 0)"
    return (
        f"multiIf(match({text}, {_DATE}), parseDateTime64BestEffortOrNull({text}, 6, 'UTC'), "
        f"{seconds} > 0, fromUnixTimestamp64Micro(toInt64OrNull(toString(round(toFloat64OrNull({text}) * {seconds}))), "
        f"'UTC'), NULL)"
    )
