"""The published clusters of a team's day, by theme, as people decided about them; or why a theme has none.

Which rows are published is decided in `clusters`, what they are called in `labels`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import orjson
from more_itertools import chunked

from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.clusters import (
    CLUSTERING_STAGE,
    FULL,
    NOISE_LABEL,
    NOISE_TITLE,
    NOTHING,
    Run,
    Standing,
    ask_clusters_of,
    ask_edits_of,
    ask_runs_of_day,
    clusters_of,
    counted_as,
    first_members_of,
    held_back,
    lineages_of,
    members_of,
    runs_of_day,
    standings_of,
)
from llma_assets.discovery import ask_decisions_of, stored_decisions
from llma_assets.labels import ClusterLabel, ask_labels_of, labels_of
from llma_assets.ledger import ask_skips_of, list_skips
from llma_assets.reports.published import PublishedCluster, PublishedClusters, PublishedRun
from llma_assets.team_day import TeamDay
from llma_assets.themes import stored_versions, themes_of

TEAMS_TOGETHER = 20
"""Teams whose runs are read at once."""


def published_of_teams(
    database: RememberingDatabase, team_ids: Sequence[int], day: date
) -> dict[int, PublishedClusters]:
    """What is published for a day of several teams, by team; their runs are read many at once.

    Args:
        database: sees one state, and holds what was read of some teams at a time.
    """
    found: dict[int, PublishedClusters] = {}
    for some in chunked(team_ids, TEAMS_TOGETHER):
        reader = database.remembering()
        ask_runs_of_day(reader, some, day)
        ask_edits_of(reader, some)
        ask_skips_of(reader, some, day)
        ask_decisions_of(reader, some, day)
        runs = [run for team_id in some for run in runs_of_day(reader, TeamDay(team_id, day))]
        ask_clusters_of(reader, runs)
        ask_labels_of(reader, runs)
        found |= {team_id: published_clusters(reader, TeamDay(team_id, day)) for team_id in some}
    return found


def published_clusters(
    database: Database,
    team_day: TeamDay,
    *,
    level: str | None = None,
    theme_id: str | None = None,
    show_hidden: bool = False,
    examples: int | None = None,
    reasons: bool = True,
) -> PublishedClusters:
    """What is published for a team's day, by theme; a theme that was skipped has no items and its reason.

    What people decided holds: their titles are shown, clusters that they merged are one, hidden ones are left out. A
    theme that has been switched off or deleted since is shown with what it found.

    Args:
        level: themes of this level only.
        theme_id: this theme only.
        examples: only so many members of each cluster, the nearest to its centroid, which is much faster than all.
        reasons: whether to read why themes have none; without it only themes with a run are there.
    """
    runs = {run.theme_id: run for run in runs_of_day(database, team_day)}
    known = themes_of(database, team_day.team_id).themes
    levels: dict[str, str] = {theme.theme_id: theme.level for theme in known}
    levels |= {run.theme_id: run.level for run in runs.values()}
    asked = [theme.theme_id for theme in known if theme.enabled]
    why = _skipped_reasons(database, team_day, asked) if reasons else {}
    decided = standings_of(database, team_day.team_id)
    versions = {theme.theme_id: stored_versions(theme) for theme in known}
    found = []
    for each, its_level in levels.items():
        if level not in (None, its_level) or theme_id not in (None, each):
            continue
        reason, detail = why.get(each, ("", ""))
        if each in runs:
            run = _published(
                database, runs[each], decided, versions.get(each), show_hidden=show_hidden, examples=examples
            )
            found.append(replace(run, skip_detail=detail))
        elif each in why:
            found.append(_skipped(each, its_level, reason, detail))
    return PublishedClusters(team_day.team_id, team_day.day, tuple(found))


def _skipped_reasons(database: Database, team_day: TeamDay, theme_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Reason and detail by theme: what clustering recorded, else why discovery left the team out."""
    reasons = {
        skip.theme_id: (skip.reason, skip.detail)
        for skip in list_skips(database, day=team_day.day, team_id=team_day.team_id)
        if skip.stage == CLUSTERING_STAGE
    }
    for decision in stored_decisions(database, team_day.day, team_day.team_id):
        if not decision.eligible:
            for theme_id in theme_ids:
                reasons.setdefault(theme_id, (decision.reason, decision.detail))
    return reasons


def _skipped(theme_id: str, level: str, reason: str, detail: str) -> PublishedRun:
    return PublishedRun(
        run_id=None,
        level=level,
        theme_id=theme_id,
        theme_version=None,
        earlier_version=False,
        items=0,
        skipped_reason=reason,
        quality={},
        lineage={},
        hidden_clusters=0,
        clusters=(),
        skip_detail=detail,
    )


