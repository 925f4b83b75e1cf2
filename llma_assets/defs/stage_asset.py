"""The frame of every asset whose partitions are teams: walk partitions, isolate failures, report.

The gate and the work on one partition are in `stage_work.py`. What a stage does with one partition belongs in the
`partition.py` of its room.
"""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
from pydantic import Field

from llma_assets.clock import Clock
from llma_assets.defs.catalog import Catalog, Model
from llma_assets.defs.logs import logged_in_run
from llma_assets.defs.partitions import Partitions, team_day, teams
from llma_assets.defs.resources import ChatModelResource, ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.defs.stage_work import Given, Stage, StageWork, Work, days_of_run, store_runs
from llma_assets.log_lines import about
from llma_assets.models import ModelConfigurationError
from llma_assets.stage import Progress
from llma_assets.team_day import TeamDay


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

    @property
    def code_version(self) -> str:
        """What changes whenever equal input gives other results."""
        return str(self.options["code_version"])

    @property
    def stage(self) -> Stage:
        """The stage, without what Dagster alone needs."""
        by_theme = issubclass(self.config, ThemesConfig)
        return Stage(self.name, self.work, self.table, by_theme, self.nothing_reason)

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
            database = clickhouse.database()
            given = Given(context.run, database, database, chat, embedder, team_settings, clock, progress)
            _Frame(self, context, config, given).walk()

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
    """One step of Dagster: a stage over the partitions of a run."""

    def __init__(self, asset: StageAsset, context: dg.AssetExecutionContext, config: StageConfig, given: Given) -> None:
        self._by_team = asset.by_team
        self._context = context
        self._given = given
        self._work = StageWork(asset.stage, config, given)

    def walk(self) -> None:
        """Work on each partition of the run, one by one; if one fails, the others continue.

        Raises:
            dagster.Failure: names the partitions that failed; the healthy ones are logged as materialized first.
            ModelConfigurationError: at once; no further partition could succeed.
        """
        context, failures = self._context, dict[str, str]()
        done: dict[str, dict[str, Any]] = {}
        today = self._given.clock().date()
        partitions = {
            key: TeamDay(int(key), today) if self._by_team else team_day(key) for key in context.partition_keys
        }
        days = days_of_run(self._given.connection, context.run.run_id, frozenset(partitions.values()))
        try:
            for key, partition in partitions.items():
                try:
                    with logged_in_run(context.log):
                        done[key] = self._work.metadata_of(partition, days)
                except ModelConfigurationError:
                    self._keep_finished(done)
                    raise
                # A failure concerns this partition only; `dg.Failure` below reports it after the others are done.
                except Exception as error:
                    with about(**self._work.about(partition)):
                        context.log.exception(f"{key} failed")
                    failures[key] = f"{type(error).__name__}: {error}"
        finally:
            store_runs(self._given, self._work.runs, context.log)
        if done:
            schema = self._work.schema
            done = {key: {**metadata, **schema} for key, metadata in done.items()}
        if failures:
            self._keep_finished(done)
            raise dg.Failure(
                failed_in_words(failures, len(done)), metadata={"failed": sorted(failures), "finished": sorted(done)}
            )
        for key, metadata in done.items():
            context.add_asset_metadata(metadata, partition_key=key)

    def _keep_finished(self, done: Mapping[str, Mapping[str, Any]]) -> None:
        """Log the finished partitions as materialized before the step fails."""
        for key, metadata in done.items():
            self._context.log_event(dg.AssetMaterialization(self._context.asset_key, partition=key, metadata=metadata))


def failed_in_words(failures: Mapping[str, str], finished: int) -> str:
    """Which partitions failed and why, each reason once.

    >>> failed_in_words({"2026-11-07|1": "ValueError: x", "2026-11-07|2": "ValueError: x"}, 1)
    '2 of 3 partitions failed: 2026-11-07|1, 2026-11-07|2 (ValueError: x)'
    """
    keys_of: dict[str, list[str]] = {}
    for key, why in failures.items():
        keys_of.setdefault(why, []).append(key)
    told = "; ".join(f"{', '.join(keys)} ({why})" for why, keys in keys_of.items())
    return f"{len(failures)} of {len(failures) + finished} partitions failed: {told}"
