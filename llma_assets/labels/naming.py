"""Names the clusters of a stored run: carries names over, asks for others, makes them distinct, tests and stores them.

The names of a call are stored at once, so a run that was killed continues where it stopped, and nothing is asked twice.
Calls belong in `labelling`, names that need no model in `naming_run`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, CarriedName, Run, carried_names
from llma_assets.labels.evidence import NOISE_ID, ClusterEvidence, ClusterLabel, Name
from llma_assets.labels.foreign_words import foreign_words
from llma_assets.labels.groups import groups_of, name_groups
from llma_assets.labels.held_out import HeldOutAccuracy, NameTest, accuracy_of, held_out_tests
from llma_assets.labels.label_inputs import read_label_inputs
from llma_assets.labels.labelling import CLUSTERS_PER_CALL, error_on_sample, label_clusters, relabel_clusters
from llma_assets.labels.name_distances import groups_too_close, nearest_names, too_close_to
from llma_assets.labels.naming_run import NamingRun, carry_over, is_named, name_few_users
from llma_assets.labels.queries import name_tests_of, too_close_of
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

RELABELLING_CALLS = 6
"""Groups of similar names that are asked for again, at most; the closest first."""


LABELS_FAILED = "labels_failed"


class NoNamesError(Exception):
    """No cluster of a run got a name, so there is nothing to publish.

    Attributes:
        skip_reason: reason of the skip that is recorded.
    """

    skip_reason = LABELS_FAILED


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of a run, and what was done for them.

    Attributes:
        labels: by cluster id.
        asked: clusters whose name was asked for in this run.
        deferred: clusters without a name, because a call was not made.
        relabelled: names that were changed because they were too similar to another.
        fit: the held-out label accuracy; None if it could not be tested.
        untested: why it could not, "" if it was.
        too_close: by cluster id the other cluster whose name is too similar.
    """

    labels: dict[int, ClusterLabel]
    asked: int
    deferred: int
    relabelled: int
    fit: HeldOutAccuracy | None
    untested: str
    too_close: dict[int, int]


