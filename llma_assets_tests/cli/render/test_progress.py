"""Progress on stderr: now and then where there is no terminal, bars where there is one. It never fails anything."""

import os
import subprocess
import sys
from datetime import date

import pytest

from llma_assets.cli.render.progress import (
    SECONDS_BETWEEN_LINES,
    BarProgress,
    PlainProgress,
    ProgressNote,
    shown_progress,
)
from llma_assets.cli.render.time_left import TimeLeft, rough_duration
from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.testing import day_of_traces, write_events
from llma_assets_tests.pipeline.runs import Pipeline

STAGES = ("trace_texts", "trace_summaries")
MONDAY, TUESDAY = TeamDay(1, date(2026, 11, 2)), TeamDay(1, date(2026, 11, 3))


def test_lines_come_at_the_start_of_a_stage_and_then_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    with PlainProgress(clock=lambda: now[0]) as progress:
        progress("trace_texts", MONDAY, 1, 9)
        progress("trace_texts", MONDAY, 9, 9)
        now[0] += SECONDS_BETWEEN_LINES
        progress("trace_texts", TUESDAY, 5, 1_000)
        progress("trace_summaries", MONDAY, 3, 9)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "trace_texts  team 1, 2026-11-02  1/9",
        "trace_texts  team 1, 2026-11-02  9/9",
        "trace_texts  team 1, 2026-11-03  5/1,000  about 10 min left",
        "trace_summaries  team 1, 2026-11-02  3/9",
    ]


def test_bars_write_nothing_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with BarProgress() as progress:
        progress("trace_texts", MONDAY, 0, 0)
        progress("trace_texts", TUESDAY, 5, 9)
    assert capsys.readouterr().out == ""


def test_there_are_no_bars_without_a_terminal() -> None:
    assert isinstance(shown_progress(), PlainProgress)


def test_whatever_was_told_to_begin_is_told_to_end(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainProgress(clock=lambda: 0.0) as progress:
        for done in range(3):
            progress("cluster_assignments", MONDAY, done, 2)
        # Begun and ended at once, on another day: no line of its own.
        progress("cluster_assignments", TUESDAY, 2, 2)
        progress("cluster_labels", MONDAY, 2, 2)
    assert capsys.readouterr().err.splitlines() == [
        "cluster_assignments  team 1, 2026-11-02  0/2",
        "cluster_assignments  team 1, 2026-11-02  2/2",
        "cluster_labels  team 1, 2026-11-02  2/2",
    ]


def test_the_time_that_is_left_and_the_cost_so_far_stand_beside_the_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = [0.0]
    note = ProgressNote(TimeLeft(lambda: now[0]), lambda: 0.01234)
    with PlainProgress(lambda: now[0], note) as progress:
        progress("trace_summaries", MONDAY, 10, 210)
        now[0] = 60.0
        progress("trace_summaries", MONDAY, 70, 210)
        progress("trace_summaries", MONDAY, 210, 210)
    assert capsys.readouterr().err.splitlines() == [
        "trace_summaries  team 1, 2026-11-02  10/210  0.0123 USD so far",
        "trace_summaries  team 1, 2026-11-02  70/210  about 2 min left, 0.0123 USD so far",
        "trace_summaries  team 1, 2026-11-02  210/210",
    ]


def test_the_time_left_counts_the_days_that_are_still_to_come_and_not_what_was_there_before() -> None:
    now, left = [0.0], [400]
    time_left = TimeLeft(
        lambda: now[0], expected=lambda stage, team_id: left[0] if (stage, team_id) == ("trace_summaries", 1) else 0
    )
    time_left.update("trace_summaries", MONDAY, 100, 200)
    assert time_left.seconds_left("trace_summaries", 1) is None
    now[0], left[0] = 10.0, 300
    time_left.update("trace_summaries", MONDAY, 200, 200)
    assert time_left.seconds_left("trace_summaries", 1) == pytest.approx(30.0)
    # The next day, and then the second theme of that day, begin anew.
    time_left.update("trace_summaries", TUESDAY, 5, 100)
    time_left.update("trace_summaries", TUESDAY, 100, 100)
    time_left.update("trace_summaries", TUESDAY, 0, 100)
    now[0] = 19.5
    assert time_left.seconds_left("trace_summaries", 1) == pytest.approx(20.5)
    assert time_left.seconds_left("trace_summaries", 2) is None
    assert [rough_duration(seconds) for seconds in (3, 89, 3_599, 9_000)] == [
        "less than a minute",
        "about 1 min",
        "about 60 min",
        "about 2.5 h",
    ]


@pytest.mark.parametrize("error", [BrokenPipeError, ZeroDivisionError])
def test_progress_that_fails_falls_silent_and_fails_no_stage(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    calls: list[str] = []

    def broken(stage: str, team_day: TeamDay, done: int, total: int) -> None:
        calls.append(stage)
        raise error("nobody reads this")

    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, MONDAY.day, 2))
    assert Pipeline(database, progress=broken).texts(1, MONDAY.day, MONDAY.day, stages=STAGES).success
    assert calls == ["trace_texts"]
    assert database.value("SELECT count() FROM trace_summaries WHERE team_id = 1") == 4


def test_an_interrupt_is_no_failure_of_progress(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))

    def interrupted(stage: str, team_day: TeamDay, done: int, total: int) -> None:
        raise KeyboardInterrupt

    write_events(database, day_of_traces(1, MONDAY.day, 1))
    stopped = Pipeline(database, progress=interrupted).texts(
        1, MONDAY.day, MONDAY.day, stages=STAGES, raise_on_error=False
    )
    assert not stopped.success


SAYS = """
import sys
from llma_assets.cli.render.console import say, show
from llma_assets.cli.render.progress import shown_progress
sys.stdin.readline()
with shown_progress() as progress:
    say("one")
    say("two")
show("done")
"""


@pytest.mark.parametrize("way", ["closed pipe", "no stderr"])
def test_messages_that_nobody_reads_any_more_stop_nothing(way: str) -> None:
    shell = f'exec "$0" -c "$1" {"2>&-" if way == "no stderr" else ""}'
    process = subprocess.Popen(
        ["sh", "-c", shell, sys.executable, SAYS],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    assert process.stderr is not None
    process.stderr.close()
    process.stderr = None
    told, _ = process.communicate("\n", timeout=60)
    assert (told, process.returncode) == ("done\n", 0)
