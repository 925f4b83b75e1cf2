"""Log records as lines of JSON: one record is one line, and a wrong team is never said."""

import json
import logging
import sys
import threading

import pytest

from llma_assets.log_lines import JsonLines, about, log_to_stderr, present, wants_json


def line(message: str, *arguments: object, **more: object) -> dict[str, object]:
    record = logging.LogRecord("llma_assets.rendering", logging.WARNING, "x.py", 1, message, arguments, None)
    record.__dict__.update(more)
    text = JsonLines().format(record)
    assert "\n" not in text
    found: dict[str, object] = json.loads(text)
    return found


def test_a_record_carries_what_the_process_works_on() -> None:
    with about(run="r", stage="trace_texts", team=7, day="2026-11-07"):
        found = line("%d items", 3)
    assert {name: found[name] for name in ("level", "logger", "run", "stage", "team", "day", "message")} == {
        "level": "warning",
        "logger": "llma_assets.rendering",
        "run": "r",
        "stage": "trace_texts",
        "team": 7,
        "day": "2026-11-07",
        "message": "3 items",
    }
    assert str(found["time"]).endswith("+00:00")
    assert "team" not in line("afterwards")


def test_hostile_words_stay_in_their_line() -> None:
    assert line('a\nb\r\u2028{"level": "error"}\x1b[31m')["message"] == 'a\nb\r\u2028{"level": "error"}\x1b[31m'


def test_threads_of_a_partition_carry_it() -> None:
    found: list[dict[str, str | int]] = []
    with about(run="r", team=7):
        thread = threading.Thread(target=lambda: found.append(present()))
        thread.start()
        thread.join()
    assert found == [{"run": "r", "team": 7}]


def test_two_partitions_at_once_say_what_they_share_alone() -> None:
    with about(run="r", team=7), about(run="r", team=8):
        assert present() == {"run": "r"}
    assert present() == {}


def test_an_exception_is_part_of_the_line() -> None:
    try:
        raise ValueError("no\nnumber")
    except ValueError:
        found = line("failed", exc_info=sys.exc_info())
    assert "ValueError: no\nnumber" in str(found["exception"])


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert [wants_json({"LLMA_LOG": each}) for each in ("", " ", "json")] == [False, False, True]
    assert not log_to_stderr({})
    ours = logging.getLogger("llma_assets")
    before, propagated, level = list(ours.handlers), ours.propagate, ours.level
    try:
        assert [log_to_stderr({"LLMA_LOG": "json"}) for _ in range(2)] == [True, True]
        logging.getLogger("llma_assets.web").info("hello")
        assert [json.loads(each)["message"] for each in capsys.readouterr().err.splitlines()] == ["hello"]
    finally:
        ours.handlers, ours.propagate = before, propagated
        ours.setLevel(level)
        uvicorn = logging.getLogger("uvicorn")
        uvicorn.handlers, uvicorn.propagate = [], True
