"""The file of a team's themes: a list of themes, and filters for all. What applying one does is in `changes.py`.

base_filters:
  - {key: environment, operator: exact, value: production}
themes:
  - theme_id: error_analysis
    enabled: true
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from llma_assets.themes.built_in import base_of
from llma_assets.themes.errors import InvalidThemesError, Problem, ThemeError, did_you_mean
from llma_assets.themes.filter import Filter
from llma_assets.themes.serialization import settings_of, settings_of_filters
from llma_assets.themes.store import TeamThemes
from llma_assets.themes.theme import Theme
from llma_assets.themes.yaml_text import read_yaml, write_yaml

TOP_FIELDS = ("base_filters", "themes")
MAX_THEMES = 100


@dataclass(frozen=True, slots=True)
class Document:
    """What a file says, as plain values; they are checked when it is applied.

    Attributes:
        themes: settings of each theme by their names, with `theme_id`.
        base_filters: the team's own filters, None where the file says nothing of them.
    """

    themes: tuple[Any, ...]
    base_filters: Any = None


def read_document(text: str | bytes) -> Document:
    """The document of a YAML file.

    Raises:
        InvalidThemesError: it is not YAML as `read_yaml` takes it, or not a list of themes.
    """
    content = read_yaml(text)
    if content is None:
        raise InvalidThemesError([Problem("", "the file is empty; begin with `themes:`")])
    if not isinstance(content, dict):
        raise InvalidThemesError([Problem("", "the file must be a mapping that begins with `themes:`")])
    problems = [
        Problem(str(name)[:80], f"there is no such field{did_you_mean(name, TOP_FIELDS) or _AT_THE_TOP}")
        for name in content
        if name not in TOP_FIELDS
    ]
    themes = [] if content.get("themes") is None else content["themes"]
    if not isinstance(themes, list):
        problems.append(Problem("themes", "must be a list; begin each theme with `- theme_id:`"))
    elif len(themes) > MAX_THEMES:
        problems.append(Problem("themes", f"has {len(themes):,} themes; at most {MAX_THEMES} are allowed"))
    if problems:
        raise InvalidThemesError(problems)
    base_filters = content.get("base_filters")
    return Document(tuple(themes), [] if base_filters is None and "base_filters" in content else base_filters)


_AT_THE_TOP = "; at the top there are `base_filters` and `themes`, and a theme's fields stand in the list of themes"


def document_of(themes: Iterable[Theme], base_filters: Iterable[Filter] | None = None) -> Document:
    """The document that says the same as these themes; base filters of None leave those of the team as they are."""
    return Document(
        tuple({"theme_id": theme.theme_id, **settings_of(theme)} for theme in themes),
        None if base_filters is None else settings_of_filters(base_filters),
    )


def export(team: TeamThemes, only: Collection[str] = (), *, full: bool = False) -> Document:
    """The document that makes a team's themes what they are: of shipped ones what differs, own ones whole.

    Args:
        team: whose themes.
        only: theme ids, then without the team's base filters; all that differ from what ships if there are none.
        full: every field of every theme, also where it is the default.

    Raises:
        ThemeError: one of `only` is unknown, or cannot be read any longer.
    """
    chosen = [team.get(theme_id) for theme_id in dict.fromkeys(only)] if only else team.themes
    themes = []
    for theme in chosen:
        if found := team.problems_of(theme.theme_id):
            if only:
                raise ThemeError(f"what is stored of {theme.theme_id!r} is not valid: {found[0]}")
            continue
        own = team.settings_alone(theme)
        settings = settings_of(own) if full else settings_of(own, base_of(theme.theme_id))
        if settings or full or only:
            themes.append({"theme_id": theme.theme_id, **settings})
    return Document(tuple(themes), None if only or not team.base_filters else settings_of_filters(team.base_filters))


def write_document(document: Document) -> str:
    """The document as YAML, which `read_document` gives back."""
    content: dict[str, Any] = {} if document.base_filters is None else {"base_filters": document.base_filters}
    return write_yaml({**content, "themes": [dict(each) for each in document.themes]})


def examples() -> Mapping[str, str]:
    """Files of themes that ship as examples, to be applied as they are or changed: YAML by name."""
    found = sorted(files("llma_assets.themes").joinpath("examples").iterdir(), key=lambda each: each.name)
    return {each.name.removesuffix(".yaml"): each.read_text("utf-8") for each in found if each.name.endswith(".yaml")}
