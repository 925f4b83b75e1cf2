"""How the clusters of a theme went from run to run: what each came from, where one was split, where several met.

The links are those that the runs stored; nothing is matched anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOTHING, Standing, counted_as, lineages_of, standings_of
from llma_assets.serialization import TeamId, ThemeId

# Keys: clustering_runs (team_id, day, theme_id); clusters (…, attempt_id, cluster_id).
STAGES = """
WITH runs AS
(
    SELECT day, attempt_id, items
    FROM clustering_runs FINAL
    WHERE team_id = {team_id:Int64}
        AND day <= {until:Date}
        AND theme_id = {theme_id:String}
        AND lineage != '{}'
        AND items > 0
    ORDER BY day DESC
    LIMIT {days:UInt32}
)
SELECT day, items, lineage_id, lineage_status, lineage_parents, size
FROM
(
    SELECT day, attempt_id, lineage_id, lineage_status, lineage_parents, size
    FROM clusters FINAL
    WHERE team_id = {team_id:Int64}
        AND day <= {until:Date}
        AND theme_id = {theme_id:String}
        AND attempt_id IN (SELECT attempt_id FROM runs)
        AND disclosure != 'held_back'
        AND lineage_id != ''
) AS known
INNER JOIN runs USING (day, attempt_id)
ORDER BY day, size DESC, lineage_id
"""


@dataclass(frozen=True, slots=True)
class FlowCluster:
    """A cluster on one day.

    Attributes:
        lineage_id, title: which one.
        size: its items in the run.
        share: of the run's items.
        status: what happened to it since the run before.
        parents: the lineages of the run before that it came from, its own among them where it went on.
    """

    lineage_id: str
    title: str
    size: int
    share: float
    status: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FlowDay:
    """A run: its clusters by falling size."""

    day: date
    items: int
    clusters: tuple[FlowCluster, ...]


@dataclass(frozen=True, slots=True)
class LineageFlow:
    """The latest runs of a theme, oldest first."""

    team_id: TeamId
    theme_id: ThemeId
    days: tuple[FlowDay, ...]


def lineage_flow(database: Database, team_id: int, theme_id: str, *, until: date, days: int) -> LineageFlow:
    """The clusters of the latest runs up to a day, with what each came from.

    What people merged is one cluster, and what they hid is left out.

    Args:
        days: at most so many runs.
    """
    rows = database.rows(STAGES, team_id=team_id, theme_id=theme_id, until=until, days=days)
    if not rows:
        return LineageFlow(team_id, theme_id, ())
    decided = standings_of(database, team_id)
    names = {each.lineage_id: each.title for each in lineages_of(database, team_id) if each.theme_id == theme_id}
    by_day: dict[date, list[dict[str, Any]]] = {}
    for row in rows:
        by_day.setdefault(row["day"], []).append(row)
    return LineageFlow(
        team_id,
        theme_id,
        tuple(FlowDay(day, found[0]["items"], _as_decided(found, decided, names)) for day, found in by_day.items()),
    )


def _as_decided(
    rows: list[dict[str, Any]], decided: Mapping[str, Standing], names: Mapping[str, str]
) -> tuple[FlowCluster, ...]:
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(counted_as(row["lineage_id"], decided), []).append(row)
    found = []
    for lineage_id, group in groups.items():
        standing = decided.get(lineage_id, NOTHING)
        if standing.hidden:
            continue
        main = next((row for row in group if row["lineage_id"] == lineage_id), group[0])
        size = sum(row["size"] for row in group)
        parents = dict.fromkeys(counted_as(parent, decided) for row in group for parent in row["lineage_parents"])
        title = standing.title or names.get(lineage_id, "") or lineage_id[:8]
        found.append(FlowCluster(lineage_id, title, size, size / main["items"], main["lineage_status"], tuple(parents)))
    return tuple(sorted(found, key=lambda each: (-each.size, each.lineage_id)))
