"""A day of several teams, judged together: as each alone, by a few questions, and a team that fails fails alone."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from llma_assets.alerts import (
    SHIPPED,
    AlertedTeam,
    Channel,
    Document,
    Message,
    Rule,
    alert_team_day,
    alert_teams,
    alerts_of,
    apply,
    deliveries,
    due_days,
    incidents,
    put,
    stored_decisions,
)
from llma_assets.alerts.blocked import suspected_runs
from llma_assets.alerts.messages import together as together_of
from llma_assets.clickhouse import Database
from llma_assets.stage import Report
from llma_assets.team_day import TeamDay
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days

MORNING = datetime(2026, 11, 23, 6, tzinfo=UTC)
OPS = Channel("ops", "webhook", address_env="LLMA_ALERTS_URL", secret_env="LLMA_ALERTS_SECRET")
BROKEN = 3
QUIET = [12, 13, 12, 11, 12, 6, 5] * 5


def switch_on(database: Database, *team_ids: int) -> None:
    shipped = [Rule(each.rule, each.kind, channels=("ops",)) for each in SHIPPED.values() if each.kind != "threshold"]
    rules = (*shipped, Rule("spending", "spend"), Rule("covered", "coverage"), Rule("parted", "split"))
    for team_id in team_ids:
        apply(database, team_id, Document((OPS,), rules), "ada")


def together(database: Database, *team_ids: int) -> dict[int, Report | Exception]:
    wanted = [AlertedTeam(alerts_of(database, team_id)) for team_id in team_ids]
    return dict(alert_teams(database, LAST, wanted, clock=lambda: MORNING))


def decided(database: Database, team_id: int) -> list[tuple[Any, ...]]:
    return [
        (each.rule_id, each.theme_id, each.subject, each.verdict, each.reason, each.title, each.numbers)
        for each in stored_decisions(database, team_id, LAST, LAST)
    ]


def take_out(database: Database, team_id: int) -> None:
    """One of the spike's traces of the day is no member any longer, by a person's word."""
    edit = {"theme_id": "traces", "lineage_id": "aaaa-spike", "action": "take_out", "item_id": f"aaaa-spike-{LAST}-0"}
    row = {"team_id": team_id, **edit, "edited_at": MORNING, "edit_id": uuid4(), "author": "ada"}
    database.insert_rows("cluster_edits", [row])


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Questions to the server, by their first words."""
    found: Counter[str] = Counter()
    rows = Database.rows

    def counting(self: Database, sql: str, /, **parameters: Any) -> list[dict[str, Any]]:
        found[" ".join(sql.split())[:60]] += 1
        return rows(self, sql, **parameters)

    with monkeypatch.context() as patch:
        patch.setattr(Database, "rows", counting)
        yield found


def test_teams_are_judged_together_as_each_alone(planted: Database) -> None:
    """One of them has a member that was taken out; both have a lineage of the same id, one of them a spike of it."""
    switch_on(planted, MINE, OTHER)
    take_out(planted, MINE)
    done = together(planted, MINE, OTHER)
    found = {team_id: (decided(planted, team_id), incidents(planted, team_id)) for team_id in (MINE, OTHER)}
    assert [each.subject for each in found[MINE][1]] == ["aaaa-spike"]
    assert found[MINE][1][0].opening_value == 59
    assert found[OTHER][1] == []
    for team_id in (MINE, OTHER):
        report = alert_team_day(planted, TeamDay(team_id, LAST), clock=lambda: MORNING)
        alone = done[team_id]
        assert isinstance(alone, Report)
        assert alone.items == report.items > 6
        assert (decided(planted, team_id), incidents(planted, team_id)) == found[team_id]
    assert len(deliveries(planted, MINE, MORNING)) == 1


