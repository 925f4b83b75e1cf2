"""The frame of every asset whose partitions are teams: walk partitions, resolve the team, isolate failures, report.

Every stage passes the gate (`teams.resolve`) here: a team that is left out is skipped before the stage is called, so a
new stage cannot forget it. What a stage does with one partition belongs in the `partition.py` of its room.
"""

import inspect
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import dagster as dg
from pydantic import Field

from llma_assets.clickhouse import Database, columns_of
from llma_assets.clock import Clock
from llma_assets.defs.catalog import Catalog, Model, column_schema
from llma_assets.defs.logs import logged_in_run
from llma_assets.defs.metadata import as_metadata, page_of
from llma_assets.defs.partitions import Partitions, team_day, teams
from llma_assets.defs.resources import ChatModelResource, ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.log_lines import about
from llma_assets.models import ModelConfigurationError, ModelHealth
from llma_assets.reports import days_with_anything
from llma_assets.settings import Settings
from llma_assets.stage import Progress, Report, StageContext
from llma_assets.team_day import TeamDay
from llma_assets.teams import ON_SKIP_LIST, TeamLeftOut, resolve
from llma_assets.themes import TeamThemes, themes_of

RETRY_NUMBER = "dagster/retry_number"
"""Tag of runs that Dagster starts as retries."""

Work = Callable[[StageContext], Report]
"""What a stage does for one partition."""


class StageConfig(dg.Config):
    """Options of a stage without options."""


class ThemesConfig(StageConfig):
    """Options of every stage that works theme by theme."""

    themes: list[str] = Field(default_factory=list)
    """Only these theme ids; if empty, all themes that the team has on."""


@dataclass(frozen=True, slots=True, eq=False)
class StageAsset:
    """A stage whose partitions are teams and dates, before its first date is known.

    Attributes:
        work: the function for one partition.
        config: class of its options.
        options: keyword arguments of `dg.asset`.
        table: the table of its rows.
        kinds: the technologies it uses, beside models.
        models: the kinds of model it calls.
        by_team: its partitions are teams, without dates.
        nothing_reason: why a day that holds nothing has no result; None if the stage looks at other days, too.
    """

    work: Work
    config: type[StageConfig]
    options: Mapping[str, Any]
    table: str
    kinds: frozenset[str] = frozenset()
    models: frozenset[Model] = frozenset()
    by_team: bool = False
    nothing_reason: str | None = None

    @property
    def name(self) -> str:
        """Name of the asset."""
        return self.work.__name__

    def definition(self, partitions: Partitions, catalog: Catalog) -> dg.AssetsDefinition:
        """The asset as Dagster takes it."""

        def run(
            context: dg.AssetExecutionContext,
            config: StageConfig,
            clickhouse: ClickHouseResource,
            chat: ChatModelResource,
            embedder: EmbedderResource,
            team_settings: TeamSettingsResource,
            clock: dg.ResourceParam[Clock],
            progress: dg.ResourceParam[Progress],
        ) -> None:
            frame = _Frame(self, context, config, clickhouse.database(), team_settings)
            frame.walk(chat, embedder, clock, progress)

        run.__annotations__["config"] = self.config
        asset: dg.AssetsDefinition = dg.asset(
            name=self.name,
            description=inspect.getdoc(self.work),
            partitions_def=teams if self.by_team else partitions.team_days,
            kinds={*self.kinds, *catalog.kinds(self.models)},
            tags=catalog.tags(self.models),
            owners=list(catalog.owners),
            metadata={"dagster/table_name": catalog.table(self.table)},
            **self.options,
        )(run)
        return asset


def stage_asset(
    *,
    group: str,
    deps: Sequence[Any],
    kinds: set[str],
    pool: str,
    table: str,
    code_version: str,
    models: Collection[Model] = (),
    config: type[StageConfig] = ThemesConfig,
    by_team: bool = False,
    nothing_reason: str | None = None,
    partitions_a_run: int = 7,
) -> Callable[[Work], StageAsset]:
    """Make an asset of a function from a `StageContext` to a `Report`; its name and docstring are the asset's.

    Args:
        group: group of the asset.
        deps: the assets that it reads.
        kinds: the technologies it uses, beside models; shown in the lineage graph.
        pool: the resource it loads: `models` or `clickhouse`.
        table: the table of its rows.
        code_version: changes whenever equal input gives other results.
        models: the kinds of model it calls; kinds and tags say whether this installation has them online.
        config: class of its options.
        by_team: its partitions are teams, without dates.
        nothing_reason: the reason of a day that holds neither events nor rows, so that the function is not called for
            it; None for a stage that looks at other days, too.
        partitions_a_run: the most partitions of one run of a backfill.
    """

    def frame(work: Work) -> StageAsset:
        options = {
            "group_name": group,
            "deps": deps,
            "pool": pool,
            "code_version": code_version,
            "backfill_policy": dg.BackfillPolicy.multi_run(max_partitions_per_run=partitions_a_run),
        }
        return StageAsset(work, config, options, table, frozenset(kinds), frozenset(models), by_team, nothing_reason)

    return frame