def _published(
    database: Database,
    run: Run,
    decided: Mapping[str, Standing],
    versions: Sequence[str] | None,
    *,
    show_hidden: bool,
    examples: int | None,
) -> PublishedRun:
    """What was published.

    Args:
        versions: those of the theme that are the present one; None of a theme that the team has no more.
    """
    rows = clusters_of(database, run)
    labels = _standing_labels(database, run, rows, decided)
    members: dict[int, list[Mapping[str, Any]]] = {}
    for member in _members(database, run, rows, decided, examples):
        members.setdefault(member["cluster_id"], []).append(member)
    clusters = as_decided(
        [_cluster(row, labels.get(row["cluster_id"]), members.get(row["cluster_id"], [])) for row in rows], decided
    )
    version = run.theme_version
    return PublishedRun(
        run_id=run.run_id,
        level=run.level,
        theme_id=run.theme_id,
        theme_version=version,
        earlier_version=versions is not None and version not in versions,
        items=run.items,
        skipped_reason=None,
        quality=orjson.loads(run.quality),
        lineage=orjson.loads(run.lineage),
        hidden_clusters=0 if show_hidden else sum(each.hidden for each in clusters),
        clusters=tuple(each for each in clusters if show_hidden or not each.hidden),
        held_back_clusters=held_back(database, run)[0],
    )


def _members(
    database: Database,
    run: Run,
    clusters: Sequence[Mapping[str, Any]],
    decided: Mapping[str, Standing],
    examples: int | None,
) -> list[dict[str, Any]]:
    """All members, or some of each cluster. Of those that people merged always all: their traces are counted anew."""
    if examples is None:
        return members_of(database, run)
    groups: dict[str, list[int]] = {}
    for row in clusters:
        if row["lineage_id"]:
            groups.setdefault(counted_as(row["lineage_id"], decided), []).append(row["cluster_id"])
    merged = {cluster_id for group in groups.values() if len(group) > 1 for cluster_id in group}
    found = members_of(database, run, merged) if merged else []
    return found + [each for each in first_members_of(database, run, examples) if each["cluster_id"] not in merged]


def _standing_labels(
    database: Database, run: Run, clusters: Sequence[Mapping[str, Any]], decided: Mapping[str, Standing]
) -> dict[int, ClusterLabel]:
    """The stored labels; where people have taken a title back since, with the model's latest name in its place."""
    labels = labels_of(database, run)
    taken_back = {
        row["cluster_id"]: row["lineage_id"]
        for row in clusters
        if row["cluster_id"] in labels
        and labels[row["cluster_id"]].origin == "locked"
        and not decided.get(row["lineage_id"], NOTHING).title
    }
    if taken_back:
        names = {each.lineage_id: each.title for each in lineages_of(database, run.team_id)}
        for cluster_id, lineage_id in taken_back.items():
            title = names.get(lineage_id, "") or f"Cluster {cluster_id}"
            labels[cluster_id] = replace(labels[cluster_id], title=title)
    return labels


def _cluster(
    row: Mapping[str, Any], label: ClusterLabel | None, members: Sequence[Mapping[str, Any]]
) -> PublishedCluster:
    """A stored cluster before people's decisions; one that has no name yet is called by its number."""
    cluster_id = row["cluster_id"]
    title = label.title if label else f"Cluster {cluster_id}"
    return PublishedCluster(
        cluster_id=cluster_id,
        lineage_id=row["lineage_id"],
        lineage_status=row["lineage_status"],
        lineage_confidence=row["lineage_confidence"],
        lineage_parents=tuple(row["lineage_parents"]),
        size=row["size"],
        title=NOISE_TITLE if cluster_id == NOISE_LABEL else title,
        description=label.description if label else "",
        item_ids=tuple(member["item_id"] for member in members),
        renamed=False,
        locked=False,
        hidden=False,
        merged_lineage_ids=(),
        traces=row["traces"],
        template=row["template"],
        disclosure=row["disclosure"],
        trace_ids=frozenset(member["trace_id"] for member in members),
    )


def as_decided(clusters: Sequence[PublishedCluster], decided: Mapping[str, Standing]) -> list[PublishedCluster]:
    """Clusters under the titles that people gave them; those that they merged are one, the main one first."""
    groups: dict[str, list[PublishedCluster]] = {}
    for each in clusters:
        key = counted_as(each.lineage_id, decided) if each.lineage_id else str(each.cluster_id)
        groups.setdefault(key, []).append(each)
    shown = []
    for key, group in groups.items():
        main = next((each for each in group if each.lineage_id == key), group[0])
        others = [each for each in group if each is not main]
        standing = decided.get(key, NOTHING)
        shown.append(
            replace(
                main,
                title=(standing.title if main.disclosure == FULL else "") or main.title,
                size=sum(each.size for each in group),
                item_ids=tuple(item_id for each in (main, *others) for item_id in each.item_ids),
                renamed=standing.renamed,
                locked=standing.locked,
                hidden=standing.hidden,
                merged_lineage_ids=tuple(each.lineage_id for each in others),
                traces=_traces(group),
                trace_ids=frozenset[str]().union(*(each.trace_ids for each in group)),
            )
        )
    # Size decides the place, as it does among the clusters themselves; outliers stay last.
    return sorted(shown, key=lambda each: (each.is_noise, -each.size))


def _traces(group: Sequence[PublishedCluster]) -> int:
    """Different traces of clusters that are counted together; of withheld ones only the numbers are known."""
    if len(group) == 1:
        return group[0].traces
    full = [each for each in group if each.disclosure == FULL]
    known = len(frozenset[str]().union(*(each.trace_ids for each in full)))
    return known + sum(each.traces for each in group if each.disclosure != FULL)
