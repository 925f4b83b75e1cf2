"""Incidents over days: silenced ones are recorded, those of merged lineages move, many at once are one message."""

from datetime import timedelta

from llma_assets.alerts import incidents, mute, stored_decisions
from llma_assets.clickhouse import Database
from llma_assets.insights import add_release
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
