"""Asks a model for names of clusters, so that an unusable answer costs one name.

Prompts belong in `prompt`, the checks of labels in `label_checks`, storing in `naming`.
"""

import functools
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from llma_assets.clickhouse import DatabaseError
from llma_assets.isolation import fault_of
from llma_assets.labels.evidence import NOISE_ID, ClusterEvidence, ClusterLabel, SummaryText, outliers, unnamed
from llma_assets.labels.label_checks import checked_labels
from llma_assets.labels.offline import offline_labels
from llma_assets.labels.prompt import group_messages, labelling_messages, relabelling_messages
from llma_assets.labels.schema import ClusterLabels
from llma_assets.models import (
    CallNotMade,
    ChatMessage,
    ChatModel,
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    Record,
    ignore_usage,
)

CLUSTERS_PER_CALL = 8
"""Few enough for attention to each, and enough to name neighbours side by side."""
SINGLE_CALLS = 20
"""Clusters that are asked about one by one after an unusable answer, at most."""
SILENT_CALLS = 2
"""After so many calls in a row without an answer, no more are made."""
USELESS_CALLS = 4
"""After so many answers in a row without a usable label, and none with one, no more calls are made: the cause is the
model, not the clusters."""

SAMPLE = (
    ClusterEvidence(
        0,
        20,
        (
            SummaryText("Customer asks for a refund of a broken kettle", bullets=("The agent opens a refund.",)),
            SummaryText("Customer wants money back for a late parcel", bullets=("The agent looks up the order.",)),
        ),
    ),
    ClusterEvidence(
        1,
        20,
        (
            SummaryText("User cannot log in and resets the password", bullets=("The agent sends a link by mail.",)),
            SummaryText("User is locked out of the account", bullets=("The agent unlocks the account.",)),
        ),
    ),
)
"""Clusters that every usable model can name."""


def label_clusters(
    evidence: Sequence[ClusterEvidence],
    chat: ChatModel,
    record: Record = ignore_usage,
    *,
    used_titles: Collection[str] = (),
    others: Sequence[ClusterEvidence] = (),
) -> Iterator[list[ClusterLabel]]:
    """Name each cluster, and yield the labels of each call as soon as they are final.

    One structured call names eight clusters, in the order of `evidence`, where similar clusters should be adjacent. A
    label that is missing, too long, too short or not distinct fails alone. If a call fails or holds no usable label,
    each of its clusters is asked about separately, as long as the server answers. A cluster without a usable label is
    called "Cluster N", with the reason. If a call is not made (no budget), there are no further labels: the remaining
    clusters are deferred.

    Args:
        evidence: clusters with different ids; noise (-1) is called "Outliers" and is never sent.
        chat: the chat model.
        record: gets the usage of each call.
        used_titles: titles of other clusters of the same clustering.
        others: clusters that are not asked about; offline names are distinct from theirs, too.

    Raises:
        ValueError: a cluster id is there twice.
        ModelConfigurationError: every further call would fail too.
    """
    ids = [cluster.cluster_id for cluster in (*evidence, *others)]
    if len(set(ids)) != len(ids):
        raise ValueError(f"cluster ids must be distinct, got {sorted(ids)}")
    return _labels(
        evidence, _Calls(chat, record, set(used_titles), _offline((*evidence, *others), evidence, used_titles))
    )


def relabel_clusters(
    group: Sequence[ClusterEvidence],
    chat: ChatModel,
    record: Record = ignore_usage,
    *,
    used_titles: Collection[str] = (),
    fixed_titles: Collection[str] = (),
) -> list[ClusterLabel]:
    """Ask once for distinct names of clusters whose present names (`current`) are too similar; failed ones keep theirs.

    Args:
        group: the clusters, each with its present name.
        chat: the chat model.
        record: gets the usage of the call.
        used_titles: titles of all other clusters.
        fixed_titles: those of them that are too similar and cannot change.

    Returns:
        Labels of the clusters whose new name is usable and different, with origin "retold".

    Raises:
        ModelConfigurationError: every further call would fail too.
    """
    asking = _Calls(chat, record, set(used_titles), lambda batch: offline_labels(batch, used_titles))
    labels = asking.ask(group, relabelling_messages(group, used_titles, fixed_titles))
    before = {cluster.cluster_id: cluster.current for cluster in group}
    return [
        replace(label, origin="retold")
        for label in labels
        if label.status == "generated" and label.name != before[label.cluster_id]
    ]


def error_on_sample(chat: ChatModel, record: Record = ignore_usage) -> ModelError | None:
    """Ask for names of `SAMPLE`; the error of the answer, None if at least one name is usable.

    Raises:
        ModelConfigurationError, ModelUnavailable: there was no answer.
    """
    try:
        completion = chat.complete(
            labelling_messages(SAMPLE), ClusterLabels, offline=lambda: offline_labels(SAMPLE), record=record
        )
    except InvalidAnswer as error:
        return error
    labels = checked_labels(SAMPLE, completion.value, completion.model)
    if any(label.status == "generated" for label in labels):
        return None
    flaw = InvalidAnswer(labels[0].error, kind="labels")
    flaw.said = completion.value.model_dump_json()
    return flaw


