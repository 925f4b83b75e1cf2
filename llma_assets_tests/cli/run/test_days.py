"""What commands say about a day that has nothing: where something is, and nothing that `llma run` would refuse."""

import os
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from llma_assets.cli.render.console import command
from llma_assets.cli.run.days import in_spans
from llma_assets.clickhouse import Database
from llma_assets.testing import day_of_traces, write_events
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.clusters.planted import plant, run_day
from llma_assets_tests.databases import PlantedOnce

DAY = date(2026, 11, 7)


def three_teams(database: Database) -> None:
    """Team 1 has traces of two days and clusters of one, team 2 has too few traces, team 3 traces alone."""
    for day in (DAY - timedelta(days=1), DAY):
        write_events(database, day_of_traces(1, day, 12))
    write_events(database, day_of_traces(2, DAY, 3))
    write_events(database, day_of_traces(3, DAY, 24))
    plant(database, 1, DAY, {"A": 12, "B": 9})
    run_day(database, 1, DAY, 2)


@pytest.fixture
def stored(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(three_teams)
    return database


@pytest.mark.parametrize(
    "given",
    [
        ["clusters"],
        ["clusters", "--audit"],
        ["skips"],
        ["check"],
        ["themes", "funnel"],
        ["themes", "cross", "--themes", "a", "b"],
    ],
)
def test_without_a_date_the_days_are_listed(stored: Database, llma: Llma, given: list[str]) -> None:
    result = llma(*given, "--team", "1")
    assert result.exit_code == 2
    assert result.stderr == "Error: give a day by --date. Team 1 has clusters of 2026-11-07\n"


@pytest.mark.parametrize(
    ("team_id", "day", "told"),
    [
        (1, "2026-11-06", "Team 1 has clusters of 2026-11-07. `llma run` would leave it out on 2026-11-06: below_min"),
        (1, "2026-11-08", "Team 1 has clusters of 2026-11-07. `llma run --team 1 --date 2026-11-08` makes them"),
        (1, "2026-05-05", "no trace event from 2026-04-29 to 2026-05-05; its events are of 2026-11-06 to 2026-11-07"),
        (1, "2025-05-05", "2025-05-05 cannot be run: the first day is 2026-01-01, the last is today, "),
        (1, "2100-01-01", "2100-01-01 cannot be run: the first day is 2026-01-01, the last is today, "),
        (2, "2026-11-07", "would leave it out on 2026-11-07: below_minimum, 3 of 20 traces"),
        (3, "2026-11-07", "Team 3 has no clusters yet. `llma run --team 3 --date 2026-11-07` makes them"),
        (9, "2026-11-07", "Team 9 has no clusters yet. Team 9 has no trace events; teams with events: 1, 2, 3"),
    ],
)
def test_a_day_without_anything_is_answered_with_what_there_is_and_what_a_run_would_do(
    stored: Database, llma: Llma, team_id: int, day: str, told: str
) -> None:
    result = llma("clusters", "--team", str(team_id), "--date", day)
    assert (result.exit_code, result.stdout) == (0, "")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1
    refused = "makes them" not in told
    assert refused or "would run" in llma("run", "--dry-run", "--team", str(team_id), "--date", day).stdout


def test_other_commands_answer_in_the_same_way(stored: Database, llma: Llma) -> None:
    left_out = "`llma run` would leave it out on 2026-11-07: below_minimum"
    for given in (["trends"], ["clusters", "--audit", "--date", "2026-11-07"]):
        assert f"Team 2 has no clusters yet. {left_out}" in llma(*given, "--team", "2").stderr
    assert "Team 3 has no clusters yet. `llma run --team 3" in llma("trace", "--team", "3", "nothing").stderr
    for name in ("skips", "check"):
        assert "Nothing has been run yet" in llma(name, "--date", "2026-11-01").stderr
    themed = ("clusters", "--team", "1", "--date", "2026-11-07", "--theme")
    assert "`llma run --team 1 --date 2026-11-07 --theme generations` makes them" in llma(*themed, "generations").stderr
    assert "`llma themes enable ux_issues --team 1` switches it on" in llma(*themed, "ux_issues").stderr
    funnel = llma("themes", "funnel", "--team", "2", "--date", "2026-11-07", "--theme", "traces")
    assert f"traces has selected no items yet: {left_out}" in funnel.stderr


def test_a_theme_is_previewed_and_tried_on_the_window_that_a_run_of_the_latest_day_takes(
    stored: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    about = ("--team", "1", "--theme", "error_analysis")
    for name, until in (("preview", "to"), ("try", "until")):
        document = llma_json("themes", name, *about).document
        assert (document["from"], document[until], document["matched"]) == ("2026-11-01", "2026-11-07", 24)
        document = llma_json("themes", name, *about, "--date", "2026-01-03").document
        assert (document["from"], document[until], document["matched"]) == ("2026-01-01", "2026-01-03", 0)
        document = llma_json("themes", name, *about, "--days", "1").document
        assert (document["from"], document["matched"]) == ("2026-11-07", 12)
        there = "Team 1 has events of 2026-11-06 to 2026-11-07"
        assert there in llma("themes", name, *about, "--date", "2026-01-03").stderr
        nobody = llma("themes", name, "--team", "9", "--theme", "error_analysis")
        assert (nobody.exit_code, nobody.stdout) == (1, "")
        assert "Team 9 has no trace events; teams with events: 1, 2, 3" in nobody.stderr


def test_days_are_told_as_spans() -> None:
    days = [DAY + timedelta(days=number) for number in (0, 1, 2, 9, 20, 21, 40, 60)]
    assert in_spans(days) == "… 2026-11-16, 2026-11-27 to 2026-11-28, 2026-12-17, 2027-01-06"
    assert in_spans(days[:4]) == "2026-11-07 to 2026-11-09, 2026-11-16"


def test_hints_name_the_program_as_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database, llma: Llma
) -> None:
    """In a folder whose environment is not activated `llma` is not found, or is another one."""
    program = tmp_path / "my env" / "llma"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["my env/llma", "skips"])
    assert command() == "'my env/llma'"
    assert "Error: give a day by --date. Team 9 has no clusters yet. " in llma("clusters", "--team", "9").stderr
    assert "`'my env/llma' ingest FILE`" in llma("clusters", "--team", "9").stderr
    monkeypatch.setenv("PATH", str(program.parent) + os.pathsep + os.environ["PATH"])
    assert command() == "llma"
