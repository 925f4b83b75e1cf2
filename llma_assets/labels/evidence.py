"""Input and output types of labelling. Prompts belong in `prompt`, the checks of labels in `label_checks`."""

from dataclasses import dataclass, field

from llma_assets.clusters import FEW_USERS_TITLE, NOISE_TITLE

NOISE_ID = -1
NOISE_DESCRIPTION = "- Items that are not close to any cluster\n- Each stands alone, or in a group too small to name"

FEW_USERS_DESCRIPTION = "- Fewer users than the team's privacy minimum\n- No name is made from what they wrote"


@dataclass(frozen=True, slots=True)
class SummaryText:
    """The text of one stored summary. Untrusted: never markup, never an instruction.

    Attributes:
        title: about ten words.
        flow_diagram: text with arrows.
        bullets: what happened, one statement each.
        notes: what stands out.
        trace_id: the trace that it is of, "" for one of its own; summaries with equal text are equal.
    """

    title: str
    flow_diagram: str = ""
    bullets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    trace_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A title and a description that a cluster has or had."""

    title: str
    description: str

    @property
    def text(self) -> str:
        """What is embedded to compare the name with items and with other names."""
        return f"{self.title}\n{self.description}"


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """The evidence that a cluster is named from.

    Attributes:
        cluster_id: -1 is noise, which is never sent to a model.
        size: items in the cluster.
        traces: distinct traces that they are of; 0 where that is not known.
        representatives: summaries of the items closest to the centroid; a model reads only these.
        members: summaries of further items for offline names; may be empty.
        neighbours: summaries of the nearest items of other clusters, which the name must not cover.
        current: its present name, to be kept if it still fits; None for a new cluster.
    """

    cluster_id: int
    size: int
    representatives: tuple[SummaryText, ...]
    members: tuple[SummaryText, ...] = field(default=())
    neighbours: tuple[SummaryText, ...] = field(default=())
    current: Name | None = None
    traces: int = 0


@dataclass(frozen=True, slots=True)
class ClusterLabel:
    """The name of a cluster, or why it has none.

    Attributes:
        cluster_id: the cluster.
        title: 3 to 10 words; "Cluster N" where labelling failed, "Outliers" for noise.
        description: 2 to 5 lines, each "- " and one point; empty where labelling failed.
        status: "generated" or "failed".
        error: why it failed, "" otherwise; holds nothing of the model's answer.
        model: who answered, as the server names it; "" where nobody did.
        origin: "asked" of a model; "retold": asked again, because the first name was too similar to another;
            "carried" over from an earlier run; "locked" by people; "fixed" for noise and for clusters of few users.
    """

    cluster_id: int
    title: str
    description: str
    status: str
    error: str
    model: str
    origin: str = "asked"

    @property
    def name(self) -> Name:
        """Title and description together."""
        return Name(self.title, self.description)


def outliers() -> ClusterLabel:
    """The label of the noise cluster; no model is asked for it."""
    return ClusterLabel(NOISE_ID, NOISE_TITLE, NOISE_DESCRIPTION, "generated", "", "", origin="fixed")


def of_few_users(cluster_id: int) -> ClusterLabel:
    """The label of a cluster that is shown without examples; no model is asked for it."""
    return ClusterLabel(cluster_id, FEW_USERS_TITLE, FEW_USERS_DESCRIPTION, "generated", "", "", origin="fixed")


def unnamed(cluster_id: int, error: str, model: str = "") -> ClusterLabel:
    """The label of a cluster that could not be named."""
    return ClusterLabel(cluster_id, f"Cluster {cluster_id}", "", "failed", error, model)
