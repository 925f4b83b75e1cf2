"""Tags on traces: one `$ai_tag` event for each clustered item of a theme that asks for them.

A tag's uuid follows from team, theme and item, so that an item has one tag of a theme: when its cluster changes, the
tag changes with it, and when it is in no cluster any more, its tag goes. Pipelines write tags: no team is eligible by
them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOISE_LABEL, Run, last_runs
from llma_assets.events.queries import DELETE_TAGS, STORED_TAGS
from llma_assets.themes import Theme

TAG_EVENT = "$ai_tag"
NAMESPACE = UUID("7c1d4c2e-6f4f-5b5e-8a3b-2f0f4d1f9d10")


@dataclass(frozen=True, slots=True)
class TagCounts:
    """What became of a theme's tags: written anew or changed, left as they are, and deleted."""

    written: int
    unchanged: int
    deleted: int


def tag_uuid(team_id: int, theme_id: str, item_id: str) -> UUID:
    """The uuid of the tag of an item."""
    return uuid5(NAMESPACE, f"{team_id}|{theme_id}|{item_id}")


def publish_tags(
    database: Database, run: Run, theme: Theme, clusters: Iterable[Mapping[str, Any]], *, distinct_id: str
) -> TagCounts:
    """Write the tags of a run's clusters, and delete those of its window that no cluster has any more.

    Items that a later run has clustered as well keep the tag of that run.

    Args:
        clusters: as they are published: `cluster_id`, `title`, `lineage_id`, `traces`.
    """
    until = _untouched_by_later(database, run, theme)
    wanted = {} if until < run.window_start.date() else dict(_tags(run, theme, clusters, until))
    stored = {
        row["uuid"]: row["properties"]
        for row in database.stream(
            STORED_TAGS,
            team_id=run.team_id,
            event=TAG_EVENT,
            theme_id=theme.theme_id,
            **{"from": run.window_start.date(), "until": until},
        )
    }
    changed = [
        {
            "uuid": uuid,
            "event": TAG_EVENT,
            "team_id": run.team_id,
            "distinct_id": distinct_id,
            "timestamp": timestamp,
            "properties": properties,
        }
        for uuid, (timestamp, properties) in wanted.items()
        if stored.get(uuid) != properties
    ]
    gone = [uuid for uuid in stored if uuid not in wanted]
    if changed:
        with database.exclusive("ingest"):  # an ingest that is at work learns that others have stored events
            database.insert_rows("events", changed)
    if gone:
        database.execute(
            DELETE_TAGS,
            team_id=run.team_id,
            event=TAG_EVENT,
            uuids=gone,
            **{"from": run.window_start.date(), "until": until},
        )
    return TagCounts(len(changed), len(wanted) - len(changed), len(gone))


def _untouched_by_later(database: Database, run: Run, theme: Theme) -> date:
    """The last day of the run's window that no later run of the theme reads; before the window if there is none."""
    last: date = last_runs(database, run.team_id).get(theme.theme_id, {}).get("last_day", run.day)
    if last <= run.day:
        return run.day
    days = (run.day - run.window_start.date()).days
    return min(run.day, last - timedelta(days=days + 1))


def _tags(
    run: Run, theme: Theme, clusters: Iterable[Mapping[str, Any]], until: date
) -> Iterable[tuple[UUID, tuple[datetime, str]]]:
    for cluster in clusters:
        if cluster["cluster_id"] == NOISE_LABEL or not cluster.get("lineage_id"):
            continue
        for item in cluster["traces"]:
            item_id = item.get("generation_id") or item["trace_id"]
            timestamp = datetime.fromisoformat(item["timestamp"])
            if timestamp.date() > until:
                continue
            properties = {
                "$ai_trace_id": item["trace_id"],
                **({"$ai_generation_id": item["generation_id"]} if item.get("generation_id") else {}),
                "$ai_tag_theme": theme.theme_id,
                "$ai_tag": cluster["title"],
                "$ai_tag_lineage_id": cluster["lineage_id"],
            }
            yield tag_uuid(run.team_id, theme.theme_id, item_id), (timestamp, orjson.dumps(properties).decode())
