"""The sensor `theme_schedules`: which themes it asks for, when, for which days, once; what it says of the others."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import uuid4

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.due_days import events_by_day
from llma_assets.defs.jobs import CONCURRENCY_TAG, theme_job
from llma_assets.defs.partitions import teams
from llma_assets.defs.resources import ClickHouseResource, TeamSettingsResource
from llma_assets.defs.sensors.theme_schedules import slot_of, theme_schedules
from llma_assets.settings import Settings
from llma_assets.testing import day_of_traces, write_events
from llma_assets.themes.queries import NEWEST_CHANGES_OF_TEAMS

MODULE = import_module("llma_assets.defs.sensors.theme_schedules")
"""The module; its package exports the sensor by the same name."""

DAY = date(2026, 11, 7)
"""A Saturday."""

NOON = datetime(2026, 11, 7, 12, tzinfo=UTC)
THEME = "error_analysis"


@dataclass
class Sensor:
    """The sensor on a database and an instance, with a clock that the test sets and the cursor that it kept."""

    database: Database
    instance: dg.DagsterInstance
    now: datetime = NOON
    cursor: str | None = None
    told: str = ""
    run_keys: set[str] = field(default_factory=set)

    def tick(self) -> list[dg.RunRequest]:
        """One evaluation; returns what the daemon would launch: a run key that was asked for before is left out."""
        with dg.build_sensor_context(instance=self.instance, cursor=self.cursor) as context:
            found = theme_schedules(
                context,
                clickhouse=ClickHouseResource(),
                team_settings=TeamSettingsResource(),
                clock=lambda: self.now,
            )
        assert isinstance(found, dg.SensorResult)
        self.cursor = found.cursor
        self.told = str(found.skip_reason.skip_message) if found.skip_reason else ""
        new = [request for request in found.run_requests or [] if request.run_key not in self.run_keys]
        self.run_keys |= {str(request.run_key) for request in new}
        return new

    def asked(self) -> list[str]:
        """What a tick asks for, such as `1/error_analysis 2026-11-01..2026-11-06 texts`."""
        return [shown(request) for request in self.tick()]

    def theme(self, theme_id: str = THEME, *, team_id: int = 1, **settings: Any) -> None:
        """Change a theme of a team."""
        self.database.insert_rows(
            "themes",
            [
                {
                    "team_id": team_id,
                    "theme_id": theme_id,
                    "changed_at": datetime.now(UTC),
                    "change_id": uuid4(),
                    "action": "changed",
                    "author": "ann",
                    "settings": json.dumps({"enabled": True} | settings),
                    "version": "",
                }
            ],
        )

    def texts(self, day: date, *, team_id: int = 1, made_at: datetime | None = None, events: int = 20) -> None:
        """Texts of a day, as `trace_texts` notes down that it made them."""
        self.database.insert_rows(
            "texts_made",
            [{"team_id": team_id, "day": day, "events": events, "inserted_at": made_at or self.now}],
        )

    def let_in(self, *team_ids: int, days: int = 40) -> None:
        """Discovery's decision on teams, for the days around `DAY`."""
        self.instance.add_dynamic_partitions(str(teams.name), [str(team_id) for team_id in team_ids])
        self.database.insert_rows(
            "eligible_teams",
            [
                {"team_id": team_id, "day": DAY + timedelta(days=back), "eligible": True, "reason": "active"}
                for team_id in team_ids
                for back in range(-days, days)
            ],
        )

    def run(self, requests: list[dg.RunRequest], status: dg.DagsterRunStatus) -> None:
        """Runs as the daemon makes them of requests, in a status."""
        for request in requests:
            self.instance.add_run(
                dg.DagsterRun(job_name=theme_job.name, run_id=str(uuid4()), status=status, tags=dict(request.tags))
            )


def shown(request: dg.RunRequest) -> str:
    first = request.tags["dagster/asset_partition_range_start"].partition("|")[0]
    last = request.tags["dagster/asset_partition_range_end"].partition("|")[0]
    texts = " texts" if request.asset_selection else ""
    return f"{request.tags[CONCURRENCY_TAG]} {first}{'' if first == last else f'..{last}'}{texts}"


