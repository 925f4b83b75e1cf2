"""The report of items that are newer than a theme's latest run. Assigning them belongs in `llma_assets.clusters`."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.clusters import (
    NOISE_LABEL,
    NOISE_TITLE,
    NOTHING,
    NewItems,
    assign_new_items,
    lineages_of,
    standings_of,
)
from llma_assets.serialization import Day, TeamId, ThemeId
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme


@dataclass(frozen=True, slots=True)
class ClusterOfNewItems:
    """A cluster, or at last the outliers, with the new items that belong to it.

    Attributes:
        cluster_id: in the run, -1 for the outliers.
        lineage_id: "" for the outliers.
        title: a person's, else the label's.
        items: how many new items.
        share_of_run: its share of the items of the run, 0 to 1.
        item_ids: ids of the new items, ascending; of outliers none where the team has a privacy minimum.
    """

    cluster_id: int
    lineage_id: str
    title: str
    items: int
    share_of_run: float
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunWithNewItems:
    """The latest run of a theme, and how many items are newer."""

    run_id: str
    run_day: Annotated[date, Field(serialization_alias="run_date")]
    theme_id: ThemeId
    items: int
    clusters: tuple[ClusterOfNewItems, ...]


@dataclass(frozen=True, slots=True)
class NewItemsReport:
    """New items of a team up to a day, by theme and cluster."""

    team_id: TeamId
    day: Day
    runs: tuple[RunWithNewItems, ...]


def new_items_report(database: Database, team_day: TeamDay, themes: Iterable[Theme]) -> NewItemsReport:
    """Assign what is newer than each theme's latest run to its clusters; themes without a run are left out."""
    found = [new for theme in themes if (new := assign_new_items(database, team_day, theme)) is not None]
    return NewItemsReport(team_day.team_id, team_day.day, tuple(_run(database, new) for new in found))


def _run(database: Database, new: NewItems) -> RunWithNewItems:
    decided = standings_of(database, new.run.team_id)
    titles = {each.lineage_id: each.title for each in lineages_of(database, new.run.team_id)}
    own: dict[int, list[str]] = defaultdict(list)
    for item_id, place in zip(new.item_ids, new.assigned.labels.tolist(), strict=True):
        own[place].append(item_id)

    def cluster(place: int, cluster_id: int, lineage_id: str, title: str, size: int) -> ClusterOfNewItems:
        item_ids = tuple(own[place])
        shown = item_ids if place != NOISE_LABEL or new.shows_outliers else ()
        return ClusterOfNewItems(cluster_id, lineage_id, title, len(item_ids), size / new.run.items, shown)

    def title_of(lineage_id: str) -> str:
        return decided.get(lineage_id, NOTHING).title or titles.get(lineage_id, "")

    clusters = [
        cluster(
            place,
            row["cluster_id"],
            row["lineage_id"],
            title_of(row["lineage_id"]) or f"Cluster {row['cluster_id']}",
            row["size"],
        )
        for place, row in enumerate(new.clusters)
    ]
    return RunWithNewItems(
        run_id=new.run.run_id,
        run_day=new.run.day,
        theme_id=new.run.theme_id,
        items=len(new.item_ids),
        clusters=(*clusters, cluster(NOISE_LABEL, NOISE_LABEL, "", NOISE_TITLE, new.run.noise_items)),
    )
