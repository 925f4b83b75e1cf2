"""Mutes and snoozes on a team's days: each end of a silence, after which what still lasts is told again."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llma_assets.alerts import Document, alerts_of, apply, evaluate, lift_mutes, mute
from llma_assets.clickhouse import Database
from llma_assets.insights import add_release
from llma_assets.team_day import TeamDay
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.alerts.test_day import ESCALATING, MORNING, OPS
from llma_assets_tests.databases import PlantedOnce

QUIET = [12] * 35


def lasting(database: Database) -> None:
    """A spike that lasts for four days, of which the first was told; and the same of another team."""
    for team_id in (MINE, OTHER):
        counts = {"aaaa-spike": [*QUIET[:-4], 60, 60, 60, 60], "bbbb-quiet": QUIET}
        plant_days(database, counts, team_id=team_id)
        apply(database, team_id, Document((OPS,), (ESCALATING,)), "ada", prune=True)
        evaluate(database, TeamDay(team_id, LAST - timedelta(days=3)), alerts_of(database, team_id), now=morning(3))


def morning(back: int) -> datetime:
    """The morning after the day so many days before the last."""
    return datetime.combine(LAST - timedelta(days=back - 1), MORNING.time(), UTC)


def told(database: Database, team_id: int = MINE) -> list[list[str]]:
    """What is said of each of the three days after the first."""
    team = alerts_of(database, team_id)
    days = [(TeamDay(team_id, LAST - timedelta(days=back)), morning(back)) for back in (2, 1, 0)]
    return [
        [message.event for _, message, _ in evaluate(database, day, team, now=now, dry_run=True).messages]
        for day, now in days
    ]


ENDS: dict[str, tuple[dict[str, Any], list[list[str]]]] = {
    "for good": ({}, [[], [], []]),
    "traces": ({"more_traces": 100}, [[], [], ["again"]]),
    "more traces": ({"more_traces": 121}, [[], [], []]),
    "users": ({"more_users": 55}, [[], ["again"], []]),
    "until a time": ({"until": morning(1) - timedelta(hours=12)}, [[], ["again"], []]),
    "release": ({"until_release": True}, [[], [], ["again"]]),
}


@pytest.mark.heavy
def test_what_is_silent_until_it_ends_is_told_again_then(database: Database, planted_once: PlantedOnce) -> None:
    planted_once(lasting)
    assert told(database) == [[], [], []], "it was told, and nobody asked to be told again"
    # The last is one of another team, and the release is on the last day.
    add_release(database, OTHER, "v1", datetime(2026, 11, 21, 9, tzinfo=UTC), by="eve")
    add_release(database, MINE, "v2", datetime(2026, 11, 22, 9, tzinfo=UTC), by="ada")
    for name, (ends, wanted) in ENDS.items():
        mute(database, MINE, "ada", now=morning(3), subject="aaaa-spike", **ends)
        assert told(database) == wanted, name
        lift_mutes(database, MINE)
    mute(database, MINE, "ada", now=morning(3), rule_id="another", subject="aaaa-spike", more_traces=1)
    mute(database, OTHER, "eve", now=morning(3), more_traces=1)
    assert told(database) == [[], [], []], "that is about another rule, and another team"
