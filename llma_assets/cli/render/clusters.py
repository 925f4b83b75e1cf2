"""The clusters of a team's day as a document and as a page: what `llma clusters`, `run` and `demo` show.

Which rows are published is decided in `clusters`; nothing is computed here.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from llma_assets.cli.render.console import plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.clusters import Run, Standing
    from llma_assets.team_day import TeamDay

ASSIGNMENTS = "cluster_assignments"
NOISE, NOISE_TITLE = -1, "Outliers"
EXAMPLES = 2
SHORT_ID = 8
"""Characters of a lineage id that a table shows; enough to name it in a command."""


def cluster_document(
    database: "Database",
    team_day: "TeamDay",
    *,
    level: str | None = None,
    theme_id: str | None = None,
    show_hidden: bool = False,
) -> dict[str, Any]:
    """What is published for a team's day, by theme; a theme that was skipped has no items and its reason.

    What people decided holds: their titles are shown, clusters that they merged are one, hidden ones are left out. A
    theme that has been switched off or deleted since is shown with what it found.

    Args:
        level: themes of this level only.
        theme_id: this theme only.

    Returns:
        `{"team", "date", "runs": […]}` as docs/cli.md describes it; all members of a cluster, closest first.
    """
    from llma_assets.clusters import runs_of_day, standings_of
    from llma_assets.themes import stored_versions, themes_of

    runs = {run.theme_id: run for run in runs_of_day(database, team_day)}
    known = themes_of(database, team_day.team_id).themes
    levels: dict[str, str] = {theme.theme_id: theme.level for theme in known}
    levels |= {run.theme_id: run.level for run in runs.values()}
    reasons = _skipped_reasons(database, team_day, [theme.theme_id for theme in known if theme.enabled])
    decided = standings_of(database, team_day.team_id)
    versions = {theme.theme_id: stored_versions(theme) for theme in known}
    return {
        "team": team_day.team_id,
        "date": team_day.day.isoformat(),
        "runs": [
            _run(database, runs[each], decided, versions.get(each), show_hidden=show_hidden)
            if each in runs
            else _skipped(each, its_level, reasons[each][0])
            for each, its_level in levels.items()
            if (each in runs or each in reasons) and level in (None, its_level) and theme_id in (None, each)
        ],
    }


def skip_details(database: "Database", team_day: "TeamDay") -> dict[str, str]:
    """The reason in words by theme, for a person to read."""
    from llma_assets.themes import themes_of

    themes = themes_of(database, team_day.team_id).themes
    found = _skipped_reasons(database, team_day, [theme.theme_id for theme in themes if theme.enabled])
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
        "theme_version": None,
        "earlier_version": False,
        "items": 0,
        "skipped_reason": reason,
        "quality": {},
        "lineage": {},
        "hidden_clusters": 0,
        "clusters": [],
    }


def _run(
    database: "Database",
    run: "Run",
    decided: "Mapping[str, Standing]",
    versions: Sequence[str] | None,
    *,
    show_hidden: bool,
) -> dict[str, Any]:
    """What was published.

    Args:
        versions: those of the theme that are the present one; None of a theme that the team has no more.
    """
    from llma_assets.clusters import clusters_of, members_of
    from llma_assets.labels import LABELS_OF_RUN

    rows = clusters_of(database, run)
    labels = {
        row["cluster_id"]: row
        for row in database.rows(
            LABELS_OF_RUN, team_id=run.team_id, day=run.day, theme_id=run.theme_id, attempt_id=run.attempt_id
        )
    }
    _take_back(database, run, rows, labels, decided)
    members: dict[int, list[str]] = {}
    for member in members_of(database, run):
        members.setdefault(member["cluster_id"], []).append(member["item_id"])
    entries = [
        {
            "cluster_id": row["cluster_id"],
            "lineage_id": row["lineage_id"],
            "lineage_status": row["lineage_status"],
            "lineage_confidence": row["lineage_confidence"],
            "lineage_parents": row["lineage_parents"],
            "size": row["size"],
            **_words(row["cluster_id"], labels.get(row["cluster_id"])),
            "item_ids": members.get(row["cluster_id"], []),
        }
        for row in rows
    ]
    clusters = _as_decided(entries, decided)
    version = str(orjson.loads(run.params).get("theme_version", ""))
    return {
        "run_id": run.run_id,
        "level": run.level,
        "theme": run.theme_id,
        "theme_version": version,
        "earlier_version": versions is not None and version not in versions,
        "items": run.items,
        "skipped_reason": None,
        "quality": orjson.loads(run.quality),
        "lineage": orjson.loads(run.lineage),
        "hidden_clusters": 0 if show_hidden else sum(each["hidden"] for each in clusters),
        "clusters": [each for each in clusters if show_hidden or not each["hidden"]],
    }


def _take_back(
    database: "Database",
    run: "Run",
    clusters: Sequence[Mapping[str, Any]],
    labels: Mapping[int, dict[str, Any]],
    decided: "Mapping[str, Standing]",
) -> None:
    """Put the model's latest name in the place of a title that people have taken back since it was stored."""
    from llma_assets.clusters import NOTHING, lineages_of

    taken_back = {
        row["cluster_id"]: row["lineage_id"]
        for row in clusters
        if labels.get(row["cluster_id"], {}).get("origin") == "locked"
        and not decided.get(row["lineage_id"], NOTHING).title
    }
    if taken_back:
        names = {each.lineage_id: each.title for each in lineages_of(database, run.team_id)}
        for cluster_id, lineage_id in taken_back.items():
            labels[cluster_id]["title"] = names.get(lineage_id, "") or f"Cluster {cluster_id}"


