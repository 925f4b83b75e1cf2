"""A variable that is set and holds nothing is unset, whichever it is."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from llma_assets.cli.options import decider
from llma_assets.clickhouse.lifecycle import idle_minutes
from llma_assets.defs.instance import dagster_home
from llma_assets.models import price_list
from llma_assets.settings import Settings
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


@pytest.mark.process
@pytest.mark.parametrize("value", ["", " "])
def test_make_takes_an_empty_data_folder_for_an_unset_one(value: str) -> None:
    environment = {**os.environ, "LLMA_DATA_DIR": value, "DAGSTER_HOME": value}
    shown = subprocess.run(
        ["make", "-pn", "help"], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert f"LLMA_DATA_DIR := {ROOT}/.llma\n" in shown.stdout
    assert f"DAGSTER_HOME := {ROOT}/.llma/dagster\n" in shown.stdout
