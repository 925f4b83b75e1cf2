"""What to look for in a trace: questions, the items that each concerns, and what is stored of a team's own.

A theme is the one concept for a question asked of traces, so that every stage loops over themes.
"""

from llma_assets.themes.built_in import GENERAL, GENERAL_IDS, GENERATIONS, OPTIONAL, SHIPPED, TRACES, stored_versions
from llma_assets.themes.changes import Changes, apply, delete, set_enabled, themes_with
from llma_assets.themes.differences import FieldChange, differences, lines_of
from llma_assets.themes.document import Document, document_of, examples, export, read_document, write_document
from llma_assets.themes.errors import InvalidThemesError, Problem, ThemeError, did_you_mean
from llma_assets.themes.filter import Filter, Operator
from llma_assets.themes.filter_checks import FilterError
from llma_assets.themes.history import PastChange, past_changes, themes_at
from llma_assets.themes.matching import MatchedItem, matching_items
from llma_assets.themes.packs import Pack, pack_of, packs
from llma_assets.themes.planning import Change
from llma_assets.themes.preview import Asking, Example, Preview, preview_theme
from llma_assets.themes.preview_queries import seen_keys, seen_values
from llma_assets.themes.sampling import (
    draws,
    is_selected,
    needs_texts,
    place_of,
    rate_of,
    uses_hourly_sample,
)
from llma_assets.themes.serialization import settings_of, settings_of_filters
from llma_assets.themes.store import (
    THE_TEAM,
    TeamThemes,
    active_themes,
    in_order,
    team_themes,
    themes_of,
    themes_of_teams,
)
from llma_assets.themes.theme import FEW_OF_MANY, MANY_MATCHES, DateRange, Level, Rule, Schedule, Theme, ThemeClustering
from llma_assets.themes.yaml_text import MAX_BYTES, read_yaml, write_yaml

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
    "SHIPPED",
    "THE_TEAM",
    "TRACES",
    "Asking",
    "Change",
    "Changes",
    "DateRange",
    "Document",
    "Example",
    "FieldChange",
    "Filter",
    "FilterError",
    "InvalidThemesError",
    "Level",
    "MatchedItem",
    "Operator",
    "Pack",
    "PastChange",
    "Preview",
    "Problem",
    "Rule",
    "Schedule",
    "TeamThemes",
    "Theme",
    "ThemeClustering",
    "ThemeError",
    "active_themes",
    "apply",
    "delete",
    "did_you_mean",
    "differences",
    "document_of",
    "draws",
    "examples",
    "export",
    "in_order",
    "is_selected",
    "lines_of",
    "matching_items",
    "needs_texts",
    "pack_of",
    "packs",
    "past_changes",
    "place_of",
    "preview_theme",
    "rate_of",
    "read_document",
    "read_yaml",
    "seen_keys",
    "seen_values",
    "set_enabled",
    "settings_of",
    "settings_of_filters",
    "stored_versions",
    "team_themes",
    "themes_at",
    "themes_of",
    "themes_of_teams",
    "themes_with",
    "uses_hourly_sample",
    "write_document",
    "write_yaml",
]
