"""The runs that sensors request: one for the general themes of a partition, one for each other theme."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import dagster as dg

from llma_assets.defs.due_days import further_themes, general_themes
from llma_assets.defs.jobs import general_request, theme_request
from llma_assets.defs.partitions import partition_key
from llma_assets.team_day import TeamDay
from llma_assets.themes import TeamThemes

MOST_PARTITIONS = 5_000
"""Partitions that a sensor requests in one tick; the rest follows in the next ticks."""


def requests_by_run_key(
    found: Mapping[tuple[TeamDay, str], str],
    themes: Mapping[int, TeamThemes],
    stages: Sequence[str],
    *,
    job: str,
    by_batch: bool = False,
    leave_manual: bool = False,
) -> dict[str, dg.RunRequest]:
    """Run requests by run key: one for the general themes of a partition, one for each other theme that is on.

    Args:
        found: for each partition and theme the part of the run key that makes a request a new one.
        themes: of the teams that changed something.
        stages: what the runs make.
        job: of the general themes; the others are run by `theme_job`.
        by_batch: ask for summaries by the Batch API.
        leave_manual: leave out themes whose schedule is `manual`.
    """
    requests = {}
    for team_day, of_day in groupby(found, key=itemgetter(0)):
        theme_ids = {theme_id for _, theme_id in of_day}
        general = [each for each in general_themes(themes, team_day.team_id) if each in theme_ids]
        if general:
            run_key = f"{partition_key(team_day)}|{max(found[team_day, each] for each in general)}"
            requests[run_key] = general_request(team_day, run_key, general, stages, job=job, by_batch=by_batch)
        for theme in further_themes(themes, team_day.team_id):
            if theme.theme_id in theme_ids and not (leave_manual and theme.schedule == "manual"):
                run_key = f"{partition_key(team_day)}|{theme.theme_id}|{found[team_day, theme.theme_id]}"
                requests[run_key] = theme_request(
                    team_day, team_day, theme.theme_id, run_key, stages=stages, by_batch=by_batch
                )
    return requests
