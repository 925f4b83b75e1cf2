"""`llma automation`: what is switched on there is what Dagster's daemon evaluates, and what it did is shown."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.errors import DagsterError
from dagster._core.scheduler.instigation import TickData, TickStatus
from dagster._utils.error import serializable_error_info_from_exc_info

from llma_assets.definitions import build_definitions
from llma_assets.defs.automation import Automations, UnknownAutomationError
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.instances import stored_instance

pytestmark = pytest.mark.heavy

NOW = datetime(2026, 11, 7, 12, 1, tzinfo=UTC)
NAMES = (
    "alerts_every_10_minutes",
    "clusters_daily",
    "discovery_hourly",
    "tasks_half_hourly",
    "texts_hourly",
    "trackers_every_10_minutes",
    "late_events",
    "open_batches",
    "stale_clusters",
    "theme_schedules",
)


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions()


def state(instance: dg.DagsterInstance, definitions: dg.Definitions, *names: str) -> list[bool]:
    return [each.is_on for each in Automations(instance, definitions).status(NOW, names)]


def tick(instance: dg.DagsterInstance, automations: Automations, name: str, at: datetime, **given: object) -> None:
    """Store a tick as the daemon does."""
    remote = automations._all[name]
    kind = InstigatorType.SCHEDULE if name.endswith(("ly",)) else InstigatorType.SENSOR
    data = TickData(
        instigator_origin_id=remote.get_remote_origin_id(),
        instigator_name=name,
        instigator_type=kind,
        timestamp=at.timestamp(),
        selector_id=remote.selector_id,
        **given,
    )
    instance.create_tick(data)


def test_all_are_off_until_somebody_switches_them_on(definitions: dg.Definitions) -> None:
    with stored_instance() as instance:
        automations = Automations(instance, definitions)
        found = automations.status(NOW)
        assert tuple(each.name for each in found) == NAMES
        assert not any(each.is_on or each.next_tick or each.last_tick for each in found)
        assert automations.switch(["late_events", "discovery_hourly", "late_events"], on=True) == [
            "late_events",
            "discovery_hourly",
        ]
        assert automations.switch(["late_events", "texts_hourly"], on=True) == ["texts_hourly"]
        assert [each.name for each in automations.status(NOW) if each.is_on] == [
            "discovery_hourly",
            "texts_hourly",
            "late_events",
        ]
        assert automations.switch(automations.names, on=False) == ["discovery_hourly", "texts_hourly", "late_events"]
        assert not any(each.is_on for each in automations.status(NOW))


def test_an_unknown_name_switches_nothing(definitions: dg.Definitions) -> None:
    with stored_instance() as instance:
        automations = Automations(instance, definitions)
        with pytest.raises(
            UnknownAutomationError, match="no schedule or sensor is called nightly; known: alerts_every_10_minutes"
        ):
            automations.switch(["late_events", "nightly"], on=True)
        assert not any(each.is_on for each in automations.status(NOW))


def test_each_says_in_plain_words_when_it_runs_and_what_it_needs(definitions: dg.Definitions) -> None:
    with stored_instance() as instance:
        for each in Automations(instance, definitions).status(NOW):
            assert each.description.startswith("Every "), each.name
            assert each.when, each.name


def test_the_last_and_the_next_evaluation_are_shown(definitions: dg.Definitions) -> None:
    with stored_instance() as instance:
        automations = Automations(instance, definitions)
        automations.switch(["discovery_hourly", "late_events", "texts_hourly"], on=True)
        tick(
            instance, automations, "late_events", NOW - timedelta(minutes=2), status=TickStatus.SKIPPED, skip_reason="x"
        )
        tick(instance, automations, "discovery_hourly", NOW, status=TickStatus.SUCCESS, run_ids=["a", "b"])
        try:
            raise DagsterError("wrapped") from ValueError("no such\ndatabase")
        except DagsterError as error:
            info = serializable_error_info_from_exc_info((type(error), error, error.__traceback__))
        tick(instance, automations, "texts_hourly", NOW, status=TickStatus.FAILURE, error=info)
        late, discovery, texts = automations.status(NOW, ["late_events", "discovery_hourly", "texts_hourly"])
        assert late.last_tick
        assert (late.last_tick.status, late.last_tick.detail) == ("skipped", "x")
        assert late.next_tick == NOW + timedelta(minutes=3)
        assert discovery.last_tick
        assert (discovery.last_tick.at, discovery.last_tick.status, discovery.last_tick.runs) == (NOW, "success", 2)
        assert discovery.next_tick == datetime(2026, 11, 7, 12, 50, tzinfo=UTC)
        assert texts.last_tick
        assert texts.last_tick.status == "failure"
        assert "no such database" in texts.last_tick.detail


def test_another_instance_is_not_touched(definitions: dg.Definitions, tmp_path: Path) -> None:
    with stored_instance() as one, stored_instance() as other:
        Automations(one, definitions).switch(["late_events"], on=True)
        assert state(one, definitions, "late_events") == [True]
        assert state(other, definitions, "late_events") == [False]


@pytest.mark.slow
def test_the_command_switches_and_shows(llma: Llma, llma_json: Callable[..., Answer]) -> None:
    document = llma_json("automation", "status").document
    assert document["daemon"] == {"running": False, "seen_at": None}
    assert [each["name"] for each in document["automations"]] == list(NAMES)
    assert llma_json("automation", "on", "late_events").document["changed"] == ["late_events"]
    shown = llma("automation", "status")
    assert re.search(r"^late_events +on ", shown.stdout, re.MULTILINE)
    assert "`llma dev` starts one" in shown.stderr
    assert len(llma_json("automation", "on", "--all").document["changed"]) == len(NAMES) - 1
    assert len(llma_json("automation", "off", "--all").document["changed"]) == len(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("on",), "give names of schedules or sensors, or --all"),
        (("off", "late_events", "--all"), "give names of schedules or sensors, or --all"),
        (("on", "nightly"), "no schedule or sensor is called nightly"),
        (("status", "nightly"), "no schedule or sensor is called nightly"),
    ],
)
def test_wrong_use_says_what_there_is(llma: Llma, arguments: tuple[str, ...], said: str) -> None:
    result = llma("automation", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
