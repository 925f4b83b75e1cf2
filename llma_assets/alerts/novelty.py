"""How unlike a lineage is to all that were there before it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from llma_assets.alerts.judging import History
from llma_assets.alerts.queries import CENTROIDS
from llma_assets.clickhouse import Database


def novelty_of(database: Database, history: History, period: Mapping[str, Any]) -> Any:
    """Cosine distance of each lineage to the nearest one that began before it; inf where there is none."""
    vectors = {
        row["lineage_id"]: np.asarray(row["latest"], dtype=np.float64)
        for row in database.rows(CENTROIDS, **period)
        if row["theme_id"] == history.theme_id
    }
    found = np.full(len(history.lineage_ids), np.inf)
    for row, lineage_id in enumerate(history.lineage_ids):
        own = vectors.get(lineage_id)
        if own is None or history.began[row] < 0:
            continue
        others = [
            vectors[each]
            for at, each in enumerate(history.lineage_ids)
            if history.began[at] < history.began[row] and each in vectors and vectors[each].shape == own.shape
        ]
        if others:
            found[row] = 1 - max(_cosine(own, other) for other in others)
    return found


def _cosine(one: Any, other: Any) -> float:
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(one @ other) / size if size > 0 else 0.0
