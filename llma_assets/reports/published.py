"""What is published of a team's day, as values. Reading them belongs in `clusters`."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from llma_assets.clusters import FULL, NOISE_LABEL, Disclosure
from llma_assets.serialization import NOT_IN_JSON, Day, TeamId, ThemeId


@dataclass(frozen=True, slots=True)
class PublishedCluster:
    """A cluster as people see it; those that they merged are one.

    Attributes:
        cluster_id: its number in the run, -1 for outliers.
        lineage_id: its lasting id, "" for outliers.
        lineage_status: what happened to it since the run before.
        lineage_confidence: of the link to that run, 0 to 1.
        lineage_parents: the lineages that it came from, where it was merged or split.
        size: its items.
        title, description: its name; a person's title wins over the model's.
        item_ids: its members, the closest to the centroid first; none where the team's privacy minimum withholds them.
        renamed, locked, hidden: what people decided.
        merged_lineage_ids: the lineages that are counted with it.
        traces: different traces among its items.
        template: the pattern that all its items are made of, "" where they are not.
        disclosure: `full`, or `without_examples` where it has fewer users than the team's privacy minimum.
        trace_ids: of its members.
    """

    cluster_id: int
    lineage_id: str
    lineage_status: str
    lineage_confidence: float
    lineage_parents: tuple[str, ...]
    size: int
    title: str
    description: str
    item_ids: tuple[str, ...]
    renamed: bool
    locked: bool
    hidden: bool
    merged_lineage_ids: tuple[str, ...]
    traces: int = 0
    template: str = ""
    disclosure: Disclosure = FULL
    trace_ids: Annotated[frozenset[str], NOT_IN_JSON] = frozenset()

    @property
    def is_noise(self) -> bool:
        """Whether it holds the items that are in no cluster."""
        return self.cluster_id == NOISE_LABEL


@dataclass(frozen=True, slots=True)
class PublishedRun:
    """What is published of a theme for a day, or why nothing is.

    Attributes:
        run_id: None where the theme was skipped.
        level: `trace` or `generation`.
        theme_id: the theme.
        theme_version: under which its items were summarised, None where it was skipped.
        earlier_version: whether the theme has another version now.
        items: that were clustered.
        skipped_reason: why there is no run, None where there is one.
        quality: measures of the clustering.
        lineage: how it is linked to the run before.
        hidden_clusters: how many were left out because people hid them.
        clusters: by falling size, outliers last.
        held_back_clusters: how many are left out because they have fewer users than the team's privacy minimum.
        skip_detail: what clustering or discovery says of the day in words, also beside a run of an earlier version; ""
            where they say nothing.
    """

    run_id: str | None
    level: str
    theme_id: ThemeId
    theme_version: str | None
    earlier_version: bool
    items: int
    skipped_reason: str | None
    quality: dict[str, Any]
    lineage: dict[str, Any]
    hidden_clusters: int
    clusters: tuple[PublishedCluster, ...]
    held_back_clusters: int = 0
    skip_detail: Annotated[str, NOT_IN_JSON] = ""


@dataclass(frozen=True, slots=True)
class PublishedClusters:
    """The published runs of a team's day, one a theme."""

    team_id: TeamId
    day: Day
    runs: tuple[PublishedRun, ...]

    def with_examples(self, limit: int) -> "PublishedClusters":
        """The same with at most `limit` members of each cluster, the closest to its centroid."""
        runs = (
            replace(run, clusters=tuple(replace(each, item_ids=each.item_ids[:limit]) for each in run.clusters))
            for run in self.runs
        )
        return replace(self, runs=tuple(runs))
