"""Deliveries that are killed between claim, send and store: nothing is lost, and what has a key arrives once."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llma_assets.alerts import Channel, deliver, deliveries, put
from llma_assets.alerts.delivery import claim
from llma_assets.clickhouse import Database
from llma_assets.testing import WebhookServer
from llma_assets_tests.alerts.conftest import SECRET
from llma_assets_tests.alerts.test_delivery import message

NOW = datetime.now(UTC).replace(microsecond=0)
OPS = Channel("ops", "webhook", address_env="LLMA_ALERTS_URL", secret_env="LLMA_ALERTS_SECRET")


class Killed(BaseException):
    """What no handler of the code may catch."""


class Dying(Database):
    """The same database, in a process that is killed before or after it writes into a table."""

    def __init__(self, database: Database, table: str, when: str) -> None:
        super().__init__(database._client, database.name, "events")
        self._table, self._when = table, when

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, Any]], *, once: str = "") -> None:
        if table == self._table and self._when == "before":
            raise Killed
        super().insert_rows(table, rows, once=once)
        if table == self._table:
            raise Killed


@pytest.mark.parametrize(
    ("table", "when", "requests"),
    [
        ("alert_claims", "before", 1),
        ("alert_claims", "after", 1),
        ("alert_attempts", "before", 2),
        ("alert_attempts", "after", 1),
    ],
)
def test_a_killed_delivery_is_sent_again_after_its_lease_and_never_lost(
    database: Database, private_hosts: None, monkeypatch: pytest.MonkeyPatch, table: str, when: str, requests: int
) -> None:
    put(database, NOW, [("ops", message(), NOW)])
    with WebhookServer(SECRET, clock=NOW.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        with pytest.raises(Killed):
            deliver(Dying(database, table, when), 1, {"ops": OPS}, clock=lambda: NOW)
        soon = deliver(database, 1, {"ops": OPS}, clock=lambda: NOW + timedelta(minutes=1))
        deliver(database, 1, {"ops": OPS}, clock=lambda: NOW + timedelta(minutes=4, seconds=59))
        assert len(server.requests) <= 1
        assert soon.sent == (when == "before" and table == "alert_claims")
        monkeypatch.setattr(server, "_clock", (NOW + timedelta(minutes=6)).timestamp)
        deliver(database, 1, {"ops": OPS}, clock=lambda: NOW + timedelta(minutes=6))
    assert len(server.requests) == requests
    assert len(server.taken) == 1
    (delivery,) = deliveries(database, 1, NOW)
    assert delivery.state == "sent"


def test_of_two_processes_one_has_the_lease(database: Database) -> None:
    put(database, NOW, [("ops", message(), NOW)])
    (delivery,) = deliveries(database, 1, NOW)
    assert [claim(database, 1, delivery, NOW), claim(database, 1, delivery, NOW)] == [1, None]
    (now,) = deliveries(database, 1, NOW)
    assert now.state == "under_way"
