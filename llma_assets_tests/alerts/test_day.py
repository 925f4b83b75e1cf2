"""A team's day from stored runs to messages: judged, stored, told once, and explained from stored rows."""

from datetime import UTC, datetime, timedelta

import pytest

from llma_assets.alerts import (
    Channel,
    Document,
    Evaluation,
    Rule,
    alerts_of,
    apply,
    deliver,
    deliveries,
    evaluate,
    incidents,
    stored_decisions,
)
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets.testing import WebhookServer
from llma_assets_tests.alerts.conftest import SECRET
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days

MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC)
OPS = Channel("ops", "webhook", address_env="LLMA_ALERTS_URL", secret_env="LLMA_ALERTS_SECRET")
ESCALATING = Rule("escalating", "escalating", min_traces=10, min_users=3, channels=("ops",))


def judged(database: Database, *rules: Rule, team_id: int = MINE, day_back: int = 0, **options: object) -> Evaluation:
    """The day of a team, judged by these rules alone."""
    apply(database, team_id, Document((OPS,), rules), "ada", prune=True)
    day = LAST - timedelta(days=day_back)
    now = datetime.combine(day, MORNING.time(), UTC) + timedelta(days=1)
    return evaluate(database, TeamDay(team_id, day), alerts_of(database, team_id), now=now, **options)  # type: ignore[arg-type]


def test_a_spike_opens_one_incident_and_is_told_once(
    planted: Database, private_hosts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for team_id in (MINE, OTHER):
        judged(planted, ESCALATING, team_id=team_id)
    judged(planted, ESCALATING)
    (incident,) = incidents(planted, MINE)
    assert (incident.subject, incident.opened_day, incident.is_open) == ("aaaa-spike", LAST, True)
    assert incidents(planted, OTHER) == [], "the other team has a lineage of the same id, without a spike"
    with WebhookServer(SECRET, clock=MORNING.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        channels = alerts_of(planted, MINE).channels
        first = deliver(planted, MINE, channels, clock=lambda: MORNING)
        again = deliver(planted, MINE, channels, clock=lambda: MORNING + timedelta(hours=1))
    assert (first.sent, again.sent, len(server.requests), server.refused) == (1, 0, 1, [])
    data = server.taken[0].body["data"]
    assert data["lineage_id"] == "aaaa-spike"
    assert len(data["examples"]) == 3
    assert "60 traces on 2026-11-22; 6.41 ± " in " ".join(data["facts"])
    assert deliveries(planted, OTHER, MORNING) == []


def test_each_decision_is_explained_from_stored_rows(planted: Database) -> None:
    judged(planted, ESCALATING)
    found = {each.subject: each for each in stored_decisions(planted, MINE, LAST, LAST)}
    assert {name: each.verdict for name, each in found.items()} == {
        "aaaa-spike": "opened",
        "bbbb-quiet": "quiet",
        "cccc-quiet": "quiet",
    }
    assert found["bbbb-quiet"].reason == "it is within what is expected of the day"
    wanted = {"value", "low", "high", "expected", "sigma", "k", "weeks", "limit", "long_value", "long_limit"}
    assert wanted <= found["bbbb-quiet"].numbers.keys()
    assert found["bbbb-quiet"].numbers["weeks"] == 4


def test_nobody_is_told_of_old_days_though_they_are_recorded(planted: Database) -> None:
    apply(planted, MINE, Document((OPS,), (ESCALATING,)), "ada")
    late = datetime(2026, 11, 30, tzinfo=UTC)
    found = evaluate(planted, TeamDay(MINE, LAST), alerts_of(planted, MINE), now=late)
    assert (len(found.incidents), found.messages) == (1, ())
    assert found.quiet_because == "2026-11-22 ended more than 2 days ago"


def test_a_day_without_a_run_is_no_data_and_never_0(planted: Database) -> None:
    apply(planted, MINE, Document((OPS,), (ESCALATING,)), "ada")
    day = LAST + timedelta(days=1)
    found = evaluate(planted, TeamDay(MINE, day), alerts_of(planted, MINE), now=MORNING + timedelta(days=1))
    assert {each.verdict for each, _ in found.decisions} == {"no_data"}


def test_results_that_fail_a_blocking_check_are_no_data_and_fire_the_gate(database: Database) -> None:
    quiet = [12, 13, 12, 11, 12, 6, 5] * 5
    plant_days(database, {"aaaa-one": quiet, "bbbb-two": quiet})
    database.execute("ALTER TABLE clusters DELETE WHERE lineage_id = 'aaaa-one' SETTINGS mutations_sync = 2")
    found = judged(database, ESCALATING, Rule("gate_blocked", "gate_blocked", channels=("ops",)))
    verdicts = {each.rule: each for each, _ in found.decisions}
    assert verdicts["escalating"].verdict == "no_data"
    assert verdicts["gate_blocked"].verdict == "opened"
    assert "cluster_assignments." in verdicts["gate_blocked"].reason


def test_without_a_rule_that_is_on_nothing_is_asked(planted: Database) -> None:
    class Silent(Database):
        def __init__(self) -> None: ...

    team = alerts_of(planted, OTHER)
    assert team.enabled == []
    assert evaluate(Silent(), TeamDay(OTHER, LAST), team, now=MORNING).decisions == ()


def test_an_incident_closes_when_it_is_back(database: Database) -> None:
    quiet = [12, 13, 12, 11, 12, 6, 5] * 5
    spike = [*quiet[:-2], 60, 5]
    plant_days(database, {"aaaa-spike": spike, "bbbb-quiet": quiet})
    judged(database, ESCALATING, day_back=1)
    found = judged(database, ESCALATING)
    (incident,) = incidents(database, MINE)
    assert (incident.opened_day, incident.closed_day) == (LAST - timedelta(days=1), LAST)
    assert [message.event for _, message, _ in found.messages] == ["closed"]
