"""What a stage does for one partition within a run: the gate, the themes, the work, the metadata.

Every stage passes the gate (`teams.resolve`) here: a team that is left out is skipped before the stage is called, so a
new stage cannot forget it. A step of Dagster (`stage_asset.py`) and a shard of teams (`shards.py`) walk partitions.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database, DatabaseError, columns_of
from llma_assets.clock import Clock
from llma_assets.defs.catalog import column_schema
from llma_assets.defs.metadata import as_metadata, page_of
from llma_assets.defs.resources import ChatModelResource, EmbedderResource, TeamSettingsResource
from llma_assets.ledger import Skip, StageRun, clear_skip, record_skip, record_stage_runs
from llma_assets.log_lines import about
from llma_assets.models import ModelHealth
from llma_assets.reports import days_with_anything
from llma_assets.settings import Settings
from llma_assets.stage import FAILED, Progress, Report, StageContext
from llma_assets.team_day import TeamDay
from llma_assets.teams import ON_SKIP_LIST, TeamLeftOut, resolve
from llma_assets.themes import TeamThemes, team_themes, themes_of

RETRY_NUMBER = "dagster/retry_number"
"""Tag of runs that Dagster starts as retries."""

Work = Callable[[StageContext], Report]
"""What a stage does for one partition."""

AGREED = ("budget_holds", "model_usage", "summary_batches", "segment_batches")
"""Tables by which processes agree while they work: each question about them is asked anew."""

Days = Mapping[TeamDay, Collection[str]]
"""The days that hold anything, as `reports.days_with_anything` says."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage, as a run needs it.

    Attributes:
        name: of its asset.
        work: the function for one partition.
        table: the table of its rows.
        by_theme: it works theme by theme, and its options name themes.
        nothing_reason: why a day that holds nothing has no result; None if the stage looks at other days, too.
    """

    name: str
    work: Work
    table: str
    by_theme: bool
    nothing_reason: str | None


@dataclass(frozen=True, slots=True)
class Given:
    """What a run gives to its stages.

    Attributes:
        run: the run of Dagster.
        database: its queries are tagged by each stage.
        connection: the same database, for what all teams of a run share.
        chat, embedder: the models.
        team_settings: read for each partition, so that changes reach an active run.
        clock: the current time.
        progress: is told how far a stage is.
    """

    run: dg.DagsterRun
    database: Database
    connection: Database
    chat: ChatModelResource
    embedder: EmbedderResource
    team_settings: TeamSettingsResource
    clock: Clock
    progress: Progress
    themes: Mapping[int, TeamThemes] | None = None
    """Of all teams that have changed something, if they were read together."""

    def themes_of(self, team_id: int) -> TeamThemes:
        """The themes of a team, the same for all stages of a run in this process."""
        if self.themes is None:
            return _themes_of_run(self.connection, self.run.run_id, team_id)
        return self.themes.get(team_id) or team_themes(team_id, ())


@dataclass(frozen=True, slots=True)
class StageWork:
    """One stage in one run.

    Attributes:
        stage: which.
        options: its options, an instance of the asset's config class; with `themes`, if it works theme by theme.
        given: what the run gives.
        evidence: results of the models so far.
        started: when it began, on the monotonic clock.
        overview: whether it shows all published clusters, maps included, if it makes clusters.
        runs: what it did so far, for `store_runs`.
        details: whether it tells what pages and commands do, too.
    """

    stage: Stage
    options: Any
    given: Given
    evidence: ModelHealth = field(default_factory=ModelHealth)
    started: float = field(default_factory=time.monotonic)
    overview: bool = True
    runs: list[StageRun] = field(default_factory=list)
    details: bool = True

    def metadata_of(self, partition: TeamDay, days: Days) -> dict[str, Any]:
        """Do the work of a partition, and say what was done as Dagster's metadata, without the schema of the table.

        Args:
            days: those of the run that hold anything.
        """
        started, server = time.monotonic(), Settings.from_env().web_url
        try:
            with about(**self.about(partition)):
                report = self._report(partition, days)
        except Exception as error:
            self._note(partition, started, FAILED, f"{type(error).__name__}: {error}")
            raise
        # Nothing is told of a day that holds nothing.
        if report.status != "skipped" or partition in days:
            self._note(partition, started, report.status, report.reason if report.status == FAILED else "")
        page = f"{server}{page_of(self.stage.name, partition)}" if server else ""
        return as_metadata(report, time.monotonic() - started, page=page)

    def about(self, partition: TeamDay) -> dict[str, str | int]:
        """What log records of a partition carry."""
        return {
            "run": self.given.run.run_id,
            "stage": self.stage.name,
            "team": partition.team_id,
            "day": partition.day.isoformat(),
        }

    @property
    def schema(self) -> dict[str, Any]:
        """The columns of the stage's table, as metadata."""
        return {"dagster/column_schema": _schema_of(self.given.connection, self.stage.table)}

    def _note(self, partition: TeamDay, started: float, status: str, error: str) -> None:
        run_id, themes = self.given.run.run_id, tuple(sorted(getattr(self.options, "themes", ())))
        done = StageRun(partition, self.stage.name, run_id, themes, status, error, started, time.monotonic())
        self.runs.append(done)

    def _report(self, partition: TeamDay, days: Days) -> Report:
        """Do the work for a team, or record why it is skipped."""
        given, stage = self.given, self.stage.name
        database = given.database.tagged(run=given.run.run_id, asset=stage)
        settings = given.team_settings.settings()
        try:
            team = resolve(settings, partition.team_id)
        except TeamLeftOut as left_out:
            reason, detail = left_out.reason, left_out.detail
            record_skip(database, Skip(partition.team_id, partition.day, stage, "", reason, detail))
            return Report(items=0, reason=reason)
        if stage in days.get(partition, ()):
            clear_skip(database, team_id=partition.team_id, day=partition.day, stage=stage, only=(ON_SKIP_LIST,))
        if self.stage.nothing_reason is not None and partition not in days:
            return Report(items=0, reason=self.stage.nothing_reason)
        themes = given.themes_of(partition.team_id)
        return self.stage.work(
            StageContext(
                stage=stage,
                database=database,
                partition=partition,
                team=team,
                lookback_days=settings.lookback_days,
                themes=themes.active(self.options.themes) if themes and self.stage.by_theme else (),
                team_themes=themes,
                options=self.options,
                clock=given.clock,
                progress=given.progress,
                chat=given.chat.model_for,
                chat_name=given.chat.name,
                embedder=given.embedder.model,
                evidence=self.evidence,
                delivery=delivery(given.run),
                run_seconds=lambda: time.monotonic() - self.started,
                overview=self.overview,
                details=self.details,
            )
        )


