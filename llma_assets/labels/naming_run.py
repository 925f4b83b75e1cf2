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

    def store(self, label: ClusterLabel) -> None:
        """Store a label at once."""
        store_label(self.database, self.run, self.labels, label)

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
    for cluster_id, name in carried.items():
        stored = labels.get(cluster_id)
        if _is_edited(name):
            if stored is None or (stored.title, stored.origin) != (name.title, "locked"):
                store_label(database, run, labels, _carried(cluster_id, name, "locked"))
        elif name.keep and not is_named(stored):
            store_label(database, run, labels, _carried(cluster_id, name, "carried"))


def name_few_users(
    database: Database, run: Run, labels: dict[int, ClusterLabel], clusters: Sequence[Mapping[str, Any]]
) -> None:
    """Store the fixed label of each cluster that is shown without examples, in place of any other."""
    for row in clusters:
        label = of_few_users(row["cluster_id"])
        if row["disclosure"] != FULL and row["cluster_id"] != NOISE_ID and labels.get(row["cluster_id"]) != label:
            store_label(database, run, labels, label)


def _is_edited(name: CarriedName | None) -> bool:
    return name is not None and (name.renamed or name.locked)


def _carried(cluster_id: int, name: CarriedName, origin: str) -> ClusterLabel:
    return ClusterLabel(cluster_id, name.title, name.description, "generated", "", name.model, origin)


def store_label(database: Database, run: Run, labels: dict[int, ClusterLabel], label: ClusterLabel) -> None:
    """Store a label at once, so that a later error cannot lose it."""
    row = {
        "cluster_id": label.cluster_id,
        "title": label.title,
        "description": label.description,
        "status": label.status,
        "error": label.error,
        "model": label.model,
        "origin": label.origin,
    }
    database.insert_rows("cluster_labels", [{**run.attempt, **row}])
    labels[label.cluster_id] = label


def is_named(label: ClusterLabel | None) -> bool:
    return label is not None and label.status == "generated"
