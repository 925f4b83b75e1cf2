"""What to look for in a trace: questions, the items that each concerns, and what is stored of a team's own.

A theme is the one concept for a question asked of traces, so that every stage loops over themes.
"""

from llma_assets.themes.built_in import GENERAL, GENERATIONS, OPTIONAL, TRACES, stored_versions
from llma_assets.themes.changes import Changes, apply, delete, set_enabled, themes_with
from llma_assets.themes.differences import FieldChange, lines_of
from llma_assets.themes.document import Document, examples, export, read_document, write_document
from llma_assets.themes.errors import InvalidThemesError, Problem, ThemeError, did_you_mean
from llma_assets.themes.history import PastChange, history, themes_at
from llma_assets.themes.matching import matching_items
from llma_assets.themes.plain import GENERAL_IDS, filters_as_plain, settings_of
from llma_assets.themes.preview import Asking, Example, Preview, preview
from llma_assets.themes.sampling import draws, is_of_the_hour, is_taken, needs_texts, place_of, rate_of
from llma_assets.themes.store import (
    THE_TEAM,
    TeamThemes,
    active_themes,
    in_order,
    team_themes,
    themes_of,
    themes_of_teams,
)
from llma_assets.themes.theme import FEW_OF_MANY, MANY_MATCHES, Filter, Level, Rule, Theme, ThemeClustering
from llma_assets.themes.yaml_text import MAX_BYTES

BUILT_IN = GENERAL

__all__ = [
    "BUILT_IN",
    "FEW_OF_MANY",
    "GENERAL",
    "GENERAL_IDS",
    "GENERATIONS",
    "MANY_MATCHES",
    "MAX_BYTES",
    "OPTIONAL",
    "THE_TEAM",
    "TRACES",
    "Asking",
    "Changes",
    "Document",
    "Example",
    "FieldChange",
    "Filter",
    "InvalidThemesError",
    "Level",
    "PastChange",
    "Preview",
    "Problem",
    "Rule",
    "TeamThemes",
    "Theme",
    "ThemeClustering",
    "ThemeError",
    "active_themes",
    "apply",
    "delete",
    "did_you_mean",
    "draws",
    "examples",
    "export",
    "filters_as_plain",
    "history",
    "in_order",
    "is_of_the_hour",
    "is_taken",
    "lines_of",
    "matching_items",
    "needs_texts",
    "place_of",
    "preview",
    "rate_of",
    "read_document",
    "set_enabled",
    "settings_of",
    "stored_versions",
    "team_themes",
    "themes_at",
    "themes_of",
    "themes_of_teams",
    "themes_with",
    "write_document",
]
