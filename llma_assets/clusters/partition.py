"""The stage `cluster_assignments` for one partition: clusters the embeddings of a window and commits them by one row.

Algorithms belong in `engine`, linking to earlier runs in `lineage`.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4, uuid5

import numpy as np
import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.disclosure import FULL, NO_MINIMUM, PrivacyMinimum
from llma_assets.clusters.engine.clustering import Clustering
from llma_assets.clusters.engine.config import NOISE_LABEL, ClusteringConfig
from llma_assets.clusters.engine.template_clusters import cluster_with_templates
from llma_assets.clusters.engine.templates import find_templates, sampled_templates
from llma_assets.clusters.engine.unsampled import assign_unsampled
from llma_assets.clusters.lineage.relink import link_later_days
from llma_assets.clusters.lineage.snapshot import Snapshot, Space
from llma_assets.clusters.lineage.stored import link_stored
from llma_assets.clusters.lineage_ids import first_lineage_id
from llma_assets.clusters.made import Made, publish_made, unchanged
from llma_assets.clusters.options import RunOptions, engine_config, sample_size
from llma_assets.clusters.rows import cluster_rows, member_rows, quality_of
from llma_assets.clusters.store.attempts import Attempt
from llma_assets.clusters.store.cluster_members import earlier_clusters, earlier_map
from llma_assets.clusters.store.clustering_runs import (
    FILLED,
    READ_TOGETHER,
    committed_run,
    earlier_resolution,
    has_runs,
)
from llma_assets.clusters.store.users import users_of_items
from llma_assets.clusters.store.window import Window, read_window, rest_embeddings, window_texts
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.rendering import CONTENT_OF_DAYS
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, ThemeClustering, stored_versions

log = logging.getLogger(__name__)

STAGE = "cluster_assignments"
NAMESPACE = UUID("6f2d3a0e-6c4b-5a56-9d0f-6f3b0c7f5b11")
CLUSTERING_VERSION = "v2"


def store_clusters(
    database: Database,
    team_day: TeamDay,
    *,
    model_name: str,
    lookback_days: int,
    options: RunOptions,
    themes: Sequence[Theme],
    progress: Progress,
    privacy: PrivacyMinimum = NO_MINIMUM,
) -> Report:
    """Cluster each theme's window; a window that was clustered with the same options is not clustered again.

    Args:
        privacy: how many users a cluster needs to be shown in full.
        lookback_days: length of the window where a theme has none of its own.

    Raises:
        ThemesFailed: some themes failed; the clusters of the others are published.
    """
    items, metadata, reasons = 0, dict[str, Any](embedding_model=model_name), []
    places = {theme.theme_id: place for place, theme in enumerate(themes)}

    def work(theme: Theme) -> Made:
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
            items_per_trace=clustering.items_per_trace,
        )
        told: dict[str, Any] = (
            {f"{theme.theme_id}_items_of_other_versions": window.other_versions} if window.other_versions else {}
        )
        if len(window.item_ids) < clustering.min_items:
            reason = "too_few_items" if window.item_ids else "no_items"
            detail = f"{len(window.item_ids)} of {clustering.min_items} items in the window"
            contents = database.rows(
                CONTENT_OF_DAYS, team_id=team_day.team_id, **{"from": window.start.date(), "until": team_day.day}
            )
            without = sum(row["without_content"] for row in contents if row["level"] == theme.level)
            if without:
                reason = reason if window.item_ids else "no_content"
                detail += f", {without} more without any content"
            if window.other_versions:
                detail += f", {window.other_versions} more under earlier versions of the theme"
            record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, theme.theme_id, reason, detail))
            return Made(0, told, None, f"{theme.theme_id}: {reason} ({detail})")
        clustered, attempt = _cluster(database, team_day, theme, window, model_name, clustering, privacy)
        made = Made(window.available, told | clustered, attempt)
        if window.available > READ_TOGETHER:
            publish_made(database, team_day, [(theme, made)])
        return made

    def publish(done: Sequence[tuple[Theme, Made]]) -> None:
        publish_made(database, team_day, done)
        for theme, made in done:
            if made.reason:
                continue
            later = link_later_days(database, team_day.team_id, team_day.day, theme.theme_id)
            if said := later.in_words(team_day.team_id):
                log.warning(f"{team_day}: {theme.theme_id} was {said}")
                made.told[f"{theme.theme_id}_later_days"] = said
            clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=STAGE, theme_id=theme.theme_id)

    for _, made in each_theme(database, team_day, STAGE, themes, work, publish):
        items += made.items
        metadata |= made.told
        reasons += [made.reason] if made.reason else []
    progress(STAGE, team_day, len(themes), len(themes))
    return Report(items=items, reason="; ".join(reasons), details=metadata)


def _cluster(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    window: Window,
    model_name: str,
    grouping: ThemeClustering,
    privacy: PrivacyMinimum,
) -> tuple[dict[str, Any], Attempt | None]:
    """Cluster a window; what is told of it, and what is to be published, None if that is there."""
    config = engine_config(grouping)
    input_id = _input_id(team_day, theme, window, model_name, config, grouping, privacy)
    previous = committed_run(database, team_day, theme.theme_id)
    if previous is not None and previous.input_id == input_id:
        return unchanged(theme, previous), None
    first_day = window.start.date()
    follows = has_runs(database, team_day, theme.theme_id, first_day, team_day.back(1).day)
    is_graph = config.method == "graph"
    earlier = earlier_clusters(database, team_day, theme, window, model_name) if follows and is_graph else None
    items = [*window.rows, *window.rest]
    sampled = len(window.rows)
    templates = sampled_templates(find_templates(window_texts(database, window)), sampled)
    before = np.full((sampled, 2), np.nan)
    if follows:
        before = earlier_map(database, team_day, theme, window, model_name)
    clustering = cluster_with_templates(
        window.embeddings,
        templates.of_text[:sampled],
        config,
        initial_coordinates=before,
        earlier_resolution=earlier_resolution(
            database, team_day, theme, model_name, since=first_day, first_item=window.first_item
        )
        if follows
        else None,
        earlier_labels=earlier,
        # While a window still fills, most of what it holds is new.
        arrivals=window.arrivals if earlier is not None and (window.first_item - first_day).days <= FILLED else None,
    )
    placement = assign_unsampled(
        clustering, len(window.rest), rest_embeddings(database, window), templates.of_text[sampled:]
    )
    key = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "theme_id": theme.theme_id,
        # New for each attempt: another one with equal input may give other clusters, after other earlier runs.
        "attempt_id": uuid4(),
    }
    members = [{**key, **row} for row in member_rows(placement, items)]
    links = link_stored(
        database,
        _snapshot(team_day, theme, input_id, model_name, clustering, members),
        team_id=team_day.team_id,
        theme_id=theme.theme_id,
        window_days=(team_day.end - window.start).days,
    )
    clusters = cluster_rows(
        clustering,
        placement,
        links,
        items,
        templates=templates.found,
        users=users_of_items(database, team_day.team_id, theme.level, first_day, team_day.day)
        if privacy.is_on
        else None,
        privacy=privacy,
    )
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
                "items_per_trace": grouping.items_per_trace,
                **({"mix_versions": True} if grouping.mix_versions else {}),
                **({"min_users": privacy.users, "below_min_users": privacy.below} if privacy.is_on else {}),
            }
        ).decode(),
        "items": len(members),
        "window_items": window.available,
        "clusters": len(clustering.centroids),
        "noise_items": int((placement.labels == -1).sum()),
        "silhouette": clustering.quality.silhouette,
        "inertia": clustering.quality.inertia,
        "quality": orjson.dumps(quality_of(clustering, placement)).decode(),
        "lineage": orjson.dumps(links.summary()).decode(),
        "embedding_model": model_name,
        "window_start": window.start,
        "window_end": team_day.end,
    }
    told = {
        f"{theme.theme_id}_status": "clustered",
        f"{theme.theme_id}_clusters": len(clustering.centroids),
        f"{theme.theme_id}_noise_items": run["noise_items"],
        f"{theme.theme_id}_templates": sum(bool(row["template"]) for row in clusters),
        f"{theme.theme_id}_withheld": sum(
            row["disclosure"] != FULL for row in clusters if row["cluster_id"] != NOISE_LABEL
        ),
        f"{theme.theme_id}_silhouette": clustering.quality.silhouette or 0.0,
        f"{theme.theme_id}_lineage": links.in_words(),
        f"{theme.theme_id}_held_items": 0 if earlier is None else int((earlier >= 0).all(axis=1).sum()),
    }
    return told, Attempt(run, [{**key, **row} for row in clusters], members)


def _input_id(
    team_day: TeamDay,
    theme: Theme,
    window: Window,
    model_name: str,
    config: ClusteringConfig,
    grouping: ThemeClustering,
    privacy: PrivacyMinimum,
) -> UUID:
    """The id of a run's input: equal items and options give the same id, and are not clustered again."""
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
    # Runs from before themes had versions and windows keep their id.
    about += [] if "" in stored_versions(theme) else [theme.version]
    about += [] if theme.lookback_days is None else [theme.lookback_days]
    about += [{"items_per_trace": grouping.items_per_trace}]
    about += [{"min_users": privacy.users, "below_min_users": privacy.below}] if privacy.is_on else []
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
