"""Takes teams through the whole graph for a day, in this process, recorded in the Dagster instance.

Which jobs there are belongs in `automation.py`; what is printed belongs in `run.py` and `demo.py`.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

import dagster as dg

from llma_assets.cli.cluster_report import ASSIGNMENTS
from llma_assets.definitions import build_definitions
from llma_assets.discovery import TeamDecision, stored_decisions, window_of
from llma_assets.ledger import Skip, record_skip
from llma_assets.partitions import partition_key, range_tags, teams
from llma_assets.summaries import WAITING, open_days
from llma_assets.team_day import TeamDay
from llma_assets.themes import BUILT_IN

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.stage import Progress

BATCH_POLL_S = 60.0
"""How often a command that waits for batches looks at them."""

NO_RECENT_EVENTS = "no_recent_events"
STAGES = (
    "eligible_teams",
    "trace_texts",
    "trace_summaries",
    "summary_embeddings",
    "cluster_assignments",
    "cluster_labels",
    "cluster_events",
    "segment_clusters",
    "tasks",
)
BY_BATCH = {"ops": {"trace_summaries": {"config": {"via": "batch"}}}}
INTERRUPTS = (KeyboardInterrupt.__name__, dg.DagsterExecutionInterruptedError.__name__)
QUIET_LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Dagster's own log lines stay out of stderr; the instance keeps them all the same."""


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job.

    Attributes:
        run_id: Dagster's id of it.
        error: what failed, "" for success.
        seconds: wall time by stage; all checks together are `checks`.
    """

    run_id: str
    error: str
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class TeamRun:
    """What came of a team.

    Attributes:
        team_day: the team and the day.
        status: `done` also where clustering found too little; `skipped` where discovery left the team out; `waiting`
            where batches have not brought all summaries yet, so that nothing was clustered.
        reason: why it was skipped or waits, or what failed; "" for done.
        detail: the reason in words.
        first_day: first day of the window that was run.
        job_runs: the runs that Dagster recorded, in order.
    """

    team_day: TeamDay
    status: Literal["done", "texts", "skipped", "waiting", "failed"]
    reason: str
    detail: str
    first_day: date
    job_runs: Sequence[JobRun] = field(default_factory=tuple)

    def seconds(self) -> dict[str, float]:
        """Wall time by stage."""
        found: Counter[str] = Counter()
        for job_run in self.job_runs:
            found.update(job_run.seconds)
        return dict(found)


class Runner:
    """Runs the jobs of the definitions on an instance, one team after another."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        database: "Database",
        *,
        progress: "Progress",
        lookback_days: int,
        oldest_day: date,
        verbose: bool = False,
    ) -> None:
        self._instance = instance
        self._database = database
        self._definitions = build_definitions(progress=progress)
        self._lookback_days = lookback_days
        self._oldest_day = oldest_day
        self._verbose = verbose

    def discover(self, day: date) -> tuple[JobRun, dict[int, TeamDecision]]:
        """Decide who takes part on a day; the decisions by team id, none where the run failed."""
        job_run = self._execute("discovery_job", partition_key=day.isoformat())
        if job_run.error:
            return job_run, {}
        return job_run, {decision.team_id: decision for decision in stored_decisions(self._database, day)}

    def first_day(self, day: date) -> date:
        """The first day of the window that ends with `day`, as far back as there are partitions."""
        return max(window_of(day, self._lookback_days)[0], self._oldest_day)

    def run_team(
        self,
        team_day: TeamDay,
        decision: TeamDecision | None,
        clustering: Mapping[str, Any],
        *,
        batch_wait_s: float | None = None,
        texts_only: bool = False,
    ) -> TeamRun:
        """Texts, summaries and embeddings of the window's days, then the day's clusters, labels and events.

        A team that discovery left out costs nothing: the reason is recorded, and returned.

        Args:
            team_day: the team, and the last day of its window.
            decision: what discovery decided, None where the team is unknown to it.
            clustering: options of `cluster_assignments`.
            batch_wait_s: ask for summaries by the Batch API, and wait so long for what it brings; None asks by calls.
            texts_only: stop after the texts, so that no model is asked.
        """
        first_day = self.first_day(team_day.day)
        if decision is None or not decision.eligible:
            return self._left_out(team_day, decision, first_day)
        self._instance.add_dynamic_partitions(str(teams.name), [str(team_day.team_id)])
        tags = range_tags(replace(team_day, day=first_day), team_day)
        if texts_only:
            texts_run = self._execute("texts_job", tags=tags, asset_selection=[dg.AssetKey("trace_texts")])
            if texts_run.error:
                return TeamRun(team_day, "failed", "failed", texts_run.error, first_day, (texts_run,))
            return TeamRun(team_day, "texts", "", "", first_day, (texts_run,))
        texts = [self._execute("texts_job", tags=tags, run_config=None if batch_wait_s is None else BY_BATCH)]
        if batch_wait_s is not None:
            until = time.monotonic() + batch_wait_s
            while not texts[-1].error and (days := self._waiting_days(team_day, first_day)):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    detail = f"batches are open for {', '.join(map(str, days))}; run it again when they have ended"
                    return TeamRun(team_day, "waiting", WAITING, detail, first_day, texts)
                time.sleep(min(BATCH_POLL_S, left_s))
                texts.append(self._execute("texts_job", tags=tags, run_config=BY_BATCH))
        if texts[-1].error:
            return TeamRun(team_day, "failed", "failed", texts[-1].error, first_day, texts)
        clusters = self._execute(
            "clusters_job",
            partition_key=partition_key(team_day),
            run_config={"ops": {ASSIGNMENTS: {"config": dict(clustering)}}},
        )
        status: Literal["done", "failed"] = "failed" if clusters.error else "done"
        reason = "failed" if clusters.error else ""
        return TeamRun(team_day, status, reason, clusters.error, first_day, (*texts, clusters))

    def run_texts(self, team_day: TeamDay) -> JobRun:
        """Texts, summaries and embeddings of one day, whatever discovery says of the team."""
        self._instance.add_dynamic_partitions(str(teams.name), [str(team_day.team_id)])
        return self._execute("texts_job", partition_key=partition_key(team_day))

    def run_tasks(self, team_id: int) -> JobRun:
        """One pass over a team's new session-replay segments."""
        self._instance.add_dynamic_partitions(str(teams.name), [str(team_id)])
        return self._execute("tasks_job", partition_key=str(team_id))

    def _waiting_days(self, team_day: TeamDay, first_day: date) -> list[date]:
        return open_days(
            self._database, team_day.team_id, first_day, team_day.day, [theme.theme_id for theme in BUILT_IN]
        )

    def _left_out(self, team_day: TeamDay, decision: TeamDecision | None, first_day: date) -> TeamRun:
        reason = decision.reason if decision else NO_RECENT_EVENTS
        detail = decision.detail if decision else f"no trace event from {first_day} to {team_day.day}"
        # By theme, so that a later clustering replaces what is said here.
        for theme in BUILT_IN:
            skip = Skip(team_day.team_id, team_day.day, ASSIGNMENTS, theme.theme_id, reason, detail)
            record_skip(self._database, skip)
        return TeamRun(team_day, "skipped", reason, detail, first_day)

    def _execute(self, job: str, *, run_config: Mapping[str, Any] | None = None, **options: Any) -> JobRun:
        config = {**(run_config or {}), **({} if self._verbose else QUIET_LOGGERS)}
        result = self._definitions.resolve_job_def(job).execute_in_process(
            instance=self._instance, run_config=config, raise_on_error=False, **options
        )
        seconds: dict[str, float] = {}
        failures = []
        for event in result.all_events:
            if event.is_step_success and event.step_key is not None:
                stage = event.step_key if event.step_key in STAGES else "checks"
                seconds[stage] = seconds.get(stage, 0.0) + event.step_success_data.duration_ms / 1000
            elif event.is_step_failure:
                if _is_interrupt(event):
                    raise KeyboardInterrupt
                failures.append(f"{event.step_key}: {_why(event)}")
        error = "" if result.success else "; ".join(failures) or f"run {result.run_id} failed"
        return JobRun(result.run_id, error, seconds)


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    """Whether a step ended because of Ctrl-C, which Dagster turns into a failure of the step."""
    error = event.step_failure_data.error
    while error is not None:
        if error.cls_name in INTERRUPTS:
            return True
        error = error.cause
    return False


def _why(event: dg.DagsterEvent) -> str:
    """What failed, in the words of the innermost error."""
    failure = event.step_failure_data
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return " ".join(error.message.split()) if error is not None else "unknown"
