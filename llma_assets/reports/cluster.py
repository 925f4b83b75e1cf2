"""One cluster of a day with all that a person needs to judge it: figures, members, evidence, decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, Edit, clusters_of, committed_run, edits_of, members_of
from llma_assets.insights import Distinction, Parts, parts_of_cluster
from llma_assets.reports.attributes import attributes_of_cluster
from llma_assets.reports.audit import AuditedCluster, audit
from llma_assets.reports.clusters import published_clusters
from llma_assets.reports.item_page import ItemRow, cluster_by_id, rows_of_items
from llma_assets.reports.results import ClusterResult, theme_results
from llma_assets.serialization import Day, Moment, TeamId, ThemeId
from llma_assets.summaries import Point, summaries_of_items
from llma_assets.tasks import find_cluster_task
from llma_assets.team_day import TeamDay

SHOWN_MEMBERS = 10
SHOWN_FARTHEST = 5
SHOWN_POINTS = 3
"""Statements of one member's summary."""
REACH = timedelta(days=30)
"""So far back titles of what was taken out are looked for."""


@dataclass(frozen=True, slots=True)
class OtherCluster:
    """What another cluster is called."""

    lineage_id: str
    title: str


@dataclass(frozen=True, slots=True)
class TakenOut:
    """A member that somebody took out of a cluster.

    Attributes:
        item_id, title: the trace or model call, and what its summary calls it; "" where that is not stored any more.
        author, taken_out_at: who did it, and when.
    """

    item_id: str
    title: str
    author: str
    taken_out_at: Moment


@dataclass(frozen=True, slots=True)
class MemberPoints:
    """What the summary of a member says, each statement with the lines of its text that show it."""

    item_id: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class ClusterReport:
    """A cluster of a theme's day.

    Attributes:
        result: the cluster and its figures; with the first members only.
        evidence: how well its name does, None where it was not tested.
        typical: the members nearest to its centroid.
        farthest: the others that are farthest from it, where wrong members are to be found first.
        edits: what people decided about it, oldest first.
        others: the other clusters of the run, with which it may be merged.
        apart: what sets it apart from the other traces, None where that has not been looked for.
        parts: the models, releases and users that its traces come from.
        taken_out: the members that people took out of it, on whatever day they were in it; the latest first.
        task_id: the task that somebody made of it, "" for none.
        points: of the typical and the farthest members, first statements of their summaries that name lines.
    """

    team_id: TeamId
    day: Day
    theme_id: ThemeId
    result: ClusterResult
    evidence: AuditedCluster | None
    typical: tuple[ItemRow, ...]
    edits: tuple[Edit, ...]
    others: tuple[OtherCluster, ...]
    apart: tuple[Distinction, ...] | None = None
    parts: Parts | None = None
    taken_out: tuple[TakenOut, ...] = ()
    task_id: str = ""
    farthest: tuple[ItemRow, ...] = ()
    points: tuple[MemberPoints, ...] = ()


def cluster_report(
    database: Database, team_day: TeamDay, theme_id: str, lineage_id: str, *, release_property: str = ""
) -> ClusterReport | None:
    """A cluster by its lineage, hidden or not; None if the day's run has no such cluster.

    Args:
        release_property: of events, names the release of the team's application; "" for none.
    """
    published = published_clusters(database, team_day, theme_id=theme_id, show_hidden=True, examples=0, reasons=False)
    results = theme_results(database, team_day, theme_id, published=published)
    if results is None:
        return None
    result = next(
        (
            each
            for each in results.clusters
            if lineage_id and lineage_id in (each.cluster.lineage_id, *each.cluster.merged_lineage_ids)
        ),
        None,
    )
    if result is None:
        return None
    members = _both_ends(database, team_day, theme_id, result)
    typical = tuple(members[:SHOWN_MEMBERS])
    farthest = tuple(reversed(members[SHOWN_MEMBERS:]))
    titles = {each.item_id: each.title for each in members if each.title}
    of_theme = audit(database, team_day, theme_id=theme_id, lineage_id=result.cluster.lineage_id, titles=titles).runs
    evidence = next(
        (each for run in of_theme for each in run.clusters if each.lineage_id == result.cluster.lineage_id), None
    )
    names = {result.cluster.lineage_id, *result.cluster.merged_lineage_ids}
    edits = tuple(edit for edit in edits_of(database, team_day.team_id) if edit.lineage_id in names)
    shown = replace(result, cluster=replace(result.cluster, item_ids=result.cluster.item_ids[:SHOWN_MEMBERS]))
    others = tuple(
        OtherCluster(each.cluster.lineage_id, each.cluster.title)
        for each in results.clusters
        if each.cluster.lineage_id not in ("", result.cluster.lineage_id) and not each.cluster.hidden
    )
    apart = attributes_of_cluster(database, team_day, theme_id, result.cluster.cluster_id)
    return ClusterReport(
        team_day.team_id,
        team_day.day,
        theme_id,
        shown,
        evidence,
        typical,
        edits,
        others,
        apart,
        _parts(database, team_day, theme_id, result, release_property),
        _taken_out(database, team_day, theme_id, edits),
        find_cluster_task(database, team_day.team_id, names) or "",
        farthest,
        _points(database, team_day, theme_id, members),
    )


