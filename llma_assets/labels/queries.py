"""The statements of the labels room, and functions that read by them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
from more_itertools import chunked
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, ask_of_runs, rows_of_run
from llma_assets.embeddings import space_of
from llma_assets.labels.evidence import ClusterLabel
from llma_assets.labels.name_distances import TOO_CLOSE
from llma_assets.themes import Theme

KNOWN_DAYS = 28
"""A group keeps its name if it existed within this many days."""

IDS_AT_ONCE = 2_000
"""Ids in one query parameter, at most."""

# Key of cluster_labels: (team_id, day, theme_id, attempt_id, cluster_id).
LABELS_OF_RUN = """
SELECT attempt_id, cluster_id, title, description, status, error, model, origin
FROM cluster_labels FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day IN {days:Array(Date)}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id IN {attempt_ids:Array(UUID)}
ORDER BY cluster_id = -1, cluster_id
"""

# Key of cluster_name_tests: (team_id, day, theme_id, attempt_id, cluster_id).
NAME_TESTS_OF_RUN = """
SELECT attempt_id, cluster_id, title, held_out, hits, centroid_hits, nearest_cluster_id, nearest_distance, model,
    foreign_words
FROM cluster_name_tests FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day IN {days:Array(Date)}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id IN {attempt_ids:Array(UUID)}
ORDER BY cluster_id
"""

# Key of cluster_group_labels: (team_id, day, theme_id, attempt_id, group_id). Names of days before carry over.
KNOWN_GROUP_LABELS = """
SELECT attempt_id, group_id, content, title, description, model
FROM cluster_group_labels FINAL
WHERE team_id = {team_id:Int64}
    AND day BETWEEN {from:Date} AND {until:Date}
    AND theme_id = {theme_id:String}
    AND status = 'generated'
    AND content IN {contents:Array(String)}
ORDER BY day, group_id
"""

# Key of cluster_group_labels: (team_id, day, theme_id, attempt_id, group_id).
GROUP_LABELS_OF_RUN = """
SELECT attempt_id, group_id, cluster_ids, title, description, status, error, model
FROM cluster_group_labels FINAL
WHERE team_id IN {team_ids:Array(Int64)}
    AND day IN {days:Array(Date)}
    AND theme_id IN {theme_ids:Array(String)}
    AND attempt_id IN {attempt_ids:Array(UUID)}
ORDER BY group_id
"""

# Key of document_embeddings:
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
EMBEDDINGS_OF_ITEMS = """
SELECT document_id, embedding
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND toDate(timestamp) BETWEEN {from:Date} AND {until:Date}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
    AND document_id IN {item_ids:Array(String)}
ORDER BY document_id
"""


def ask_labels_of(database: Database, runs: Sequence[Run]) -> None:
    """Ask for the labels of several runs, their tests and the names of groups at once, where answers are remembered."""
    tables = {
        LABELS_OF_RUN: "cluster_labels",
        NAME_TESTS_OF_RUN: "cluster_name_tests",
        GROUP_LABELS_OF_RUN: "cluster_group_labels",
    }
    there = [
        sql
        for sql, table in tables.items()
        if any(database.may_hold(table, run.team_id, run.day, run.day, part=run.theme_id) for run in runs)
    ]
    ask_of_runs(database, runs, *there)


def labels_of(database: Database, run: Run) -> dict[int, ClusterLabel]:
    """The labels of a run's clusters that are stored so far, by cluster id."""
    if not database.may_hold("cluster_labels", run.team_id, run.day, run.day, part=run.theme_id):
        return {}
    rows = rows_of_run(database, LABELS_OF_RUN, run)
    return {row["cluster_id"]: ClusterLabel(**row) for row in rows}


def name_tests_of(database: Database, run: Run) -> list[dict[str, Any]]:
    """The tests of a run's names, by cluster id."""
    if not database.may_hold("cluster_name_tests", run.team_id, run.day, run.day, part=run.theme_id):
        return []
    return rows_of_run(database, NAME_TESTS_OF_RUN, run)


def known_group_labels(database: Database, run: Run, contents: list[str]) -> list[dict[str, Any]]:
    """Names of groups of the same clusters, of this run and of the days before, oldest first."""
    first = run.day - timedelta(days=KNOWN_DAYS)
    if not database.may_hold("cluster_group_labels", run.team_id, first, run.day, part=run.theme_id):
        return []
    return database.rows(
        KNOWN_GROUP_LABELS,
        team_id=run.team_id,
        theme_id=run.theme_id,
        contents=contents,
        **{"from": first, "until": run.day},
    )


def group_labels_of(database: Database, run: Run) -> list[dict[str, Any]]:
    """The names of a run's groups of clusters; none where it has no upper level."""
    may_be = database.may_hold("cluster_group_labels", run.team_id, run.day, run.day, part=run.theme_id)
    return rows_of_run(database, GROUP_LABELS_OF_RUN, run) if may_be and orjson.loads(run.quality).get("groups") else []


def too_close_of(tests: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """By cluster id the other cluster whose name is too like its own, from the stored tests of a run."""
    return {
        row["cluster_id"]: row["nearest_cluster_id"]
        for row in tests
        if row["nearest_distance"] is not None and row["nearest_distance"] < TOO_CLOSE
    }


def embeddings_of(database: Database, run: Run, theme: Theme, item_ids: list[str]) -> dict[str, NDArray[np.float32]]:
    """The vectors of items as they were clustered, by item id; items without one are left out."""
    found: dict[str, NDArray[np.float32]] = {}
    for ids in chunked(item_ids, IDS_AT_ONCE):
        table = database.arrow(
            EMBEDDINGS_OF_ITEMS,
            team_id=run.team_id,
            **space_of(theme, run.embedding_model),
            item_ids=ids,
            **{"from": run.window_start.date(), "until": run.day},
        ).combine_chunks()
        if not table.num_rows:
            continue
        vectors = table.column("embedding").combine_chunks()
        matrix = np.asarray(vectors.flatten(), dtype=np.float32).reshape(len(vectors), -1)
        found |= dict(zip(table.column("document_id").to_pylist(), matrix, strict=True))
    return found