@pytest.fixture
def sensor(environment: Settings, database: Database) -> Iterator[Sensor]:
    with dg.DagsterInstance.ephemeral() as instance:
        found = Sensor(database, instance)
        found.let_in(1, 2)
        yield found


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-{text}+00:00")


@pytest.mark.parametrize(
    ("schedule", "now", "slot"),
    [
        ("every_10_minutes", "07T12:09:59", "07T12:00"),
        ("every_10_minutes", "07T12:10:00", "07T12:10"),
        ("hourly", "07T12:09:59", "07T11:10"),
        ("hourly", "07T12:10:00", "07T12:10"),
        ("daily", "07T01:29:59", "06T01:30"),
        ("daily", "07T01:30:00", "07T01:30"),
        ("weekly", "07T12:00:00", "02T01:30"),
        ("weekly", "09T01:29:59", "02T01:30"),
        ("weekly", "09T01:30:00", "09T01:30"),
    ],
)
def test_a_schedule_was_last_due_at_its_last_slot(schedule: str, now: str, slot: str) -> None:
    assert slot_of(schedule, at(now)) == at(slot)


def test_a_daily_theme_is_asked_for_the_day_that_ended_and_the_days_of_its_window_that_have_texts(
    sensor: Sensor,
) -> None:
    for back in (1, 3, 9):
        sensor.texts(DAY - timedelta(days=back))
        sensor.texts(DAY - timedelta(days=back), team_id=2)
    sensor.theme(schedule="daily")
    assert sensor.asked() == ["1/error_analysis 2026-11-04 texts", "1/error_analysis 2026-11-06"]


def test_the_runs_of_a_theme_work_on_that_theme_alone(sensor: Sensor) -> None:
    sensor.theme(schedule="daily")
    (request,) = sensor.tick()
    assert {op["config"]["themes"][0] for op in request.run_config["ops"].values()} == {THEME}
    assert {name: value for name, value in request.tags.items() if name.startswith("llma/")} == {
        "llma/team": "1",
        "llma/theme": THEME,
        "llma/concurrency_key": f"1/{THEME}",
        "llma/lane": f"1/{THEME}",
    }


def test_nothing_is_asked_for_twice_before_the_schedule_comes_again(sensor: Sensor) -> None:
    sensor.theme(schedule="daily")
    assert sensor.asked() == ["1/error_analysis 2026-11-06"]
    sensor.now += timedelta(hours=13)
    assert sensor.asked() == []
    assert sensor.told == "team 1, error_analysis: daily: not due until 2026-11-08 01:30 UTC"
    sensor.now += timedelta(minutes=30)
    assert sensor.asked() == ["1/error_analysis 2026-11-07"]


def test_the_same_tick_again_asks_for_the_same_run_keys(sensor: Sensor) -> None:
    sensor.texts(DAY - timedelta(days=3))
    sensor.theme(schedule="daily")
    assert len(sensor.asked()) == 2
    sensor.cursor = None
    assert sensor.asked() == []


def test_ticks_that_were_missed_are_caught_up_once(sensor: Sensor) -> None:
    sensor.theme(schedule="daily")
    sensor.tick()
    for days in (1, 2, 3):
        sensor.texts(DAY - timedelta(days=1) + timedelta(days=days), made_at=NOON + timedelta(days=days))
    sensor.now = NOON + timedelta(days=4)
    assert sensor.asked() == ["1/error_analysis 2026-11-07..2026-11-09 texts", "1/error_analysis 2026-11-10"]
    assert sensor.asked() == []


def test_a_weekly_theme_goes_through_the_week(sensor: Sensor) -> None:
    for back in range(7):
        sensor.texts(DAY - timedelta(days=back))
    sensor.theme(schedule="weekly")
    sensor.now = at("09T01:30:00")
    assert sensor.asked() == ["1/error_analysis 2026-11-02..2026-11-07 texts", "1/error_analysis 2026-11-08"]
    sensor.now = at("16T01:29:00")
    assert sensor.asked() == []