def store_runs(given: Given, runs: list[StageRun], log: logging.Logger) -> None:
    """Store what was done at stages, and forget it here. It shows where a number comes from, and no result needs it."""
    try:
        record_stage_runs(given.connection.tagged(run=given.run.run_id), runs)
    except DatabaseError as error:
        log.warning(f"which run worked on {len(runs)} partitions is not stored: {error}")
    runs.clear()


@lru_cache(maxsize=64)
def _schema_of(database: Database, table: str) -> dg.TableSchema:
    """The columns of a table, which change with an upgrade only."""
    return column_schema(columns_of(database, table))


@lru_cache(maxsize=4)
def days_of_run(database: Database, run_id: str, days: frozenset[TeamDay]) -> Days:
    """The days that hold anything, the same for all stages of a run in this process: what comes later is later's."""
    return days_with_anything(database.tagged(run=run_id), days)


@lru_cache(maxsize=64)
def _themes_of_run(database: Database, run_id: str, team_id: int) -> TeamThemes:
    """The themes of a team, the same for all stages of a run in this process."""
    return themes_of(database.tagged(run=run_id), team_id)


def delivery(run: dg.DagsterRun) -> str:
    """The id of the run; for an automatic retry of Dagster the id of the original run."""
    if RETRY_NUMBER in run.tags and run.root_run_id is not None:
        return run.root_run_id
    return run.run_id
