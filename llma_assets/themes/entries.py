"""A theme as people write it: plain values in, a checked `Theme` out, and back. One border for files and stored rows.

What the values of a filter may be is decided in `filters.py`; how several themes go together belongs in `document.py`
and `store.py`; text (YAML, JSON) in those who read it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from datetime import date
from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.functional_validators import AfterValidator, BeforeValidator, model_validator

from llma_assets.themes.built_in import GENERAL, OPTIONAL
from llma_assets.themes.errors import Problem, did_you_mean
from llma_assets.themes.theme import Filter, Level, Method, Mode, Operator, Rule, Schedule, Theme

SHIPPED: Mapping[str, Theme] = {theme.theme_id: theme for theme in (*GENERAL, *OPTIONAL)}
GENERAL_IDS = frozenset(theme.theme_id for theme in GENERAL)
RESERVED_IDS = frozenset({"all", "none", "team", "tasks", "themes", "base_filters"})

MAX_PROMPT_CHARS = 4_000
MAX_FILTERS = 50
_THEME_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_END = re.compile(r"[\t\n\u2028\u2029]")
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
        case bool():
            return True
        case str():
            return not _CONTROL.search(value) and len(value) <= MAX_PROMPT_CHARS
        case int():
            return -(2**63) <= value < 2**64
        case float():
            return math.isfinite(value)
    return False


def _filter_value(value: object) -> object:
    if value is None or _scalar(value) or (isinstance(value, list | tuple) and all(map(_scalar, value))):
        return tuple(value) if isinstance(value, list) else value
    raise ValueError("must be a text without control characters, a finite number, true, false, or a list of such")


Line = Annotated[str, Field(max_length=200), AfterValidator(_line)]
Text = Annotated[str, Field(max_length=MAX_PROMPT_CHARS), AfterValidator(_text)]
Day = Annotated[date | None, BeforeValidator(_day)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FilterEntry(_Entry):
    """`{key, operator, value}`."""

    key: Line
    operator: Operator = "exact"
    value: Annotated[Any, BeforeValidator(_filter_value)] = None


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


THEME_FIELDS = ("theme_id", *ThemeEntry.model_fields)
_FIELDS_OF = {
    "clustering": tuple(ClusteringEntry.model_fields),
    "date_range": ("from", "to"),
    "filters": tuple(FilterEntry.model_fields),
    "base_filters": tuple(FilterEntry.model_fields),
}


def problems_of_id(theme_id: object, where: str) -> list[Problem]:
    """What is wrong with the name of a theme; nothing where it may be used, or is that of a shipped one."""
    if not isinstance(theme_id, str) or not _THEME_ID.fullmatch(theme_id):
        shown = repr(theme_id)[:80]
        return [
            Problem(where, f"{shown} is not a theme_id: a small letter, then small letters, digits and _, up to 64")
        ]
    if theme_id in RESERVED_IDS:
        return [Problem(where, f"{theme_id!r} is reserved; take another name")]
    return []


def theme_from(theme_id: str, settings: Mapping[str, Any], where: str = "") -> tuple[Theme, list[Problem]]:
    """The theme that settings describe, without the team's base filters, and all that is wrong with it.

    Args:
        theme_id: of a shipped theme, whose fields hold where the settings say nothing, or of an own one.
        settings: fields by their names in a file, without `theme_id`.
        where: begins the names of fields in problems.

    Returns:
        Where there are problems, a theme that is switched off and has nothing of the settings but its level.
    """
    base = SHIPPED.get(theme_id) or Theme(theme_id=theme_id, level="trace", prompt="")
    try:
        entry = ThemeEntry.model_validate(dict(settings))
    except ValidationError as error:
        found = _problems(error, where)
        level = settings.get("level")
        own_level: Level = level if theme_id not in SHIPPED and level in get_args(Level) else base.level
        return replace(base, level=own_level, enabled=False), found
    theme = replace(base, **_values(entry, base))
    problems = [
        *_filter_problems(theme.base_filters, _at(where, "base_filters")),
        *_filter_problems(theme.theme_filters, _at(where, "filters")),
        *_odd_together(theme, entry, where),
    ]
    return (replace(base, level=theme.level, enabled=False) if problems else theme), problems


def base_filters_from(settings: Mapping[str, Any], where: str = "") -> tuple[tuple[Filter, ...], list[Problem]]:
    """A team's base filters, and all that is wrong with them; none where something is."""
    try:
        entry = FiltersEntry.model_validate(dict(settings))
    except ValidationError as error:
        return (), _problems(error, where)
    found = _filters(entry.base_filters)
    problems = _filter_problems(found, _at(where, "base_filters"))
    return (() if problems else found), problems


def settings_of(theme: Theme, base: Theme | None = None) -> dict[str, Any]:
    """A theme's settings by their names in a file, as plain values; only what differs from `base`, if one is given."""
    everything = {each.name: getattr(theme, each.name) for each in fields(theme) if each.name != "theme_id"}
    settings = {
        "filters" if name == "theme_filters" else name: filters_as_plain(value)
        if name in ("theme_filters", "base_filters")
        else list(value)
        if name == "keywords"
        else value
        for name, value in everything.items()
        if name not in ("first_day", "last_day", "clustering")
    }
    settings["date_range"] = {
        "from": theme.first_day and theme.first_day.isoformat(),
        "to": theme.last_day and theme.last_day.isoformat(),
    }
    settings["clustering"] = asdict(theme.clustering)
    settings = {name: settings[name] for name in THEME_FIELDS if name in settings}
    if base is None:
        return settings
    return _what_differs(settings, settings_of(base))


