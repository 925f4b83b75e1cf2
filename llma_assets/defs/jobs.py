"""The jobs, and how to request a run of one: its partitions, its themes, and the tags that limit the run queue.

Which run is requested when belongs in `schedules.py` and `sensors`.
"""

from collections.abc import Sequence
from typing import Any

import dagster as dg

from llma_assets.defs.partitions import partition_key, range_tags
from llma_assets.team_day import TeamDay

THEME, CONCURRENCY_TAG = "llma/theme", "llma/concurrency_key"
"""Tags of a theme's own runs: the theme, and its concurrency key, of which `dagster.yaml` allows one run at a time."""

OLD_CONCURRENCY_TAG = "llma/lane"
"""The key's tag in version 0.1, for one version beside the new one: stored runs and people's dagster.yaml have it."""

SUMMARIES = "trace_summaries"
TEXTS_STAGES = ("trace_texts", SUMMARIES, "summary_embeddings")
CLUSTERS_STAGES = ("cluster_assignments", "cluster_labels", "cluster_attributes", "cluster_causes", "cluster_events")
ALL_STAGES = TEXTS_STAGES + CLUSTERS_STAGES

discovery_job = dg.define_asset_job(
    "discovery_job",
    selection=["eligible_teams"],
    description="Decides which teams take part on a day.",
)
texts_job = dg.define_asset_job(
    "texts_job",
    selection=list(TEXTS_STAGES),
    description="From a team's events of a day to embedded summaries. Takes a range of partitions, too.",
)
clusters_job = dg.define_asset_job(
    "clusters_job",
    selection=list(CLUSTERS_STAGES),
    description="From the embeddings of a team's last days to published clusters. Takes a range of partitions, too.",
)
team_day_job = dg.define_asset_job(
    "team_day_job",
    selection=list(ALL_STAGES),
    description="The whole path of a team's day, of all its themes, for backfills by hand.",
)
theme_job = dg.define_asset_job(
    "theme_job",
    selection=list(ALL_STAGES),
    description="The whole path of a theme beyond the general ones: the sensor `theme_schedules` asks for it.",
)
tasks_job = dg.define_asset_job(
    "tasks_job",
    selection=["segment_clusters", "tasks"],
    description="From a team's new session-replay segments to its prioritised tasks.",
)

jobs = [discovery_job, texts_job, clusters_job, team_day_job, theme_job, tasks_job]


def concurrency_key(team_id: int, theme_id: str) -> str:
    """The concurrency key of a theme of a team: two runs that share it must not run at the same time."""
    return f"{team_id}/{theme_id}"


def theme_tags(first: TeamDay, last: TeamDay, theme_id: str) -> dict[str, str]:
    """Tags of a run of a theme beyond the general ones, over a team's days from `first` to `last`.

    A run of a single day is a range, too: it has no team tag of Dagster's own, so it waits only for other runs of its
    theme, not for the general run of the team.
    """
    key = concurrency_key(first.team_id, theme_id)
    return {**range_tags(first, last), THEME: theme_id, CONCURRENCY_TAG: key, OLD_CONCURRENCY_TAG: key}


def run_config(stages: Sequence[str], theme_ids: Sequence[str], *, by_batch: bool = False) -> dict[str, Any]:
    """The configuration of a run of these stages that works on these themes.

    Args:
        stages: the assets that the run makes.
        theme_ids: if empty, all that the team has switched on.
        by_batch: ask for summaries by the Batch API.
    """
    ops: dict[str, Any] = {stage: {"config": {"themes": list(theme_ids)}} for stage in stages}
    if by_batch:
        ops[SUMMARIES]["config"]["via"] = "batch"
    return {"ops": ops}


def general_request(
    team_day: TeamDay,
    run_key: str,
    theme_ids: Sequence[str],
    stages: Sequence[str],
    *,
    job: str | None = None,
    by_batch: bool = False,
) -> dg.RunRequest:
    """A run of the general themes for one day; Dagster's own team tag allows one at a time.

    Args:
        team_day: the team and its day.
        run_key: Dagster never starts two runs of the same key.
        theme_ids: the general themes that the team has on. If empty, only the texts are made, for the other themes.
        stages: those of the job.
        job: its name, for sensors of several jobs.
        by_batch: ask for summaries by the Batch API.
    """
    chosen = stages if theme_ids else stages[:1]
    return dg.RunRequest(
        run_key=run_key,
        job_name=job,
        partition_key=partition_key(team_day),
        run_config=run_config(chosen, theme_ids, by_batch=by_batch and bool(theme_ids)),
        asset_selection=None if theme_ids else [dg.AssetKey(stage) for stage in chosen],
    )


def theme_request(
    first: TeamDay,
    last: TeamDay,
    theme_id: str,
    run_key: str,
    *,
    stages: Sequence[str] = ALL_STAGES,
    by_batch: bool = False,
) -> dg.RunRequest:
    """A run of `theme_job` for one theme, over the days from `first` to `last`."""
    return dg.RunRequest(
        run_key=run_key,
        job_name=theme_job.name,
        tags=theme_tags(first, last, theme_id),
        run_config=run_config(stages, [theme_id], by_batch=by_batch),
        asset_selection=None if stages == ALL_STAGES else [dg.AssetKey(stage) for stage in stages],
    )
