"""A theme from what people wrote or what is stored: each problem with its field, in plain words.

The type of a field says which values it takes (`theme.py`, `schema.py`), this module which fields go together. How
several themes go together belongs in `store.py` and `planning.py`, text (YAML, JSON) in the modules that read it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config

from llma_assets.themes.built_in import GENERAL_IDS, SHIPPED, base_of
from llma_assets.themes.errors import Problem, did_you_mean
from llma_assets.themes.filter import Filter
from llma_assets.themes.filter_checks import FilterError
from llma_assets.themes.schema import Filters
from llma_assets.themes.serialization import THEME_ADAPTER, THEME_FIELDS, with_defaults
from llma_assets.themes.theme import Level, Theme, ThemeClustering

RESERVED_IDS = frozenset({"all", "none", "team", "tasks", "themes", "base_filters"})
_THEME_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True)
class _TeamSettings:
    """What holds for all themes of a team."""

    base_filters: Filters = ()


_TEAM_SETTINGS = TypeAdapter(_TeamSettings)


def problems_of_id(theme_id: object, where: str) -> list[Problem]:
    """What is wrong with the name of a theme; nothing where it may be used, or is that of a shipped one."""
    if not isinstance(theme_id, str) or not _THEME_ID.fullmatch(theme_id):
        shown = repr(theme_id)[:80]
        return [
            Problem(
                where,
                f"{shown} is not a theme_id: a lower-case letter, then lower-case letters, digits and _, up to 64",
            )
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
    base = base_of(theme_id)
    try:
        theme = THEME_ADAPTER.validate_python({**with_defaults(theme_id, settings), "theme_id": theme_id})
    except ValidationError as error:
        return replace(base, level=_level(settings, base), enabled=False), _problems_in(error, where)
    if problems := _odd_together(theme, where):
        return replace(base, level=theme.level, enabled=False), problems
    return theme, []


def base_filters_from(settings: Mapping[str, Any], where: str = "") -> tuple[tuple[Filter, ...], list[Problem]]:
    """A team's base filters, and all that is wrong with them; none where something is."""
    try:
        return _TEAM_SETTINGS.validate_python(dict(settings)).base_filters, []
    except ValidationError as error:
        return (), _problems_in(error, where)


def _level(settings: Mapping[str, Any], base: Theme) -> Level:
    level: Level = settings.get("level", base.level)
    return level if base.theme_id not in SHIPPED and level in get_args(Level) else base.level


def _odd_together(theme: Theme, where: str) -> list[Problem]:
    """Values that are right one by one, but not together: all such problems, where a validator could name only one."""
    problems = []
    ships = SHIPPED.get(theme.theme_id)
    if ships and theme.level != ships.level:
        problems.append(("level", f"{theme.theme_id} is about {ships.level}s; leave the level out"))
    if theme.theme_id in GENERAL_IDS and theme.schedule != "daily":
        problems.append(("schedule", "the general themes are run by the schedules of the installation; leave it out"))
    if not theme.prompt and ships:
        problems.append(("prompt", "is empty; write something, or leave it out"))
    elif not theme.prompt:
        hint = did_you_mean(theme.theme_id, SHIPPED)
        problems.append(("prompt", f"is missing; say what the summary should look at{hint}"))
    if theme.rule == "keywords" and not theme.keywords:
        problems.append(("keywords", "the rule `keywords` needs words to look for, such as [refund, complaint]"))
    if theme.keywords and theme.rule != "keywords":
        problems.append(("keywords", "words are only looked for with `rule: keywords`; add it, or leave them out"))
    if theme.screen and theme.rule is None:
        problems.append(("screen", "there is no rule to screen by; add one, such as `rule: errors`, or leave it out"))
    if theme.clustering.max_k < theme.clustering.min_k:
        message = f"{theme.clustering.max_k} is less than min_k, which is {theme.clustering.min_k}"
        problems.append(("clustering.max_k", message))
    return [Problem(_path(where, (name,)), message) for name, message in problems]


def _problems_in(error: ValidationError, where: str) -> list[Problem]:
    """What pydantic found, field by field; `where` is the place of the whole."""
    problems = []
    for each in error.errors(include_url=False):
        reason = each.get("ctx", {}).get("error")
        if isinstance(reason, FilterError):
            problems.append(Problem(_path(where, (*each["loc"], reason.field)), reason.problem))
        else:
            problems.append(Problem(_path(where, each["loc"]), _message(each)))
    return problems


def _path(where: str, loc: Sequence[int | str]) -> str:
    for part in loc:
        name = f"[{part}]" if isinstance(part, int) else f".{part[:80]}"
        where = (where + name).removeprefix(".")
    return where


def _message(error: Mapping[str, Any]) -> str:
    kind, found, context = error["type"], error["input"], error.get("ctx", {})
    shown = repr(found) if len(repr(found)) <= 80 else f"{repr(found)[:77]}..."
    if kind in _MESSAGES:
        size = len(found) if isinstance(found, str | list | tuple) else 0
        return _MESSAGES[kind].format(shown=shown, size=size, **context)
    if kind == "unexpected_keyword_argument":
        return _no_such_field(error["loc"])
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"{shown} is not one of {', '.join(known)}{did_you_mean(found, known)}"
    return str(context["error"]) if kind == "value_error" else f"{shown}: {error['msg']}"


def _no_such_field(loc: Sequence[int | str]) -> str:
    name = str(loc[-1])
    known = _FIELDS_OF.get(loc[0], THEME_FIELDS) if len(loc) > 1 else THEME_FIELDS
    if _SPELLED_OTHERWISE.get(name) in known:
        return f"there is no such field; it is called {_SPELLED_OTHERWISE[name]!r}"
    return f"there is no such field{did_you_mean(name, known) or '; there are ' + ', '.join(known)}"


_FIELDS_OF: Mapping[int | str, Sequence[str]] = {
    "clustering": [each.name for each in fields(ThemeClustering)],
    "date_range": ["from", "to"],
    "filters": [each.name for each in fields(Filter)],
    "base_filters": [each.name for each in fields(Filter)],
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
_MESSAGES = {
    "missing": "is missing",
    "string_type": "must be a text, not {shown}; put it into quotes",
    "bool_type": "must be true or false, not {shown}",
    "int_type": "must be a whole number, not {shown}",
    "float_type": "must be a number, not {shown}",
    "finite_number": "must be a finite number, not {shown}",
    "tuple_type": "must be a list, not {shown}",
    "date_type": "must be a day such as 2026-11-07, not {shown}",
    "dataclass_type": "must be a mapping of fields, not {shown}",
    "string_too_long": "has {size:,} characters; at most {max_length:,} are allowed",
    "too_long": "has {size:,} items; at most {max_length:,} are allowed",
    "too_short": "is empty; write something, or leave it out",
    "greater_than": "must be greater than {gt:,.10g}, not {shown}",
    "greater_than_equal": "must be at least {ge:,.10g}, not {shown}",
    "less_than": "must be less than {lt:,.10g}, not {shown}",
    "less_than_equal": "must be at most {le:,.10g}, not {shown}",
}
