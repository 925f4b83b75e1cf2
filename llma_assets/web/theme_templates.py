"""What a new theme may begin with: the examples that ship, and copies of the team's themes."""

from collections.abc import Iterator
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.themes import examples, read_document, settings_of, themes_of, themes_with
from llma_assets.web.theme_work import known_theme


def templates_of(database: Database, team_id: int) -> Iterator[tuple[str, str]]:
    """Name and words of each template."""
    for name in examples():
        yield name, name.replace("_", " ")
    for theme in themes_of(database, team_id).themes:
        yield theme.theme_id, f"a copy of {theme.name or theme.theme_id}"


def template_settings(database: Database, team_id: int, name: str) -> dict[str, Any]:
    """The settings of a template, all of them.

    Raises:
        NotFound: there is none of that name.
    """
    team = themes_of(database, team_id)
    text = examples().get(name)
    if text is None:
        return settings_of(team.settings_alone(known_theme(team, name)))
    document = read_document(text)
    first = themes_with(database, team_id, document)[document.themes[0]["theme_id"]]
    return settings_of(team.settings_alone(first))
