"""Tags: one event an item, which follows the item's cluster, of team and theme alone, and makes no team eligible."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.events.partition import publish_events
from llma_assets.events.tags import TAG_EVENT
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets.trace_events import TRIGGER_EVENTS
from llma_assets_tests.clusters.planted import name_clusters, plant, run_day

FIRST = date(2026, 11, 2)
TAGGED = replace(TRACES, tags=True)


def publish(database: Database, team_id: int, day: date, *, clusters: int = 2, tags: bool = True) -> dict[str, Any]:
    run_day(database, team_id, day, clusters)
    name_clusters(database, team_id, day)
    theme = TAGGED if tags else TRACES
    return dict(publish_events(database, TeamDay(team_id, day), themes=(theme,), progress=silent).details)


def tags_of(database: Database, team_id: int) -> dict[str, tuple[str, str]]:
    """Title and lineage by trace."""
    rows = database.rows(
        "SELECT properties FROM events FINAL WHERE team_id = {team_id:Int64} AND event = {event:String}",
        team_id=team_id,
        event=TAG_EVENT,
    )
    found = [orjson.loads(row["properties"]) for row in rows]
    assert all(each["$ai_tag_theme"] == "traces" for each in found)
    assert len({each["$ai_trace_id"] for each in found}) == len(found)
    return {each["$ai_trace_id"]: (each["$ai_tag"], each["$ai_tag_lineage_id"]) for each in found}


def test_tags_are_written_once_and_only_where_a_theme_asks_for_them(database: Database) -> None:
    for team_id in (1, 2):
        plant(database, team_id, FIRST, {"A": 12, "B": 9})
    assert publish(database, 1, FIRST)["traces_tags_written"] == 21
    again = publish(database, 1, FIRST)
    assert (again["traces_tags_written"], again["traces_tags_unchanged"], again["traces_tags_deleted"]) == (0, 21, 0)
    titles = [title for title, _ in tags_of(database, 1).values()]
    assert {title: titles.count(title) for title in titles} == {"Topic A of team 1": 12, "Topic B of team 1": 9}
    assert "traces_tags_written" not in publish(database, 2, FIRST, tags=False)
    assert tags_of(database, 2) == {}
    assert TAG_EVENT not in TRIGGER_EVENTS


def test_a_tag_moves_with_its_item_and_an_earlier_day_takes_nothing_back(database: Database) -> None:
    later = FIRST + timedelta(days=1)
    for day in (FIRST, later):
        plant(database, 1, day, {"A": 12, "B": 9})
    publish(database, 1, FIRST)
    publish(database, 1, later)
    before = tags_of(database, 1)
    assert len(before) == 42
    database.execute(
        "ALTER TABLE cluster_labels UPDATE title = 'Renamed' WHERE team_id = 1 AND day = {day:Date} "
        "AND title = 'Topic A of team 1' SETTINGS mutations_sync = 2",
        day=later,
    )
    told = publish_events(database, TeamDay(1, later), themes=(TAGGED,), progress=silent).details
    assert (told["traces_tags_written"], told["traces_tags_unchanged"]) == (24, 18)
    assert sum(title == "Renamed" for title, _ in tags_of(database, 1).values()) == 24
    publish_events(database, TeamDay(1, FIRST), themes=(TAGGED,), progress=silent)
    assert sum(title == "Renamed" for title, _ in tags_of(database, 1).values()) == 24


def test_the_tag_of_an_item_that_is_in_no_cluster_any_more_goes(database: Database) -> None:
    plant(database, 1, FIRST, {"A": 12, "B": 9})
    publish(database, 1, FIRST)
    database.execute(
        "ALTER TABLE cluster_members DELETE WHERE team_id = 1 AND rank = 0 SETTINGS mutations_sync = 2",
    )
    database.execute("ALTER TABLE clusters UPDATE size = size - 1 WHERE team_id = 1 SETTINGS mutations_sync = 2")
    database.execute(
        "ALTER TABLE clustering_runs UPDATE items = items - 2 WHERE team_id = 1 SETTINGS mutations_sync = 2"
    )
    told = publish_events(database, TeamDay(1, FIRST), themes=(TAGGED,), progress=silent).details
    assert told["traces_tags_deleted"] == 2
    assert len(tags_of(database, 1)) == 19
