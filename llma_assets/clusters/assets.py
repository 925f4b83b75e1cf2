"""The asset `cluster_assignments`: reads a window's embeddings, clusters them, and publishes the result by one row.

How vectors become clusters belongs in the modules beside this one; they know no database.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any
from uuid import UUID, uuid4, uuid5

import dagster as dg
import numpy as np
import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import Clustering, ClusteringConfig, cluster
from llma_assets.clusters.everything import place_everything
from llma_assets.clusters.lineage import first_lineage_id
from llma_assets.clusters.lineage_queries import link_stored
from llma_assets.clusters.options import engine_config, sample_size
from llma_assets.clusters.picture import cluster_table, map_markdown
from llma_assets.clusters.queries import (
    Run,
    committed_run,
    forget_attempts,
    publish_run,
)
from llma_assets.clusters.rows import cluster_rows, member_rows, quality_of
from llma_assets.clusters.snapshot import Snapshot, Space
from llma_assets.clusters.window_queries import Window, earlier_map, earlier_resolution, read_window, rest_embeddings
from llma_assets.discovery import TeamOptions
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.partitions import team_days
from llma_assets.rendering.queries import CONTENT_OF_DAYS
from llma_assets.resources import ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.stage import Progress, Report, ThemesConfig, each_theme, run_tags, walk_partitions
from llma_assets.summaries.funnel import funnel
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, ThemeClustering, stored_versions
from llma_assets.themes.store import active_themes

STAGE = "cluster_assignments"
NAMESPACE = UUID("6f2d3a0e-6c4b-5a56-9d0f-6f3b0c7f5b11")
CLUSTERING_VERSION = "v1"
STEPS = ("matched", "sampled", "screened", "summarised", "relevant", "clustered", "outliers")
FUNNEL = dg.TableSchema([dg.TableColumn("theme"), *(dg.TableColumn(step, "int") for step in STEPS)])


class ClusteringRunConfig(ThemesConfig):
    """Options of a run. What is not given is as each theme wants it; its defaults are those of `ThemeClustering`."""

    method: str | None = None
    """`graph`, `kmeans` or `hdbscan`; `graph` unless the theme says otherwise."""
    target_clusters: int | None = None
    """About this many clusters; without it the data chooses."""
    min_cluster_size: int | None = None
    """`graph` and `hdbscan`: smallest cluster in items; without it a share of the items."""
    min_k: int | None = None
    """k-means: fewest clusters tried, 3 unless the theme says otherwise."""
    max_k: int | None = None
    """k-means: most clusters tried, 6 unless the theme says otherwise."""
    min_items: int | None = None
    """With fewer items in the window nothing is clustered, and the reason is recorded; 20 unless the theme says
    otherwise."""
    max_samples: int | None = None
    """With more items in the window a seeded sample is clustered, and all others are assigned to its clusters.
    Without it 20,000 for `graph` and 2,000 for the others."""
    mix_versions: bool | None = None
    """Cluster items that were summarised under an earlier version of the theme, too."""

    def of(self, theme: Theme) -> ThemeClustering:
        """How this run groups a theme's items. A bound of k that is given alone moves the theme's other one."""
        own = {each.name: getattr(self, each.name) for each in fields(ThemeClustering)}
        given = {name: value for name, value in own.items() if value is not None}
        if self.min_k is not None:
            given.setdefault("max_k", max(theme.clustering.max_k, self.min_k))
        if self.max_k is not None:
            given.setdefault("min_k", min(theme.clustering.min_k, self.max_k))
        return replace(theme.clustering, **given)


@dg.asset(
    partitions_def=team_days,
    deps=["summary_embeddings"],
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=7),
    group_name="clusters",
    kinds={"clickhouse", "scikitlearn"},
    pool="clickhouse",
)
def cluster_assignments(
    context: dg.AssetExecutionContext,
    config: ClusteringRunConfig,
    clickhouse: ClickHouseResource,
    embedder: EmbedderResource,
    team_settings: TeamSettingsResource,
    progress: dg.ResourceParam[Progress],
) -> None:
    """The clusters of the last seven days, per theme: members with distance and rank, centroids, a 2-D map."""
    database = clickhouse.database().tagged(**run_tags(context))
    model_name = embedder.model().name
    lookback_days = team_settings.settings().lookback_days

    def work(team_day: TeamDay, _: TeamOptions) -> Report:
        return store_clusters(
            database,
            team_day,
            model_name=model_name,
            lookback_days=lookback_days,
            options=config,
            themes=active_themes(database, team_day.team_id, config.themes),
            progress=progress,
        )

    walk_partitions(context, database, team_settings, work)


def store_clusters(
    database: Database,
    team_day: TeamDay,
    *,
    model_name: str,
    lookback_days: int,
    options: ClusteringRunConfig,
    themes: Sequence[Theme],
    progress: Progress,
) -> Report:
    """Cluster each theme's window; the same window and options are never clustered twice.

    Args:
        lookback_days: length of the window where a theme has none of its own.

    Raises:
        ThemesFailed: some themes failed; the clusters of the others are published.
    """
    items, metadata, reasons = 0, dict[str, Any](embedding_model=model_name), []
    places = {theme.theme_id: place for place, theme in enumerate(themes)}

    def work(theme: Theme) -> tuple[int, dict[str, Any], str]:
        progress(STAGE, team_day, places[theme.theme_id], len(themes))
        clustering = options.of(theme)
        window = read_window(
            database,
            team_day,
            theme,
            lookback_days=theme.lookback_days or lookback_days,
            model_name=model_name,
            max_samples=sample_size(clustering),
            mix_versions=clustering.mix_versions,
        )
        told = {f"{theme.theme_id}_items_of_other_versions": window.other_versions} if window.other_versions else {}
        if len(window.item_ids) < clustering.min_items:
            reason = "too_few_items" if window.item_ids else "no_items"
            detail = f"{len(window.item_ids)} of {clustering.min_items} items in the window"
            without = database.rows(
                CONTENT_OF_DAYS,
                team_id=team_day.team_id,
                level=theme.level,
                **{"from": window.start.date(), "until": team_day.day},
            )[0]["without_content"]
            if without:
                reason = reason if window.item_ids else "no_content"
                detail += f", {without} more without any content"
            if window.other_versions:
                detail += f", {window.other_versions} more under earlier versions of the theme"
            record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, theme.theme_id, reason, detail))
            return 0, told, f"{theme.theme_id}: {reason} ({detail})"
        told |= _publish(database, team_day, theme, window, model_name, clustering)
        clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=STAGE, theme_id=theme.theme_id)
        return window.available, told, ""

    for _, (number, told, reason) in each_theme(database, team_day, STAGE, themes, work):
        items += number
        metadata |= told
        reasons += [reason] if reason else []
    progress(STAGE, team_day, len(themes), len(themes))
    metadata["funnel"] = _funnels(database, team_day, themes, lookback_days)
    return Report(items=items, reason="; ".join(reasons), metadata=metadata)


def _funnels(
    database: Database, team_day: TeamDay, themes: Sequence[Theme], lookback_days: int
) -> dg.TableMetadataValue:
    """What became of each theme's items of the window, to those in a cluster; as `llma themes funnel` shows it."""
    records = []
    for theme in themes:
        first_day = team_day.back((theme.lookback_days or lookback_days) - 1).day
        found = funnel(database, team_day.team_id, first_day, team_day.day, theme)
        records.append(dg.TableRecord({"theme": theme.theme_id, **{step: getattr(found, step) for step in STEPS}}))
    return dg.MetadataValue.table(records, schema=FUNNEL)


