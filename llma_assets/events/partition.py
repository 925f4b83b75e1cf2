"""The stage `cluster_events` for one partition: each committed run is published as one event.

The event's uuid is deterministic, so that publishing it again changes nothing. Its properties belong in `building`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import LINK_DAYS, Run, clusters_of, committed_run, held_back
from llma_assets.events.building import properties_of
from llma_assets.events.queries import DAYS_WITH_OTHER_LINEAGES, FORGET_OLDER_VERSIONS, IS_PUBLISHED, PUBLISHED_EVENT
from llma_assets.events.tags import publish_tags
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

STAGE = "cluster_events"
NAMESPACE = UUID("2b0b6a52-0a3b-57ac-9d65-0f4a6c1c5a77")
DISTINCT_ID = "llma-assets"


def publish_events(database: Database, team_day: TeamDay, *, themes: Sequence[Theme], progress: Progress) -> Report:
    """Publish the committed run of each theme; an unchanged event is not written again.

    Raises:
        ThemesFailed: some themes failed, such as by an `EmptyClusteringError`: a committed run has nothing in it, and
            nothing is published for it, or by a `NoNamesError`. The others are published.
    """
    items, metadata = 0, dict[str, Any]()
    places = {theme.theme_id: place for place, theme in enumerate(themes)}

    def work(theme: Theme) -> dict[str, Any]:
        progress(STAGE, team_day, places[theme.theme_id], len(themes))
        run = committed_run(database, team_day, theme.theme_id)
        if run is None:
            return {}
        told = _publish(database, team_day, theme, run)
        later = list(_publish_later_days(database, team_day, theme))
        return told | ({f"{theme.theme_id}_later_events": ", ".join(map(str, later))} if later else {})

    for _, told in each_theme(database, team_day, STAGE, themes, work):
        items += bool(told)
        metadata |= told
    progress(STAGE, team_day, len(themes), len(themes))
    return Report(items=items, reason="" if items else "no_committed_run", details=metadata)


def _publish_later_days(database: Database, team_day: TeamDay, theme: Theme) -> Iterator[date]:
    """Publish later days again whose clusters were linked to this one since, because it was run after them."""
    rows = database.rows(
        DAYS_WITH_OTHER_LINEAGES,
        team_id=team_day.team_id,
        theme_id=theme.theme_id,
        event=theme.event,
        **{"from": team_day.day + timedelta(days=1), "until": team_day.day + timedelta(days=LINK_DAYS)},
    )
    for row in rows:
        later = TeamDay(team_day.team_id, row["day"])
        run = committed_run(database, later, theme.theme_id)
        if run is not None:
            _publish(database, later, theme, run)
            yield later.day


def published_at(database: Database, team_day: TeamDay, theme: Theme) -> datetime | None:
    """When the clusters of a theme's day were published last, None where they are not."""
    key = {"team_id": team_day.team_id, "day": team_day.day, "event": theme.event}
    (row,) = database.rows(IS_PUBLISHED, **key, uuid=event_uuid(team_day, theme))
    moment: datetime = row["published_at"]
    return moment if row["events"] else None


def event_uuid(team_day: TeamDay, theme: Theme) -> UUID:
    """The uuid of the event of a team, a day and a theme."""
    return uuid5(NAMESPACE, f"{theme.event}|{team_day.team_id}|{team_day.day.isoformat()}|{theme.theme_id}")


def _publish(database: Database, team_day: TeamDay, theme: Theme, run: Run) -> dict[str, Any]:
    address = {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "event": theme.event,
        "uuid": event_uuid(team_day, theme),
    }
    published = database.rows(PUBLISHED_EVENT, **address)
    if held_back(database, run)[0] and not clusters_of(database, run):
        if published:
            database.execute(FORGET_OLDER_VERSIONS, **address, inserted_at=published[0]["inserted_at"])
        return {f"{theme.theme_id}_event": "held back", f"{theme.theme_id}_clusters": 0}
    properties = properties_of(database, run, theme_name=theme.name)
    text = orjson.dumps(properties).decode()
    status = "unchanged"
    if not published or published[0]["properties"] != text:
        row = {
            "uuid": address["uuid"],
            "event": theme.event,
            "team_id": team_day.team_id,
            "distinct_id": DISTINCT_ID,
            "timestamp": team_day.start,
            "properties": text,
        }
        with database.exclusive("ingest"):  # an ingest that is at work learns that others have stored events
            database.insert_rows("events", [row])
        status = "published"
    if status == "published" and published:
        # Readers with FINAL see the newest version anyway; a plain count should see one event, too.
        database.execute(FORGET_OLDER_VERSIONS, **address, inserted_at=published[0]["inserted_at"])
    newest = committed_run(database, team_day, theme.theme_id)
    if newest is not None and newest.attempt_id != run.attempt_id:
        # Another run has committed a new clustering meanwhile: publish that one.
        return _publish(database, team_day, theme, newest)
    told = {
        f"{theme.theme_id}_event": status,
        f"{theme.theme_id}_items": run.items,
        f"{theme.theme_id}_clusters": len(properties["$ai_clusters"]),
    }
    if theme.tags:
        tags = publish_tags(database, run, theme, properties["$ai_clusters"], distinct_id=DISTINCT_ID)
        told |= {f"{theme.theme_id}_tags_{name}": count for name, count in asdict(tags).items()}
    return told
