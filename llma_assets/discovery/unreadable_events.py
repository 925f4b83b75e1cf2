"""Records the events that no stage can read as skips. Discovery counts them in its scan of the window."""

from collections.abc import Sequence
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.discovery.decisions import TeamDecision, window_of
from llma_assets.ledger import Skip, replace_skips
from llma_assets.teams import TeamSettings

SOURCE, UNREADABLE = "events", "unreadable_events"
"""Stage and reason of these skips."""


def record_unreadable(database: Database, decisions: Sequence[TeamDecision], settings: TeamSettings, day: date) -> int:
    """Record skips with the number of unreadable events by team and day, and clear those of days without any.

    Returns:
        the number of unreadable events.
    """
    found = [
        (decision.team_id, of_day, count) for decision in decisions for of_day, count in decision.unreadable.items()
    ]
    why = "properties that are not a JSON object (NaN, a lone surrogate, cut text), which no stage can read"
    skips = [
        Skip(team_id, of_day, SOURCE, "", UNREADABLE, f"{count:,} event{'s' * (count > 1)} with {why}")
        for team_id, of_day, count in found
    ]
    replace_skips(database, SOURCE, *window_of(day, settings.lookback_days), skips)
    return sum(count for _, _, count in found)
