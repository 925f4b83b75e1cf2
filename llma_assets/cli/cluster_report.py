"""The clusters of a team's day as a document and as a page: what `llma clusters`, `run` and `demo` show.

Which rows are published is decided in `clusters`; nothing is computed here.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from llma_assets.cli.console import plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.clusters.queries import Run
    from llma_assets.team_day import TeamDay

ASSIGNMENTS = "cluster_assignments"
NOISE, NOISE_TITLE = -1, "Outliers"
EXAMPLES = 2


def cluster_document(database: "Database", team_day: "TeamDay", *, level: str | None = None) -> dict[str, Any]:
    """What is published for a team's day, by theme; a theme that was skipped has no items and its reason.

    Returns:
        `{"team", "date", "runs": […]}` as docs/cli.md describes it; all members of a cluster, closest first.
    """
    from llma_assets.clusters.queries import runs_of_day
    from llma_assets.themes import BUILT_IN

    runs = {run.theme_id: run for run in runs_of_day(database, team_day)}
    levels = {theme.theme_id: theme.level for theme in BUILT_IN} | {run.theme_id: run.level for run in runs.values()}
    reasons = _skipped_reasons(database, team_day, list(levels))
    return {
        "team": team_day.team_id,
        "date": team_day.day.isoformat(),
        "runs": [
            _run(database, runs[theme_id]) if theme_id in runs else _skipped(theme_id, its_level, reasons[theme_id][0])
            for theme_id, its_level in levels.items()
            if (theme_id in runs or theme_id in reasons) and level in (None, its_level)
        ],
    }


def skip_details(database: "Database", team_day: "TeamDay") -> dict[str, str]:
    """The reason in words by theme, for a person to read."""
    from llma_assets.themes import BUILT_IN

    found = _skipped_reasons(database, team_day, [theme.theme_id for theme in BUILT_IN])
    return {theme_id: detail for theme_id, (_, detail) in found.items()}


def _skipped_reasons(database: "Database", team_day: "TeamDay", theme_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Reason and detail by theme: what clustering recorded, else why discovery left the team out."""
    from llma_assets.discovery import stored_decisions
    from llma_assets.ledger import list_skips

    reasons = {
        skip.theme_id: (skip.reason, skip.detail)
        for skip in list_skips(database, day=team_day.day, team_id=team_day.team_id)
        if skip.stage == ASSIGNMENTS
    }
    for decision in stored_decisions(database, team_day.day):
        if decision.team_id == team_day.team_id and not decision.eligible:
            for theme_id in theme_ids:
                reasons.setdefault(theme_id, (decision.reason, decision.detail))
    return reasons


def _skipped(theme_id: str, level: str, reason: str) -> dict[str, Any]:
    return {
        "run_id": None,
        "level": level,
        "theme": theme_id,
        "items": 0,
        "skipped_reason": reason,
        "quality": {},
        "clusters": [],
    }


def _run(database: "Database", run: "Run") -> dict[str, Any]:
    from llma_assets.clusters.queries import clusters_of, members_of
    from llma_assets.labels.queries import LABELS_OF_RUN

    labels = {
        row["cluster_id"]: row
        for row in database.rows(
            LABELS_OF_RUN, team_id=run.team_id, day=run.day, theme_id=run.theme_id, attempt_id=run.attempt_id
        )
    }
    members: dict[int, list[str]] = {}
    for member in members_of(database, run):
        members.setdefault(member["cluster_id"], []).append(member["item_id"])
    return {
        "run_id": run.run_id,
        "level": run.level,
        "theme": run.theme_id,
        "items": run.items,
        "skipped_reason": None,
        "quality": orjson.loads(run.quality),
        "clusters": [
            {
                "cluster_id": row["cluster_id"],
                "lineage_id": row["lineage_id"],
                "size": row["size"],
                **_words(row["cluster_id"], labels.get(row["cluster_id"])),
                "item_ids": members.get(row["cluster_id"], []),
            }
            for row in clusters_of(database, run)
        ],
    }


def _words(cluster_id: int, label: Mapping[str, Any] | None) -> dict[str, str]:
    """Title and description; a cluster that has no name yet is called by its number."""
    if cluster_id == NOISE:
        return {"title": NOISE_TITLE, "description": label["description"] if label else ""}
    if label is None:
        return {"title": f"Cluster {cluster_id}", "description": ""}
    return {"title": label["title"], "description": label["description"]}


def cut_examples(document: dict[str, Any], limit: int) -> dict[str, Any]:
    """The same document with at most `limit` members of each cluster, the closest to its centroid."""
    runs = [
        {**run, "clusters": [{**each, "item_ids": each["item_ids"][:limit]} for each in run["clusters"]]}
        for run in document["runs"]
    ]
    return {**document, "runs": runs}


def show_clusters(
    document: Mapping[str, Any], details: Mapping[str, str], *, examples: int = EXAMPLES, descriptions: bool = False
) -> None:
    """Print a document of clusters: title, size, share, examples; or why there are none."""
    where = f"team {document['team']}, {document['date']}"
    if not document["runs"]:
        say(f"{where}: nothing has been run. `llma run --team {document['team']} --date {document['date']}` does it")
    for run in document["runs"]:
        if run["skipped_reason"] is not None:
            detail = details.get(run["theme"], "")
            show(f"{where}, {plain(run['theme'])}: no clusters: {plain(run['skipped_reason'])}, {plain(detail)}")
            continue
        silhouette = run["quality"].get("silhouette")
        quality = "" if silhouette is None else f", silhouette {silhouette:.2f}"
        named = sum(each["cluster_id"] != NOISE for each in run["clusters"])
        show(f"{where}, {plain(run['theme'])}: {run['items']:,} items in {named} clusters{quality}")
        show_table(
            ("cluster", "size", "share", "title", "examples"),
            [
                (
                    each["cluster_id"],
                    f"{each['size']:,}",
                    f"{each['size'] / run['items']:.1%}" if run["items"] else "",
                    each["title"],
                    "  ".join(each["item_ids"][:examples]),
                )
                for each in run["clusters"]
            ],
            right=("cluster", "size", "share"),
        )
        if descriptions:
            for each in run["clusters"]:
                show(f"\n{plain(each['title'])}\n{each['description']}")
        show()
