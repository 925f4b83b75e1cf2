"""Names of clusters: asked of a model or made offline, checked, made distinct and tested on held-out members.

Clusters belong in `clusters`, publishing them in `events`.
"""

from llma_assets.labels.checks import CHECKS
from llma_assets.labels.estimate import forecast_labels
from llma_assets.labels.evidence import NOISE_ID, ClusterEvidence, ClusterLabel, Name, SummaryText
from llma_assets.labels.held_out import HeldOutAccuracy, accuracy_of
from llma_assets.labels.labelling import label_clusters
from llma_assets.labels.offline import offline_labels
from llma_assets.labels.partition import store_labels
from llma_assets.labels.prompt import LABELLING_PROMPT, PROMPT_VERSION, fenced
from llma_assets.labels.queries import ask_labels_of, group_labels_of, labels_of, name_tests_of
from llma_assets.labels.schema import ClusterLabels, LabelItem

__all__ = [
    "CHECKS",
    "LABELLING_PROMPT",
    "NOISE_ID",
    "PROMPT_VERSION",
    "ClusterEvidence",
    "ClusterLabel",
    "ClusterLabels",
    "HeldOutAccuracy",
    "LabelItem",
    "Name",
    "SummaryText",
    "accuracy_of",
    "ask_labels_of",
    "fenced",
    "forecast_labels",
    "group_labels_of",
    "label_clusters",
    "labels_of",
    "name_tests_of",
    "offline_labels",
    "store_labels",
]