def _both_ends(database: Database, team_day: TeamDay, theme_id: str, result: ClusterResult) -> list[ItemRow]:
    """The members nearest to the centroid, then the farthest, by distance."""
    run = committed_run(database, team_day, theme_id)
    cluster_of = cluster_by_id(database, run, [result.cluster]) if run else {}
    if run is None or not cluster_of:
        return []
    found = sorted(members_of(database, run, cluster_of), key=lambda each: (each["distance"], each["item_id"]))
    near, far = found[:SHOWN_MEMBERS], found[SHOWN_MEMBERS:][-SHOWN_FARTHEST:]
    return rows_of_items(database, run, [*near, *far], cluster_of)


def _points(
    database: Database, team_day: TeamDay, theme_id: str, members: Sequence[ItemRow]
) -> tuple[MemberPoints, ...]:
    """Of each member whose summary is stored and names lines."""
    days = {each.item_id: each.day for each in members}
    if not days:
        return ()
    rows = summaries_of_items(
        database,
        team_day.team_id,
        theme_id,
        list(days),
        first_day=min(days.values()),
        last_day=max(days.values()),
    )
    said = {
        row["item_id"]: [
            Point(str(point["text"]), str(point["line_refs"]))
            for column in ("bullets", "interesting_notes")
            for point in orjson.loads(row[column] or "[]")
            if isinstance(point, dict) and point.get("text") and point.get("line_refs")
        ]
        for row in rows
        if row["day"] == days[row["item_id"]]
    }
    return tuple(MemberPoints(item, tuple(said[item][:SHOWN_POINTS])) for item in days if said.get(item))


def _parts(
    database: Database, team_day: TeamDay, theme_id: str, result: ClusterResult, release_property: str
) -> Parts | None:
    """None of a cluster of which only numbers may be shown."""
    run = committed_run(database, team_day, theme_id)
    if run is None or result.cluster.disclosure != FULL:
        return None
    names = {result.cluster.lineage_id, *result.cluster.merged_lineage_ids}
    ids = [row["cluster_id"] for row in clusters_of(database, run) if row["lineage_id"] in names]
    return parts_of_cluster(database, run, ids, release_property=release_property)


def _taken_out(database: Database, team_day: TeamDay, theme_id: str, edits: Sequence[Edit]) -> tuple[TakenOut, ...]:
    """What is taken out now, by the decisions about the lineages of one cluster."""
    latest: dict[tuple[str, str], Edit] = {(each.lineage_id, each.item_id): each for each in edits if each.item_id}
    out = {each.item_id: each for each in latest.values() if each.action == "take_out"}
    if not out:
        return ()
    rows = summaries_of_items(
        database, team_day.team_id, theme_id, sorted(out), first_day=team_day.day - REACH, last_day=team_day.day
    )
    titles = {row["item_id"]: str(row["title"]) for row in rows}
    return tuple(
        TakenOut(each.item_id, titles.get(each.item_id, ""), each.author, each.edited_at)
        for each in sorted(out.values(), key=lambda edit: edit.edited_at, reverse=True)
    )
