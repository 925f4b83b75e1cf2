"""Clusters to names: one structured call a clustering, each name judged by itself; offline names without a model."""

from llma_assets.labels.evidence import NOISE_TITLE, ClusterEvidence, ClusterLabel, SummaryText
from llma_assets.labels.labelling import label_clusters
from llma_assets.labels.offline import offline_labels
from llma_assets.labels.prompt import LABELLING_PROMPT
from llma_assets.labels.schema import ClusterLabels, LabelItem

__all__ = [
    "LABELLING_PROMPT",
    "NOISE_TITLE",
    "ClusterEvidence",
    "ClusterLabel",
    "ClusterLabels",
    "LabelItem",
    "SummaryText",
    "label_clusters",
    "offline_labels",
]
