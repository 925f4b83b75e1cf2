"""Published events carry lineages, and the titles that people chose."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.edits.decisions import Action, decide
from llma_assets.clusters.store.cluster_edits import standings_of, store_edit
from llma_assets.clusters.store.lineages import find_lineage
from llma_assets.events.partition import publish_events
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets_tests.clusters.planted import lineages, name_clusters, plant, run_day
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 2)


def two_named_teams(database: Database) -> None:
    """Two teams with equal items and two named clusters each."""
    for team_id in (1, 2):
        plant(database, team_id, DAY, {"A": 12, "B": 9})
        run_day(database, team_id, DAY, 2)
        name_clusters(database, team_id, DAY)


@pytest.fixture
def named(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_named_teams)
    return database


def published(database: Database, team_id: int) -> dict[str, dict[str, Any]]:
    """The clusters of a team's newest event by lineage id."""
    publish_events(database, TeamDay(team_id, DAY), themes=(TRACES,), progress=silent)
    (row,) = database.rows("SELECT properties FROM events FINAL WHERE team_id = {team_id:Int64}", team_id=team_id)
    return {each["lineage_id"]: each for each in json.loads(row["properties"])["$ai_clusters"]}


def change(database: Database, action: Action, lineage_id: str, title: str = "") -> None:
    lineage = find_lineage(database, 1, lineage_id)
    edit = decide(action, lineage, standings_of(database, 1), author="ada", at=datetime.now(UTC), title=title)
    assert edit is not None
    store_edit(database, 1, edit)


def test_a_title_that_people_chose_is_published_and_goes_when_it_is_taken_back(named: Database) -> None:
    one = lineages(named, 1, DAY)["A"]["lineage_id"]
    assert published(named, 1)[one]["title"] == "Topic A of team 1"
    change(named, "rename", one, "Money back")
    assert published(named, 1)[one]["title"] == "Money back"
    assert published(named, 1)[one]["lineage_status"] == "new"
    assert "Money back" not in str(published(named, 2))
    change(named, "unname", one)
    assert published(named, 1)[one]["title"] == "Topic A of team 1"


def test_a_decision_is_published_once(named: Database) -> None:
    change(named, "rename", lineages(named, 1, DAY)["A"]["lineage_id"], "Money back")
    for _ in range(2):
        published(named, 1)
    assert named.value("SELECT count() FROM events WHERE team_id = 1") == 1
