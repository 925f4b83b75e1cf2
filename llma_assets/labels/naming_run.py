"""One run while its clusters get names: the labels so far, and those that need no model.

How models are asked, and how names are compared and tested, belongs in `naming`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, CarriedName, Run
from llma_assets.labels.evidence import NOISE_ID, ClusterLabel, of_few_users
from llma_assets.labels.evidence_choice import unit
from llma_assets.labels.label_inputs import LabelInputs
from llma_assets.models import ChatModel, Embedder, Record


@dataclass(slots=True)
class NamingRun:
    """One run being named."""

    database: Database
    run: Run
    chat: ChatModel
    embedder: Embedder
    record: Record
    labels: dict[int, ClusterLabel]
    inputs: LabelInputs

    def store(self, *labels: ClusterLabel) -> None:
        """Store labels at once."""
        store_labels(self.database, self.run, self.labels, labels)

    def named(self) -> list[int]:
        """Ids of the clusters that have a name, noise left out, ascending."""
        return sorted(
            key for key, label in self.labels.items() if label.status == "generated" and label.origin != "fixed"
        )

    def name_vectors(self, names: Sequence[ClusterLabel]) -> NDArray[np.float32]:
        """The vectors (k, d) of names, length 1."""
        return unit(self.embedder.embed([label.name.text for label in names], record=self.record))


def carry_over(
    database: Database, run: Run, labels: dict[int, ClusterLabel], carried: Mapping[int, CarriedName]
) -> None:
    """Store the names that need no model: people's own, and those of clusters with unchanged content.

    A name by people replaces a stored one; one that they took back is dropped, so that a model is asked.
    """
    for cluster_id, label in list(labels.items()):
        if label.origin == "locked" and not _is_edited(carried.get(cluster_id)):
            del labels[cluster_id]
    found = []
    for cluster_id, name in carried.items():
        stored = labels.get(cluster_id)
        if _is_edited(name):
            if stored is None or (stored.title, stored.origin) != (name.title, "locked"):
                found.append(_carried(cluster_id, name, "locked"))
        elif name.keep and not is_named(stored):
            found.append(_carried(cluster_id, name, "carried"))
    store_labels(database, run, labels, found)


def name_few_users(
    database: Database, run: Run, labels: dict[int, ClusterLabel], clusters: Sequence[Mapping[str, Any]]
) -> None:
    """Store the fixed label of each cluster that is shown without examples, in place of any other."""
    withheld = [row["cluster_id"] for row in clusters if row["disclosure"] != FULL and row["cluster_id"] != NOISE_ID]
    fixed = [of_few_users(cluster_id) for cluster_id in withheld]
    store_labels(database, run, labels, [label for label in fixed if labels.get(label.cluster_id) != label])


def _is_edited(name: CarriedName | None) -> bool:
    return name is not None and (name.renamed or name.locked)


def _carried(cluster_id: int, name: CarriedName, origin: str) -> ClusterLabel:
    return ClusterLabel(cluster_id, name.title, name.description, "generated", "", name.model, origin)


def store_labels(database: Database, run: Run, labels: dict[int, ClusterLabel], found: Sequence[ClusterLabel]) -> None:
    """Store labels at once, so that a later error cannot lose them."""
    if not found:
        return
    rows = [
        {
            "cluster_id": label.cluster_id,
            "title": label.title,
            "description": label.description,
            "status": label.status,
            "error": label.error,
            "model": label.model,
            "origin": label.origin,
        }
        for label in found
    ]
    database.insert_rows("cluster_labels", [{**run.attempt, **row} for row in rows])
    labels.update({label.cluster_id: label for label in found})


def is_named(label: ClusterLabel | None) -> bool:
    return label is not None and label.status == "generated"
