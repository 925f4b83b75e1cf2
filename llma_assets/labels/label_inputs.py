"""Reads the summaries and vectors that the names of a run are made from and tested with. Asks no model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import BORDERLINE, Run
from llma_assets.isolation import fault_of
from llma_assets.labels.estimate import STAGE
from llma_assets.labels.evidence import NOISE_ID, ClusterEvidence, SummaryText
from llma_assets.labels.evidence_choice import members_to_read, nearest_outside, similar_together, split, unit
from llma_assets.labels.labelling import CLUSTERS_PER_CALL
from llma_assets.labels.queries import embeddings_of
from llma_assets.ledger import record_item_skips
from llma_assets.summaries import summaries_of_items
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

UNREADABLE = "summary_unreadable"
"""Reason why a member is left out of the evidence."""


@dataclass(frozen=True, slots=True)
class LabelInputs:
    """The inputs of naming: evidence of each cluster, and held-out members.

    Attributes:
        evidence: every cluster, noise included, with similar clusters side by side.
        centroids: by cluster id, float32 (d,), length 1; noise has none.
        held_out: by cluster id, float32 (m, d), length 1: vectors of the members that test the name.
    """

    evidence: list[ClusterEvidence]
    centroids: dict[int, NDArray[np.float32]]
    held_out: dict[int, NDArray[np.float32]]


def read_label_inputs(
    database: Database,
    run: Run,
    theme: Theme,
    clusters: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]],
) -> LabelInputs:
    """Read the inputs for the names of a run.

    Args:
        database: where summaries and vectors are.
        run: a committed run.
        theme: its theme.
        clusters: its clusters.
        members: its members by cluster and rank.
    """
    read = _read_ids(members, BORDERLINE[run.method])
    ids = [item_id for item_ids in read.values() for item_id in item_ids]
    trace_of = {member["item_id"]: member["trace_id"] for member in members}
    texts = _summaries(database, run, ids, trace_of)
    traces: dict[int, set[str]] = {}
    for member in members:
        traces.setdefault(member["cluster_id"], set()).add(member["trace_id"])
    vectors = embeddings_of(database, run, theme, ids)
    centroids = {
        row["cluster_id"]: unit(np.array([row["centroid"]], dtype=np.float32))[0]
        for row in clusters
        if row["cluster_id"] != NOISE_ID
    }
    known = {cluster_id: [item_id for item_id in item_ids if item_id in texts] for cluster_id, item_ids in read.items()}
    around = _neighbours_of(known, centroids, texts, vectors)
    evidence, held_out = {}, {}
    for row in clusters:
        cluster_id = row["cluster_id"]
        item_ids = known.get(cluster_id, [])
        parts = split([texts[item_id] for item_id in item_ids])
        evidence[cluster_id] = ClusterEvidence(
            cluster_id=cluster_id,
            size=row["size"],
            representatives=tuple(texts[item_ids[at]] for at in parts.representatives),
            members=tuple(texts[item_ids[at]] for at in parts.members),
            neighbours=around.get(cluster_id, ()),
            traces=len(traces.get(cluster_id, ())),
        )
        testing = [vectors[item_ids[at]] for at in parts.held_out if item_ids[at] in vectors]
        if testing:
            held_out[cluster_id] = unit(np.array(testing))
    order = [cluster_id for batch in similar_together(centroids, CLUSTERS_PER_CALL) for cluster_id in batch]
    order += [cluster_id for cluster_id in evidence if cluster_id not in centroids]
    return LabelInputs([evidence[cluster_id] for cluster_id in order], centroids, held_out)


def _read_ids(members: Sequence[Mapping[str, Any]], borderline: float) -> dict[int, list[str]]:
    """Ids of the members whose summaries are read, by cluster, the closest first; none of noise."""
    by_cluster: dict[int, list[Mapping[str, Any]]] = {}
    for member in members:
        if member["cluster_id"] != NOISE_ID:
            by_cluster.setdefault(member["cluster_id"], []).append(member)
    return {
        cluster_id: [own[at]["item_id"] for at in members_to_read([member["strength"] for member in own], borderline)]
        for cluster_id, own in by_cluster.items()
    }


def _neighbours_of(
    known: Mapping[int, Sequence[str]],
    centroids: Mapping[int, NDArray[np.float32]],
    texts: Mapping[str, SummaryText],
    vectors: Mapping[str, NDArray[np.float32]],
) -> dict[int, tuple[SummaryText, ...]]:
    """The nearest texts outside each cluster."""
    placed = [(item_id, home) for home, item_ids in known.items() for item_id in item_ids if item_id in vectors]
    if not placed:
        return {}
    ids, clusters_of_items = [item_id for item_id, _ in placed], np.array([home for _, home in placed])
    matrix = unit(np.array([vectors[item_id] for item_id in ids]))
    in_order = [texts[item_id] for item_id in ids]
    return {
        cluster_id: tuple(nearest_outside(centroid, matrix, clusters_of_items, cluster_id, in_order))
        for cluster_id, centroid in centroids.items()
    }


def _summaries(
    database: Database, run: Run, item_ids: Sequence[str], trace_of: Mapping[str, str]
) -> dict[str, SummaryText]:
    """The summaries by item; a malformed one is left out and recorded as a skip."""
    texts: dict[str, SummaryText] = {}
    broken: dict[str, str] = {}
    first_day = run.window_start.date()
    for row in summaries_of_items(database, run.team_id, run.theme_id, item_ids, first_day=first_day, last_day=run.day):
        try:
            texts[row["item_id"]] = _summary_text(row, trace_of.get(row["item_id"], ""))
        except (KeyError, TypeError, ValueError) as error:
            broken[row["item_id"]] = fault_of(error)
    record_item_skips(
        database,
        TeamDay(run.team_id, run.day),
        stage=STAGE,
        theme_id=run.theme_id,
        level=run.level,
        failed=broken,
        reason=UNREADABLE,
        recovered=texts,
    )
    return texts


def _summary_text(row: Mapping[str, Any], trace_id: str) -> SummaryText:
    return SummaryText(
        title=row["title"],
        flow_diagram=row["flow_diagram"],
        bullets=tuple(bullet["text"] for bullet in orjson.loads(row["bullets"])),
        notes=tuple(note["text"] for note in orjson.loads(row["interesting_notes"])),
        trace_id=trace_id,
    )
