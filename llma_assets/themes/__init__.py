"""What to look for in a trace: questions, the items that each concerns, and what is stored of a team's own.

A theme is the one concept for a question asked of traces, so that every stage loops over themes.
"""

from llma_assets.themes.built_in import GENERAL, GENERATIONS, OPTIONAL, TRACES, stored_versions
from llma_assets.themes.theme import Filter, Level, Theme, ThemeClustering

BUILT_IN = GENERAL

__all__ = [
    "BUILT_IN",
    "GENERAL",
    "GENERATIONS",
    "OPTIONAL",
    "TRACES",
    "Filter",
    "Level",
    "Theme",
    "ThemeClustering",
    "stored_versions",
]
