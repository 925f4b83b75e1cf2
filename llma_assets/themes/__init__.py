"""What to look for in a trace. Today: one general summary of each trace, and of each generation.

A theme is the one concept for a question asked of traces, so that every stage loops over themes.
"""

from llma_assets.themes.theme import BUILT_IN, GENERATIONS, TRACES, Level, Theme

__all__ = ["BUILT_IN", "GENERATIONS", "TRACES", "Level", "Theme"]
