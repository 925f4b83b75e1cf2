"""Names the clusters of a stored run: carries over, asks, tells apart, tests, and stores each name as it comes.

Killed at any line, the next run goes on from what is stored; a finished run is not read beyond its names, and nothing
is asked again. Knows no Dagster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import CarriedName, Run, carried_names
from llma_assets.labels.choice import unit
from llma_assets.labels.closeness import groups_too_close, nearest_names, too_close_to
from llma_assets.labels.evidence import NOISE_ID, ClusterEvidence, ClusterLabel, Name
from llma_assets.labels.fit import Fit, OverallFit, fit_of, reassigned
from llma_assets.labels.groups import groups_of, name_groups
from llma_assets.labels.labelling import CLUSTERS_A_CALL, flaw_of_sample, label_clusters, retell_clusters
from llma_assets.labels.material import Material, read_material
from llma_assets.labels.queries import alike_of, labels_of, name_tests_of
from llma_assets.models import (
    ChatModel,
    Embedder,
    ModelConfigurationError,
    ModelError,
    ModelHealth,
    ModelUnavailable,
    NothingAnswered,
    Record,
)
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

RETELLING_CALLS = 6
"""Groups of names that are sent back to be told apart, at most; the closest first."""


LABELS_FAILED = "labels_failed"


class NoNames(Exception):
    """Every cluster of a run that was asked about would be called by its number: that is nothing to publish.

    Attributes:
        skip_reason: what the stage calls it where people look for why there is nothing.
    """

    skip_reason = LABELS_FAILED


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of a run, and what was done for them.

    Attributes:
        labels: by cluster id.
        asked: clusters whose name was asked for just now.
        undone: clusters left without a name, because a call was not made.
        retold: names changed because they were too like another.
        fit: how well the names fit; None where that could not be tested.
        untested: why not, "" where they were.
        too_close: by cluster id the other cluster whose name is too like its own.
    """

    labels: dict[int, ClusterLabel]
    asked: int
    undone: int
    retold: int
    fit: OverallFit | None
    untested: str
    too_close: dict[int, int]


@dataclass(slots=True)
class _Work:
    """One run being named."""

    database: Database
    run: Run
    chat: ChatModel
    embedder: Embedder
    record: Record
    labels: dict[int, ClusterLabel]
    material: Material

    def keep(self, label: ClusterLabel) -> None:
        """Store a label at once."""
        _keep(self.database, self.run, self.labels, label)

    def named(self) -> list[int]:
        """Ids of the clusters that have a name, noise left out, ascending."""
        return sorted(key for key, label in self.labels.items() if label.status == "generated" and key != NOISE_ID)

    def name_vectors(self, names: Sequence[ClusterLabel]) -> NDArray[np.float32]:
        """The vectors (k, d) of names, length 1."""
        return unit(self.embedder.embed([label.name.text for label in names], record=self.record))


def name_clusters(
    database: Database,
    run: Run,
    theme: Theme,
    clusters: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]],
    chat: ChatModel,
    embedder: Embedder,
    record: Record,
    evidence: ModelHealth | None = None,
) -> Naming:
    """Give each cluster of `run` that has none a name, and test the names where any is new.

    Args:
        database: where names and tests are stored.
        run: a committed run.
        theme: its theme.
        clusters: its clusters.
        members: its members by cluster and rank.
        chat: who is asked for names.
        embedder: who compares names; tests need the one that embedded the run's items.
        record: gets the usage of each call.
        evidence: what the model has given so far in the run; None for nothing yet.

    Raises:
        NoNames: no cluster got a name, and none had one.
        NothingUsable: nor does the model name clusters that nobody can blame.
        ModelConfigurationError: every further call would fail too; what was named is stored.
    """
    labels = labels_of(database, run)
    carried = carried_names(database, TeamDay(run.team_id, run.day), run.theme_id)
    _carry_over(database, run, labels, carried)
    missing = {row["cluster_id"] for row in clusters if not _is_named(labels.get(row["cluster_id"]))}
    if not missing and _is_tested(database, run, labels):
        name_groups(database, run, groups_of(run, clusters, labels), chat, record)
        return _told(database, run, labels)
    material = read_material(database, run, theme, clusters, members)
    work = _Work(database, run, chat, embedder, record, labels, material)
    asked = _ask(work, missing, carried)
    if asked:
        _see_that_there_are_names(work, asked, evidence or ModelHealth())
    retold, untested = 0, _obstacle(run, embedder)
    if not untested:
        try:
            retold = _tell_apart(work)
            _test(work)
        except ModelConfigurationError:
            raise
        except ModelError as error:
            untested = f"names could not be compared: {error.kind}"
    name_groups(database, run, groups_of(run, clusters, labels), chat, record)
    return _told(
        database, run, labels, asked=asked, undone=len(missing - labels.keys()), retold=retold, untested=untested
    )


