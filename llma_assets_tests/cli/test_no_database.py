"""Where there is no database yet, who only reads says so, and makes none."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from llma_assets.cli.main import cli
from llma_assets.clickhouse import NoDatabase, connect, stop
from llma_assets.settings import Settings
from llma_assets_tests.environment import SETTINGS

DAY = ("--team", "1", "--date", "2026-11-07")
READING = [
    ("clusters", *DAY),
    ("trends", "--team", "1"),
    ("trace", "--team", "1", "some-trace"),
    ("check", "--date", "2026-11-07"),
    ("skips", "--date", "2026-11-07"),
    ("estimate", *DAY),
    ("usage", *DAY),
    ("retry", "--team", "1", "--list"),
    ("run", *DAY, "--dry-run"),
    ("themes", "list", "--team", "1"),
    ("themes", "show", "traces", "--team", "1"),
    ("themes", "export", "--team", "1"),
    ("themes", "history", "traces", "--team", "1"),
    ("themes", "preview", "--team", "1", "--theme", "traces"),
    ("themes", "try", "--team", "1", "--theme", "traces", "--date", "2026-11-07"),
    ("themes", "funnel", *DAY),
    ("themes", "cross", *DAY, "--themes", "traces", "generations"),
    ("segments", "run", "--team", "1"),
    ("segments", "refused", "--team", "1"),
    ("tasks", "list", "--team", "1"),
    ("tasks", "show", "4f1c", "--team", "1"),
    ("db", "query", "SELECT 1"),
]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder in which nothing was ever run, and no setting."""
    for name in (*SETTINGS, "CLICKHOUSE_URL", "LLMA_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("arguments", READING, ids=lambda each: " ".join(each[:2]))
def test_a_command_that_reads_says_where_it_looked_and_makes_nothing(fresh: Path, arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 1, result.output
    assert result.output == (
        f"Error: there is no database in {fresh / '.llma'} yet: `llma ingest FILE` or `llma demo` makes one, "
        "LLMA_DATA_DIR names another folder\n"
    )
    assert list(fresh.iterdir()) == []


@pytest.mark.heavy
def test_doctor_and_status_say_so_and_make_nothing(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_DATA_DIR", str(fresh / "elsewhere"))
    doctor = CliRunner().invoke(cli, ["doctor", "--json"])
    findings = {each["name"]: each for each in json.loads(doctor.stdout)["findings"]}
    assert doctor.exit_code == 0
    assert findings["database"]["status"] == "warn"
    assert findings["database"]["detail"] == f"there is no database in {fresh / 'elsewhere'} yet"
    status = CliRunner().invoke(cli, ["db", "status"])
    assert (status.exit_code, status.stdout.partition(";")[0]) == (
        0,
        f"embedded ClickHouse of {fresh / 'elsewhere'}: no database yet",
    )
    assert list(fresh.iterdir()) == []


def test_a_server_without_the_database_is_named_and_gets_none(settings: Settings) -> None:
    with pytest.raises(NoDatabase, match=r"has no database 'test_\w+' yet: `llma ingest"):
        connect(settings, create=False)
    with pytest.raises(NoDatabase):
        connect(settings, create=False)
    connect(settings).close()
    connect(settings, create=False).close()


@pytest.mark.process
def test_a_command_that_brings_data_makes_the_database(fresh: Path) -> None:
    (fresh / "events.jsonl").write_text("")
    try:
        assert CliRunner().invoke(cli, ["ingest", "events.jsonl"]).exit_code == 0
        assert CliRunner().invoke(cli, ["tasks", "list", "--team", "1"]).exit_code == 0
    finally:
        stop(fresh / ".llma")
    assert {path.name for path in fresh.iterdir()} == {"events.jsonl", ".llma"}
