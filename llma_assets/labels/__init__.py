"""Clusters to names: one structured call a few clusters, each name judged, told apart and tested by itself."""

from llma_assets.labels.evidence import NOISE_TITLE, ClusterEvidence, ClusterLabel, Name, SummaryText
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
    "Name",
    "SummaryText",
    "label_clusters",
    "offline_labels",
]
