"""A variable that is set and holds nothing is unset, whichever it is."""

import os
import re
import subprocess
from datetime import date
from pathlib import Path

import pytest

from llma_assets.cli.options import decider
from llma_assets.clickhouse.lifecycle import idle_minutes
from llma_assets.defs.instance import dagster_home
from llma_assets.defs.partitions import Partitions
from llma_assets.models import price_list
from llma_assets.settings import Settings, SettingsError
from llma_assets.teams import TeamSettings

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTED = re.findall(
    r"`([A-Z_]+)`", (ROOT / "docs" / "configuration.md").read_text().partition("## Settings of teams")[0]
)
VARIABLES = sorted({name for name in DOCUMENTED if name.startswith(("LLMA_", "OPENAI_", "CLICKHOUSE_", "DAGSTER_"))})


def everything() -> tuple[object, ...]:
    """What the environment decides, by whoever reads it."""
    settings = Settings.from_env()
    return (
        settings,
        dagster_home(settings),
        idle_minutes(),
        decider(None),
        TeamSettings.load(settings.data_dir),
        price_list(),
    )


def test_all_variables_are_documented() -> None:
    assert {"LLMA_DATA_DIR", "CLICKHOUSE_URL", "DAGSTER_HOME", "LLMA_OLDEST_DAY", "OPENAI_BASE_URL"} <= set(VARIABLES)


@pytest.mark.parametrize("value", ["", " ", "\t "])
def test_an_empty_variable_is_an_unset_one(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    unset = everything()
    for name in VARIABLES:
        monkeypatch.setenv(name, value)
    assert everything() == unset


def test_partitions_may_be_a_rolling_window() -> None:
    today = date(2026, 11, 30)
    assert Settings.from_env({"LLMA_PARTITION_DAYS": "90"}, today=today).oldest_day == date(2026, 9, 2)
    assert Settings.from_env({"LLMA_PARTITION_DAYS": "9000"}, today=today).oldest_day == date(2026, 1, 1)
    assert Settings.from_env({}, today=today).oldest_day == date(2026, 1, 1)
    partitions = Partitions.since(Settings.from_env({"LLMA_PARTITION_DAYS": "90"}).oldest_day)
    assert len(partitions.daily.get_partition_keys()) in (90, 91), "midnight may be between the two"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("LLMA_PARTITION_DAYS", "44", "at least 45"),
        ("LLMA_PARTITION_DAYS", "-1", "positive integer"),
        ("LLMA_SHARDS", "0", "positive integer"),
        ("LLMA_SHARD_EVENTS", "many", "positive integer"),
    ],
)
def test_an_unusable_number_is_refused_by_name(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be .*{said}"):
        Settings.from_env({name: value})


@pytest.mark.process
@pytest.mark.parametrize("value", ["", " "])
def test_make_takes_an_empty_data_folder_for_an_unset_one(value: str) -> None:
    environment = {**os.environ, "LLMA_DATA_DIR": value, "DAGSTER_HOME": value}
    shown = subprocess.run(
        ["make", "-pn", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert f"LLMA_DATA_DIR := {ROOT}/.llma\n" in shown.stdout
    assert f"DAGSTER_HOME := {ROOT}/.llma/dagster\n" in shown.stdout
