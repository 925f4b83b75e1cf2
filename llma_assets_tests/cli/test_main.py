"""What holds for every command: a quick start, one line for a failure, exit codes, no secrets."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llma_assets.cli.main import COMMANDS, cli
from llma_assets.settings import Settings
from llma_assets_tests.cli.conftest import Llma

HEAVY = ("dagster", "numpy", "pandas", "pyarrow", "sklearn", "chdb", "openai", "clickhouse_connect", "rich.progress")
SHOW_HELP = """
import sys
from llma_assets.cli.main import cli
try:
    cli(["--help"], prog_name="llma")
finally:
    print(*sys.modules, file=sys.stderr)
"""

INTERRUPTIBLE = """
import signal
from llma_assets.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""A shell without job control starts processes with SIGINT ignored; a terminal does not."""


def llma_process(*arguments: str, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-m", "llma_assets.cli.main", *arguments],
        env={**os.environ, **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_the_commands_of_the_first_issue_are_there() -> None:
    assert {
        "demo", "ingest", "run", "clusters", "trace", "check", "skips", "usage", "db", "doctor",
    } <= COMMANDS.keys()  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help_page(llma: Llma, command: str) -> None:
    result = llma(command, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: llma {command}")


@pytest.mark.process
def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", SHOW_HELP], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(done.stderr.split())


@pytest.mark.process
def test_help_costs_hardly_more_than_a_start_of_python_with_click() -> None:
    bare_s = min(cpu_seconds_of(sys.executable, "-c", "import click") for _ in range(2))
    help_s = min(cpu_seconds_of(sys.executable, "-m", "llma_assets.cli.main", "--help") for _ in range(2))
    assert help_s < 6 * bare_s  # between two and three times; with Dagster forty times


def cpu_seconds_of(*command: str) -> float:
    """CPU time of a process that ends well."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("run", "--team", "one", "--date", "today"), "'one' is not a team number"),
        (("run", "--team", "-1", "--date", "today"), "'-1' is not a team number"),
        (("run", "--team", "9223372036854775808", "--date", "today"), "is not a team number"),
        (("skips", "--date", "2026-02-30"), "write it like 2026-11-07"),
        (("skips", "--date", "1969-12-31"), "days go from 1970-01-01"),
        (("skips", "--date", "yesterdayish"), "write it like 2026-11-07"),
        (("clusters", "--team", "1"), "give a day by --date"),
        (("run", "--date", "today"), "--team for single teams, or --all for all eligible ones"),
        (("run", "--all", "--team", "1", "--date", "today"), "--team for single teams, or --all for all eligible ones"),
        (("run", "--team", "1", "--date", "2025-12-31"), "LLMA_OLDEST_DAY"),
        (("run", "--team", "1", "--date", "2100-01-01"), "the first day is"),
        (("run", "--team", "1", "--date", "today", "--min-k", "7", "--max-k", "4"), "--max-k 4 is less"),
        (("run", "--team", "1", "--date", "today", "--method", "magic"), "kmeans"),
        (("ingest",), "llma ingest --help"),
        (("ingest", "no such file\x1b[2J"), "there is no such file"),
        (("nope",), "No such command"),
        (("db", "query", "  "), "the statement is empty"),
    ],
)
def test_wrong_use_is_one_line_with_the_way_out_and_exit_code_2(
    llma: Llma, arguments: tuple[str, ...], hint: str
) -> None:
    result = llma(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    assert hint in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "command", [("skips", "--date", "today"), ("db", "query", "SELECT 1"), ("db", "status"), ("db", "upgrade")]
)
def test_an_unreachable_server_is_one_line_without_its_password(
    llma: Llma, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://ada:hunter2@127.0.0.1:1/llma")
    result = llma(*command)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "CLICKHOUSE_URL" in result.stderr
    assert "hunter2" not in result.output


def test_a_wrong_password_is_one_line_without_it(
    llma: Llma, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings.clickhouse_url is not None
    where = settings.clickhouse_url.rpartition("@")[2]
    monkeypatch.setenv("CLICKHOUSE_URL", f"http://default:hunter2@{where}")
    result = llma("skips", "--date", "today")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("variable", "value"), [("CLICKHOUSE_URL", "nonsense"), ("LLMA_OLDEST_DAY", "soon"), ("LLMA_TEAMS_FILE", "/nope")]
)
def test_a_bad_setting_is_wrong_use(llma: Llma, monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    result = llma("run", "--team", "1", "--date", "today")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("variable", ["LLMA_TEAMS_FILE", "LLMA_PRICES_FILE"])
@pytest.mark.parametrize(
    "command",
    [
        ("run", "--team", "1", "--date", "today"),
        ("estimate", "--team", "1", "--date", "today", "--model", "gpt-4.1-nano"),
        ("usage", "--team", "1", "--date", "today"),
        ("segments", "run", "--team", "1"),
        ("themes", "preview", "--team", "1", "--theme", "error_analysis"),
    ],
)
def test_a_file_that_a_setting_names_and_is_not_there_is_wrong_use(
    llma: Llma, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, command: tuple[str, ...]
) -> None:
    for path in (tmp_path / "missing", tmp_path):
        monkeypatch.setenv(variable, str(path))
        result = llma(*command)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert str(path) in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("ingest",),
        ("segments", "ingest"),
        ("themes", "apply", "--team", "1"),
        ("themes", "try", "--team", "1", "--file"),
    ],
)
def test_a_file_that_a_command_names_and_is_not_there_is_wrong_use(llma: Llma, command: tuple[str, ...]) -> None:
    result = llma(*command, "missing")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "missing" in result.stderr


@pytest.mark.process
def test_a_data_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = llma_process("skips", "--date", "today", LLMA_DATA_DIR=str(tmp_path / "file" / "data"), CLICKHOUSE_URL="")
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


def test_debug_shows_the_traceback(llma: Llma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://127.0.0.1:1/llma")
    assert "Traceback" in llma("--debug", "skips", "--date", "today").stderr
    monkeypatch.setenv("LLMA_DEBUG", "1")
    assert "Traceback" in llma("skips", "--date", "today").stderr


def test_ctrl_c_ends_with_130_and_no_traceback(settings: Settings) -> None:
    assert settings.clickhouse_url is not None
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTIBLE, "ingest", "-"],
        env={**os.environ, "CLICKHOUSE_URL": settings.clickhouse_url, "LLMA_DATA_DIR": str(settings.data_dir)},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(json.dumps({"event": "$ai_trace"}).encode() + b"\n")
    process.stdin.flush()
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert stderr.strip().splitlines()[-1].startswith(b"Error: interrupted")
    assert b"Traceback" not in stderr


def test_an_unforeseen_error_is_named_and_is_a_failure(llma: Llma, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("llma_assets.reports.skips_of_day", broken)
    result = llma("skips", "--date", "today")
    assert result.exit_code == 1
    assert result.stderr == "Error: RuntimeError: two lines (LLMA_DEBUG=1 shows the traceback)\n"


def test_the_group_is_what_the_entry_point_calls() -> None:
    assert set(cli.list_commands(None)) == set(COMMANDS)  # type: ignore[arg-type]
