"""Builds the properties of an event from a stored run, and compares published events with stored runs.

The format of properties belongs in `payload`, publishing in `partition`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import (
    FULL,
    NOTHING,
    READ_TOGETHER,
    Run,
    clusters_of,
    counted_as,
    edits_of,
    held_back,
    members_of,
    standings_of,
)
from llma_assets.events.aggregates import ItemNumbers
from llma_assets.events.payload import NoNamesError, cluster_event_properties, title_of
from llma_assets.events.queries import NUMBERS_OF_ITEMS
from llma_assets.labels import NOISE_ID, group_labels_of, labels_of

NOT_COMPARED = ("$ai_analysis_theme_name", "$ai_clusters")
"""The theme may have been renamed since; clusters are compared one by one."""
NOT_COMPARED_IN_CLUSTERS = ("title", "description", "traces", "trace_ids", "metrics")
"""Titles are checked separately; metrics are deleted with the texts after 90 days."""
CHANGED_WITH_MEMBERS = ("size", "trace_count", "trace_ids")
"""What changes when people take a member out or put it back; an event follows with the next run."""
REQUIRED_PROPERTIES = ("$ai_clustering_run_id", "$ai_total_items_analyzed", "size")
"""Properties of every version of the event; an event of an earlier version may lack others."""


def ask_numbers_of(database: Database, runs: Sequence[Run]) -> None:
    """Ask for the numbers of the items of several levels at once, where answers are remembered."""
    if sum(run.items for run in runs) > READ_TOGETHER:
        return
    for days, of_days in groupby(runs, key=_days):
        asked = {run.level: {"levels": [run.level]} for run in of_days}
        database.ask_of_each(NUMBERS_OF_ITEMS, "level", asked, most=READ_TOGETHER, team_id=runs[0].team_id, **days)


def properties_of(database: Database, run: Run, *, theme_name: str) -> dict[str, Any]:
    """The properties of a run's event, with titles that people gave.

    Raises:
        EmptyClusteringError: the run is empty, or its rows are inconsistent.
        NoNamesError: none of its clusters has a name.
    """
    rows = database.rows(NUMBERS_OF_ITEMS, team_id=run.team_id, levels=[run.level], **_days(run))
    numbers = {
        row.pop("item_id"): ItemNumbers(**{name: value for name, value in row.items() if name != "level"})
        for row in rows
    }
    decided = standings_of(database, run.team_id)
    clusters, labels = clusters_of(database, run), _labels_of(database, run)
    for row in clusters:
        if row["disclosure"] == FULL and (title := decided.get(row["lineage_id"], NOTHING).title):
            labels[row["cluster_id"]] = {
                "description": "",
                **labels.get(row["cluster_id"], {}),
                "title": title,
                "status": "generated",
            }
    # Deferred names (no budget) are no failure: clusters are published with their numbers until then.
    states = [labels.get(row["cluster_id"], {}).get("status") for row in clusters if row["cluster_id"] != NOISE_ID]
    if states and set(states) == {"failed"}:
        raise NoNamesError(
            f"{len(states)} of {len(states)} clusters have no name; the next run of cluster_labels asks again"
        )
    return _properties(database, run, clusters, labels, numbers, theme_name)


def differences_from_run(database: Database, run: Run, published: Mapping[str, Any]) -> Iterator[str]:
    """How an event differs from the stored run, one text for each difference; titles are not compared.

    An event may be older than people's decisions about members; the clusters concerned are compared without these.

    Raises:
        EmptyClusteringError: the run is empty, or its rows are inconsistent.
    """
    stored = _properties(database, run, clusters_of(database, run), _labels_of(database, run), {}, "")
    stored = orjson.loads(orjson.dumps(stored))
    yield from _differing(stored, published, NOT_COMPARED)
    found = clusters_by_id(published)
    edited = _with_edited_members(database, run, [*stored["$ai_clusters"], *found.values()])
    for cluster in stored["$ai_clusters"]:
        name = f"'{cluster['title']}'"
        other = found.pop(cluster["cluster_id"], None)
        is_edited = cluster["cluster_id"] in edited
        if other is None:
            if not is_edited:
                yield f"{name} is not in it"
            continue
        left_out = NOT_COMPARED_IN_CLUSTERS + (CHANGED_WITH_MEMBERS if is_edited else ())
        yield from (f"{name}: {each}" for each in _differing(cluster, other, left_out))
        if not is_edited and cluster["traces"] != other.get("traces"):
            yield f"{name}: other members than the {len(cluster['traces'])} that are stored"
    yield from (f"cluster {cluster_id} is not stored" for cluster_id in found if cluster_id not in edited)


def _with_edited_members(database: Database, run: Run, clusters: Iterable[Mapping[str, Any]]) -> set[int]:
    """The numbers of those clusters of which people ever took a member out, and of the outliers, to which these go."""
    decided = standings_of(database, run.team_id)
    lineages = {counted_as(each.lineage_id, decided) for each in edits_of(database, run.team_id) if each.item_id}
    found = {row["cluster_id"] for row in clusters if counted_as(str(row.get("lineage_id")), decided) in lineages}
    return found | {NOISE_ID} if found else set()


def wrong_titles(database: Database, run: Run, published: Mapping[str, Any]) -> Iterator[str]:
    """Titles and descriptions of an event that differ from the stored labels, one text for each.

    Titles that people gave are right, also those that they took back: these change when the day is run again.
    """
    labels = _labels_of(database, run)
    given: dict[str, set[str]] = {}
    for edit in edits_of(database, run.team_id):
        given.setdefault(edit.lineage_id, set()).add(edit.title)
    found = clusters_by_id(published)
    for row in clusters_of(database, run):
        label = labels.get(row["cluster_id"], {})
        title, other = title_of(row, label), found.get(row["cluster_id"])
        if other is None:
            continue
        if other.get("title") != title and other.get("title") not in given.get(row["lineage_id"], ()):
            yield f"'{other.get('title')}' for '{title}'"
        elif other.get("description", "") != label.get("description", ""):
            yield f"another description of '{title}'"


def clusters_by_id(published: Mapping[str, Any]) -> dict[Any, Mapping[str, Any]]:
    """The clusters of an event by id; malformed entries are left out."""
    clusters = published.get("$ai_clusters")
    listed = clusters if isinstance(clusters, list) else []
    return {each["cluster_id"]: each for each in listed if isinstance(each, dict) and _is_id(each.get("cluster_id"))}


def _is_id(value: Any) -> bool:
    return isinstance(value, int)


def _differing(stored: Mapping[str, Any], published: Mapping[str, Any], left_out: tuple[str, ...]) -> Iterator[str]:
    for name, value in stored.items():
        if name in left_out or (name not in published and name not in REQUIRED_PROPERTIES):
            continue
        other = published.get(name)
        if other != value:
            is_short = not isinstance(value, list | dict)
            yield f"{name} {_cut(other)}, stored {_cut(value)}" if is_short else f"another {name} than is stored"


def _cut(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _days(run: Run) -> dict[str, date]:
    return {"from": run.window_start.date(), "until": run.day}


def _labels_of(database: Database, run: Run) -> dict[int, dict[str, Any]]:
    return {cluster_id: asdict(label) for cluster_id, label in labels_of(database, run).items()}


def _properties(
    database: Database,
    run: Run,
    clusters: list[dict[str, Any]],
    labels: Mapping[int, Mapping[str, Any]],
    numbers: Mapping[str, ItemNumbers],
    theme_name: str,
) -> dict[str, Any]:
    return cluster_event_properties(
        {**asdict(run), "params": orjson.loads(run.params), "quality": orjson.loads(run.quality)},
        clusters,
        members_of(database, run),
        labels,
        numbers,
        theme_name=theme_name,
        groups=group_labels_of(database, run),
        held_back=held_back(database, run),
    )
