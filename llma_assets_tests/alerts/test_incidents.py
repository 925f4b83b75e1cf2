"""Incidents over days: silenced ones are recorded, those of merged lineages move, many at once are one message."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import numpy as np
import pytest

from llma_assets.alerts import Mute, Rule, incidents, mute, stored_decisions
from llma_assets.alerts.judging import History
from llma_assets.alerts.quiet_hours import not_before
from llma_assets.clickhouse import Database
from llma_assets.insights import add_release
from llma_assets.tasks import ClusterSource, Task, close_task, find_task, list_tasks, make_cluster_task, reopen_task
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.alerts.test_day import ESCALATING, MORNING, judged

QUIET = [12, 13, 12, 11, 12, 6, 5] * 5


def test_what_is_muted_is_judged_and_recorded_and_nobody_is_told(planted: Database) -> None:
    mute(planted, MINE, "ada", now=MORNING, subject="aaaa-spike")
    found = judged(planted, ESCALATING)
    assert found.messages == ()
    (incident,) = incidents(planted, MINE)
    assert incident.muted
    assert [each.muted for each in stored_decisions(planted, MINE, LAST, LAST, "aaaa")] == [True]


def test_a_mute_until_the_next_release_ends_with_it(planted: Database) -> None:
    mute(planted, MINE, "ada", now=MORNING - timedelta(days=2), subject="aaaa-spike", until_release=True)
    add_release(planted, MINE, "v1", MORNING - timedelta(days=3), by="ada")
    add_release(planted, OTHER, "v2", MORNING - timedelta(days=1), by="eve")
    assert judged(planted, ESCALATING, dry_run=True).messages == (), "v1 was before, and v2 is another team's"
    add_release(planted, MINE, "v2", MORNING - timedelta(days=1), by="ada")
    assert len(judged(planted, ESCALATING, dry_run=True).messages) == 1


def test_an_incident_of_a_merged_lineage_moves_to_its_successor(database: Database) -> None:
    gone = [*QUIET[:-2], 60, 0]
    into = [*QUIET[:-1], 70]
    plant_days(
        database, {"aaaa-gone": gone, "bbbb-into": into, "cccc-quiet": QUIET}, ended={LAST: {"aaaa-gone": "bbbb-into"}}
    )
    judged(database, ESCALATING, day_back=1)
    judged(database, ESCALATING)
    (incident,) = incidents(database, MINE)
    assert (incident.subject, incident.opened_as, incident.is_open) == ("bbbb-into", "aaaa-gone", True)
    assert incident.opened_day == LAST - timedelta(days=1)


def test_more_than_three_at_once_are_one_message(database: Database) -> None:
    spikes = {f"{name * 4}-spike": [*QUIET[:-1], 60] for name in "abcd"}
    quiet = {f"{name * 4}-quiet": [3 * each for each in QUIET] for name in "efghijklm"}
    plant_days(database, {**spikes, **quiet})
    found = judged(database, ESCALATING)
    assert len(found.incidents) == 4
    ((channel, message, _),) = found.messages
    assert (channel, message.event, len(message.facts)) == ("ops", "several", 4)


def close_task_of(database: Database, lineage_id: str, on: datetime, *, team_id: int = MINE) -> Task:
    """Make the task of a cluster, and say that it is solved."""
    seen = on - timedelta(days=20)
    source = ClusterSource("traces", lineage_id, on.date(), "A", "", 9, 9, 0.0, seen, on, ())
    task_id = make_cluster_task(database, team_id, source, by="ada", now=on - timedelta(days=1))
    task = find_task(list_tasks(database, team_id, now=on), str(task_id))
    close_task(database, team_id, task, by="ada", now=on)
    return find_task(list_tasks(database, team_id, now=on), str(task_id))


def test_a_lineage_whose_task_was_closed_is_back_after_three_days_and_another_after_fourteen(
    database: Database,
) -> None:
    """Absent on five days, as its lookalike is whose task was not closed, and one of another team's closed task."""
    back = [*QUIET[:-6], 0, 0, 0, 0, 0, 8]
    plant_days(database, {"aaaa-back": back, "bbbb-back": back, "cccc-still": QUIET})
    closed_on = MORNING - timedelta(days=6)
    close_task_of(database, "aaaa-back", closed_on)
    close_task_of(database, "cccc-still", closed_on)
    close_task_of(database, "bbbb-back", closed_on, team_id=OTHER)
    rule = Rule("regressed", "regressed", min_traces=3, absent_days=14)
    judged(database, rule)
    found = {each.subject: each for each in stored_decisions(database, MINE, LAST, LAST)}
    assert {name: each.verdict for name, each in found.items()} == {
        "aaaa-back": "opened",
        "bbbb-back": "quiet",
        "cccc-still": "quiet",
    }
    assert found["aaaa-back"].numbers["absent_since_closed"] == 4
    assert found["bbbb-back"].reason == "it was not absent for 14 days"
    assert found["cccc-still"].reason == "it was not absent for 3 days since its task was closed"


