"""Asks for the names of clusters, and sees that one bad answer costs one name. No prompts, no rules for titles."""

from collections.abc import Collection, Sequence

from llma_assets.labels.evidence import NOISE_ID, ClusterEvidence, ClusterLabel, outliers, unnamed
from llma_assets.labels.offline import offline_labels
from llma_assets.labels.prompt import labelling_messages
from llma_assets.labels.schema import ClusterLabels
from llma_assets.labels.verdicts import judged
from llma_assets.models import ChatModel, ModelConfigurationError, ModelError, ModelUnavailable, Record, ignore_usage

CLUSTERS_A_CALL = 20
"""One call names all clusters; only where there are more are there several calls."""
SINGLE_CALLS = 20
"""Clusters that are asked about alone after an unusable answer, at most."""


def label_clusters(
    evidence: Sequence[ClusterEvidence],
    chat: ChatModel,
    record: Record = ignore_usage,
    *,
    taken: Collection[str] = (),
) -> list[ClusterLabel]:
    """Name each cluster, in the order of `evidence`.

    One structured call names all. A label in it that is missing, too long, too short or not distinct costs
    that cluster's name alone. Where the call fails or holds no usable label, each cluster is asked about by
    itself, as long as the server answers. What has no name then is called "Cluster N", with the reason.

    Args:
        evidence: clusters with different ids; noise (-1) is called "Outliers" and is never sent.
        chat: who answers.
        record: gets the usage of each call.
        taken: titles that other clusters of the same clustering already have.

    Raises:
        ValueError: a cluster id is there twice.
        ModelConfigurationError: every further call would fail too.
    """
    ids = [cluster.cluster_id for cluster in evidence]
    if len(set(ids)) != len(ids):
        raise ValueError(f"cluster ids must differ, found {sorted(ids)}")
    asked = [cluster for cluster in evidence if cluster.cluster_id != NOISE_ID and cluster.representatives]
    labels: dict[int, ClusterLabel] = {}
    singles = SINGLE_CALLS
    for start in range(0, len(asked), CLUSTERS_A_CALL):
        batch = asked[start : start + CLUSTERS_A_CALL]
        used = {*taken, *(label.title for label in labels.values() if label.status == "generated")}
        found = _ask(batch, chat, record, used)
        if not any(label.status == "generated" for label in found):
            found, made = _ask_singly(batch, found, chat, record, used, singles)
            singles -= made
        labels |= {label.cluster_id: label for label in found}
    return [
        outliers()
        if cluster.cluster_id == NOISE_ID
        else labels.get(cluster.cluster_id)
        or unnamed(cluster.cluster_id, "there is no summary of any of its representatives")
        for cluster in evidence
    ]


def _ask(
    batch: Sequence[ClusterEvidence], chat: ChatModel, record: Record, taken: Collection[str]
) -> list[ClusterLabel]:
    """Labels of one call; all failed, with the reason, where the call did."""
    try:
        completion = chat.complete(
            labelling_messages(batch, taken),
            ClusterLabels,
            offline=lambda: offline_labels(batch, taken),
            record=record,
        )
    except ModelConfigurationError:
        raise
    except ModelUnavailable as error:
        return [unnamed(cluster.cluster_id, f"model unavailable: {error.kind}") for cluster in batch]
    except ModelError as error:
        return [unnamed(cluster.cluster_id, f"no usable answer: {error.kind}") for cluster in batch]
    return judged(batch, completion.value, completion.model, taken)


def _ask_singly(
    batch: Sequence[ClusterEvidence],
    failed: Sequence[ClusterLabel],
    chat: ChatModel,
    record: Record,
    taken: Collection[str],
    allowed: int,
) -> tuple[list[ClusterLabel], int]:
    """Ask about each cluster by itself, at most `allowed` times; a server that is away is not asked again."""
    labels, used, calls = list(failed), set(taken), 0
    if len(batch) == 1:
        return labels, 0
    for position, cluster in enumerate(batch[:allowed]):
        calls += 1
        label = _ask([cluster], chat, record, used)[0]
        labels[position] = label
        if label.status == "generated":
            used.add(label.title)
        elif label.error.startswith("model unavailable"):
            break
    return labels, calls
