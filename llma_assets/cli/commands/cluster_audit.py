"""`llma clusters --audit`: each name beside the evidence for it, those that most need a look first.

Nothing is computed here but shares; what is measured, and when, belongs in `labels` and `clusters`.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from llma_assets.cli.render.console import plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.clusters import Run
    from llma_assets.team_day import TeamDay

NOISE = -1
READ_MEMBERS = 3
FAR_MEMBERS = 1
"""Titles of so many members nearest to the centroid, and of so many at the cluster's edge, stand beside its name."""


def audit_document(
    database: "Database", team_day: "TeamDay", *, level: str | None = None, theme_id: str | None = None
) -> dict[str, Any]:
    """What is known of each published name of a team's day; noise has none.

    Returns:
        `{"team", "date", "runs": [{"theme", "clusters": [{"cluster_id", "lineage_id", "group", "title", "origin",
        "size", "borderline_share", "held_out", "right", "right_by_centroid", "nearest_title", "nearest_distance",
        "members", "edge"}]}]}`: `right` of the `held_out` members are nearest to the cluster's own name,
        `right_by_centroid` to its centroid; both are None where the name was not tested.
    """
    from llma_assets.clusters import runs_of_day

    runs = [
        run
        for run in runs_of_day(database, team_day)
        if level in (None, run.level) and theme_id in (None, run.theme_id) and run.items
    ]
    return {
        "team": team_day.team_id,
        "date": team_day.day.isoformat(),
        "runs": [{"theme": run.theme_id, "clusters": _audited(database, run)} for run in runs],
    }


def _audited(database: "Database", run: "Run") -> list[dict[str, Any]]:
    from llma_assets.clusters import BORDERLINE, clusters_of, members_of
    from llma_assets.labels import group_labels_of, labels_of, name_tests_of

    labels, tests = labels_of(database, run), {row["cluster_id"]: row for row in name_tests_of(database, run)}
    groups = {cluster_id: row["title"] for row in group_labels_of(database, run) for cluster_id in row["cluster_ids"]}
    members: dict[int, list[dict[str, Any]]] = {}
    for member in members_of(database, run):
        members.setdefault(member["cluster_id"], []).append(member)
    shown = {
        cluster_id: [each["item_id"] for each in (*found[:READ_MEMBERS], *found[READ_MEMBERS:][-FAR_MEMBERS:])]
        for cluster_id, found in members.items()
    }
    titles = _titles(database, run, [item_id for item_ids in shown.values() for item_id in item_ids])
    audited = []
    for row in clusters_of(database, run):
        cluster_id = row["cluster_id"]
        if cluster_id == NOISE:
            continue
        label, test, own = labels.get(cluster_id), tests.get(cluster_id), members.get(cluster_id, [])
        nearest = labels.get(test["nearest_cluster_id"]) if test else None
        read = [titles.get(item_id, item_id) for item_id in shown.get(cluster_id, [])]
        audited.append(
            {
                "cluster_id": cluster_id,
                "lineage_id": row["lineage_id"],
                "group": groups.get(cluster_id, ""),
                "title": label.title if label else f"Cluster {cluster_id}",
                "origin": label.origin if label else "",
                "size": row["size"],
                "borderline_share": sum(each["strength"] < BORDERLINE[run.method] for each in own) / max(1, len(own)),
                "held_out": test["held_out"] if test else 0,
                "right": test["hits"] if test else None,
                "right_by_centroid": test["centroid_hits"] if test else None,
                "nearest_title": nearest.title if nearest else "",
                "nearest_distance": test["nearest_distance"] if test else None,
                "members": read[:READ_MEMBERS],
                "edge": read[READ_MEMBERS:],
            }
        )
    return sorted(audited, key=_doubt)


def _doubt(entry: Mapping[str, Any]) -> tuple[bool, float, int]:
    """Names that were not tested come last; of the others the least right first, then the largest cluster."""
    tested = entry["held_out"] > 0
    return not tested, entry["right"] / entry["held_out"] if tested else 0.0, -entry["size"]


def _titles(database: "Database", run: "Run", item_ids: Sequence[str]) -> dict[str, str]:
    from more_itertools import chunked

    from llma_assets.labels import IDS_AT_ONCE
    from llma_assets.summaries import SUMMARIES_OF_ITEMS

    return {
        row["item_id"]: row["title"]
        for ids in chunked(item_ids, IDS_AT_ONCE)
        for row in database.rows(
            SUMMARIES_OF_ITEMS,
            team_id=run.team_id,
            theme_id=run.theme_id,
            item_ids=ids,
            **{"from": run.window_start.date() - timedelta(days=1), "until": run.day},
        )
    }


def show_audit(document: Mapping[str, Any]) -> None:
    """Print an audit: a table for each theme."""
    if not document["runs"]:
        say("There are no names to audit.")
    for run in document["runs"]:
        show(f"team {document['team']}, {document['date']}, {plain(run['theme'])}: names, the most doubtful first")
        show_table(
            ("cluster", "name", "from", "size", "border", "right", "by centroid", "nearest name", "nearest, farthest"),
            [
                (
                    each["cluster_id"],
                    f"{each['group']}: {each['title']}" if each["group"] else each["title"],
                    each["origin"],
                    f"{each['size']:,}",
                    f"{each['borderline_share']:.0%}",
                    _share(each["right"], each["held_out"]),
                    _share(each["right_by_centroid"], each["held_out"]),
                    f"{each['nearest_title']} ({each['nearest_distance']:.2f})" if each["nearest_title"] else "",
                    " | ".join([*each["members"][:1], *each["edge"][:1]]),
                )
                for each in run["clusters"]
            ],
            right=("cluster", "size", "border", "right", "by centroid"),
        )
        show()


def _share(hits: int | None, of: int) -> str:
    return f"{hits}/{of}" if of and hits is not None else "-"