def _see_that_there_are_names(work: _Work, asked: int, evidence: ModelHealth) -> None:
    """Go on only if a cluster has a name by now; else say whose fault it is.

    Raises:
        NoNames, NothingAnswered, NothingUsable: none has.
    """
    name, theme_id = work.chat.name, work.run.theme_id
    if work.named():
        evidence.accept(name, theme_id)
        return
    failed = [label for label in work.labels.values() if label.status == "failed"]
    why = failed[0].error
    try:
        flaw = flaw_of_sample(work.chat, work.record)
    except ModelConfigurationError:
        raise
    except ModelUnavailable as error:
        told = f"{len(failed)} of {asked}: the model {name} answered nothing ({error.kind})"
        raise NothingAnswered(told, kind=LABELS_FAILED) from None
    if flaw is not None:
        raise evidence.fault(name, theme_id, len(failed), flaw).of(asked, skip_reason=LABELS_FAILED)
    raise NoNames(f"{len(failed)} of {asked}: {why}")


def _carry_over(
    database: Database, run: Run, labels: dict[int, ClusterLabel], carried: Mapping[int, CarriedName]
) -> None:
    """Store the names that need no model: those that people chose, and those whose content has not changed.

    A name that people chose replaces one that is stored; one that they took back is forgotten, to be asked for.
    """
    for cluster_id, label in list(labels.items()):
        if label.origin == "locked" and not _is_peoples(carried.get(cluster_id)):
            del labels[cluster_id]
    for cluster_id, name in carried.items():
        stored = labels.get(cluster_id)
        if _is_peoples(name):
            if stored is None or (stored.title, stored.origin) != (name.title, "locked"):
                _keep(database, run, labels, _carried(cluster_id, name, "locked"))
        elif name.keep and not _is_named(stored):
            _keep(database, run, labels, _carried(cluster_id, name, "carried"))


def _is_peoples(name: CarriedName | None) -> bool:
    return name is not None and (name.renamed or name.locked)


def _carried(cluster_id: int, name: CarriedName, origin: str) -> ClusterLabel:
    return ClusterLabel(cluster_id, name.title, name.description, "generated", "", name.model, origin)


def _keep(database: Database, run: Run, labels: dict[int, ClusterLabel], label: ClusterLabel) -> None:
    """Store a label at once, so that nothing that comes later can lose it."""
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


def _is_named(label: ClusterLabel | None) -> bool:
    return label is not None and label.status == "generated"


def _is_tested(database: Database, run: Run, labels: Mapping[int, ClusterLabel]) -> bool:
    """Whether the stored tests are of exactly these names."""
    titles = {key: label.title for key, label in labels.items() if key != NOISE_ID and _is_named(label)}
    return {row["cluster_id"]: row["title"] for row in name_tests_of(database, run)} == titles


def _obstacle(run: Run, embedder: Embedder) -> str:
    if embedder.name == run.embedding_model:
        return ""
    return f"the items were embedded by {run.embedding_model}, names would be by {embedder.name}"


def _ask(work: _Work, missing: set[int], carried: Mapping[int, CarriedName]) -> int:
    """Ask for the names of the clusters in `missing`, and store each; names of days before are shown."""
    evidence = [_with_name(cluster, carried.get(cluster.cluster_id)) for cluster in work.material.evidence]
    asked = [cluster for cluster in evidence if cluster.cluster_id in missing]
    taken = [label.title for label in work.labels.values() if _is_named(label)]
    others = [cluster for cluster in evidence if cluster.cluster_id not in missing]
    answers = 0
    for label in label_clusters(asked, work.chat, work.record, taken=taken, others=others):
        work.keep(label)
        answers += label.origin == "asked"
    return answers


