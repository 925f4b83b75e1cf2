"""The asset `cluster_assignments`: reads a window's embeddings, clusters them, and publishes the result by one row.

How vectors become clusters belongs in the modules beside this one; they know no database.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid5

import dagster as dg
import numpy as np
import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import Clustering, ClusteringConfig, cluster
from llma_assets.clusters.everything import Placed, place_everything
from llma_assets.clusters.lineage import Links, first_lineage_id
from llma_assets.clusters.lineage_queries import link_stored
from llma_assets.clusters.picture import cluster_table, map_markdown
from llma_assets.clusters.queries import (
    committed_run,
    forget_attempt,
    publish_run,
)
from llma_assets.clusters.snapshot import Snapshot, Space
from llma_assets.clusters.window_queries import Window, earlier_map, earlier_resolution, read_window, rest_embeddings
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.partitions import team_days
from llma_assets.resources import ClickHouseResource, EmbedderResource, TeamSettingsResource
from llma_assets.stage import Progress, Report, run_tags, walk_partitions
from llma_assets.team_day import TeamDay
from llma_assets.themes import BUILT_IN, Theme

STAGE = "cluster_assignments"
NAMESPACE = UUID("6f2d3a0e-6c4b-5a56-9d0f-6f3b0c7f5b11")
CLUSTERING_VERSION = "v1"
MIN_TRACES_FOR_CLUSTERING = 20
MAX_SAMPLES = 2000
MAX_SAMPLES_GRAPH = 20_000
"""`graph` grows with the number of items, not with its square: 20,000 x 1,536 take some seconds."""


class ClusteringRunConfig(dg.Config):
    """Options of a run; the defaults are those of every scheduled run."""

    method: str = "graph"
    """`graph`, `kmeans` or `hdbscan`."""
    target_clusters: int | None = None
    """About this many clusters; without it the data chooses."""
    min_cluster_size: int | None = None
    """`graph` and `hdbscan`: smallest cluster in items; without it a share of the items."""
    min_k: int = 3
    """k-means: fewest clusters tried."""
    max_k: int = 6
    """k-means: most clusters tried."""
    min_items: int = MIN_TRACES_FOR_CLUSTERING
    """With fewer items in the window nothing is clustered, and the reason is recorded."""
    max_samples: int | None = None
    """With more items in the window a seeded sample is clustered, and all others are assigned to its clusters.
    Without it 20,000 for `graph` and 2,000 for the others."""

    def clustering(self) -> ClusteringConfig:
        """The options as the pure engine takes them."""
        return ClusteringConfig(
            method=self.method,
            target_clusters=self.target_clusters,
            min_cluster_size=self.min_cluster_size,
            min_k=self.min_k,
            max_k=self.max_k,
        )

    def sample_size(self) -> int:
        """Items that are clustered at most."""
        if self.max_samples is not None:
            return self.max_samples
        return MAX_SAMPLES_GRAPH if self.method == "graph" else MAX_SAMPLES


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
    settings = team_settings.settings()

    def work(team_day: TeamDay) -> Report:
        if team_day.team_id in settings.skip_team_ids:
            return Report(items=0, reason="team_on_skip_list")
        return store_clusters(
            database,
            team_day,
            model_name=model_name,
            lookback_days=settings.lookback_days,
            options=config,
            progress=progress,
        )

    walk_partitions(context, work)


def store_clusters(
    database: Database,
    team_day: TeamDay,
    *,
    model_name: str,
    lookback_days: int,
    options: ClusteringRunConfig,
    themes: Sequence[Theme] = BUILT_IN,
    progress: Progress,
) -> Report:
    """Cluster each theme's window; the same window and options are never clustered twice."""
    items, metadata, reasons = 0, dict[str, Any](embedding_model=model_name), []
    for done, theme in enumerate(themes):
        progress(STAGE, team_day, done, len(themes))
        window = read_window(
            database,
            team_day,
            theme,
            lookback_days=lookback_days,
            model_name=model_name,
            max_samples=options.sample_size(),
        )
        if len(window.item_ids) < options.min_items:
            reason = "too_few_items" if window.item_ids else "no_items"
            detail = f"{len(window.item_ids)} of {options.min_items} items in the window"
            record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, theme.theme_id, reason, detail))
            reasons.append(f"{theme.theme_id}: {reason} ({detail})")
            continue
        items += window.available
        metadata |= _publish(database, team_day, theme, window, model_name, options)
        clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=STAGE, theme_id=theme.theme_id)
    progress(STAGE, team_day, len(themes), len(themes))
    return Report(items=items, reason="; ".join(reasons), metadata=metadata)