@pytest.mark.parametrize("schedule", ["hourly", "every_10_minutes"])
def test_a_theme_of_today_is_asked_for_when_there_is_something_new(sensor: Sensor, schedule: str) -> None:
    sensor.theme(schedule=schedule)
    write_events(sensor.database, day_of_traces(2, DAY, 5))
    assert sensor.asked() == []
    assert sensor.told == "team 1, error_analysis: nothing new on 2026-11-07"
    write_events(sensor.database, day_of_traces(1, DAY, 3))
    sensor.now += timedelta(hours=1)
    assert sensor.asked() == ["1/error_analysis 2026-11-07"]
    # Its run has made the texts of all events, and no trace waits to become quiet.
    sensor.texts(DAY, made_at=sensor.now - timedelta(minutes=1), events=events_of(sensor.database, 1))
    sensor.now += timedelta(hours=1)
    assert sensor.asked() == []
    write_events(sensor.database, day_of_traces(1, DAY, 1, prefix="late"))
    sensor.now += timedelta(hours=1)
    assert sensor.asked() == ["1/error_analysis 2026-11-07"]


def test_the_first_run_of_a_day_takes_the_rest_of_yesterday(sensor: Sensor) -> None:
    sensor.theme(schedule="hourly")
    write_events(sensor.database, day_of_traces(1, DAY, 3))
    sensor.now = at("07T23:15:00")
    assert sensor.asked() == ["1/error_analysis 2026-11-07"]
    sensor.texts(DAY, made_at=at("07T23:14:00"))
    write_events(sensor.database, day_of_traces(1, DAY + timedelta(days=1), 3, hour=0))
    sensor.now = at("08T00:30:00")
    assert sensor.asked() == ["1/error_analysis 2026-11-07 texts", "1/error_analysis 2026-11-08"]


def test_a_day_whose_texts_were_made_anew_since_is_gone_through_again(sensor: Sensor) -> None:
    for back in (2, 5):
        sensor.texts(DAY - timedelta(days=back), made_at=NOON - timedelta(hours=1))
    sensor.theme(schedule="daily")
    assert sensor.asked() == ["1/error_analysis 2026-11-02..2026-11-05 texts", "1/error_analysis 2026-11-06"]
    sensor.texts(DAY - timedelta(days=2), made_at=NOON + timedelta(hours=1))
    sensor.now += timedelta(days=1)
    assert sensor.asked() == ["1/error_analysis 2026-11-05 texts", "1/error_analysis 2026-11-07"]


def test_a_theme_that_was_never_run_is_not_called_changed(sensor: Sensor) -> None:
    sensor.theme(schedule="hourly")
    sensor.tick()
    assert sensor.asked() == []
    assert sensor.told == "team 1, error_analysis: hourly: not due until 2026-11-07 12:10 UTC"


def test_a_theme_that_was_changed_goes_through_its_window_again_when_its_schedule_comes(sensor: Sensor) -> None:
    for back in (1, 3):
        sensor.texts(DAY - timedelta(days=back))
    sensor.theme(schedule="daily")
    sensor.tick()
    sensor.theme(schedule="daily", prompt="Say which call failed.")
    sensor.now += timedelta(minutes=10)
    assert sensor.asked() == []
    assert sensor.told == "team 1, error_analysis: daily: changed; not due until 2026-11-08 01:30 UTC"
    sensor.now += timedelta(days=1)
    assert sensor.asked() == ["1/error_analysis 2026-11-04..2026-11-06 texts", "1/error_analysis 2026-11-07"]


def test_after_a_run_that_was_killed_or_failed_the_whole_window_is_gone_through(sensor: Sensor) -> None:
    sensor.texts(DAY - timedelta(days=3))
    sensor.theme(schedule="daily")
    first, second = sensor.tick()
    sensor.run([first], dg.DagsterRunStatus.FAILURE)
    sensor.run([second], dg.DagsterRunStatus.SUCCESS)
    sensor.now += timedelta(days=1)
    again = sensor.tick()
    assert [shown(request) for request in again] == [
        "1/error_analysis 2026-11-04 texts",
        "1/error_analysis 2026-11-07",
    ]
    sensor.run(again, dg.DagsterRunStatus.SUCCESS)
    sensor.now += timedelta(days=1)
    assert sensor.asked() == ["1/error_analysis 2026-11-08"]


