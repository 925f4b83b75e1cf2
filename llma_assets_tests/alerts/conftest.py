"""What tests of alerts share: a team of a planted month, channels to servers that run here, and their secrets."""

import base64

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.alerts.planted import MINE, OTHER, plant_days
from llma_assets_tests.databases import PlantedOnce

SECRET = "whsec_" + base64.b64encode(b"a-secret-of-twenty-four-b").decode()
HOSTILE = "<!channel> <b>Refunds</b> @here https://evil.example/x *now*"


def month(database: Database) -> None:
    """A month of a team in which one of three clusters has a spike on the last day, and another team without one."""
    quiet = [12, 13, 12, 11, 12, 6, 5] * 5
    spike = [*[10, 11, 10, 11, 10, 5, 5] * 4, 10, 11, 10, 11, 10, 5, 60]
    counts = {"aaaa-spike": spike, "bbbb-quiet": quiet, "cccc-quiet": [each + 3 for each in quiet]}
    plant_days(database, counts, titles={"aaaa-spike": HOSTILE})
    plant_days(database, {"aaaa-spike": quiet, "dddd-other": quiet}, team_id=OTHER)


@pytest.fixture
def planted(database: Database, planted_once: PlantedOnce) -> Database:
    """The planted month."""
    planted_once(month)
    return database


@pytest.fixture
def private_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages may be sent to this machine."""
    monkeypatch.setenv("LLMA_ALERTS_PRIVATE_HOSTS", "127.0.0.1, localhost")
    monkeypatch.setenv("LLMA_ALERTS_SECRET", SECRET)


__all__ = ["MINE", "OTHER"]
