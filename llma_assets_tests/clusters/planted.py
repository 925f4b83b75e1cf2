"""Planted embeddings in a real database: topics at right angles, so many items of each on each day."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.partition import RunOptions, store_clusters
from llma_assets.clusters.store.cluster_members import members_of
from llma_assets.clusters.store.clustering_runs import Run, committed_run
from llma_assets.clusters.store.clusters import clusters_of
from llma_assets.embeddings.queries import PRODUCT
from llma_assets.stage import Report, silent
from llma_assets.team_day import TeamDay, midnight
from llma_assets.themes import TRACES, Theme

MODEL = "offline/planted"
DIMENSIONS = 32
CENTRES = dict(
    zip("ABCDEFGHXYZ", np.linalg.qr(np.random.default_rng(0).normal(size=(DIMENSIONS,) * 2))[0], strict=False)
)

CENTRES["a"] = CENTRES["A"] + 0.4 * CENTRES["X"]
"""Topics, at right angles; `a` is near to A."""


def item_id(topic: str, day: date, number: int) -> str:
    """The id of an item; equal for all teams."""
    return f"{topic}-{day.isoformat()}-{number}"


def plant(
    database: Database,
    team_id: int,
    day: date,
    counts: Mapping[str, int],
    *,
    model: str = MODEL,
    first: int = 0,
    theme: Theme = TRACES,
    version: str = "",
) -> None:
    """Store the embeddings of a day: so many items of each topic."""
    rows = []
    for topic, count in counts.items():
        for number in range(first, first + count):
            rng = np.random.default_rng([ord(topic), day.toordinal(), number])
            rows.append(
                {
                    "team_id": team_id,
                    "product": PRODUCT,
                    "document_type": theme.document_type,
                    "model_name": model,
                    "rendering": theme.rendering,
                    "document_id": item_id(topic, day, number),
                    "timestamp": midnight(day) + timedelta(minutes=number),
                    "content": topic,
                    "metadata": orjson.dumps(
                        {"trace_id": item_id(topic, day, number), **({"theme_version": version} if version else {})}
                    ).decode(),
                    "embedding": (CENTRES[topic] + rng.normal(scale=0.06, size=DIMENSIONS)).astype(np.float32).tolist(),
                }
            )
    database.insert_rows("document_embeddings", rows)


def run_day(
    database: Database, team_id: int, day: date, clusters: int, *, theme: Theme = TRACES, **options: Any
) -> Report:
    """Cluster a day's window into so many clusters."""
    given: dict[str, Any] = {"method": "kmeans", "min_k": clusters, "max_k": clusters, "min_items": 5} | options
    model = given.pop("model", MODEL)
    return store_clusters(
        database,
        TeamDay(team_id, day),
        model_name=model,
        lookback_days=7,
        options=RunOptions(**given),
        themes=(theme,),
        progress=silent,
    )


def stored_run(database: Database, team_id: int, day: date, theme: Theme = TRACES) -> Run:
    """The committed run of a day."""
    run = committed_run(database, TeamDay(team_id, day), theme.theme_id)
    assert run is not None
    return run


def lineages(database: Database, team_id: int, day: date) -> dict[str, dict[str, Any]]:
    """The clusters of a day by the topic that most of their members have."""
    run = stored_run(database, team_id, day)
    topics: dict[int, list[str]] = {}
    for member in members_of(database, run):
        topics.setdefault(member["cluster_id"], []).append(member["item_id"][0])
    return {
        max(sorted(set(topics[row["cluster_id"]])), key=topics[row["cluster_id"]].count): row
        for row in clusters_of(database, run)
        if row["cluster_id"] >= 0
    }


def name_clusters(
    database: Database, team_id: int, when: date, *, origin: str = "asked", prefix: str = "Topic"
) -> None:
    """Name each cluster of a day after its topic, as the labels room does."""
    run = stored_run(database, team_id, when)
    rows = [
        {
            "team_id": team_id,
            "day": when,
            "theme_id": run.theme_id,
            "attempt_id": run.attempt_id,
            "cluster_id": row["cluster_id"],
            "title": f"{prefix} {topic} of team {team_id}",
            "description": f"- about {topic}",
            "status": "generated",
            "error": "",
            "model": "offline/labels",
            "origin": origin,
        }
        for topic, row in lineages(database, team_id, when).items()
    ]
    database.insert_rows("cluster_labels", rows)