def test_a_theme_waits_while_a_run_of_it_is_not_over_and_other_teams_and_themes_do_not(sensor: Sensor) -> None:
    sensor.theme(schedule="every_10_minutes")
    write_events(sensor.database, day_of_traces(1, DAY, 3))
    sensor.run(sensor.tick(), dg.DagsterRunStatus.STARTED)
    sensor.theme("ux_issues", schedule="hourly")
    sensor.theme(team_id=2, schedule="daily")
    write_events(sensor.database, day_of_traces(1, DAY, 1, prefix="late"))
    sensor.now += timedelta(minutes=11)
    assert sensor.asked() == ["1/ux_issues 2026-11-07", "2/error_analysis 2026-11-06"]
    assert sensor.asked() == []
    assert "team 1, error_analysis: waits for its last run, which is not over" in sensor.told
    (run,) = sensor.instance.get_runs(dg.RunsFilter(tags={CONCURRENCY_TAG: "1/error_analysis"}))
    sensor.instance.report_run_canceled(run)
    sensor.now += timedelta(minutes=40)
    assert sensor.asked() == ["1/error_analysis 2026-11-07"]


def test_a_theme_after_another_runs_when_that_one_is_done(sensor: Sensor) -> None:
    sensor.theme("own", schedule="daily", after=THEME, prompt="Say who failed.")
    sensor.theme(schedule="daily")
    parents = sensor.tick()
    assert [shown(request) for request in parents] == ["1/error_analysis 2026-11-06"]
    sensor.run(parents, dg.DagsterRunStatus.STARTED)
    assert sensor.asked() == []
    assert "team 1, own: waits for error_analysis, which it runs after" in sensor.told
    (run,) = sensor.instance.get_runs()
    sensor.instance.report_run_canceled(run)
    assert sensor.asked() == ["1/own 2026-11-06"]
    assert sensor.asked() == []


def test_a_theme_after_another_goes_through_its_window_each_time(sensor: Sensor) -> None:
    for back in (1, 3):
        sensor.texts(DAY - timedelta(days=back))
    sensor.theme(schedule="daily")
    sensor.theme("own", schedule="daily", after=THEME, prompt="Say who failed.")
    for _ in range(3):
        sensor.tick()
    sensor.now += timedelta(days=1)
    assert sensor.asked() == ["1/error_analysis 2026-11-07"]
    assert sensor.asked() == ["1/own 2026-11-04..2026-11-06 texts", "1/own 2026-11-07"]


def test_a_theme_after_one_that_is_off_is_not_run(sensor: Sensor) -> None:
    sensor.theme("own", schedule="daily", after=THEME, prompt="Say who failed.")
    assert sensor.asked() == []
    assert sensor.told == "team 1, own: is to run after error_analysis, which is switched off"


def test_manual_themes_and_those_that_are_off_are_never_asked_for(sensor: Sensor) -> None:
    sensor.theme(schedule="manual")
    sensor.theme("ux_issues", schedule="daily", enabled=False)
    assert sensor.asked() == []
    assert sensor.told == "team 1, error_analysis: manual: `llma run --team 1 --theme error_analysis` runs it"


def test_the_general_themes_are_left_to_the_schedules_of_the_installation(sensor: Sensor) -> None:
    sensor.theme("traces", mode="minimal")
    assert sensor.asked() == []
    assert sensor.told == ("no team has a theme on beyond the general ones; `llma themes enable` switches one on")


def test_a_theme_is_asked_for_days_within_its_dates_only(sensor: Sensor) -> None:
    for back in range(1, 7):
        sensor.texts(DAY - timedelta(days=back))
    sensor.theme(schedule="daily", date_range={"from": "2026-11-05", "to": "2026-11-06"})
    assert sensor.asked() == ["1/error_analysis 2026-11-05 texts", "1/error_analysis 2026-11-06"]
    sensor.now += timedelta(days=1)
    assert sensor.asked() == []
    assert sensor.told == "team 1, error_analysis: is for 2026-11-05 to 2026-11-06; 2026-11-07 is outside"


def test_a_theme_stays_due_until_discovery_lets_the_team_in(sensor: Sensor) -> None:
    sensor.theme(team_id=7, schedule="weekly")
    sensor.texts(DAY - timedelta(days=8), team_id=7, made_at=NOON - timedelta(days=1))
    for _ in range(2):
        assert sensor.asked() == []
        assert sensor.told == "team 7, error_analysis: waits until discovery (`discovery_hourly`) lets the team in"
        sensor.now += timedelta(minutes=10)
    # Discovery knows nothing of the week that has ended.
    sensor.let_in(7, days=1)
    assert sensor.asked() == ["7/error_analysis 2026-10-30 texts", "7/error_analysis 2026-11-01"]
    assert sensor.asked() == []


