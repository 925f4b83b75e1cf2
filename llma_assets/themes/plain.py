"""A theme from plain values, and back: one border for files, stored rows and callers, where everything is checked.

The shape of each field is in `entries.py`; how several themes go together belongs in `store.py` and `changes.py`; text
(YAML, JSON) in those who read it.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, get_args

from pydantic import ValidationError

from llma_assets.themes.built_in import GENERAL, OPTIONAL
from llma_assets.themes.entries import FilterEntry, FiltersEntry, ThemeEntry
from llma_assets.themes.errors import Problem, did_you_mean
from llma_assets.themes.theme import Filter, Level, Theme
from llma_assets.themes.wording import THEME_FIELDS, at, problems_in

SHIPPED: Mapping[str, Theme] = {theme.theme_id: theme for theme in (*GENERAL, *OPTIONAL)}
GENERAL_IDS = frozenset(theme.theme_id for theme in GENERAL)
RESERVED_IDS = frozenset({"all", "none", "team", "tasks", "themes", "base_filters"})
_THEME_ID = re.compile(r"[a-z][a-z0-9_]{0,63}")


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
        found = problems_in(error, where)
        return replace(base, level=_level(settings, base), enabled=False), found
    theme = replace(base, **_values(entry, base))
    problems = _odd_together(theme, entry, where)
    return (replace(base, level=theme.level, enabled=False) if problems else theme), problems


def _level(settings: Mapping[str, Any], base: Theme) -> Level:
    level: Level = settings.get("level", base.level)
    return level if base.theme_id not in SHIPPED and level in get_args(Level) else base.level


def base_filters_from(settings: Mapping[str, Any], where: str = "") -> tuple[tuple[Filter, ...], list[Problem]]:
    """A team's base filters, and all that is wrong with them; none where something is."""
    try:
        entry = FiltersEntry.model_validate(dict(settings))
    except ValidationError as error:
        return (), problems_in(error, where)
    return _filters(entry.base_filters), []


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


def with_defaults(theme_id: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with what they leave out, also settings that are not valid; "" stands for the team's own settings."""
    if not theme_id:
        return {"base_filters": [], **settings}
    base = settings_of(SHIPPED.get(theme_id) or Theme(theme_id=theme_id, level="trace", prompt=""))
    inner = {
        name: {**base[name], **settings[name]}
        for name in ("clustering", "date_range")
        if isinstance(settings.get(name), dict)
    }
    return {**base, **settings, **inner}


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
    return tuple(each.filter for each in entries)


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
    return [Problem(at(where, name), message) for name, message in problems]


def _prompt_missing(theme_id: str) -> str:
    return "is missing; say what the summary should look at" + did_you_mean(theme_id, SHIPPED)
