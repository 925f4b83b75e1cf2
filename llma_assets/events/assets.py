"""The asset `cluster_events`: publishes each committed run as one event, with a uuid that follows from what it is."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid5

import dagster as dg
import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters.edit_queries import standings_of
from llma_assets.clusters.edits import NOTHING
from llma_assets.clusters.queries import Run, clusters_of, committed_run, members_of
from llma_assets.events import ItemNumbers, NoNamesError, cluster_event_properties
from llma_assets.events.queries import FORGET_OLDER_VERSIONS, NUMBERS_OF_ITEMS, PUBLISHED_EVENT
from llma_assets.labels.evidence import NOISE_ID
from llma_assets.labels.queries import LABELS_OF_RUN, group_labels_of
from llma_assets.partitions import team_days
from llma_assets.resources import ClickHouseResource
from llma_assets.stage import Progress, Report, ThemesConfig, each_theme, run_tags, walk_partitions
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme
from llma_assets.themes.store import active_themes

STAGE = "cluster_events"
NAMESPACE = UUID("2b0b6a52-0a3b-57ac-9d65-0f4a6c1c5a77")
DISTINCT_ID = "llma-assets"


@dg.asset(
    partitions_def=team_days,
    deps=["cluster_labels"],
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=7),
    group_name="clusters",
    kinds={"clickhouse"},
    pool="clickhouse",
)
def cluster_events(
    context: dg.AssetExecutionContext,
    config: ThemesConfig,
    clickhouse: ClickHouseResource,
    progress: dg.ResourceParam[Progress],
) -> None:
    """The published clusters: `$ai_trace_clusters` and `$ai_generation_clusters`."""
    database = clickhouse.database().tagged(**run_tags(context))

    def work(team_day: TeamDay) -> Report:
        themes = active_themes(database, team_day.team_id, config.themes)
        return publish_events(database, team_day, themes=themes, progress=progress)

    walk_partitions(context, work)


def publish_events(database: Database, team_day: TeamDay, *, themes: Sequence[Theme], progress: Progress) -> Report:
    """Publish the committed run of each theme; what is published already and unchanged is left alone.

    Raises:
        ThemesFailed: some themes failed, such as by an `EmptyClusteringError`: a committed run has nothing in it, and
            nothing is published for it, or by a `NoNamesError`. The others are published.
    """
    items, metadata = 0, dict[str, Any]()
    places = {theme.theme_id: place for place, theme in enumerate(themes)}

    def work(theme: Theme) -> dict[str, Any]:
        progress(STAGE, team_day, places[theme.theme_id], len(themes))
        run = committed_run(database, team_day, theme.theme_id)
        return _publish(database, team_day, theme, run) if run is not None else {}

    for _, told in each_theme(database, team_day, STAGE, themes, work):
        items += bool(told)
        metadata |= told
    progress(STAGE, team_day, len(themes), len(themes))
    return Report(items=items, reason="" if items else "no_committed_run", metadata=metadata)


def event_uuid(team_day: TeamDay, theme: Theme) -> UUID:
    """One event for a team, a day and a theme, however often it is published."""
    return uuid5(NAMESPACE, f"{theme.event}|{team_day.team_id}|{team_day.day.isoformat()}|{theme.theme_id}")


def _publish(database: Database, team_day: TeamDay, theme: Theme, run: Run) -> dict[str, Any]:
    clusters, members = clusters_of(database, run), members_of(database, run)
    labels = {
        row["cluster_id"]: row
        for row in database.rows(
            LABELS_OF_RUN,
            team_id=run.team_id,
            day=run.day,
            theme_id=run.theme_id,
            attempt_id=run.attempt_id,
        )
    }
    numbers = {
        row.pop("item_id"): ItemNumbers(**row)
        for row in database.rows(
            NUMBERS_OF_ITEMS,
            team_id=team_day.team_id,
            level=theme.level,
            **{"from": run.window_start.date(), "until": run.day},
        )
    }
    decided = standings_of(database, team_day.team_id)
    for row in clusters:
        if title := decided.get(row["lineage_id"], NOTHING).title:
            labels[row["cluster_id"]] = {
                "description": "",
                **labels.get(row["cluster_id"], {}),
                "title": title,
                "status": "generated",
            }
    # Names that were not asked for, such as for want of money, are no failure: the numbers stand for them until then.
    states = [labels.get(row["cluster_id"], {}).get("status") for row in clusters if row["cluster_id"] != NOISE_ID]
    if states and set(states) == {"failed"}:
        raise NoNamesError(f"{len(states)} of {len(states)} clusters have no name; the labels are asked for again")
    properties = cluster_event_properties(
        {**asdict(run), "params": orjson.loads(run.params), "quality": orjson.loads(run.quality)},
        clusters,
        members,
        labels,
        numbers,
        theme_name=theme.name,
        groups=group_labels_of(database, run),
    )
    text = orjson.dumps(properties).decode()
    address = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "event": theme.event,
        "uuid": event_uuid(team_day, theme),
    }
    published = database.rows(PUBLISHED_EVENT, **address)
    status = "unchanged"
    if not published or published[0]["properties"] != text:
        database.insert_rows(
            "events",
            [
                {
                    "uuid": address["uuid"],
                    "event": theme.event,
                    "team_id": team_day.team_id,
                    "distinct_id": DISTINCT_ID,
                    "timestamp": team_day.start,
                    "properties": text,
                }
            ],
        )
        status = "published"
    if status == "published" and published:
        # Readers see the newest version in any case; a plain count should see one event, too.
        database.execute(FORGET_OLDER_VERSIONS, **address, inserted_at=published[0]["inserted_at"])
    return {
        f"{theme.theme_id}_event": status,
        f"{theme.theme_id}_items": run.items,
        f"{theme.theme_id}_clusters": len(clusters),
    }
