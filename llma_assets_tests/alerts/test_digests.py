"""Digests by channel: sent once a day or week, with the numbers that are stored when they are sent."""

from datetime import UTC, datetime, timedelta

import pytest

from llma_assets.alerts import Channel, Document, Rule, alerts_of, apply, deliver, deliveries, evaluate, preview
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.testing import WebhookServer
from llma_assets_tests.alerts.conftest import SECRET
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.alerts.test_day import MORNING, OPS

DAILY = Rule("daily", "digest", every="day", channels=("ops",))
WEEKLY = Rule("weekly", "digest", channels=("ops",))
QUIET = [10, 10, 10, 10, 10, 10, 10] * 2


def evaluated(database: Database, back: int, *rules: Rule, team_id: int = MINE) -> list[str]:
    """The headlines that go to channels for a day."""
    apply(database, team_id, Document((OPS,), rules), "ada", prune=True)
    day = LAST - timedelta(days=back)
    now = datetime.combine(day + timedelta(days=1), MORNING.time(), UTC)
    found = evaluate(database, TeamDay(team_id, day), alerts_of(database, team_id), now=now)
    return [message.headline for _, message, _ in found.messages]


def plant(database: Database) -> None:
    """Two weeks in which one cluster is four times itself on the last day; and another team."""
    plant_days(database, {"aaaa-grown": [*QUIET[:-1], 40], "bbbb-same": [30] * 14})
    plant_days(database, {"aaaa-grown": QUIET, "bbbb-same": [30] * 14}, team_id=OTHER)


def test_the_day_comes_each_day_and_the_week_on_sundays(database: Database) -> None:
    plant(database)
    assert evaluated(database, 1, DAILY, WEEKLY) == ["The day of team 1, theme traces: 2026-11-21"]
    assert evaluated(database, 0, DAILY, WEEKLY) == [
        "The day of team 1, theme traces: 2026-11-22",
        "The week of team 1, theme traces: 2026-11-16 to 2026-11-22",
    ]
    said = preview(database, TeamDay(MINE, LAST), DAILY, 1)
    assert "grew by more than chance against the seven days before" in said[0].said[0]
    other = preview(database, TeamDay(OTHER, LAST), DAILY, 1)
    assert "No cluster's share grew by more than chance." in other[0].said[0]


def test_a_day_that_has_not_ended_has_no_digest(database: Database) -> None:
    plant_days(database, {"aaaa": [20]})
    apply(database, MINE, Document((OPS,), (DAILY,)), "ada")
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    found = evaluate(database, TeamDay(MINE, LAST), alerts_of(database, MINE), now=noon)
    assert (found.messages, found.quiet_because) == ((), "2026-11-22 has not ended")


def test_what_is_sent_is_what_is_stored_when_it_is_sent(
    database: Database, private_hosts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(database)
    evaluated(database, 0, DAILY)
    database.execute(
        "ALTER TABLE cluster_members DELETE WHERE team_id = 1 AND item_day = {day:Date} AND rank >= 10 "
        "SETTINGS mutations_sync = 2",
        day=LAST,
    )
    with WebhookServer(SECRET, clock=MORNING.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        assert deliver(database, MINE, {"ops": OPS}, clock=lambda: MORNING).sent == 1
        assert deliver(database, MINE, {"ops": OPS}, clock=lambda: MORNING).sent == 0
    data = server.taken[0].body["data"]
    assert (len(data["facts"]), [each["topic"] for each in data["numbers"]]) == (
        5,
        ["new", "grown", "faded", "quality", "spend"],
    )
    assert data["facts"][1] != deliveries(database, MINE, MORNING)[0].message.facts[1]
    assert data["numbers"][1]["items_1"] == 10


def test_what_is_not_stored_any_longer_is_not_sent(
    database: Database, private_hosts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant_days(database, {"aaaa": [20]})
    evaluated(database, 0, DAILY)
    database.execute("ALTER TABLE clustering_runs DELETE WHERE team_id = 1 SETTINGS mutations_sync = 2")
    slack = Channel("ops", "slack_webhook", address_env="LLMA_ALERTS_URL")
    assert deliver(database, MINE, {"ops": slack}, clock=lambda: MORNING).dead == 1
    assert deliveries(database, MINE, MORNING)[0].error == "nothing that it says is stored any longer"