def _publish(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    window: Window,
    model_name: str,
    grouping: ThemeClustering,
) -> dict[str, Any]:
    config = engine_config(grouping)
    input_id = _input_id(team_day, theme, window, model_name, config)
    previous = committed_run(database, team_day, theme.theme_id)
    if previous is not None and previous.input_id == input_id:
        return _unchanged(theme, previous)
    clustering = cluster(
        window.embeddings,
        config,
        initial_coordinates=earlier_map(database, team_day, theme, window, model_name),
        earlier_resolution=earlier_resolution(database, team_day, theme, window, model_name),
    )
    placed = place_everything(clustering, len(window.rest), rest_embeddings(database, window))
    key = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "theme_id": theme.theme_id,
        # The attempt's own: another one with equal input may be cut otherwise, because it saw other runs before it.
        "attempt_id": uuid4(),
    }
    members = [{**key, **row} for row in member_rows(placed, [*window.rows, *window.rest])]
    links = link_stored(
        database,
        _snapshot(team_day, theme, input_id, model_name, clustering, members),
        team_id=team_day.team_id,
        theme_id=theme.theme_id,
        window_days=(team_day.end - window.start).days,
    )
    clusters = cluster_rows(clustering, placed, links)
    run = {
        **key,
        "input_id": input_id,
        "level": theme.level,
        "run_id": f"team_{team_day.team_id}_{team_day.start:%Y-%m-%dT%H:%M:%SZ}",
        "method": clustering.method,
        "params": orjson.dumps(
            {
                **asdict(config),
                "version": CLUSTERING_VERSION,
                "theme_version": theme.version,
                **({"mix_versions": True} if grouping.mix_versions else {}),
            }
        ).decode(),
        "items": len(members),
        "window_items": window.available,
        "clusters": len(clustering.centroids),
        "noise_items": int((placed.labels == -1).sum()),
        "silhouette": clustering.quality.silhouette,
        "inertia": clustering.quality.inertia,
        "quality": orjson.dumps(quality_of(clustering, placed)).decode(),
        "lineage": orjson.dumps(links.summary()).decode(),
        "embedding_model": model_name,
        "window_start": window.start,
        "window_end": team_day.end,
    }
    previous = committed_run(database, team_day, theme.theme_id)
    if previous is not None and previous.input_id == input_id:
        return _unchanged(theme, previous)  # another run was faster
    publish_run(database, run, clusters=[{**key, **row} for row in clusters], members=members)
    forget_attempts(database, team_day, theme.theme_id, previous)
    return {
        f"{theme.theme_id}_status": "clustered",
        f"{theme.theme_id}_clusters": len(clustering.centroids),
        f"{theme.theme_id}_noise_items": run["noise_items"],
        f"{theme.theme_id}_silhouette": clustering.quality.silhouette or 0.0,
        f"{theme.theme_id}_lineage": links.in_words(),
        **_pictures(theme, clustering, clusters, window),
    }