def test_a_task_that_was_opened_again_before_the_return_is_not_regressed(database: Database) -> None:
    back = [*QUIET[:-6], 0, 0, 0, 0, 0, 8]
    plant_days(database, {"aaaa-back": back, "cccc-still": QUIET})
    task = close_task_of(database, "aaaa-back", MORNING - timedelta(days=6))
    reopen_task(database, MINE, task, by="ada", now=MORNING - timedelta(days=3))
    found = judged(database, Rule("regressed", "regressed", min_traces=3, absent_days=14))
    assert {each.verdict for each, _ in found.decisions} == {"quiet"}


def test_what_lasts_is_told_again_only_where_asked_and_a_second_one_not_within_the_cool_down(
    database: Database,
) -> None:
    plant_days(database, {"aaaa-spike": [*QUIET[:-6], 60, 12, 12, 12, 60, 62], "bbbb-quiet": QUIET})
    again, rarely = replace(ESCALATING, again_days=1), replace(ESCALATING, cool_down_days=7)
    for back in range(5, 1, -1):
        judged(database, again, day_back=back)
    told = [message.event for _, message, _ in judged(database, rarely, day_back=1, dry_run=True).messages]
    assert told == [], "within the cool-down"
    told = [message.event for _, message, _ in judged(database, again, day_back=1).messages]
    assert told == ["opened"]
    assert [message.event for _, message, _ in judged(database, again).messages] == ["again"]
    assert judged(database, replace(again, again_days=2), dry_run=True).messages == ()


@pytest.mark.parametrize(
    ("quiet", "hour", "until"),
    [("22-07", 6, "2026-11-23 07"), ("22-07", 23, "2026-11-24 07"), ("22-07", 7, ""), ("01-09", 8, "2026-11-23 09")],
)
def test_a_message_waits_for_the_end_of_the_quiet_hours(quiet: str, hour: int, until: str) -> None:
    now = MORNING.replace(hour=hour)
    at = not_before(replace(ESCALATING, quiet_hours=quiet), now)
    assert f"{at:%Y-%m-%d %H}" == (until or f"{now:%Y-%m-%d %H}")


def test_a_mute_ends_after_so_many_more_traces_or_users() -> None:
    counts = np.array([[5.0] * 10, [1.0] * 10])
    history = History.of_counts(LAST - timedelta(days=9), ("aaaa", "bbbb"), counts)
    since = LAST - timedelta(days=3)
    muted = Mute(uuid4(), "", "aaaa", since, None, more_traces=11, more_users=0, author="ada")
    held = [muted.holds("escalating", "aaaa", history, t, MORNING) for t in (7, 8, 9)]
    assert held == [True, True, False], "5, 10 and 15 traces since"
    assert not replace(muted, more_traces=0, more_users=10).holds("escalating", "aaaa", history, 8, MORNING)
    assert not muted.holds("escalating", "bbbb", history, 7, MORNING), "it is about another"
    assert not replace(muted, more_traces=0, until=MORNING).holds("escalating", "aaaa", history, 7, MORNING)