def name_clusters(
    database: Database,
    run: Run,
    theme: Theme,
    clusters: Sequence[Mapping[str, Any]],
    members: Sequence[Mapping[str, Any]],
    labels: dict[int, ClusterLabel],
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
        labels: those that are stored, by cluster id; new ones are added.
        chat: the chat model.
        embedder: embeds names to compare them; tests need the model that embedded the run's items.
        record: gets the usage of each call.
        evidence: what the model has answered so far in the run; None for nothing yet.

    Raises:
        NoNamesError: no cluster got a name, and none had one.
        NothingUsable: the model does not name the sample clusters either.
        ModelConfigurationError: no further call can succeed; names so far are stored.
    """
    carried = carried_names(database, TeamDay(run.team_id, run.day), run.theme_id)
    carry_over(database, run, labels, carried)
    name_few_users(database, run, labels, clusters)
    clusters = [row for row in clusters if row["disclosure"] == FULL or row["cluster_id"] == NOISE_ID]
    missing = {row["cluster_id"] for row in clusters if not is_named(labels.get(row["cluster_id"]))}
    tests = [] if missing else name_tests_of(database, run)
    if not missing and _are_of(tests, labels):
        name_groups(database, run, groups_of(run, clusters, labels), chat, record)
        return _naming(labels, tests)
    inputs = read_label_inputs(database, run, theme, clusters, members)
    work = NamingRun(database, run, chat, embedder, record, labels, inputs)
    asked = _ask(work, missing, carried)
    if asked:
        _check_names(work, asked, evidence or ModelHealth())
    relabelled, untested, tests = 0, _why_untestable(run, embedder), []
    if not untested:
        try:
            relabelled = _relabel_alike(work)
            tests = _test(work)
        except ModelConfigurationError:
            raise
        except ModelError as error:
            untested = f"names could not be compared: {error.kind}"
    name_groups(database, run, groups_of(run, clusters, labels), chat, record)
    return _naming(
        labels,
        tests,
        asked=asked,
        deferred=len(missing - labels.keys()),
        relabelled=relabelled,
        untested=untested,
    )


def _check_names(work: NamingRun, asked: int, evidence: ModelHealth) -> None:
    """Raise if no cluster has a name; the sample tells whether the cause is the model.

    Raises:
        NoNamesError, NothingAnswered, NothingUsable: none has.
    """
    name, theme_id = work.chat.name, work.run.theme_id
    if work.named():
        evidence.accept(name, theme_id)
        return
    failed = [label for label in work.labels.values() if label.status == "failed"]
    why = failed[0].error
    try:
        flaw = error_on_sample(work.chat, work.record)
    except ModelConfigurationError:
        raise
    except ModelUnavailable as error:
        told = f"{len(failed)} of {asked}: the model {name} answered nothing ({error.kind})"
        raise NothingAnswered(told, kind=LABELS_FAILED) from None
    if flaw is not None:
        raise evidence.fault(name, theme_id, len(failed), flaw).of(asked, skip_reason=LABELS_FAILED)
    raise NoNamesError(f"{len(failed)} of {asked}: {why}")


def _are_of(tests: Sequence[Mapping[str, Any]], labels: Mapping[int, ClusterLabel]) -> bool:
    """Whether tests are of exactly these names."""
    titles = {key: label.title for key, label in labels.items() if label.origin != "fixed" and is_named(label)}
    return {row["cluster_id"]: row["title"] for row in tests} == titles


def _why_untestable(run: Run, embedder: Embedder) -> str:
    if embedder.name == run.embedding_model:
        return ""
    return f"the items were embedded by {run.embedding_model}, names would be by {embedder.name}"


def _ask(work: NamingRun, missing: set[int], carried: Mapping[int, CarriedName]) -> int:
    """Ask for the names of the clusters in `missing`, with their earlier names in the prompt, and store each."""
    evidence = [_with_name(cluster, carried.get(cluster.cluster_id)) for cluster in work.inputs.evidence]
    asked = [cluster for cluster in evidence if cluster.cluster_id in missing]
    used_titles = [label.title for label in work.labels.values() if is_named(label)]
    others = [cluster for cluster in evidence if cluster.cluster_id not in missing]
    answers = 0
    for labels in label_clusters(asked, work.chat, work.record, used_titles=used_titles, others=others):
        work.store(*labels)
        answers += sum(label.origin == "asked" for label in labels)
    return answers


def _relabel_alike(work: NamingRun) -> int:
    """Ask once for distinct names in place of similar ones; store those that are farther apart. Returns how many."""
    ids = work.named()
    labels = [work.labels[cluster_id] for cluster_id in ids]
    vectors = work.name_vectors(labels)
    movable = [label.origin == "asked" for label in labels]
    of_cluster = {cluster.cluster_id: cluster for cluster in work.inputs.evidence}
    relabelled = 0
    for group in groups_too_close(vectors, movable, CLUSTERS_PER_CALL)[:RELABELLING_CALLS]:
        inside = {ids[index] for index in group}
        evidence = [_with_name(of_cluster[ids[index]], labels[index]) for index in group]
        outside = [label for key, label in work.labels.items() if key not in inside and is_named(label)]
        fixed_titles = [work.labels[ids[index]].title for index in too_close_to(vectors, group)]
        found = relabel_clusters(
            evidence, work.chat, work.record, used_titles=[label.title for label in outside], fixed_titles=fixed_titles
        )
        relabelled += _store_if_farther(work, ids, vectors, found)
        # Asked once more without a better answer: not again.
        same = [work.labels[ids[index]] for index in group]
        work.store(*(replace(label, origin="retold") for label in same if label.origin == "asked"))
    return relabelled


def _with_name(cluster: ClusterEvidence, name: ClusterLabel | CarriedName | None) -> ClusterEvidence:
    return cluster if name is None else replace(cluster, current=Name(name.title, name.description))


def _store_if_farther(
    work: NamingRun, ids: list[int], vectors: NDArray[np.float32], found: Sequence[ClusterLabel]
) -> int:
    """Store the new names if their smallest distance to any name grows; updates `vectors`."""
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
    work.store(*found)
    return len(found)


def _test(work: NamingRun) -> list[dict[str, Any]]:
    """Test all names, and store the tests together, because they depend on each other."""
    ids = work.named()
    labels = [work.labels[cluster_id] for cluster_id in ids]
    vectors = work.name_vectors(labels)
    centroids = np.array([work.inputs.centroids[cluster_id] for cluster_id in ids], dtype=np.float32)
    held_out = [(place, work.inputs.held_out[key]) for place, key in enumerate(ids) if key in work.inputs.held_out]
    fits = [NameTest(0, 0, 0)] * len(ids)
    if held_out:
        clusters_of_items = np.repeat([place for place, _ in held_out], [len(items) for _, items in held_out])
        fits = held_out_tests(np.concatenate([items for _, items in held_out]), clusters_of_items, vectors, centroids)
    foreign = foreign_words({label.cluster_id: label.title for label in labels}, work.inputs.evidence)
    tests = [
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
            "foreign_words": foreign.get(label.cluster_id, []),
        }
        for label, fit, near in zip(labels, fits, nearest_names(vectors), strict=True)
    ]
    work.database.insert_rows("cluster_name_tests", tests)
    return tests


def _naming(
    labels: dict[int, ClusterLabel],
    tests: Sequence[Mapping[str, Any]],
    *,
    asked: int = 0,
    deferred: int = 0,
    relabelled: int = 0,
    untested: str = "",
) -> Naming:
    return Naming(
        labels=labels,
        asked=asked,
        deferred=deferred,
        relabelled=relabelled,
        fit=accuracy_of(tests),
        untested=untested,
        too_close=too_close_of(tests),
    )
