"""Events of days that were linked again, because an earlier day was run after them, say what is stored."""

from datetime import date, timedelta

from llma_assets.clickhouse import Database
from llma_assets.events.checks import events_match_runs
from llma_assets.events.partition import publish_events
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay
from llma_assets.themes import TRACES
from llma_assets_tests.clusters.planted import name_clusters, plant, run_day

FIRST = date(2026, 11, 2)


def publish(database: Database, team_id: int, day: date) -> str:
    """Run, name and publish a day; the later days that were published with it."""
    run_day(database, team_id, day, 2)
    name_clusters(database, team_id, day)
    report = publish_events(database, TeamDay(team_id, day), themes=(TRACES,), progress=silent)
    return str(report.details.get("traces_later_events", ""))


def all_match(database: Database, team_id: int, day: date) -> bool:
    return all(outcome.passed for outcome in events_match_runs(database, TeamDay(team_id, day)))


def test_later_days_that_were_linked_again_are_published_again(database: Database) -> None:
    days = [FIRST + timedelta(days=number) for number in range(3)]
    for day in days:
        plant(database, 1, day, {"A": 12, "B": 9})
        plant(database, 2, day, {"A": 9, "B": 12})
    for team_id in (1, 2):
        assert publish(database, team_id, days[2]) == ""
    assert publish(database, 1, days[1]) == str(days[2])
    assert publish(database, 1, days[0]) == str(days[1])
    assert publish(database, 1, days[0]) == ""
    run_day(database, 2, days[1], 2)
    assert not all_match(database, 2, days[2]), "team 2 has linked its last day again, and not published it"
    assert all(all_match(database, 1, day) for day in days)