def _unchanged(theme: Theme, run: Run) -> dict[str, Any]:
    return {f"{theme.theme_id}_status": "unchanged", f"{theme.theme_id}_clusters": run.clusters}


def _input_id(team_day: TeamDay, theme: Theme, window: Window, model_name: str, config: ClusteringConfig) -> UUID:
    """Equal items and options give the equal id: what was published from them is not clustered again."""
    digest = hashlib.sha256()
    about = [
        team_day.team_id,
        team_day.day,
        theme.theme_id,
        theme.level,
        model_name,
        CLUSTERING_VERSION,
        asdict(config),
        window.item_ids,
        [row["document_id"] for row in window.rest],
    ]
    # What was clustered before themes had versions, and windows of their own, keeps its id.
    about += [] if "" in stored_versions(theme) else [theme.version]
    about += [] if theme.lookback_days is None else [theme.lookback_days]
    digest.update(orjson.dumps(about, option=orjson.OPT_SORT_KEYS))
    digest.update(np.ascontiguousarray(window.embeddings).tobytes())
    return uuid5(NAMESPACE, digest.hexdigest())


def _snapshot(
    team_day: TeamDay,
    theme: Theme,
    input_id: UUID,
    model_name: str,
    clustering: Clustering,
    members: Sequence[Mapping[str, Any]],
) -> Snapshot:
    return Snapshot(
        day=team_day.day,
        space=Space(model_name, clustering.method, theme.version),
        item_ids=np.array([member["item_id"] for member in members], dtype=np.str_),
        item_days=np.array([member["item_day"] for member in members], dtype="datetime64[D]"),
        labels=np.array([member["cluster_id"] for member in members], dtype=np.int_),
        centroids=clustering.centroids,
        lineage_ids=tuple(
            first_lineage_id(team_day.team_id, theme.theme_id, input_id, cluster_id)
            for cluster_id in range(len(clustering.centroids))
        ),
    )


def _pictures(
    theme: Theme, clustering: Clustering, clusters: Sequence[dict[str, Any]], window: Window
) -> dict[str, Any]:
    table = cluster_table(
        [
            {
                "cluster_id": row["cluster_id"],
                "lineage_id": row["lineage_id"],
                "lineage_status": row["lineage_status"],
                "size": row["size"],
                "share": row["size"] / window.available,
                "title": "Outliers" if row["cluster_id"] == -1 else f"Cluster {row['cluster_id']}",
                "examples": [
                    window.item_ids[index]
                    for index in np.flatnonzero(clustering.labels == row["cluster_id"])
                    if clustering.ranks[index] < 2
                ],
            }
            for row in clusters
        ]
    )
    picture = map_markdown(clustering.labels, clustering.coordinates, {}, heading=f"{theme.theme_id}")
    return {
        f"{theme.theme_id}_table": dg.MetadataValue.md(table),
        f"{theme.theme_id}_map": dg.MetadataValue.md(picture),
    }
