"""A run group: themes of a team's day that run together, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from llma_assets.defs.job_run import JobRun
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

GENERAL = "general"
"""Name of the run group of the general themes, which run together."""

ALL_FAILED = "all_failed"


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Themes of a partition that run together, one run after another: the general themes, or one other theme.

    Attributes:
        team_day: the partition to cluster.
        theme_ids: the themes of the group.
        first_day: first day of the window whose texts are summarised.
        after: name of the group that must be done first.
        is_general: whether it is the group of the general themes.
        clustering: options of `cluster_assignments`.
        makes_texts: False if the texts of the window exist already.
        by_batch: ask for summaries by the Batch API.
        themes: the themes of the group, and those that they depend on.
        made_with: digest of all but stored rows that decides what a run does; "" to run in any case.
        events: digest of the events before any text was made, if it was looked at then.
        due: it was looked at, and has something to do.
    """

    team_day: TeamDay
    theme_ids: tuple[str, ...]
    first_day: date
    after: str | None = None
    is_general: bool = False
    clustering: Mapping[str, Any] = field(default_factory=dict)
    makes_texts: bool = True
    by_batch: bool = False
    themes: tuple[Theme, ...] = ()
    made_with: str = ""
    events: str | None = None
    due: bool = False

    @property
    def name(self) -> str:
        """`general`, or the id of its only theme."""
        return GENERAL if self.is_general else self.theme_ids[0]


@dataclass(frozen=True, slots=True)
class RunGroupResult:
    """The result of a run group.

    Attributes:
        status: `done` also if there were too few items to cluster; `waiting` if batches are open, or the group that it
            runs after is not done.
        reason: code of why it waits or failed; `all_failed` if the runs succeeded, but a stage has no result because
            every question failed; "" for done.
        detail: the reason in a sentence.
        job_runs: the runs that Dagster recorded, in order; none if there was nothing to do.
    """

    status: Literal["done", "waiting", "failed"]
    reason: str = ""
    detail: str = ""
    job_runs: Sequence[JobRun] = field(default_factory=tuple)

    @property
    def seconds(self) -> float:
        """Wall time of its stages and checks."""
        return sum(sum(job_run.seconds.values()) for job_run in self.job_runs)


NOTHING_TO_DO = RunGroupResult("done", detail="nothing has changed since the last run")
