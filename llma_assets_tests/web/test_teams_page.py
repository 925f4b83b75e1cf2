"""Teams on a page: spend beside its cap, and when the next run comes, as far as schedules are on."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from starlette.testclient import TestClient

from llma_assets.cli.run import timetable as reader
from llma_assets.clickhouse import Database
from llma_assets.web import Site, Timetable, Timetables
from llma_assets_tests.reports.stored_runs import DAY

NOON = datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC)
ALL = {"discovery_hourly": NOON + timedelta(minutes=50), "texts_hourly": NOON + timedelta(hours=1)}


def known(site: Site, timetable: Timetable | None) -> None:
    """The server has read it."""
    site.timetables = Timetables(_known=timetable)


def settings_of_teams(site: Site, text: str) -> None:
    """Write `teams.toml`."""
    site.settings.data_dir.mkdir(parents=True, exist_ok=True)
    (site.settings.data_dir / "teams.toml").write_text(text)


def decided(database: Database, team_id: int, *, eligible: bool) -> None:
    """What discovery found."""
    database.insert_rows(
        "eligible_teams",
        [
            {
                **{"team_id": team_id, "day": DAY, "eligible": eligible, "reason": "few", "detail": "3 of 50 traces"},
                **{"traces": 3, "events": 9, "window_start": NOON, "window_end": NOON},
            }
        ],
    )


@pytest.mark.parametrize(
    ("timetable", "told"),
    [
        (None, ["not known"]),
        (Timetable({}, True), ["llma automation on discovery_hourly texts_hourly clusters_daily"]),
        (Timetable(ALL, False), ["no daemon runs"]),
        (Timetable(ALL, True), ["llma automation on clusters_daily", "texts <span", "13:00", "decided again", "12:50"]),
        (
            Timetable({**ALL, "clusters_daily": NOON + timedelta(hours=13, minutes=30)}, True),
            ["clusters <span", "2026-11-08 01:30", "3 of 50 traces"],
        ),
    ],
)
def test_the_next_run_is_said_or_what_to_switch_on(
    client: TestClient, site: Site, planted: Database, timetable: Timetable | None, told: list[str]
) -> None:
    decided(planted, 1, eligible=True)
    decided(planted, 2, eligible=False)
    known(site, timetable)
    page = client.get("/").text
    assert [words for words in told if words not in page] == []


def test_a_team_that_is_left_out_for_good_has_no_next_run(client: TestClient, site: Site, planted: Database) -> None:
    settings_of_teams(site, "skip_team_ids = [2]\n")
    known(site, Timetable(ALL, True))
    assert "teams.toml leaves it out" in client.get("/").text


def test_spend_stands_beside_the_cap_of_each_team(client: TestClient, site: Site, planted: Database) -> None:
    settings_of_teams(site, "[teams.1]\ndaily_budget_usd = 4\n")
    for day, spent_at, cost in ((DAY, NOON, 3.0), (DAY, NOON - timedelta(days=1), 50.0)):
        row = {"team_id": 1, "day": day, "stage": "s", "theme_id": "t", "model": "m", "call_id": uuid4(), "item_id": ""}
        spent = {"input_tokens": 1, "output_tokens": 1, "cost_usd": cost, "duration_s": 1.0, "error": ""}
        planted.insert_rows("model_usage", [{**row, **spent, "timestamp": spent_at}])
    page = client.get("/").text
    assert "$3.00 of $4.00" in page
    assert "$0, no cap" in page
    first, second = client.get("/api/v1/teams").json()["teams"]
    assert (first["cost_usd"], first["cost_today_usd"], first["daily_budget_usd"]) == (53, 3, 4)
    assert second["daily_budget_usd"] is None


def test_an_old_timetable_is_shown_while_it_is_read_again() -> None:
    asked = []

    def read() -> Timetable | None:
        asked.append(1)
        if len(asked) == 3:
            raise RuntimeError("no store")
        return Timetable(ALL, len(asked) == 1)

    def latest(minutes: int) -> Timetable | None:
        found = kept.latest(NOON + timedelta(minutes=minutes))
        for thread in (each for each in threading.enumerate() if each.name == "timetable"):
            thread.join()
        return found

    kept = Timetables(read)
    assert latest(0) is None
    assert latest(1) == latest(4) == Timetable(ALL, True)
    assert latest(5) == Timetable(ALL, True)
    assert latest(6) == Timetable(ALL, False)
    assert len(asked) == 2
    latest(12)
    assert latest(13) is None


def test_the_timetable_is_what_the_command_says(monkeypatch: pytest.MonkeyPatch) -> None:
    document = (
        '{"daemon": {"running": true}, "automations": ['
        '{"name": "texts_hourly", "on": true, "next_tick_at": "2026-11-07T13:00:00Z"},'
        '{"name": "clusters_daily", "on": false, "next_tick_at": null}]}'
    )
    monkeypatch.setattr(reader, "COMMAND", ("echo", document))
    assert reader.read_timetable() == Timetable({"texts_hourly": NOON + timedelta(hours=1)}, True)
    monkeypatch.setattr(reader, "COMMAND", ("false",))
    assert reader.read_timetable() is None