class _Frame:
    """One run of one stage."""

    def __init__(
        self,
        asset: StageAsset,
        context: dg.AssetExecutionContext,
        config: StageConfig,
        database: Database,
        team_settings: TeamSettingsResource,
    ) -> None:
        self._asset = asset
        self._context = context
        self._config = config
        self._connection = database
        self._database = database.tagged(run=context.run.run_id, asset=asset.name)
        self._team_settings = team_settings
        self._days: Mapping[TeamDay, Collection[str]] = {}
        self._started = time.monotonic()

    def walk(self, chat: ChatModelResource, embedder: EmbedderResource, clock: Clock, progress: Progress) -> None:
        """Work on each partition of the run, one by one; if one fails, the others continue.

        The settings of teams are read for each partition, so that changes reach an active run.

        Raises:
            dagster.Failure: names the partitions that failed; the healthy ones are logged as materialized first.
            ModelConfigurationError: at once; no further partition could succeed.
        """
        context, failures = self._context, dict[str, str]()
        done: dict[str, dict[str, Any]] = {}
        evidence, server = ModelHealth(), Settings.from_env().web_url
        keys = context.partition_keys
        partitions = {key: TeamDay(int(key), clock().date()) if self._asset.by_team else team_day(key) for key in keys}
        self._days = _days_of_run(self._connection, context.run.run_id, frozenset(partitions.values()))
        for key, partition in partitions.items():
            started = time.perf_counter()
            try:
                with logged_in_run(context.log, **self._about(partition)):
                    report = self._report(
                        partition,
                        chat=chat.model_for,
                        chat_name=chat.name,
                        embedder=embedder.model,
                        clock=clock,
                        progress=progress,
                        evidence=evidence,
                    )
            except ModelConfigurationError:
                self._keep_finished(done)
                raise
            # A failure concerns this partition only; `dg.Failure` below reports it after the others are done.
            except Exception as error:
                with about(**self._about(partition)):
                    context.log.exception(f"{key} failed")
                failures[key] = f"{type(error).__name__}: {error}"
                continue
            page = f"{server}{page_of(self._asset.name, partition)}" if server else ""
            done[key] = as_metadata(report, time.perf_counter() - started, page=page)
        if done:
            schema = _schema_of(self._connection, self._asset.table)
            done = {key: {**metadata, "dagster/column_schema": schema} for key, metadata in done.items()}
        if failures:
            self._keep_finished(done)
            raise dg.Failure(
                f"{len(failures)} of {len(failures) + len(done)} partitions failed: {_in_words(failures)}",
                metadata={"failed": sorted(failures), "finished": sorted(done)},
            )
        for key, metadata in done.items():
            context.add_asset_metadata(metadata, partition_key=key)

    def _report(self, partition: TeamDay, **given: Any) -> Report:
        """Do the work for a team, or record why it is skipped."""
        stage, database = self._asset.name, self._database
        settings = self._team_settings.settings()
        try:
            options = resolve(settings, partition.team_id)
        except TeamLeftOut as left_out:
            reason, detail = left_out.reason, left_out.detail
            record_skip(database, Skip(partition.team_id, partition.day, stage, "", reason, detail))
            return Report(items=0, reason=reason)
        if stage in self._days.get(partition, ()):
            clear_skip(database, team_id=partition.team_id, day=partition.day, stage=stage, only=(ON_SKIP_LIST,))
        if self._asset.nothing_reason is not None and partition not in self._days:
            return Report(items=0, reason=self._asset.nothing_reason)
        themes = self._themes_of(partition.team_id)
        context = StageContext(
            stage=stage,
            database=database,
            partition=partition,
            team=options,
            lookback_days=settings.lookback_days,
            themes=themes.active(self._config.themes) if themes and isinstance(self._config, ThemesConfig) else (),
            team_themes=themes,
            options=self._config,
            delivery=delivery(self._context.run),
            run_seconds=lambda: time.monotonic() - self._started,
            **given,
        )
        return self._asset.work(context)

    def _themes_of(self, team_id: int) -> TeamThemes:
        """The themes of a team, the same for all partitions of the run."""
        return _themes_of_run(self._connection, self._context.run.run_id, team_id)

    def _about(self, partition: TeamDay) -> dict[str, str | int]:
        """What log records of a partition carry."""
        run, stage = self._context.run.run_id, self._asset.name
        return {"run": run, "stage": stage, "team": partition.team_id, "day": partition.day.isoformat()}

    def _keep_finished(self, done: Mapping[str, Mapping[str, Any]]) -> None:
        """Log the finished partitions as materialized before the step fails."""
        for key, metadata in done.items():
            self._context.log_event(dg.AssetMaterialization(self._context.asset_key, partition=key, metadata=metadata))


@lru_cache(maxsize=64)
def _schema_of(database: Database, table: str) -> dg.TableSchema:
    """The columns of a table, which change with an upgrade only."""
    return column_schema(columns_of(database, table))


@lru_cache(maxsize=4)
def _days_of_run(database: Database, run_id: str, days: frozenset[TeamDay]) -> Mapping[TeamDay, Collection[str]]:
    """The days that hold anything, the same for all stages of a run in this process: what comes later is later's."""
    return days_with_anything(database.tagged(run=run_id), days)


@lru_cache(maxsize=64)
def _themes_of_run(database: Database, run_id: str, team_id: int) -> TeamThemes:
    """The themes of a team, the same for all stages of a run in this process."""
    return themes_of(database.tagged(run=run_id), team_id)


def _in_words(failures: Mapping[str, str]) -> str:
    """Which partitions failed and why, each reason once."""
    keys_of: dict[str, list[str]] = {}
    for key, why in failures.items():
        keys_of.setdefault(why, []).append(key)
    return "; ".join(f"{', '.join(keys)} ({why})" for why, keys in keys_of.items())


def delivery(run: dg.DagsterRun) -> str:
    """The id of the run; for an automatic retry of Dagster the id of the original run."""
    if RETRY_NUMBER in run.tags and run.root_run_id is not None:
        return run.root_run_id
    return run.run_id
