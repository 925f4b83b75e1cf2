"""The stage `cluster_events` for one partition: each committed run is published as one event.

The event's uuid is deterministic, so that publishing it again changes nothing. Its properties belong in `building`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import (
    LINK_DAYS,
    Run,
    ask_clusters_of,
    clusters_of,
    committed_run,
    has_runs,
    held_back,
    runs_of_day,
)
from llma_assets.events.building import ask_numbers_of, properties_of
from llma_assets.events.queries import DAYS_WITH_OTHER_LINEAGES, FORGET_OLDER_VERSIONS, IS_PUBLISHED, PUBLISHED_EVENTS
from llma_assets.events.tags import publish_tags
from llma_assets.labels import ask_labels_of
from llma_assets.stage import Progress, Report, each_theme
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

STAGE = "cluster_events"
NAMESPACE = UUID("2b0b6a52-0a3b-57ac-9d65-0f4a6c1c5a77")
DISTINCT_ID = "llma-assets"


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    """The event of a run.

    Attributes:
        properties, text: of the event; empty where all of it is held back.
        told: what was done, for the report.
    """

    theme: Theme
    run: Run
    properties: dict[str, Any]
    text: str
    told: dict[str, Any]

    def tell(self, status: str) -> None:
        """Note what was done."""
        told: dict[str, Any] = {"event": status, "items": self.run.items} if self.text else {"event": "held back"}
        told["clusters"] = len(self.properties.get("$ai_clusters", ()))
        self.told.update({f"{self.theme.theme_id}_{name}": value for name, value in told.items()})


def publish_events(database: Database, team_day: TeamDay, *, themes: Sequence[Theme], progress: Progress) -> Report:
    """Publish the committed run of each theme; an unchanged event is not written again.

    Raises:
        ThemesFailed: some themes failed, such as by an `EmptyClusteringError`: a committed run has nothing in it, and
            nothing is published for it, or by a `NoNamesError`. The others are published.
    """
    items, metadata = 0, dict[str, Any]()
    places = {theme.theme_id: place for place, theme in enumerate(themes)}

    runs = [run for run in runs_of_day(database, team_day) if run.theme_id in places]
    ask_clusters_of(database, runs)
    ask_labels_of(database, runs)
    ask_numbers_of(database, runs)

    def work(theme: Theme) -> _Draft | None:
        progress(STAGE, team_day, places[theme.theme_id], len(themes))
        run = next((run for run in runs if run.theme_id == theme.theme_id), None)
        return None if run is None else _draft(database, theme, run)

    def publish(done: Sequence[tuple[Theme, _Draft | None]]) -> None:
        drafts = [draft for _, draft in done if draft is not None]
        _publish(database, team_day, drafts)
        for draft in drafts:
            if later := list(_publish_later_days(database, team_day, draft.theme)):
                draft.told[f"{draft.theme.theme_id}_later_events"] = ", ".join(map(str, later))

    for _, draft in each_theme(database, team_day, STAGE, themes, work, publish):
        items += draft is not None
        metadata |= draft.told if draft is not None else {}
    progress(STAGE, team_day, len(themes), len(themes))
    return Report(items=items, reason="" if items else "no_committed_run", details=metadata)


def _publish_later_days(database: Database, team_day: TeamDay, theme: Theme) -> Iterator[date]:
    """Publish later days again whose clusters were linked to this one since, because it was run after them."""
    first, last = team_day.back(-1).day, team_day.back(-LINK_DAYS).day
    if not has_runs(database, team_day, theme.theme_id, first, last):
        return
    key = {"team_id": team_day.team_id, "theme_id": theme.theme_id, "event": theme.event}
    rows = database.rows(DAYS_WITH_OTHER_LINEAGES, **key, **{"from": first, "until": last})
    for row in rows:
        later = TeamDay(team_day.team_id, row["day"])
        run = committed_run(database, later, theme.theme_id)
        if run is not None:
            _publish(database, later, [_draft(database, theme, run)])
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


def _draft(database: Database, theme: Theme, run: Run) -> _Draft:
    if held_back(database, run)[0] and not clusters_of(database, run):
        return _Draft(theme, run, {}, "", {})
    properties = properties_of(database, run, theme_name=theme.name)
    return _Draft(theme, run, properties, orjson.dumps(properties).decode(), {})


def _publish(database: Database, team_day: TeamDay, drafts: Sequence[_Draft]) -> None:
    """Publish what is new or different by one insert, and say what was done."""
    if not drafts:
        return
    uuids = {draft.theme.theme_id: event_uuid(team_day, draft.theme) for draft in drafts}
    address = {"team_id": team_day.team_id, "day": team_day.day}
    events = sorted({draft.theme.event for draft in drafts})
    rows = database.rows(PUBLISHED_EVENTS, **address, events=events, uuids=sorted(uuids.values()))
    published = {row["uuid"]: row for row in rows}
    different = [
        draft for draft in drafts if draft.text != published.get(uuids[draft.theme.theme_id], {}).get("properties", "")
    ]
    new = [
        {
            "uuid": uuids[draft.theme.theme_id],
            "event": draft.theme.event,
            "team_id": team_day.team_id,
            "distinct_id": DISTINCT_ID,
            "timestamp": team_day.start,
            "properties": draft.text,
        }
        for draft in different
        if draft.text
    ]
    if new:
        with database.exclusive("ingest"):  # an ingest that is at work learns that others have stored events
            database.insert_rows("events", new)
    for draft in different:
        if before := published.get(uuids[draft.theme.theme_id]):
            # Readers with FINAL see the newest version anyway; a plain count should see one event, too.
            key = {**address, "event": draft.theme.event, "uuid": before["uuid"]}
            database.execute(FORGET_OLDER_VERSIONS, **key, inserted_at=before["inserted_at"])
    newest = {run.theme_id: run for run in runs_of_day(database, team_day)}
    for draft in drafts:
        now = newest.get(draft.theme.theme_id, draft.run)
        if draft.text and now.attempt_id != draft.run.attempt_id:
            # Another run has committed a new clustering meanwhile: publish that one.
            other = _draft(database, draft.theme, now)
            _publish(database, team_day, [other])
            draft.told.update(other.told)
            continue
        draft.tell("published" if draft in different else "unchanged")
        if draft.text and draft.theme.tags:
            clusters = draft.properties["$ai_clusters"]
            tags = publish_tags(database, draft.run, draft.theme, clusters, distinct_id=DISTINCT_ID)
            draft.told.update({f"{draft.theme.theme_id}_tags_{name}": count for name, count in asdict(tags).items()})
