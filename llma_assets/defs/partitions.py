"""The partitions of the pipeline, team × date, and their Dagster keys.

Walking the partitions of a run belongs in `stage_asset.py`.
"""

from dataclasses import dataclass
from datetime import date

import dagster as dg

from llma_assets.team_day import TeamDay

TEAM, DATE = "team", "date"

teams = dg.DynamicPartitionsDefinition(name="teams")

by_day = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name=DATE)
"""Maps a team and a date to the date, which is the partition of `eligible_teams`."""


@dataclass(frozen=True, slots=True)
class Partitions:
    """The partitions of the assets, from the oldest day on.

    Attributes:
        daily: of `eligible_teams`.
        team_days: of what is made team by team.
    """

    daily: dg.DailyPartitionsDefinition
    team_days: dg.MultiPartitionsDefinition

    @classmethod
    def since(cls, oldest_day: date) -> "Partitions":
        """The partitions whose first day is this one."""
        daily = dg.DailyPartitionsDefinition(start_date=oldest_day.isoformat(), end_offset=1, timezone="UTC")
        return cls(daily, dg.MultiPartitionsDefinition({TEAM: teams, DATE: daily}))


def partition_key(team_day: TeamDay) -> dg.MultiPartitionKey:
    """The Dagster key of a partition."""
    return dg.MultiPartitionKey({TEAM: str(team_day.team_id), DATE: team_day.day.isoformat()})


def team_day(key: str) -> TeamDay:
    """Parse a key; Dagster sorts the dimensions by name.

    >>> team_day("2026-01-05|1")
    TeamDay(team_id=1, day=datetime.date(2026, 1, 5))

    Raises:
        ValueError: the team is not an integer, or the day is not an ISO date.
    """
    day, _, team_id = key.partition("|")
    return TeamDay(team_id=int(team_id), day=date.fromisoformat(day))


def range_tags(first: TeamDay, last: TeamDay) -> dict[str, str]:
    """Run tags that request a team's days from `first` to `last` in one run.

    They leave out Dagster's own tag of a dimension, because Dagster treats a run that has it as one of one partition.
    """
    return {
        "dagster/asset_partition_range_start": partition_key(first),
        "dagster/asset_partition_range_end": partition_key(last),
        "llma/team": str(first.team_id),
    }