def label_groups(
    groups: Sequence[ClusterEvidence],
    chat: ChatModel,
    record: Record = ignore_usage,
    *,
    offline: Callable[[Sequence[ClusterEvidence]], ClusterLabels],
) -> Iterator[list[ClusterLabel]]:
    """Name groups of clusters as `label_clusters` names clusters.

    Args:
        groups: the names of the clusters of each are its representatives.
        chat: the chat model.
        record: gets the usage of each call.
        offline: the answer about some of the groups without a model.

    Raises:
        ModelConfigurationError: every further call would fail too.
    """
    return _labels(groups, _Calls(chat, record, set(), offline, group_messages))


@dataclass(slots=True)
class _Calls:
    """The calls of one run: the model, used titles, and how many failures are tolerated."""

    chat: ChatModel
    record: Record
    used: set[str]
    offline: Callable[[Sequence[ClusterEvidence]], ClusterLabels]
    prompt: Callable[[Sequence[ClusterEvidence], Collection[str]], list[ChatMessage]] = labelling_messages
    single_calls_left: int = SINGLE_CALLS
    silent_calls: int = 0
    stopped: bool = False
    useless_calls: int = 0
    has_labels: bool = False

    @property
    def should_stop(self) -> bool:
        """Whether further calls would most likely fail, too."""
        return self.silent_calls >= SILENT_CALLS or (self.useless_calls >= USELESS_CALLS and not self.has_labels)

    def ask(
        self, batch: Sequence[ClusterEvidence], messages: Sequence[ChatMessage] | None = None
    ) -> list[ClusterLabel]:
        """Labels of one call; all failed, with the reason, if the call failed; none if it was not made."""
        try:
            completion = self.chat.complete(
                messages or self.prompt(batch, self.used),
                ClusterLabels,
                offline=lambda: self.offline(batch),
                record=self.record,
            )
        except ModelConfigurationError:
            raise
        except CallNotMade:
            self.stopped = True
            return []
        except ModelUnavailable as error:
            self.silent_calls += 1
            return [unnamed(cluster.cluster_id, f"model unavailable: {error.kind}") for cluster in batch]
        except ModelError as error:
            self.silent_calls = 0
            self.useless_calls += 1
            return [unnamed(cluster.cluster_id, f"no usable answer: {error.kind}") for cluster in batch]
        except DatabaseError:
            raise
        # The cluster that raises the error is found when each is asked about separately.
        except Exception as error:
            return [unnamed(cluster.cluster_id, fault_of(error)) for cluster in batch]
        self.silent_calls = 0
        labels = checked_labels(batch, completion.value, completion.model, self.used)
        titles = {label.title for label in labels if label.status == "generated"}
        self.used |= titles
        self.has_labels = self.has_labels or bool(titles)
        self.useless_calls = 0 if titles else self.useless_calls + 1
        return labels


def _offline(
    all_clusters: Sequence[ClusterEvidence], asked: Sequence[ClusterEvidence], used_titles: Collection[str]
) -> Callable[[Sequence[ClusterEvidence]], ClusterLabels]:
    """The offline answer about a batch; computed once over all clusters, so that names are distinct."""
    wanted = {cluster.cluster_id for cluster in asked}

    @functools.cache
    def all_items() -> ClusterLabels:
        return offline_labels(all_clusters, used_titles, only=wanted)

    def answer(batch: Sequence[ClusterEvidence]) -> ClusterLabels:
        ids = {cluster.cluster_id for cluster in batch}
        return ClusterLabels(items=[item for item in all_items().items if item.cluster_id in ids])

    return answer


def _labels(evidence: Sequence[ClusterEvidence], asking: _Calls) -> Iterator[list[ClusterLabel]]:
    asked, fixed = [], []
    for cluster in evidence:
        if cluster.cluster_id == NOISE_ID:
            fixed.append(outliers())
        elif not cluster.representatives:
            fixed.append(unnamed(cluster.cluster_id, "there is no summary of any of its representatives"))
        else:
            asked.append(cluster)
    if not asked and fixed:
        yield fixed
    for start in range(0, len(asked), CLUSTERS_PER_CALL):
        batch = asked[start : start + CLUSTERS_PER_CALL]
        if asking.should_stop:
            why = "model unavailable" if asking.silent_calls >= SILENT_CALLS else "no usable answer"
            yield [*fixed, *(unnamed(cluster.cluster_id, f"{why}: not asked any more") for cluster in batch)]
            fixed = []
            continue
        found = asking.ask(batch)
        if asking.stopped:
            yield fixed
            return
        if len(batch) > 1 and not any(label.status == "generated" for label in found):
            yield fixed
            yield from _singly(batch, found, asking)
        else:
            yield [*fixed, *found]
        fixed = []


def _singly(
    batch: Sequence[ClusterEvidence], failed: Sequence[ClusterLabel], asking: _Calls
) -> Iterator[list[ClusterLabel]]:
    """Ask about each cluster separately, while calls are left and the server answers."""
    for cluster, label in zip(batch, failed, strict=True):
        if asking.single_calls_left == 0 or asking.should_stop:
            yield [label]
            continue
        asking.single_calls_left -= 1
        yield asking.ask([cluster])
        if asking.stopped:
            return
