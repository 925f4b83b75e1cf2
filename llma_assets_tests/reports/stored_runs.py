"""Clustering runs of themes as they are stored, without the stages before; for tests of what is read of them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from llma_assets.clickhouse import Database

DAY = date(2026, 11, 7)


def ids(first: int, until: int) -> list[str]:
    """Trace ids with these numbers."""
    return [f"t{number}" for number in range(first, until)]


def store_run(
    database: Database,
    theme_id: str,
    clusters: Mapping[int, Sequence[str]],
    *,
    looked_at: Sequence[str] = (),
    level: str = "trace",
    team_id: int = 1,
    item_day: date = DAY,
    lookback_days: int = 7,
    trace_of: Callable[[str], str] = str,
) -> None:
    """Members by cluster, -1 for outliers, and answers about other items, which the theme does not concern."""
    attempt = uuid4()
    key: dict[str, Any] = {"team_id": team_id, "day": DAY, "theme_id": theme_id}
    when = datetime.combine(item_day, time(8), UTC)
    members = [
        {
            **key,
            "attempt_id": attempt,
            "item_id": item_id,
            "trace_id": trace_of(item_id),
            "generation_id": "",
            "item_day": item_day,
            "cluster_id": cluster_id,
            "distance": 0.0,
            "rank": rank,
            "strength": 1.0,
            "x": 0.0,
            "y": 0.0,
            "timestamp": when,
        }
        for cluster_id, item_ids in clusters.items()
        for rank, item_id in enumerate(item_ids)
    ]
    database.insert_rows("cluster_members", members)
    database.insert_rows(
        "clusters",
        [
            {
                **key,
                "attempt_id": attempt,
                "cluster_id": cluster_id,
                "lineage_id": "" if cluster_id < 0 else f"{theme_id}-{cluster_id}",
                "size": len(item_ids),
                "centroid": [1.0],
                "centroid_x": 0.0,
                "centroid_y": 0.0,
            }
            for cluster_id, item_ids in clusters.items()
        ],
    )
    database.insert_rows(
        "clustering_runs",
        [
            {
                **key,
                "level": level,
                "attempt_id": attempt,
                "run_id": "run",
                "method": "graph",
                "params": "{}",
                "items": len(members),
                "window_items": len(members),
                "clusters": sum(cluster_id >= 0 for cluster_id in clusters),
                "noise_items": len(clusters.get(-1, ())),
                "silhouette": None,
                "inertia": None,
                "quality": "{}",
                "embedding_model": "offline/x",
                "window_start": datetime.combine(DAY - timedelta(days=lookback_days - 1), time(), UTC),
                "window_end": datetime.combine(DAY + timedelta(days=1), time(), UTC),
            }
        ],
    )
    database.insert_rows(
        "trace_summaries",
        [
            {
                **key,
                "day": item_day,
                "level": level,
                "item_id": item_id,
                "trace_id": trace_of(item_id),
                "generation_id": "",
                "content_hash": "",
                "status": "generated",
                "error": "",
                "model": "offline/x",
                "mode": "detailed",
                "title": "x",
                "flow_diagram": "",
                "bullets": "[]",
                "interesting_notes": "[]",
                "text_length": 1,
                "event_count": 1,
                "trace_timestamp": when,
                "batch_run_id": "",
                "relevant": False,
            }
            for item_id in looked_at
        ],
    )
