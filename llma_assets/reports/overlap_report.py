"""The overlap of two themes with the names of their clusters; what is compared, and how, is in `overlap`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.overlap import CrossPair
from llma_assets.reports.overlap_queries import Among, cross_themes
from llma_assets.serialization import Day, FirstDay, TeamId
from llma_assets.team_day import TeamDay

AMONG: Mapping[Among, str] = {"looked_at": "looked-at", "in_both": "in-both"}
"""What the command line calls the traces that are compared."""


@dataclass(frozen=True, slots=True)
class OverlapSide:
    """A cluster of a pair.

    Attributes:
        cluster: the lineage that it counts as, or its number where it has none.
        title: its name, `cluster` where it has none.
        traces: its traces among those compared.
    """

    cluster: str
    title: str
    traces: int


@dataclass(frozen=True, slots=True)
class OverlapPair:
    """A cluster of one theme and a cluster of the other; the figures are those of `CrossPair`."""

    first: OverlapSide
    second: OverlapSide
    shared: int
    expected: float
    lift: float
    lift_low: float
    lift_high: float
    p_value: float
    q_value: float
    more: Annotated[bool, Field(serialization_alias="more_than_chance")]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Which clusters of two themes share traces more than chance would.

    Attributes:
        themes: the two.
        first_day: of the days that both runs read.
        among: which traces are compared, as the command line says it.
        traces: how many these are; `in_first`, `in_second`, `in_both` of them are in a cluster.
        clusters_too_small: clusters that were not tested.
        pairs: those that were tested, the most certain first.
    """

    team_id: TeamId
    day: Day
    themes: tuple[str, str]
    first_day: FirstDay
    among: str
    traces: int
    in_first: int
    in_second: int
    in_both: int
    clusters_too_small: int
    pairs: tuple[OverlapPair, ...]


def overlap_report(
    database: Database, team_day: TeamDay, first_theme: str, second_theme: str, *, among: Among = "looked_at"
) -> Overlap:
    """Compare the clusters of two themes that are published for a day, under the names that people know them by.

    Raises:
        NotClusteredError: a theme has no clusters on the day.
    """
    found = cross_themes(database, team_day, first_theme, second_theme, among=among)
    titles = dict(_titles(database, team_day))

    def side(theme_id: str, key: str, traces: int) -> OverlapSide:
        return OverlapSide(key, titles.get((theme_id, key), key), traces)

    def pair(each: CrossPair) -> OverlapPair:
        return OverlapPair(
            first=side(first_theme, each.first, each.first_traces),
            second=side(second_theme, each.second, each.second_traces),
            shared=each.shared,
            expected=each.expected,
            lift=each.lift,
            lift_low=each.lift_low,
            lift_high=each.lift_high,
            p_value=each.p_value,
            q_value=each.q_value,
            more=each.more,
        )

    crossing = found.crossing
    return Overlap(
        team_id=team_day.team_id,
        day=team_day.day,
        themes=(first_theme, second_theme),
        first_day=found.first_day,
        among=AMONG[among],
        traces=crossing.traces,
        in_first=crossing.in_first,
        in_second=crossing.in_second,
        in_both=crossing.in_both,
        clusters_too_small=crossing.too_small,
        pairs=tuple(pair(each) for each in crossing.pairs),
    )


def _titles(database: Database, team_day: TeamDay) -> Iterator[tuple[tuple[str, str], str]]:
    """What clusters are called, by theme and by lineage or number, as people decided."""
    for run in published_clusters(database, team_day, show_hidden=True, examples=0).runs:
        for cluster in run.clusters:
            for key in (str(cluster.cluster_id), cluster.lineage_id, *cluster.merged_lineage_ids):
                if key:
                    yield (run.theme_id, key), cluster.title
