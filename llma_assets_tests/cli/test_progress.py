"""Progress on stderr: now and then where there is no terminal, bars where there is one."""

from datetime import date

import pytest

from llma_assets.cli.progress import SECONDS_BETWEEN_LINES, BarProgress, PlainProgress, shown_progress
from llma_assets.team_day import TeamDay

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
        "trace_texts  team 1, 2026-11-03  5/1,000",
        "trace_summaries  team 1, 2026-11-02  3/9",
    ]


def test_bars_write_nothing_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    with BarProgress() as progress:
        progress("trace_texts", MONDAY, 0, 0)
        progress("trace_texts", TUESDAY, 5, 9)
    assert capsys.readouterr().out == ""


def test_there_are_no_bars_without_a_terminal() -> None:
    assert isinstance(shown_progress(), PlainProgress)