def _publish(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    window: Window,
    model_name: str,
    options: ClusteringRunConfig,
) -> dict[str, Any]:
    attempt_id = _attempt_id(team_day, theme, window, model_name, options)
    previous = committed_run(database, team_day, theme.theme_id)
    if previous is not None and previous.attempt_id == attempt_id:
        return {f"{theme.theme_id}_status": "unchanged", f"{theme.theme_id}_clusters": previous.clusters}
    clustering = cluster(
        window.embeddings,
        options.clustering(),
        initial_coordinates=earlier_map(database, team_day, theme, window, model_name),
        earlier_resolution=earlier_resolution(database, team_day, theme, window, model_name),
    )
    placed = place_everything(clustering, len(window.rest), rest_embeddings(database, window))
    key = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "theme_id": theme.theme_id,
        "attempt_id": attempt_id,
    }
    members = [
        {
            **key,
            "item_id": row["document_id"],
            "trace_id": row["trace_id"],
            "generation_id": row["generation_id"],
            "item_day": row["timestamp"].date(),
            "cluster_id": int(placed.labels[index]),
            "distance": float(placed.distances[index]),
            "rank": int(placed.ranks[index]),
            "strength": float(placed.strength[index]),
            "x": float(placed.coordinates[index, 0]),
            "y": float(placed.coordinates[index, 1]),
            "timestamp": row["timestamp"],
        }
        for index, row in enumerate([*window.rows, *window.rest])
    ]
    links = link_stored(
        database,
        _snapshot(team_day, theme, attempt_id, model_name, clustering, members),
        team_id=team_day.team_id,
        theme_id=theme.theme_id,
        window_days=(team_day.end - window.start).days,
    )
    clusters = cluster_rows(clustering, placed, links)
    run = {
        **key,
        "level": theme.level,
        "run_id": f"team_{team_day.team_id}_{team_day.start:%Y-%m-%dT%H:%M:%SZ}",
        "method": clustering.method,
        "params": orjson.dumps(
            {**asdict(options.clustering()), "version": CLUSTERING_VERSION, "theme_version": theme.version}
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
    publish_run(database, run, clusters=[{**key, **row} for row in clusters], members=members)
    if previous is not None:
        forget_attempt(database, previous)
    return {
        f"{theme.theme_id}_status": "clustered",
        f"{theme.theme_id}_clusters": len(clustering.centroids),
        f"{theme.theme_id}_noise_items": run["noise_items"],
        f"{theme.theme_id}_silhouette": clustering.quality.silhouette or 0.0,
        f"{theme.theme_id}_lineage": links.in_words(),
        **_pictures(theme, clustering, clusters, window),
    }


def _attempt_id(team_day: TeamDay, theme: Theme, window: Window, model_name: str, options: ClusteringRunConfig) -> UUID:
    """Equal input and options give the equal id, and so equal rows."""
    digest = hashlib.sha256()
    about = [
        team_day.team_id,
        team_day.day,
        theme.theme_id,
        theme.level,
        model_name,
        CLUSTERING_VERSION,
        asdict(options.clustering()),
        window.item_ids,
        [row["document_id"] for row in window.rest],
    ]
    digest.update(orjson.dumps(about, option=orjson.OPT_SORT_KEYS))
    digest.update(np.ascontiguousarray(window.embeddings).tobytes())
    return uuid5(NAMESPACE, digest.hexdigest())


def _snapshot(
    team_day: TeamDay,
    theme: Theme,
    attempt_id: UUID,
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
            first_lineage_id(team_day.team_id, theme.theme_id, attempt_id, cluster_id)
            for cluster_id in range(len(clustering.centroids))
        ),
    )


def cluster_rows(clustering: Clustering, placed: Placed, links: Links) -> list[dict[str, Any]]:
    """A row for each cluster, and one for noise where there is any; noise has no lineage."""
    sizes = np.bincount(placed.labels[placed.labels >= 0], minlength=len(clustering.centroids))
    rows = [
        {
            "cluster_id": cluster_id,
            "lineage_id": links.clusters[cluster_id].lineage_id,
            "lineage_status": links.clusters[cluster_id].status,
            "lineage_confidence": links.clusters[cluster_id].confidence,
            "lineage_parents": list(links.clusters[cluster_id].parents),
            "radius": float(clustering.radii[cluster_id]),
            "size": int(sizes[cluster_id]),
            "centroid": centroid.tolist(),
            "centroid_x": float(clustering.centroid_coordinates[cluster_id, 0]),
            "centroid_y": float(clustering.centroid_coordinates[cluster_id, 1]),
        }
        for cluster_id, centroid in enumerate(clustering.centroids)
    ]
    noise = placed.labels == -1
    if noise.any():
        x, y = placed.coordinates[noise].mean(axis=0)
        rows.append(
            {
                "cluster_id": -1,
                "lineage_id": "",
                "lineage_status": "",
                "lineage_confidence": 0.0,
                "lineage_parents": [],
                "radius": 0.0,
                "size": int(noise.sum()),
                "centroid": [],
                "centroid_x": float(x),
                "centroid_y": float(y),
            }
        )
    return rows


def quality_of(clustering: Clustering, placed: Placed) -> dict[str, Any]:
    """What is stored of a clustering's quality: of the sample, with shares of everything, and the upper level."""
    noise = placed.labels < 0
    sizes = np.bincount(placed.labels[~noise], minlength=len(clustering.centroids))
    return {
        **clustering.quality.to_dict(),
        "noise_share": float(noise.mean()),
        "largest_share": float(sizes.max() / len(placed.labels)),
        "sampled_items": len(clustering.labels),
        "assigned_items": len(placed.labels) - len(clustering.labels),
        "groups": clustering.groups.tolist(),
    }


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
