"""Which teams form a shard: what is due becomes a few runs, and a big team has a run of its own.

A team is always in the same shard, and of a shard one run is at work at a time (`dagster.yaml`), so that no team is
worked on twice at once. What a shard does belongs in `shard_job.py`.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import dagster as dg

from llma_assets.defs.partitions import partition_key
from llma_assets.defs.shard_job import SHARD
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay

SHARD_TAG, SIZE_TAG, BIG = "llma/shard", "llma/size", "big"
"""Tags of runs of shards: the shard, of which `dagster.yaml` allows one run at a time, and whether it is a big team's:
of these it allows two at a time, so that the others are not left behind."""

TEAM_TAG = "llma/team"
"""Tag of runs of one team."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A partition that is due.

    Attributes:
        team_day: which.
        run_key: Dagster never starts two runs of the same key.
        events: trace events that there are to work on, 0 if that is not known.
        theme_ids: only these of the general themes, () for all that the team has on.
    """

    team_day: TeamDay
    run_key: str
    events: int = 0
    theme_ids: tuple[str, ...] = ()


def shard_requests(
    wanted: Collection[Wanted], stages: Sequence[str], settings: Settings, *, job: str | None = None
) -> list[dg.RunRequest]:
    """The runs that make what is due, in the order of their first partitions.

    As long as there are no more teams than shards, each team has a run of its own, too.

    Args:
        wanted: partitions; those of a team are made in the order of their days.
        stages: what is made of each.
        settings: say how many shards there are, and which teams are big.
        job: for sensors of several jobs.
    """
    sizes: dict[int, int] = {}
    for each in wanted:
        sizes[each.team_day.team_id] = sizes.get(each.team_day.team_id, 0) + each.events
    small = {team_id for team_id, events in sizes.items() if events <= settings.shard_events}
    shards: dict[tuple[str, int | None, tuple[str, ...]], list[Wanted]] = {}
    for each in wanted:
        team_id = each.team_day.team_id
        name = shard_of(team_id, settings) if team_id in small else f"team {team_id}"
        alone = None if len(small) > settings.shards else team_id
        shards.setdefault((name, alone, each.theme_ids), []).append(each)
    return [_request(name, of_shard, stages, settings, job) for (name, _, _), of_shard in shards.items()]


def shard_of(team_id: int, settings: Settings) -> str:
    """The shard of a team that is not big.

    >>> shard_of(35, Settings.from_env({}))
    '3 of 16'
    """
    return f"{team_id % settings.shards} of {settings.shards}"


def _request(
    name: str, wanted: Sequence[Wanted], stages: Sequence[str], settings: Settings, job: str | None
) -> dg.RunRequest:
    keys = [str(partition_key(each.team_day)) for each in wanted]
    teams = {each.team_day.team_id for each in wanted}
    tags = {SHARD_TAG: name} | ({TEAM_TAG: str(next(iter(teams)))} if len(teams) == 1 else {})
    if sum(each.events for each in wanted) > settings.shard_events and len(teams) == 1:
        tags[SIZE_TAG] = BIG
    config = {"partitions": keys, "stages": list(stages), "themes": list(wanted[0].theme_ids)}
    return dg.RunRequest(
        run_key=_run_key([each.run_key for each in wanted]),
        job_name=job,
        tags=tags,
        run_config={"ops": {SHARD: {"config": config}}},
    )


def _run_key(run_keys: Sequence[str]) -> str:
    """The key of a run of one partition is that of the partition."""
    if len(run_keys) == 1:
        return run_keys[0]
    return hashlib.sha256("\n".join(sorted(run_keys)).encode()).hexdigest()[:32]
