"""The whole graph in one process, for tests: real jobs on a real database, with a clock that the test sets."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from llma_assets.clickhouse import Database
from llma_assets.clock import utc_now
from llma_assets.definitions import build_definitions
from llma_assets.defs.catalog import Catalog
from llma_assets.defs.partitions import Partitions, partition_key, range_tags, teams
from llma_assets.defs.resources import resources_of
from llma_assets.defs.stage_asset import stage_asset
from llma_assets.stage import Progress, Report, StageContext, silent
from llma_assets.team_day import TeamDay

PARTITIONS = Partitions.since(date(2026, 1, 1))

STORED_TABLES = (
    "events",
    "eligible_teams",
    "trace_texts",
    "theme_items",
    "theme_days",
    "trace_summaries",
    "document_embeddings",
    "clustering_runs",
    "clusters",
    "cluster_members",
    "cluster_labels",
    "cluster_name_tests",
    "cluster_group_labels",
    "skips",
)

PUBLISHED = """
SELECT team_id, event, toDate(timestamp) AS day, properties
FROM events FINAL
WHERE event IN ('$ai_trace_clusters', '$ai_generation_clusters')
ORDER BY team_id, day, event
"""


class Pipeline:
    """Jobs of the real definitions on one Dagster instance."""

    def __init__(
        self,
        database: Database,
        *,
        now: datetime = datetime(2026, 11, 20, tzinfo=UTC),
        progress: Progress = silent,
        instance: dg.DagsterInstance | None = None,
        **resources: object,
    ) -> None:
        self.database = database
        self.instance = instance or dg.DagsterInstance.ephemeral()
        self.now = now
        clock: Callable[[], datetime] = lambda: self.now  # noqa: E731
        self.definitions = build_definitions(clock=clock, progress=progress, **resources)

    def run(self, job: str, *, raise_on_error: bool = True, **options: Any) -> dg.ExecuteInProcessResult:
        """Run a job of the definitions."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, raise_on_error=raise_on_error, **options
        )

    def discover(self, day: date) -> set[str]:
        """Decide who takes part on a day; returns the teams that Dagster knows by now."""
        self.run("discovery_job", partition_key=day.isoformat())
        return set(self.instance.get_dynamic_partitions(str(teams.name)))

    def texts(
        self, team_id: int, first: date, last: date, *, stages: Iterable[str] = (), **options: Any
    ) -> dg.ExecuteInProcessResult:
        """Texts, summaries and embeddings of a team's days in one run, or these stages alone."""
        self._know(team_id)
        if stages:
            options["asset_selection"] = [dg.AssetKey(stage) for stage in stages]
        return self.run("texts_job", tags=range_tags(TeamDay(team_id, first), TeamDay(team_id, last)), **options)

    def clusters(self, team_id: int, day: date, **options: Any) -> dg.ExecuteInProcessResult:
        """Clusters, labels and events of a team's day."""
        self._know(team_id)
        return self.run("clusters_job", partition_key=partition_key(TeamDay(team_id, day)), **options)

    def published(self) -> list[dict[str, Any]]:
        """Every event that the pipeline has written, of all teams."""
        return self.database.rows(PUBLISHED)

    def row_counts(self) -> dict[str, int]:
        """Plain row counts of all tables: what is stored twice is counted twice."""
        return {
            table: self.database.value("SELECT count() FROM {table:Identifier}", table=table) for table in STORED_TABLES
        }

    def _know(self, team_id: int) -> None:
        self.instance.add_dynamic_partitions(str(teams.name), [str(team_id)])


def partitions_of(requests: Iterable[dg.RunRequest]) -> list[str]:
    """The partitions that runs are requested of: their own, or those of their shards."""
    found: list[str] = []
    for request in requests:
        ops: dict[str, Any] = dict(request.run_config).get("ops", {})
        own = str(request.partition_key or request.tags.get("dagster/asset_partition_range_start"))
        shards = [ops[name]["config"]["partitions"] for name in ("shard", "alerts_shard") if name in ops]
        found += shards[0] if shards else [own]
    return found


def told(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """What a materialisation shows, by name: its entries, and the counters of `details` beside them."""
    entries = {name: getattr(value, "value", value) for name, value in metadata.items()}
    return dict(entries.get("details", {})) | entries


def dummy_stage(work: Callable[[StageContext], Report], **options: Any) -> dg.AssetsDefinition:
    """A stage that is made team by team and does this, in the frame of all stages."""
    given: dict[str, Any] = {
        "group": "tests",
        "deps": (),
        "kinds": set(),
        "pool": "clickhouse",
        "table": "events",
        "code_version": "1",
    }
    return stage_asset(**given | options)(work).definition(PARTITIONS, Catalog())


def resources(**overrides: object) -> dict[str, object]:
    """What a stage asks for, by name, as the environment says."""
    return {**resources_of({}), "clock": utc_now, "progress": silent, **overrides}