def test_many_teams_cost_hardly_more_questions_than_one(planted: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for team_id in (MINE, OTHER, 4, 5):
        apply(planted, team_id, Document(rules=(Rule("escalating", "escalating"), Rule("fresh", "new_cluster"))), "ada")
    with counted(monkeypatch) as one:
        together(planted, OTHER)
    with counted(monkeypatch) as four:
        together(planted, MINE, OTHER, 4, 5)
    # Of each team alone: its rules, which the schedule knows already.
    assert four.total() - one.total() <= 4


def test_a_team_that_fails_leaves_the_others_judged(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for team_id in (MINE, BROKEN):
        plant_days(database, {"aaaa-one": QUIET, "bbbb-two": QUIET}, team_id=team_id)
    switch_on(database, MINE, BROKEN)
    sql = "ALTER TABLE clustering_runs UPDATE lineage = 'broken' WHERE team_id = 3 SETTINGS mutations_sync = 2"
    database.execute(sql)
    done = together(database, BROKEN, MINE)
    assert isinstance(done[BROKEN], Exception)
    assert isinstance(done[MINE], Report)
    assert decided(database, BROKEN) == []
    assert decided(database, MINE) != []


def test_only_the_run_with_a_fault_is_suspected_and_blocked(database: Database) -> None:
    for team_id in (MINE, OTHER):
        plant_days(database, {"aaaa-one": QUIET, "bbbb-two": QUIET}, team_id=team_id)
    switch_on(database, MINE, OTHER)
    assert set(suspected_runs(database, LAST, [MINE, OTHER])) == set()
    sql = "ALTER TABLE clusters DELETE WHERE team_id = 1 AND lineage_id = 'aaaa-one' SETTINGS mutations_sync = 2"
    database.execute(sql)
    assert set(suspected_runs(database, LAST, [MINE, OTHER])) == {(MINE, "traces")}
    together(database, MINE, OTHER)
    assert [(each.rule_id, each.is_open) for each in incidents(database, MINE)] == [("gate_blocked", True)]
    assert incidents(database, OTHER) == []


def test_a_day_that_was_judged_is_due_again_once_its_results_change(database: Database) -> None:
    now = datetime.now(UTC)
    day = now.date() - timedelta(days=1)
    for team_id in (MINE, OTHER):
        at = now - timedelta(hours=1)
        plant_days(database, {"aaaa-one": [5], "bbbb-two": [5]}, team_id=team_id, last=day, committed_at=at)
        apply(database, team_id, Document(rules=(Rule("escalating", "escalating"),)), "ada")
    both = [TeamDay(MINE, day), TeamDay(OTHER, day)]
    assert [each for each, _ in due_days(database, now)] == both
    wanted = [AlertedTeam(alerts_of(database, MINE))]
    list(alert_teams(database, day, wanted, clock=lambda: now))
    assert [each for each, _ in due_days(database, now)] == both[1:]
    later = datetime.now(UTC) + timedelta(seconds=1)
    plant_days(database, {"aaaa-one": [6]}, last=day, committed_at=later)
    assert [each for each, _ in due_days(database, later + timedelta(minutes=11))] == both


def test_several_alerts_that_wait_say_no_title_of_what_is_withheld_by_now(planted: Database) -> None:
    lineages = ("aaaa-spike", "bbbb-quiet", "cccc-quiet", "")
    parts = [
        Message("opened", MINE, str(LAST), f"Escalating: words of {each}", ("12 traces.",), lineage_id=each)
        for each in lineages
    ]
    as_before = replace(together_of(parts), lineages=(), day="2026-11-21")
    put(planted, MORNING, [("ops", together_of(parts), MORNING), ("ops", as_before, MORNING)])
    shown = [each.message.facts for each in deliveries(planted, MINE, MORNING)]
    assert shown == [tuple(f"Escalating: words of {each} (12 traces.)" for each in lineages)] * 2
    sql = (
        "ALTER TABLE clusters UPDATE disclosure = 'numbers' WHERE team_id = {team_id:Int64} "
        "AND lineage_id = 'aaaa-spike' SETTINGS mutations_sync = 2"
    )
    planted.execute(sql, team_id=OTHER)
    assert [each.message.facts for each in deliveries(planted, MINE, MORNING)] == shown, "it is another team's"
    planted.execute(sql, team_id=MINE)
    found = {each.message.day: each.message.facts for each in deliveries(planted, MINE, MORNING)}
    assert found[str(LAST)] == ("a cluster of few users (aaaa-spi)", *shown[0][1:])
    assert found["2026-11-21"] == ("a cluster of few users",) * 4, "of old messages nobody knows which is about what"


def test_a_run_that_is_killed_between_its_writes_is_due_again_and_tells_once(
    planted: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_on(planted, MINE)
    insert = Database.insert_rows
    for dies_at in ("alert_incidents", "alert_messages", "alert_decisions", ""):

        def dying(self: Database, table: str, rows: Any, *, once: str = "", dies_at: str = dies_at) -> None:
            if table == dies_at:
                raise KeyboardInterrupt
            insert(self, table, rows, once=once)

        with monkeypatch.context() as patch:
            patch.setattr(Database, "insert_rows", dying)
            if dies_at:
                with pytest.raises(KeyboardInterrupt):
                    together(planted, MINE)
                assert decided(planted, MINE) == [], "so that the day is due again"
            else:
                together(planted, MINE)
    assert len(incidents(planted, MINE)) == 1
    assert len(deliveries(planted, MINE, MORNING)) == 1
    assert decided(planted, MINE) != []
