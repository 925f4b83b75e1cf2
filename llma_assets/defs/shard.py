"""A shard: several teams in one run of Dagster. It makes stages of one team after another, each isolated.

A step of Dagster costs some dozens of rows of its event log; a shard records only what was done: a materialization for
each partition that was made, and one result of each check for all teams of the shard. The job is in `shard_job.py`.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.defs.checks import check_result, of_themes
from llma_assets.defs.finished import all_failed, leaves_work
from llma_assets.defs.job_run import JobRun
from llma_assets.defs.logs import logged_in_run
from llma_assets.defs.partitions import partition_key
from llma_assets.defs.stage_asset import StageAsset, failed_in_words
from llma_assets.defs.stage_work import AGREED, Days, Given, StageWork, days_of_run, store_runs
from llma_assets.findings import Check, Finding
from llma_assets.ledger import StageRun
from llma_assets.models import ModelConfigurationError
from llma_assets.reports import HISTORY_DAYS, all_checks, learn_holdings
from llma_assets.team_day import TeamDay
from llma_assets.themes import themes_of_teams

Event = dg.AssetMaterialization | dg.AssetCheckEvaluation

RUNS_AT_ONCE = 200
"""Rows that no result needs are stored when there are so many, and at the end of the shard."""


class Shard:
    """The run of a shard.

    Args:
        given: what the run gives to its stages.
        log: of the run.
        stages: by name.
    """

    def __init__(self, given: Given, log: logging.Logger, stages: Mapping[str, StageAsset]) -> None:
        self.themes = themes_of_teams(given.connection.tagged(run=given.run.run_id))
        """Of all teams that have changed something."""
        self.given = replace(given, themes=self.themes)
        self.failures: dict[int, str] = {}
        self.details = True
        """Whether its stages tell what pages and commands do, too; maps cost as much as the clusters that they show."""
        self.memory = given.connection.between_writes(never=AGREED)
        """The database, for what is asked again and again, and for rows that can wait."""
        self._log = log
        self._stages = stages
        self._events: list[Event] = []
        self._runs: list[StageRun] = []
        self._asked_days: frozenset[TeamDay] = frozenset()
        self._days_with_anything: Days = {}
        self._findings: dict[Check, list[Finding]] = {}
        self._checks: dict[str, list[Check]] = {}
        for check in all_checks():
            self._checks.setdefault(check.asset, []).append(check)

    @property
    def run_id(self) -> str:
        """Dagster's id of the run."""
        return self.given.run.run_id

    def days_with_anything(self, days: Sequence[TeamDay]) -> Days:
        """The days that hold anything, of all teams of a shard by one query; what comes later is a later run's."""
        if not self._asked_days.issuperset(days):
            self._days_with_anything = days_of_run(self.given.connection, self.run_id, frozenset(days))
            self._asked_days = frozenset(days)
        return {each: self._days_with_anything[each] for each in days if each in self._days_with_anything}

    def isolated(self, team_id: int, work: Callable[[], str]) -> None:
        """Work on a team; if it fails, the shard goes on, and fails at its end.

        Args:
            work: returns why the team failed, "" for success.
        """
        try:
            with logged_in_run(self._log, run=self.run_id, team=team_id):
                why = work()
        # It concerns this team alone; the run of the shard names it in the end.
        except Exception as error:
            self._log.exception("team %s failed", team_id)
            why = f"{type(error).__name__}: {error}"
        if why:
            self.failures[team_id] = why

    def make(
        self,
        stages: Sequence[str],
        days: Sequence[TeamDay],
        options: Mapping[str, Mapping[str, Any]],
        *,
        known: Days | None = None,
    ) -> JobRun:
        """Make stages of one team's days, each followed by its checks; a blocking one that fails ends it.

        Args:
            stages: names, in order.
            days: of one team, in order.
            options: of stages by name, as the config of their ops.
            known: the days that hold anything, if they are known.
        """
        known = self.days_with_anything(days) if known is None else known
        memory = self.memory
        learn_holdings(memory, days[0].team_id, days[0].back(HISTORY_DAYS).day)
        given = replace(self.given, database=memory)
        seconds: defaultdict[str, float] = defaultdict(float)
        empty: list[str] = []
        leaves = False
        for name in stages:
            started = time.perf_counter()
            stage = self._stages[name]
            # A day that holds nothing costs nothing, no check either; stages that look at other days are made of it.
            at_work = days if stage.nothing_reason is None else [each for each in days if each in known]
            config, is_last = stage.config(**options.get(name, {})), name == stages[-1]
            work = StageWork(stage.stage, config, given, overview=is_last, details=self.details, runs=self._runs)
            made, error = self._make(work, at_work, known)
            seconds[name] += time.perf_counter() - started
            for each in made:
                leaves |= leaves_work(each.metadata)
                empty += [message] if (message := all_failed(each)) else []
            if not error:
                started = time.perf_counter()
                error = self._check(memory, name, at_work, options.get(name, {}).get("themes", ()))
                seconds["checks"] += time.perf_counter() - started
            if error:
                return JobRun(self.run_id, error, seconds, empty, leaves)
        return JobRun(self.run_id, "", seconds, empty, leaves)

    def take_events(self) -> Iterator[Event]:
        """What was made since this was called before, for Dagster to record."""
        events, self._events = self._events, []
        if len(self._runs) + self.memory.kept_rows >= RUNS_AT_ONCE:
            self.store_runs()
        yield from events

    def store_runs(self) -> None:
        """Store what was done at stages, and what no result needs, of all teams by one insert a table."""
        store_runs(self.given, self._runs, self._log)
        try:
            self.memory.insert_kept_rows()
        except DatabaseError as error:
            self._log.warning(f"what was forecast and which runs have ended is not stored: {error}")

    def check_results(self) -> Iterator[dg.AssetCheckEvaluation]:
        """One result of each check that was evaluated, over all teams."""
        for check, findings in self._findings.items():
            result = check_result(check, findings)
            yield dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(check.asset),
                check_name=check.name,
                passed=result.passed,
                metadata=result.metadata,
                severity=result.severity,
                description=result.description,
                blocking=check.blocking,
            )

    def _make(self, work: StageWork, days: Sequence[TeamDay], known: Days) -> tuple[list[dg.AssetMaterialization], str]:
        """Make one stage of each day; what was made, and what failed."""
        stage, schema = self._stages[work.stage.name], work.schema
        made: list[dg.AssetMaterialization] = []
        failures: dict[str, str] = {}
        for day in days:
            key = partition_key(day)
            try:
                metadata = work.metadata_of(day, known)
            except ModelConfigurationError as error:
                return made, f"{stage.name}: {' '.join(str(error).split())}"
            # It concerns this partition alone; the error below names it.
            except Exception as error:
                self._log.exception("%s of %s failed", stage.name, day)
                failures[key] = f"{type(error).__name__}: {error}"
                continue
            made.append(
                dg.AssetMaterialization(
                    dg.AssetKey(stage.name),
                    partition=key,
                    metadata={**metadata, **schema},
                    tags={"dagster/code_version": stage.code_version},
                )
            )
            self._events.append(made[-1])
        return made, f"{stage.name}: {failed_in_words(failures, len(made))}" if failures else ""

    def _check(self, memory: Database, asset: str, days: Sequence[TeamDay], theme_ids: Sequence[str]) -> str:
        """Evaluate the checks of an asset; why the team goes no further, "" if it does."""
        # They read one state, also of tables that are read anew otherwise.
        database = memory.tagged(run=self.run_id, checks=asset).remembering()
        blocked, broken = [], []
        for check in self._checks.get(asset, ()):
            try:
                findings = of_themes(theme_ids, [each for day in days for each in check.findings(database, day)])
            # It concerns this check alone.
            except Exception as error:
                self._log.exception("%s cannot be evaluated", check.name)
                broken.append(f"{check.name} ({type(error).__name__}: {error})")
                continue
            self._findings.setdefault(check, []).extend(findings)
            if check.blocking and not check.warns:
                blocked += [each.sentence for each in findings if not each.passed]
        if broken:
            return f"{asset}_checks: {len(broken)} checks cannot be evaluated: {'; '.join(broken)}"
        return f"{asset}_checks: {'; '.join(blocked[:5])}" if blocked else ""
