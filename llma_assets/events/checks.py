"""Rules of the asset checks of `cluster_events`. Their Dagster side belongs in `defs.checks`."""

from collections.abc import Collection, Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import Run, clusters_of, held_back, runs_of_day
from llma_assets.events.building import differences_from_run, wrong_titles
from llma_assets.events.payload import EmptyClusteringError
from llma_assets.events.queries import PUBLISHED_OF_DAY, TEAMS_WITH_EMPTY_EVENTS
from llma_assets.findings import Check, Outcome, in_words
from llma_assets.team_day import TeamDay


def no_empty_events(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No published event has `$ai_total_items_analyzed = 0`, or no cluster."""
    for row in database.rows(PUBLISHED_OF_DAY, team_id=team_day.team_id, day=team_day.day):
        yield Outcome(
            passed=row["items"] > 0 and row["clusters"] > 0,
            expected="at least 1 item and 1 cluster",
            found=f"{row['items']} items, {row['clusters']} clusters",
            query=PUBLISHED_OF_DAY,
            theme_id=row["theme_id"],
        )


def published_once(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """A theme's clusters of a day are published as one event: readers would count a second one as more clusters."""
    for theme_id, events in _published(database, team_day).items():
        uuids = ", ".join(str(row["uuid"]) for row in events)
        yield Outcome(len(events) == 1, "1 event", f"{len(events)}: {uuids}", PUBLISHED_OF_DAY, theme_id)


def events_match_runs(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Each committed run is published, with the items, clusters and members that are stored, and nothing else is."""
    published = _published(database, team_day)
    runs = {run.theme_id: run for run in runs_of_day(database, team_day)}
    for theme_id in sorted(published.keys() | runs.keys()):
        run, events = runs.get(theme_id), published.get(theme_id, [])
        if run is not None and not events and held_back(database, run)[0] and not clusters_of(database, run):
            continue  # all of it is held back
        found = [{name: row[name] for name in ("items", "members", "clusters")} for row in events]
        if run is None or not events:
            yield Outcome(
                passed=False,
                expected="no event" if run is None else f"an event of {run.items} items in {run.clusters} clusters",
                found=in_words([str(each) for each in found]) or "no event",
                query=PUBLISHED_OF_DAY,
                theme_id=theme_id,
            )
            continue
        wrong = [fault for row in events for fault in _faults(database, run, row)]
        yield Outcome(
            passed=not wrong,
            expected="the run as it is stored",
            found=in_words(wrong) or str(found[0]),
            query=PUBLISHED_OF_DAY,
            theme_id=theme_id,
        )


def event_titles_match_labels(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """The clusters of an event have the titles and descriptions of their labels, or titles that people gave them."""
    runs = {run.theme_id: run for run in runs_of_day(database, team_day)}
    for theme_id, events in _published(database, team_day).items():
        if theme_id not in runs:
            continue
        wrong = [fault for row in events for fault in wrong_titles(database, runs[theme_id], _properties(row))]
        yield Outcome(not wrong, "the titles of the labels", in_words(wrong) or "these", PUBLISHED_OF_DAY, theme_id)


def _published(database: Database, team_day: TeamDay) -> dict[str, list[dict[str, Any]]]:
    """The events of a day by theme."""
    rows = database.rows(PUBLISHED_OF_DAY, team_id=team_day.team_id, day=team_day.day)
    return {theme_id: list(events) for theme_id, events in groupby(rows, itemgetter("theme_id"))}


def _faults(database: Database, run: Run, event: dict[str, Any]) -> list[str]:
    if event["event"] != f"$ai_{run.level}_clusters":
        return [f"an event {event['event']} of a theme of {run.level}s"]
    try:
        return list(differences_from_run(database, run, _properties(event)))
    except EmptyClusteringError as error:
        return [str(error)]


def _properties(event: dict[str, Any]) -> dict[str, Any]:
    """The properties of an event; empty if they are not a JSON object."""
    try:
        properties = orjson.loads(event["properties"])
    except orjson.JSONDecodeError:
        return {}
    return properties if isinstance(properties, dict) else {}


CHECKS = (
    Check("cluster_events", no_empty_events, blocking=True),
    Check("cluster_events", published_once),
    Check("cluster_events", events_match_runs),
    Check("cluster_events", event_titles_match_labels),
)


def teams_with_empty_events(database: Database, day: date, team_ids: Collection[int]) -> set[int]:
    """The teams of which the blocking check `no_empty_events` fails on a day."""
    return {row["team_id"] for row in database.rows(TEAMS_WITH_EMPTY_EVENTS, team_ids=sorted(team_ids), day=day)}
