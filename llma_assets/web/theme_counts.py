"""How many items each filter of the editor's form matches, and all of them together; also of a form half filled in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llma_assets.team_day import TeamDay
from llma_assets.themes import Document, FilterError, InvalidThemesError, Preview, seen_values, themes_with
from llma_assets.web.site import Site
from llma_assets.web.theme_form import MOST_ROWS, settings_from
from llma_assets.web.theme_work import preview_of

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class RowCount:
    """What stands beside a line of filters.

    Attributes:
        items: that match it alone, None where that is not known.
        hint: what might be meant where nothing matches.
        problem: why it cannot be counted.
        values: that the property has in the data.
    """

    items: int | None = None
    hint: str = ""
    problem: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Counts:
    """What stands beside the filters.

    Attributes:
        rows: by the place of the line in the form.
        items: all items of the days.
        matched: what meets all filters, None where that is not known.
    """

    rows: Mapping[int, RowCount]
    items: int = 0
    matched: int | None = None


def counts_from(fields: Mapping[str, str], preview: Preview | None, problems: Mapping[str, str]) -> Counts:
    """What a checked form has found; `problems` by their fields."""
    rows = {}
    for number, place in enumerate(_places(fields)):
        told = [
            f"{where.partition('].')[2]}: {message}"
            for where, message in problems.items()
            if where.startswith(f"filters[{number}]")
        ]
        count = preview.filters[number + len(preview.theme.base_filters)] if preview else None
        rows[place] = RowCount(
            count.items if count else None, count.hint if count else "", "; ".join(told).removeprefix(": ")
        )
    return Counts(rows, preview.items if preview else 0, preview.matched if preview else None)


def counts_of(site: Site, team_id: int, fields: Mapping[str, str], days: Sequence[TeamDay]) -> Counts:
    """Count what the filters of a form match, whatever else in it is missing."""
    wanted = settings_from(fields, {})
    settings = {"theme_id": DRAFT, "prompt": DRAFT, "level": wanted.get("level", "trace"), "filters": wanted["filters"]}
    found = _counted(site, team_id, settings, fields, days)
    rows = {
        place: RowCount(row.items, row.hint, row.problem, _values(site, team_id, fields[f"filter_key_{place}"], days))
        for place, row in found.rows.items()
    }
    return Counts(rows, found.items, found.matched)


def _counted(
    site: Site, team_id: int, settings: Mapping[str, object], fields: Mapping[str, str], days: Sequence[TeamDay]
) -> Counts:
    try:
        theme = themes_with(site.database, team_id, Document((settings,)))[DRAFT]
    except InvalidThemesError as error:
        problems = {each.where.removeprefix("themes[0]").lstrip("."): each.message for each in error.problems}
        return counts_from(fields, None, problems)
    return counts_from(fields, preview_of(site, theme, list(days)), {})


def _values(site: Site, team_id: int, key: str, days: Sequence[TeamDay]) -> tuple[str, ...]:
    try:
        return tuple(seen_values(site.database, team_id, key.strip(), days[0].day, days[-1].day))
    except FilterError:  # no property can be called so, as is said beside it
        return ()


def _places(fields: Mapping[str, str]) -> list[int]:
    """The lines that name a property; the others are no filters."""
    return [place for place in range(MOST_ROWS) if fields.get(f"filter_key_{place}", "").strip()]