def test_why_a_team_takes_no_part_is_said_and_its_themes_do_not_hold_up_others(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "MOST_THEMES", 1)
    sensor.database.insert_rows(
        "eligible_teams",
        [{"team_id": 1, "day": DAY, "eligible": False, "reason": "below_minimum", "detail": "5 traces of 10"}],
    )
    sensor.theme(schedule="daily")
    sensor.theme(team_id=2, schedule="daily")
    assert sensor.asked() == ["2/error_analysis 2026-11-06"]
    assert sensor.asked() == []
    assert "team 1, error_analysis: the team takes no part: below_minimum, 5 traces of 10" in sensor.told


def test_a_theme_that_is_switched_off_is_forgotten_and_one_switched_on_again_begins_anew(sensor: Sensor) -> None:
    sensor.theme(schedule="daily")
    sensor.tick()
    sensor.theme(schedule="daily", enabled=False)
    sensor.tick()
    assert json.loads(str(sensor.cursor)) == {}
    sensor.texts(DAY - timedelta(days=3), made_at=NOON - timedelta(days=1))
    sensor.theme(schedule="daily")
    sensor.now += timedelta(days=1)
    assert sensor.asked() == ["1/error_analysis 2026-11-04 texts", "1/error_analysis 2026-11-07"]


def test_the_log_of_a_tick_tells_of_every_theme_those_that_are_due_first(
    sensor: Sensor, capsys: pytest.CaptureFixture[str]
) -> None:
    sensor.theme(schedule="daily")
    sensor.theme("feature_requests", schedule="manual")
    sensor.tick()
    sensor.theme("ux_issues", schedule="weekly")
    capsys.readouterr()
    sensor.tick()
    assert [line.rpartition(" - ")[2] for line in capsys.readouterr().err.splitlines()] == [
        "team 1, ux_issues: asked for 2026-11-01",
        "team 1, error_analysis: daily: not due until 2026-11-08 01:30 UTC",
        "team 1, feature_requests: manual: `llma run --team 1 --theme feature_requests` runs it",
    ]


def test_of_very_many_themes_that_are_not_due_a_tick_tells_how_many(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "SHOWN", 2)
    for theme_id in ("error_analysis", "ux_issues", "success_patterns"):
        sensor.theme(theme_id, schedule="manual")
    assert sensor.asked() == []
    assert sensor.told.count("manual") == 2
    assert sensor.told.endswith("; and 1 more")


def test_many_themes_that_are_due_at_once_are_spread_over_ticks(
    sensor: Sensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MODULE, "MOST_THEMES", 2)
    for theme_id in ("error_analysis", "ux_issues", "success_patterns"):
        sensor.theme(theme_id, schedule="daily")
    assert [len(sensor.tick()) for _ in range(3)] == [2, 1, 0]


def test_a_tick_with_nothing_due_costs_one_query(sensor: Sensor, monkeypatch: pytest.MonkeyPatch) -> None:
    for team_id in (1, 2):
        sensor.theme(team_id=team_id, schedule="daily")
        sensor.theme("ux_issues", team_id=team_id, schedule="weekly")
    ClickHouseResource().database()  # opened and migrated before anything is counted
    queries: list[str] = []
    rows = Database.rows

    def counted(database: Database, query: str, **parameters: Any) -> list[dict[str, Any]]:
        queries.append(query)
        return rows(database, query, **parameters)

    monkeypatch.setattr(Database, "rows", counted)
    assert len(sensor.tick()) == 4
    assert len(queries) == 3
    queries.clear()
    sensor.now += timedelta(minutes=10)
    assert sensor.tick() == []
    assert queries == [NEWEST_CHANGES_OF_TEAMS]


def events_of(database: Database, team_id: int) -> int:
    """The trigger events of a team."""
    found = events_by_day(database, DAY, NOON)
    return sum(seen.events for team_day, seen in found.items() if team_day.team_id == team_id)