def filters_as_plain(filters: tuple[Filter, ...]) -> list[dict[str, Any]]:
    """Filters as plain values, as a file has them."""
    return [
        {
            "key": each.key,
            "operator": each.operator,
            **(
                {}
                if each.value is None
                else {"value": list(each.value) if isinstance(each.value, tuple) else each.value}
            ),
        }
        for each in filters
    ]


def _what_differs(settings: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _what_differs(value, base[name]) if isinstance(value, dict) else value
        for name, value in settings.items()
        # True == 1 and 1 == 1.0, but not in what is stored.
        if repr(value) != repr(base[name])
    }


def _values(entry: ThemeEntry, base: Theme) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(entry, name) for name in entry.model_fields_set}
    if "filters" in values:
        values["theme_filters"] = _filters(values.pop("filters"))
    if "base_filters" in values:
        values["base_filters"] = _filters(values["base_filters"])
    if "keywords" in values:
        values["keywords"] = tuple(values["keywords"])
    if "clustering" in values:
        given = values["clustering"].model_dump(include=values["clustering"].model_fields_set)
        values["clustering"] = replace(base.clustering, **given)
    if "date_range" in values:
        given = values.pop("date_range")
        values |= {"first_day": given.first, "last_day": given.last}
    return values


def _filters(entries: list[FilterEntry]) -> tuple[Filter, ...]:
    return tuple(Filter(each.key, each.operator, each.value) for each in entries)


def _filter_problems(filters: tuple[Filter, ...], where: str) -> list[Problem]:
    try:
        from llma_assets.themes.filters import FilterError, check_filter
    except ModuleNotFoundError:
        return []
    problems = []
    for number, each in enumerate(filters):
        try:
            check_filter(each)
        except FilterError as error:
            problems.append(Problem(f"{where}[{number}].{error.field}", error.problem))
    return problems


def _odd_together(theme: Theme, entry: ThemeEntry, where: str) -> list[Problem]:
    """Values that are right one by one, but not together."""
    problems = []
    is_shipped = theme.theme_id in SHIPPED
    if is_shipped and theme.level != SHIPPED[theme.theme_id].level:
        problems.append(("level", f"{theme.theme_id} is about {SHIPPED[theme.theme_id].level}s; leave the level out"))
    if theme.theme_id in GENERAL_IDS and "schedule" in entry.model_fields_set and theme.schedule != "daily":
        problems.append(("schedule", "the general themes are run by the schedules of the installation; leave it out"))
    if not theme.prompt:
        problems.append(("prompt", _prompt_missing(theme.theme_id)))
    if theme.rule == "keywords" and not theme.keywords:
        problems.append(("keywords", "the rule `keywords` needs words to look for, such as [refund, complaint]"))
    if theme.keywords and theme.rule != "keywords":
        problems.append(("keywords", "words are only looked for with `rule: keywords`; add it, or leave them out"))
    if theme.screen and theme.rule is None:
        problems.append(("screen", "there is no rule to screen by; add one, such as `rule: errors`, or leave it out"))
    if theme.clustering.max_k < theme.clustering.min_k:
        message = f"{theme.clustering.max_k} is less than min_k, which is {theme.clustering.min_k}"
        problems.append(("clustering.max_k", message))
    return [Problem(_at(where, name), message) for name, message in problems]


def _prompt_missing(theme_id: str) -> str:
    return "is missing; say what the summary should look at" + did_you_mean(theme_id, SHIPPED)


def _at(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _problems(error: ValidationError, where: str) -> list[Problem]:
    return [Problem(_path(where, tuple(each["loc"])), _message(each)) for each in error.errors(include_url=False)]


def _path(where: str, loc: tuple[int | str, ...]) -> str:
    for part in loc:
        where = f"{where}[{part}]" if isinstance(part, int) else _at(where, str(part)[:80])
    return where


def _message(error: Mapping[str, Any]) -> str:
    name, found = error["loc"][-1] if error["loc"] else "", error["input"]
    shown = repr(found) if len(repr(found)) <= 80 else f"{repr(found)[:77]}..."
    context = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known = _FIELDS_OF.get(str(error["loc"][0]), THEME_FIELDS) if len(error["loc"]) > 1 else THEME_FIELDS
            if _SPELLED_OTHERWISE.get(str(name)) in known:
                return f"there is no such field; it is called {_SPELLED_OTHERWISE[str(name)]!r}"
            return f"there is no such field{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"
        case "literal_error":
            known = tuple(re.findall(r"'([^']*)'", context["expected"]))
            return f"{shown} is none of {', '.join(known)}{did_you_mean(found, known)}"
        case "missing":
            return "is missing"
        case "value_error":
            return str(context["error"])
        case "string_too_long":
            return f"has {len(found):,} characters; at most {context['max_length']:,} are allowed"
        case "string_too_short":
            return "is empty; write something, or leave it out"
        case "too_long":
            return f"has {context['actual_length']:,} items; at most {context['max_length']:,} are allowed"
    wanted = _WANTED.get(error["type"])
    return f"{shown} found, but {wanted} is needed" if wanted else f"{shown}: {error['msg']}"


_WANTED = {
    "string_type": "a text (put it into quotes)",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "float_type": "a number",
    "list_type": "a list",
    "date_type": "a day such as 2026-11-07",
    "model_type": "a mapping of fields",
}
