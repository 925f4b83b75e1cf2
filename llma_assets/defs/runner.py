"""Runs the jobs of the definitions for a team in this process, recorded in the Dagster instance.

Which jobs there are belongs in `jobs.py`, which run groups a team has in `team_runs.py`, in what order they run in
`run_groups.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

import dagster as dg

from llma_assets.defs.alerts_shard import ALERTS_SHARD, alerts_shard_job
from llma_assets.defs.finished import GroupState, all_failed, leaves_work, look_at, made_anew
from llma_assets.defs.job_run import JobRun
from llma_assets.defs.jobs import CLUSTERS_STAGES, TEXTS_STAGES, run_config, theme_job, theme_tags
from llma_assets.defs.partitions import partition_key, range_tags, teams
from llma_assets.defs.run_group import ALL_FAILED, NOTHING_TO_DO, RunGroup, RunGroupResult
from llma_assets.defs.shard import Shard
from llma_assets.defs.shard_job import shard_job
from llma_assets.defs.trackers import trackers_job
from llma_assets.discovery import TeamDecision, stored_decisions
from llma_assets.ledger import record_ended
from llma_assets.reports import span_with_anything
from llma_assets.summaries import WAITING, days_with_open_batches
from llma_assets.team_day import TeamDay

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database

STAGES = (
    "eligible_teams",
    "trace_texts",
    "trace_summaries",
    "summary_embeddings",
    "cluster_assignments",
    "cluster_labels",
    "cluster_attributes",
    "cluster_causes",
    "cluster_events",
    "segment_clusters",
    "tasks",
)
INTERRUPTS = (KeyboardInterrupt.__name__, dg.DagsterExecutionInterruptedError.__name__)
QUIET_LOGGERS = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Keeps Dagster's own log lines off stderr; the instance stores them all the same."""


