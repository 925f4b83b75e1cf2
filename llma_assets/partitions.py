"""Team × day, the one partitioning of the pipeline, and how a Dagster key becomes a team's day.

How partitions are walked belongs in `stage.py`.
"""

from datetime import date

import dagster as dg

from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay

TEAM, DATE = "team", "date"

teams = dg.DynamicPartitionsDefinition(name="teams")

daily = dg.DailyPartitionsDefinition(
    start_date=Settings.from_env().oldest_day.isoformat(), end_offset=1, timezone="UTC"
)

team_days = dg.MultiPartitionsDefinition({TEAM: teams, DATE: daily})

by_day = dg.MultiToSingleDimensionPartitionMapping(partition_dimension_name=DATE)
"""From a team's day to the day: what `eligible_teams` decided for it."""


def partition_key(team_day: TeamDay) -> dg.MultiPartitionKey:
    """The key that Dagster knows a team's day by."""
    return dg.MultiPartitionKey({TEAM: str(team_day.team_id), DATE: team_day.day.isoformat()})


def team_day(key: str) -> TeamDay:
    """Read a key such as `2026-01-05|1`.

    Raises:
        ValueError: the team is no integer, or the day no day.
    """
    parts = team_days.get_partition_key_from_str(key).keys_by_dimension
    return TeamDay(team_id=int(parts[TEAM]), day=date.fromisoformat(parts[DATE]))


def range_tags(first: TeamDay, last: TeamDay) -> dict[str, str]:
    """Run tags that ask for a team's days from `first` to `last` in one run.

    Dagster's own tag of one dimension is not among them: a run that has it is taken for a run of one partition.
    """
    return {
        "dagster/asset_partition_range_start": partition_key(first),
        "dagster/asset_partition_range_end": partition_key(last),
        "llma/team": str(first.team_id),
    }
