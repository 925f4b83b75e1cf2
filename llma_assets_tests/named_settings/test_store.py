"""Changing named settings: of two who do it at the same instant, the second sees what the first did."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from threading import Barrier, BrokenBarrierError

import pytest

from llma_assets.alerts import Document as AlertsDocument
from llma_assets.alerts import Rule
from llma_assets.alerts.document import SETTINGS as ALERTS
from llma_assets.clickhouse import Database
from llma_assets.named_settings import NamedSettings
from llma_assets.named_settings.stored import Parts
from llma_assets.settings import Settings
from llma_assets.themes import Problem
from llma_assets.trackers import SETTINGS as TRACKERS
from llma_assets.trackers import Document as TrackersDocument
from llma_assets.trackers import Tracker


def alerts_saying(value: int) -> AlertsDocument:
    return AlertsDocument(rules=(Rule("mine", "threshold", above=value),))


def trackers_saying(value: int) -> TrackersDocument:
    return TrackersDocument((Tracker("bugs", "github", f"acme/app{value}", "LLMA_TRACKERS_TOKEN"),))


@pytest.mark.parametrize(
    ("file", "document", "item", "name"),
    [(ALERTS, alerts_saying, "rule", "mine"), (TRACKERS, trackers_saying, "tracker", "bugs")],
    ids=["alerts", "trackers"],
)
def test_of_two_who_save_at_the_same_instant_the_second_is_told(
    database: Database,
    settings: Settings,
    file: NamedSettings,
    document: Callable[[int], object],
    item: str,
    name: str,
) -> None:
    settings.data_dir.mkdir()  # the lock is in it
    file.apply(database, 1, document(1), "ann")
    file.apply(database, 2, document(1), "otto")
    seen = file.of_team(database, 1)
    both_have_read = Barrier(2)

    def checked(parts: Parts) -> Iterable[Problem]:
        """Between reading and writing: waits for the other, who comes only if nothing keeps it out."""
        with suppress(BrokenBarrierError):
            both_have_read.wait(timeout=1)
        return file.wrong_together(parts)

    slow = replace(file, wrong_together=checked)

    def save(value: int) -> str:
        try:
            slow.apply(database, 1, document(value), f"number {value}", seen=seen.revision)
        except file.error as error:  # type: ignore[misc]  # it is a class
            return str(error)
        return ""

    with ThreadPoolExecutor(2) as both:
        told = list(both.map(save, (2, 3)))
    assert sorted(each.split(" of team")[0] for each in told) == ["", f"somebody changed the {file.noun}"]
    last = file.past_changes(database, 1, name)[-1]
    assert (last.item, last.author) == (item, f"number {2 + told.index('')}")
    assert len(file.past_changes(database, 1, name)) == 2
    both_have_read.reset()
    with ThreadPoolExecutor(2) as both:
        switched = [
            both.submit(slow.switch, database, 1, item, name, who, on=False, now=datetime.now(UTC))
            for who in ("bob", "eve")
        ]
        for each in switched:
            each.result()
    assert len(file.past_changes(database, 1, name)) == 3, "it was off already"
    assert len(file.past_changes(database, 2)) == 1