class Runner:
    """Runs jobs of the definitions on an instance."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        database: "Database",
        definitions: dg.Definitions,
        *,
        verbose: bool = False,
        shard: Shard | None = None,
    ) -> None:
        """
        Args:
            verbose: leave Dagster's own log on stderr.
            shard: the run of a shard, in which run groups are made; without it each has runs of its own.
        """
        self._instance = instance
        self._database = database
        self._definitions = definitions
        self._verbose = verbose
        self._shard = shard

    @property
    def memory(self) -> "Database":
        """The database; in a shard what it remembers between writes."""
        return self._database if self._shard is None else self._shard.memory

    def discover(self, day: date) -> tuple[JobRun, dict[int, TeamDecision]]:
        """Decide which teams take part on a day; returns the decisions by team id, none if the run failed."""
        job_run = self._execute("discovery_job", partition_key=day.isoformat())
        if job_run.error:
            return job_run, {}
        return job_run, {decision.team_id: decision for decision in stored_decisions(self._database, day)}

    def make_texts(self, first: TeamDay, last: TeamDay, theme_ids: Sequence[str]) -> JobRun:
        """Make the texts of a range of days that these themes read, without asking a model."""
        stages = TEXTS_STAGES[:1]
        return self._make(stages, first, last, run_config(stages, theme_ids))

    def in_shard(
        self, team_ids: Sequence[int], window: tuple[date, date], each: "Callable[[Runner, int], str]"
    ) -> dict[int, str]:
        """Work on teams one after another in one run of Dagster. A team that fails leaves the others standing.

        Args:
            team_ids: the teams, which Dagster gets to know.
            window: the first and the last day that most of them work on, which are looked at together.
            each: works on a team with a runner of the shard, and returns why it failed, "" for success.

        Returns:
            the teams that failed, and why.
        """
        self._instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in team_ids])
        failures: dict[int, str] = {}

        def work(shard: Shard, _: object) -> Iterator[None]:
            shard.details = False
            first_day, last_day = window
            span = (last_day - first_day).days + 1
            shard.days_with_anything([day for each in team_ids for day in TeamDay(each, last_day).window(span)])
            runner = Runner(self._instance, self._database, self._definitions, verbose=self._verbose, shard=shard)
            for team_id in team_ids:
                shard.isolated(team_id, partial(each, runner, team_id))
                yield
            failures.update(shard.failures)

        self._execute(shard_job.name, resources={"shard_work": work})
        return failures

    def run_group(self, group: RunGroup) -> RunGroupResult:
        """Make texts, summaries and embeddings of the window, then clusters, labels and events of the day.

        If the group's last run left nothing to do, and nothing has changed since, nothing is run.
        """
        if not group.due:
            (looked_at,) = self.look([group])
            if not looked_at.due:
                return NOTHING_TO_DO
            group = replace(looked_at, events=group.events or looked_at.events)
        result = self._run_due(group)
        if result.status != "done":
            # One that succeeds ends with its last stage, which says so itself, also in runs of the daemon.
            record_ended(self._database, group.team_day)
        return result

    def _run_due(self, group: RunGroup) -> RunGroupResult:
        rows = self._state_of(group)
        first, last = TeamDay(group.team_day.team_id, group.first_day), group.team_day
        stages = TEXTS_STAGES if group.makes_texts else TEXTS_STAGES[1:]
        config = run_config(stages, group.theme_ids, by_batch=group.by_batch)
        texts = self._make(stages, first, last, config, theme="" if group.is_general else group.name)
        if texts.error:
            return RunGroupResult("failed", "failed", texts.error, (texts,))
        waiting = (
            days_with_open_batches(self._database, last.team_id, first.day, last.day, group.theme_ids)
            if group.by_batch
            else []
        )
        if waiting:
            detail = f"batches are open for {', '.join(map(str, waiting))}; run it again when they have ended"
            return RunGroupResult("waiting", WAITING, detail, (texts,))
        summarised = rows.read(clusters=False)
        config = run_config(CLUSTERS_STAGES, group.theme_ids)
        config["ops"][CLUSTERS_STAGES[0]]["config"] |= group.clustering
        clusters = self._make(CLUSTERS_STAGES, last, last, config, theme="" if group.is_general else group.name)
        if clusters.error:
            return RunGroupResult("failed", "failed", clusters.error, (texts, clusters))
        if empty := (*texts.empty, *clusters.empty):
            return RunGroupResult("failed", ALL_FAILED, "; ".join(empty), (texts, clusters))
        if not (texts.leaves_work or clusters.leaves_work):
            rows.record(group.events, summarised)
        return RunGroupResult("done", job_runs=(texts, clusters))

    def look(self, groups: Sequence[RunGroup]) -> list[RunGroup]:
        """The groups with the events that are there now, and whether they have anything to do."""
        return look_at(self._database, groups)

    def run_texts(self, team_day: TeamDay, theme_ids: Sequence[str]) -> JobRun:
        """Make texts, summaries and embeddings of one day for these themes, also if discovery left the team out."""
        self._register_team(team_day.team_id)
        config = run_config(TEXTS_STAGES, theme_ids)
        done = self._execute("texts_job", partition_key=partition_key(team_day), run_config=config)
        return replace(done, error=done.error or "; ".join(done.empty))

    def run_tasks(self, team_id: int) -> JobRun:
        """Group a team's new session-replay segments, and update its tasks."""
        self._register_team(team_id)
        return self._execute("tasks_job", partition_key=str(team_id))

    def judge(self, days: Sequence[TeamDay]) -> JobRun:
        """Judge days of teams by their alert rules in one run, and send what is due."""
        partitions = [str(partition_key(each)) for each in days]
        return self._execute(
            alerts_shard_job.name, run_config={"ops": {ALERTS_SHARD: {"config": {"partitions": partitions}}}}
        )

    def sync_trackers(self, team_id: int) -> JobRun:
        """Open issues that a team's rules ask for, and carry states both ways."""
        self._register_team(team_id)
        return self._execute(trackers_job.name, partition_key=str(team_id))

    def _state_of(self, group: RunGroup) -> GroupState:
        return GroupState(
            self._database,
            group.team_day,
            group.name,
            group.first_day,
            group.themes,
            group.made_with,
            ends=self.memory,
        )

    def _make(
        self, stages: Sequence[str], first: TeamDay, last: TeamDay, config: Mapping[str, Any], *, theme: str = ""
    ) -> JobRun:
        """Make stages of a team's days, in the run of the shard or in one of their own.

        Args:
            theme: whose run it is, "" for the general ones.
        """
        days = last.window((last.day - first.day).days + 1)
        if self._shard is not None:
            options = {stage: config["ops"][stage]["config"] for stage in stages}
            return self._shard.make(stages, days, options)
        self._register_team(last.team_id)
        if stages == CLUSTERS_STAGES and not theme:
            return self._execute("clusters_job", partition_key=partition_key(last), run_config=config)
        span = (first, last) if first == last else self._span(first, last)
        tags = theme_tags(*span, theme) if theme else range_tags(*span)
        return self._execute(theme_job.name if theme else "texts_job", stages, tags=tags, run_config=config)

    def _span(self, first: TeamDay, last: TeamDay) -> tuple[TeamDay, TeamDay]:
        """The first and the last day of a range that hold anything: those outside cost neither a query nor an event."""
        return span_with_anything(self._database, last.window((last.day - first.day).days + 1))

    def _register_team(self, team_id: int) -> None:
        self._instance.add_dynamic_partitions(str(teams.name), [str(team_id)])

    def _execute(
        self, job: str, stages: Sequence[str] = (), *, run_config: Mapping[str, Any] | None = None, **options: Any
    ) -> JobRun:
        """Run a job, or only these stages of it."""
        config = {**(run_config or {}), **({} if self._verbose else QUIET_LOGGERS)}
        run_id = str(uuid4())
        try:
            result = self._definitions.resolve_job_def(job).execute_in_process(
                instance=self._instance,
                run_config=config,
                run_id=run_id,
                raise_on_error=False,
                asset_selection=[dg.AssetKey(stage) for stage in stages] or None,
                **options,
            )
        except KeyboardInterrupt:
            # Between steps, or before the first one: Dagster records only what comes while a step is at work.
            run = self._instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                self._instance.report_run_canceled(run)
            raise
        seconds: dict[str, float] = {}
        failures, empty = [], []
        leaves, anew = False, 0
        details: dict[tuple[str, str], Mapping[str, Any]] = {}
        for event in result.all_events:
            if event.is_step_materialization:
                made = event.step_materialization_data.materialization
                metadata = made.metadata
                if isinstance(said := metadata.get("details"), dg.JsonMetadataValue):
                    details[made.asset_key.to_user_string(), made.partition or ""] = cast("dict[str, Any]", said.data)
                leaves |= leaves_work(metadata)
                anew += made_anew(metadata)
                if message := all_failed(made):
                    empty.append(message)
            if event.is_step_success and event.step_key is not None:
                stage = event.step_key if event.step_key in STAGES else "checks"
                seconds[stage] = seconds.get(stage, 0.0) + event.step_success_data.duration_ms / 1000
            elif event.is_step_failure:
                if _is_interrupt(event):
                    raise KeyboardInterrupt
                failures.append(f"{event.step_key}: {_root_cause(event)}")
        error = "" if result.success else "; ".join(failures) or f"run {result.run_id} failed"
        return JobRun(result.run_id, error, seconds, empty, leaves, anew, details)


def _is_interrupt(event: dg.DagsterEvent) -> bool:
    """Whether a step ended because of Ctrl-C, which Dagster turns into a failure of the step."""
    error = event.step_failure_data.error
    while error is not None:
        if error.cls_name in INTERRUPTS:
            return True
        error = error.cause
    return False


def _root_cause(event: dg.DagsterEvent) -> str:
    """The message of the innermost error."""
    failure = event.step_failure_data
    if failure.user_failure_data is not None and failure.user_failure_data.description:
        return failure.user_failure_data.description
    error = failure.error
    while error is not None and error.cause is not None:
        error = error.cause
    return " ".join(error.message.split()) if error is not None else "unknown"
