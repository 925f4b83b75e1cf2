"""Demo: sample traffic of several teams with planted topics, for `make demo` and tests."""

from llma_assets.demo.sample import (
    DEMO_TEAMS,
    PIPELINE_ONLY_TEAM_ID,
    THEMED_TEAM,
    THEMES,
    TRAVEL,
    WEEK,
    DemoTeam,
    planted_topics,
    sample_events,
    sample_lines,
    sample_segments,
)

__all__ = [
    "DEMO_TEAMS",
    "PIPELINE_ONLY_TEAM_ID",
    "THEMED_TEAM",
    "THEMES",
    "TRAVEL",
    "WEEK",
    "DemoTeam",
    "planted_topics",
    "sample_events",
    "sample_lines",
    "sample_segments",
]
