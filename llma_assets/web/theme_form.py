"""The form of a theme: settings to fields and back. Which settings are valid is decided by `llma_assets.themes`."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

EMPTY_ROWS = 2
"""Rows for further filters below those that there are."""

MOST_ROWS = 40
DATES = ("from", "to")
NUMBERS = ("min_items", "target_clusters", "min_cluster_size")
"""Of the date range and of the clustering, what the form shows; the rest stays as it is."""

NO_VALUE = ("is_set", "is_not_set")
LISTS = ("in", "not_in", "between")


@dataclass(frozen=True, slots=True)
class FilterRow:
    """A line of the form."""

    key: str = ""
    operator: str = "exact"
    value: str = ""


def fields_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """What the form of a theme shows.

    >>> fields_of({"name": "Refunds", "filters": [{"key": "$ai_model", "operator": "in", "value": ["a", "b"]}]})
    {'name': 'Refunds', 'filter_key_0': '$ai_model', 'filter_operator_0': 'in', 'filter_value_0': 'a, b'}
    """
    fields = {
        name: str(settings[name])
        for name in ("name", "description", "level", "prompt", "mode", "schedule")
        if settings.get(name) is not None
    }
    if settings.get("daily_budget_usd") is not None:
        fields["daily_budget_usd"] = f"{settings['daily_budget_usd']:g}"
    if settings.get("sample_rate") is not None:
        fields["sample_percent"] = f"{100 * settings['sample_rate']:g}"
    fields |= {name: "yes" for name in ("judged", "enabled") if settings.get(name)}
    clustering, dates = settings.get("clustering") or {}, settings.get("date_range") or {}
    fields |= {f"date_{name}": str(dates[name]) for name in DATES if dates.get(name)}
    fields |= {f"clustering_{name}": str(clustering[name]) for name in ("method", *NUMBERS) if clustering.get(name)}
    for place, each in enumerate(settings.get("filters", ())):
        fields[f"filter_key_{place}"] = each["key"]
        fields[f"filter_operator_{place}"] = each["operator"]
        fields[f"filter_value_{place}"] = _text_of(each.get("value"))
    return fields


def settings_from(fields: Mapping[str, str], base: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a sent form means.

    Numbers that cannot be read stay text, which the themes' own check then names.

    Args:
        base: settings that the form does not show, which stay.
    """
    settings = dict(base)
    for name in ("name", "description", "prompt"):
        settings[name] = fields.get(name, "").replace("\r\n", "\n").strip()
    for name in ("level", "mode", "schedule"):
        if fields.get(name):
            settings[name] = fields[name]
    settings["judged"], settings["enabled"] = "judged" in fields, "enabled" in fields
    settings["daily_budget_usd"] = _number(fields.get("daily_budget_usd", ""))
    for setting, key, field, read in _INNER:
        # A form that does not show a field leaves it as it is.
        if (text := fields.get(field)) is not None:
            inner = {name: value for name, value in (settings.get(setting) or {}).items() if name != key}
            settings[setting] = {**inner, key: read(text.strip())} if text.strip() else inner
    percent = _number(fields.get("sample_percent", ""))
    settings["sample_rate"] = percent / 100 if isinstance(percent, float) else percent
    settings["filters"] = [
        _filter(row.key, row.operator, row.value) for row in rows_of(fields, empty=0) if row.key.strip()
    ]
    return settings


def rows_of(fields: Mapping[str, str], *, empty: int = EMPTY_ROWS) -> list[FilterRow]:
    """The lines of filters, and some empty ones to add more."""
    rows = [
        FilterRow(
            fields[f"filter_key_{place}"].strip(),
            fields.get(f"filter_operator_{place}", "exact"),
            fields.get(f"filter_value_{place}", "").strip(),
        )
        for place in range(MOST_ROWS)
        if fields.get(f"filter_key_{place}", "").strip()
    ]
    return rows + [FilterRow()] * empty


def _filter(key: str, operator: str, text: str) -> dict[str, Any]:
    if operator in NO_VALUE:
        return {"key": key, "operator": operator}
    return {"key": key, "operator": operator, "value": _list(text) if operator in LISTS else _scalar(text)}


def _list(text: str) -> list[Any]:
    """Values between commas; where each is as in JSON, a text in quotes may hold commas itself."""
    try:
        found: list[Any] = json.loads(f"[{text}]")
    except ValueError:
        return [_scalar(part.strip()) for part in text.split(",")]
    return found


def _whole(text: str) -> int | str:
    """A whole number; what is none stays text, which the themes' own check names."""
    return int(text) if text.isdecimal() and len(text) < 12 else text


_INNER: tuple[tuple[str, str, str, Callable[[str], int | str]], ...] = (
    *(("date_range", each, f"date_{each}", str) for each in DATES),
    ("clustering", "method", "clustering_method", str),
    *(("clustering", each, f"clustering_{each}", _whole) for each in NUMBERS),
)
"""Setting, its key, the form's field, and how it is read."""


def _scalar(text: str) -> Any:
    """What a person means by a value: a number, true or false, else text; text in double quotes is always text."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, str | int | float | bool) else text


def _text_of(value: Any) -> str:
    if isinstance(value, list | tuple):
        plain = [_text_of(each) for each in value]
        is_plain = not any(each.startswith('"') for each in plain)
        return ", ".join(plain) if is_plain else json.dumps(list(value), ensure_ascii=False)[1:-1]
    if value is None:
        return ""
    if isinstance(value, str):
        return value if _scalar(value) == value and "," not in value else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def _number(text: str) -> float | str | None:
    text = text.strip().removesuffix("%").removeprefix("$").strip()
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        return text