def _tell_apart(work: _Work) -> int:
    """Send names that are too alike back together, once; keep new ones that are farther apart. Returns how many."""
    ids = work.named()
    labels = [work.labels[cluster_id] for cluster_id in ids]
    vectors = work.name_vectors(labels)
    movable = [label.origin == "asked" for label in labels]
    of_cluster = {cluster.cluster_id: cluster for cluster in work.material.evidence}
    retold = 0
    for group in groups_too_close(vectors, movable, CLUSTERS_A_CALL)[:RETELLING_CALLS]:
        inside = {ids[index] for index in group}
        evidence = [_with_name(of_cluster[ids[index]], labels[index]) for index in group]
        outside = [label for key, label in work.labels.items() if key not in inside and _is_named(label)]
        fixed = [work.labels[ids[index]].title for index in too_close_to(vectors, group)]
        found = retell_clusters(evidence, work.chat, work.record, taken=[label.title for label in outside], fixed=fixed)
        retold += _keep_farther(work, ids, vectors, found)
        for index in group:
            label = work.labels[ids[index]]
            if label.origin == "asked":  # asked back once, with no better answer: not again
                work.keep(replace(label, origin="retold"))
    return retold


def _with_name(cluster: ClusterEvidence, name: ClusterLabel | CarriedName | None) -> ClusterEvidence:
    return cluster if name is None else replace(cluster, current=Name(name.title, name.description))


def _keep_farther(work: _Work, ids: list[int], vectors: NDArray[np.float32], found: Sequence[ClusterLabel]) -> int:
    """Keep the new names if the closest of them is farther from all others than before; `vectors` follows."""
    if not found:
        return 0
    places = [ids.index(label.cluster_id) for label in found]
    changed = vectors.copy()
    changed[places] = work.name_vectors(found)

    def closest(names: NDArray[np.float32]) -> float:
        nearest = nearest_names(names)
        return min(nearest[place].distance or 0.0 for place in places)

    if closest(changed) <= closest(vectors):
        return 0
    vectors[:] = changed
    for label in found:
        work.keep(label)
    return len(found)


def _test(work: _Work) -> None:
    """Test all names, and store the tests together: they are about each other."""
    ids = work.named()
    labels = [work.labels[cluster_id] for cluster_id in ids]
    vectors = work.name_vectors(labels)
    centroids = np.array([work.material.centroids[cluster_id] for cluster_id in ids], dtype=np.float32)
    held_out = [(place, work.material.held_out[key]) for place, key in enumerate(ids) if key in work.material.held_out]
    fits = [Fit(0, 0, 0)] * len(ids)
    if held_out:
        homes = np.repeat([place for place, _ in held_out], [len(items) for _, items in held_out])
        fits = reassigned(np.concatenate([items for _, items in held_out]), homes, vectors, centroids)
    work.database.insert_rows(
        "cluster_name_tests",
        [
            {
                **work.run.attempt,
                "cluster_id": label.cluster_id,
                "title": label.title,
                "held_out": fit.held_out,
                "hits": fit.hits,
                "centroid_hits": fit.centroid_hits,
                "nearest_cluster_id": ids[near.index] if near.distance is not None else NOISE_ID,
                "nearest_distance": near.distance,
                "model": work.embedder.name,
            }
            for label, fit, near in zip(labels, fits, nearest_names(vectors), strict=True)
        ],
    )


def _told(
    database: Database,
    run: Run,
    labels: dict[int, ClusterLabel],
    *,
    asked: int = 0,
    undone: int = 0,
    retold: int = 0,
    untested: str = "",
) -> Naming:
    tests = [] if untested else name_tests_of(database, run)
    return Naming(
        labels=labels,
        asked=asked,
        undone=undone,
        retold=retold,
        fit=fit_of(tests),
        untested=untested,
        too_close=alike_of(tests),
    )
