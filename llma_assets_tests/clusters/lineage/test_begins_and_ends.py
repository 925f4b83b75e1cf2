"""A topic that begins in the stream is a cluster of the stage's next runs, and one that ends in it is said; by team."""

from datetime import date, timedelta

import orjson
import pytest

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.cluster_members import members_of
from llma_assets_tests.clusters.planted import lineages, plant, run_day, stored_run

FIRST = date(2026, 11, 2)
TOPICS = "ABCDEFGH"
A_DAY = 10
BEGINS, LAST = 8, 8
"""The first day of `a`, which is near A, and the last one of B, for team 1. Team 2 has both on all days."""
DAYS = range(6, 13)
CUT = {"method": "graph", "target_clusters": len(TOPICS)}
"""Too coarse for `a`: what parts it from A is its age alone, for the three days on which it is news."""


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def planted(team_id: int, number: int) -> dict[str, int]:
    topics = dict.fromkeys([*TOPICS, "a"], A_DAY)
    if team_id == 1:
        topics["a"] *= number >= BEGINS
        topics["B"] *= number <= LAST
    return topics


@pytest.fixture
def two_weeks(database: Database) -> Database:
    for team_id in (1, 2):
        for number in range(DAYS.stop):
            plant(database, team_id, day(number), planted(team_id, number))
        for number in DAYS:
            run_day(database, team_id, day(number), 2, **CUT)
    return database


def homes(database: Database, team_id: int, number: int, topic: str) -> set[int]:
    """The clusters that hold items of a topic."""
    members = members_of(database, stored_run(database, team_id, day(number)))
    return {member["cluster_id"] for member in members if member["item_id"].startswith(f"{topic}-")}


def ended(database: Database, team_id: int, number: int) -> list[str]:
    lineage = orjson.loads(stored_run(database, team_id, day(number)).lineage)
    return [each["lineage_id"] for each in lineage["ended"]]


@pytest.mark.heavy
def test_what_begins_is_a_cluster_within_two_days_and_what_ends_is_said(two_weeks: Database) -> None:
    found = {number: lineages(two_weeks, 1, day(number)) for number in DAYS}
    first = min(number for number in DAYS if "a" in found[number])
    assert BEGINS <= first <= BEGINS + 2
    begun = found[first]["a"]
    assert (begun["lineage_status"], begun["size"]) == ("new", (first - BEGINS + 1) * A_DAY)
    assert {found[number]["a"]["lineage_id"] for number in range(first, BEGINS + 3)} == {begun["lineage_id"]}

    over = found[LAST]["B"]["lineage_id"]
    assert [number for number in DAYS if over in ended(two_weeks, 1, number)] == [LAST + 3]
    assert found[LAST + 3]["B"]["lineage_status"] == "ended"
    assert all(set(ended(two_weeks, 1, number)) <= {over} for number in DAYS)

    for number in DAYS:
        assert homes(two_weeks, 2, number, "a") == homes(two_weeks, 2, number, "A")
        assert "ended" not in {row["lineage_status"] for row in lineages(two_weeks, 2, day(number)).values()}
        assert ended(two_weeks, 2, number) == []