def _as_decided(entries: Sequence[dict[str, Any]], decided: "Mapping[str, Standing]") -> list[dict[str, Any]]:
    """Clusters under the titles that people gave them; those that they merged are one, the main one first."""
    from llma_assets.clusters import NOTHING, counted_as

    groups: dict[str, list[dict[str, Any]]] = {}
    for each in entries:
        key = counted_as(each["lineage_id"], decided) if each["lineage_id"] else str(each["cluster_id"])
        groups.setdefault(key, []).append(each)
    shown = []
    for key, group in groups.items():
        main = next((each for each in group if each["lineage_id"] == key), group[0])
        others = [each for each in group if each is not main]
        standing = decided.get(key, NOTHING)
        shown.append(
            {
                **main,
                "title": standing.title or main["title"],
                "size": sum(each["size"] for each in group),
                "item_ids": [item_id for each in (main, *others) for item_id in each["item_ids"]],
                "renamed": standing.renamed,
                "locked": standing.locked,
                "hidden": standing.hidden,
                "merged_lineage_ids": [each["lineage_id"] for each in others],
            }
        )
    # Size decides the place, as it does among the clusters themselves; outliers stay last.
    return sorted(shown, key=lambda each: (each["cluster_id"] == NOISE, -each["size"]))


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
    for run in document["runs"]:
        if run["skipped_reason"] is not None:
            detail = details.get(run["theme"], "")
            show(f"{where}, {plain(run['theme'])}: no clusters: {plain(run['skipped_reason'])}, {plain(detail)}")
            continue
        silhouette = run["quality"].get("silhouette")
        quality = "" if silhouette is None else f", silhouette {silhouette:.2f}"
        named = sum(each["cluster_id"] != NOISE for each in run["clusters"])
        show(f"{where}, {plain(run['theme'])}: {run['items']:,} items in {named} clusters{quality}")
        if run["earlier_version"]:
            why = f": {plain(details[run['theme']])}" if run["theme"] in details else ""
            show(f"Of an earlier version of the theme, {run['theme_version'] or 'before versions'}{why}")
        show_table(
            ("cluster", "lineage", "status", "size", "share", "title", "examples"),
            [
                (
                    each["cluster_id"],
                    each["lineage_id"][:SHORT_ID],
                    _status(each, run["lineage"]),
                    f"{each['size']:,}",
                    f"{each['size'] / run['items']:.1%}" if run["items"] else "",
                    each["title"] + _marks(each),
                    "  ".join(each["item_ids"][:examples]),
                )
                for each in run["clusters"]
            ],
            right=("cluster", "size", "share"),
        )
        _show_lineage(run)
        if descriptions:
            for each in run["clusters"]:
                show(f"\n{plain(each['title'])}\n{each['description']}")
        show()


def _status(cluster: Mapping[str, Any], lineage: Mapping[str, Any]) -> str:
    """What happened since the run before. That it just went on needs no word, nor that all is new without one."""
    said = str(cluster["lineage_status"])
    return "" if said == "continued" or lineage.get("previous_day") is None else said


def _marks(cluster: Mapping[str, Any]) -> str:
    merged = len(cluster["merged_lineage_ids"])
    marks = [name for name in ("locked", "hidden") if cluster[name]] + ([f"with {merged} more"] if merged else [])
    return f" [{', '.join(marks)}]" if marks else ""


def _show_lineage(run: Mapping[str, Any]) -> None:
    lineage = run["lineage"]
    if lineage.get("note") and lineage.get("previous_day"):
        show(f"No lineage goes on from {lineage['previous_day']}: {plain(lineage['note'])}")
    if ended := lineage.get("ended"):
        gone = [
            each["lineage_id"][:SHORT_ID] + (f" (now in {each['into'][0][:SHORT_ID]})" if each["into"] else "")
            for each in ended
        ]
        show(f"Ended since {lineage['previous_day']}: {plain(', '.join(gone))}")
    if run["hidden_clusters"]:
        say(f"{run['hidden_clusters']} hidden clusters are left out; `--all` shows them")
