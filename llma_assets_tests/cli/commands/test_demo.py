"""`llma demo`: the whole graph on the sample traffic, and nothing twice; the notebook runs on what it leaves."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from llma_assets.cli.commands.demo import switch_themes_on
from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database
from llma_assets.demo import DEMO_TEAMS, PIPELINE_ONLY_TEAM_ID, THEMED_TEAM, THEMES, WEEK
from llma_assets.themes.changes import set_enabled
from llma_assets.themes.store import themes_of
from llma_assets_tests.cli.commands.test_run import row_counts
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.test_notebook import NOTEBOOK

DAY = date(2026, 11, 7)


def demo_run(_: Database, day: date) -> str:
    """Run the demo on the empty database of the environment; returns what it prints."""
    done = CliRunner().invoke(cli, ["demo", "--date", str(day)], prog_name="llma")
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.slow(seconds=120)
@pytest.mark.timeout(900)
def test_the_demo_shows_clusters_or_the_reason_for_each_team_and_adds_nothing_the_second_time(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], planted_once: PlantedOnce
) -> None:
    first = planted_once(demo_run, DAY)
    for team in DEMO_TEAMS[:3]:
        assert f"team {team.team_id}, 2026-11-07, traces: " in first
    assert f"team {DEMO_TEAMS[3].team_id}, 2026-11-07: not run: below_minimum" in first
    assert f"team {PIPELINE_ONLY_TEAM_ID}, 2026-11-07: not run: no_recent_events" in first
    assert not re.search(r"^team \d+, 2026-11-07, generations", first, re.MULTILINE)
    assert re.search(r"^  \d+ in \d+ clusters: llma clusters .* --level generation$", first, re.MULTILINE)
    assert re.search(r"^\w{8}  new .*(payment|charge)", first, re.MULTILINE | re.IGNORECASE)
    assert re.search(r"^\w{8}  ended .*voucher", first, re.MULTILINE | re.IGNORECASE)
    assert re.search(r"^\w{8} .* 20 .*The payment fails with an error at checkout$", first, re.MULTILINE)
    for theme_id in THEMES:
        assert re.search(rf"^team 103, 2026-11-07, {theme_id}: \d+ items in \d+ clusters", first, re.MULTILINE)
        assert re.search(rf"^{theme_id} +2026-11-01( +[1-9]\d*){{6}} +\d+ +\d+\.\d%$", first, re.MULTILINE)
    assert "llma clusters --team 101 --date 2026-11-07" in first
    assert first.rstrip().endswith("The same as pages, in the browser: llma web --open")

    before = row_counts(database)
    second = llma_json("demo", "--date", str(DAY))
    assert second.code == 0
    assert [(team["team"], team["status"]) for team in second.document["teams"]] == [
        (101, "done"),
        (102, "done"),
        (103, "done"),
        (104, "skipped"),
        (105, "skipped"),
    ]
    assert [task["occurrence_count"] for task in second.document["tasks"]] == [20]
    assert row_counts(database) == before
    for day in (DAY, DAY - timedelta(days=WEEK - 1)):
        checked = llma("check", "--date", str(day), "--failed")
        assert (checked.exit_code, checked.stdout.count("\n")) == (0, 1)
    steps = first.partition("Next steps:")[2].splitlines()[1:]
    for step in [line.split("  ")[1].split() for line in steps if line.startswith("  llma ") and " web " not in line]:
        shown = llma(*step[1:])
        assert (shown.exit_code, bool(shown.stdout)) == (0, True), step


def kinds(cell: Any) -> list[list[str]]:
    """What each output of a cell is."""
    return [sorted(output.get("data", {"text/plain": ""})) for output in cell.get("outputs", ())]


@pytest.mark.slow(seconds=119)
@pytest.mark.timeout(900)
def test_the_notebook_goes_from_a_team_to_a_picture(
    database: Database, llma: Llma, tmp_path: Path, planted_once: PlantedOnce
) -> None:
    import nbformat  # not while tests are collected: both take their time
    from nbclient import NotebookClient

    planted_once(demo_run, DAY)
    stored, executed = (nbformat.read(NOTEBOOK, as_version=4) for _ in range(2))
    NotebookClient(executed, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    assert len(executed.cells) == 10
    assert [kinds(cell) for cell in executed.cells] == [kinds(cell) for cell in stored.cells]
    assert sum("image/png" in kind for cell in executed.cells for kind in kinds(cell)) == 2


def test_the_demo_switches_its_theme_of_one_team_on_and_leaves_one_that_was_switched_off(database: Database) -> None:
    switch_themes_on(database)
    assert {theme.theme_id for theme in themes_of(database, THEMED_TEAM.team_id).themes if theme.enabled} == {
        "traces",
        "generations",
        *THEMES,
    }
    set_enabled(database, THEMED_TEAM.team_id, THEMES[0], False, "ann")
    switch_themes_on(database)
    assert not themes_of(database, THEMED_TEAM.team_id).get(THEMES[0]).enabled
    assert database.value("SELECT count() FROM themes") == 2
