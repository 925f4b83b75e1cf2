"""`llma doctor`: what is right, what is wrong, and the way out; never a secret."""

import os
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.instance import opened_instance, prepare_home
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer, Status, trace, write_events
from llma_assets_tests.cli.conftest import Answer, Llma

COLUMNS = "uuid UUID, event String, distinct_id String"


@pytest.fixture
def new_homes_have_their_tables() -> None:
    """Not here: how a new home comes to be is what these tests look at."""


def statuses(answer: Answer) -> dict[str, str]:
    return {finding["name"]: finding["status"] for finding in answer.document["findings"]}


def test_a_fresh_installation_is_right_and_says_that_there_are_no_events(llma_json: Callable[..., Answer]) -> None:
    answer = llma_json("doctor")
    assert answer.code == 0
    assert answer.document["ok"] is True
    assert statuses(answer) == {
        "Python": "ok",
        "Dagster": "ok",
        "data folder": "ok",
        "database": "ok",
        "database disk": "ok",
        "events table": "warn",
        "themes": "ok",
        "team settings": "ok",
        "chat model": "ok",
        "embedding model": "ok",
        "Dagster instance": "ok",
    }
    assert list(answer.document["findings"][0]) == ["name", "status", "detail", "advice"]


def test_events_that_can_be_read_are_right(database: Database, llma_json: Callable[..., Answer]) -> None:
    write_events(database, trace(1, "t", datetime(2026, 11, 7, tzinfo=UTC)))
    assert statuses(llma_json("doctor"))["events table"] == "ok"


FOREIGN = "CREATE TABLE foreign_events AS events ENGINE = MergeTree ORDER BY (team_id, timestamp)"


def write_foreign(database: Database) -> None:
    """A table of somebody else: a trace of team 1, and two events of team 2 of which one cannot be read."""
    database.execute(FOREIGN)
    at = datetime(2026, 11, 7, tzinfo=UTC)
    good = next(trace(1, "t", at))
    others = [{**good, "uuid": uuid4(), "team_id": 2, "properties": text} for text in ('{"x": NaN}', "{}")]
    for row in (good, *others):
        database.insert_rows("foreign_events", [row])


def test_events_of_one_s_own_table_that_cannot_be_read_are_told(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_foreign(database)
    monkeypatch.setenv("LLMA_EVENTS_TABLE", "foreign_events")
    answer = llma_json("doctor")
    (found,) = (each for each in answer.document["findings"] if each["name"] == "unreadable events")
    assert (answer.code, found["status"]) == (0, "warn")
    assert found["detail"].startswith(
        "foreign_events: 1 of 3 recent events cannot be read, the last of team 2 at 2026-11-07"
    )
    assert llma("run", "--all", "--date", "2026-11-07").exit_code == 0
    rows = [row for row in llma_json("skips", "--date", "2026-11-07").document["skips"] if row["stage"] == "events"]
    assert [(row["team"], row["reason"]) for row in rows] == [(2, "unreadable_events")]
    assert rows[0]["detail"].startswith("1 event with properties that are not a JSON object")


def test_an_unreachable_server_fails_without_its_password(llma: Llma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://ada:hunter2@127.0.0.1:1/llma")
    result = llma("doctor")
    assert result.exit_code == 1
    assert "fail database: " in result.stdout
    assert "hunter2" not in result.output


@pytest.mark.parametrize(
    ("columns", "what"),
    [
        ("uuid UUID, event String", "team_id"),
        (f"{COLUMNS}, team_id String, timestamp DateTime64(6), properties String", "team_id is String"),
        (f"{COLUMNS}, team_id Int64, timestamp String, properties String", "timestamp is String"),
    ],
)
def test_an_events_table_of_another_shape_fails(
    database: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, columns: str, what: str
) -> None:
    database.execute(f"CREATE TABLE theirs ({columns}) ENGINE = MergeTree ORDER BY tuple()")
    database.execute("INSERT INTO theirs (event) VALUES ('$ai_trace')")
    monkeypatch.setenv("LLMA_EVENTS_TABLE", "theirs")
    answer = llma_json("doctor")
    (finding,) = [each for each in answer.document["findings"] if each["name"] == "events table"]
    assert (answer.code, finding["status"]) == (1, "fail")
    assert what in finding["detail"] + finding["advice"]


def test_a_model_that_does_not_answer_fails_without_the_key(llma: Llma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-6-luna")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-hunter2")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "offline")
    result = llma("doctor")
    assert result.exit_code == 1
    assert "fail chat model: gpt-6-luna" in result.stdout
    assert "ok   embedding model" in result.stdout
    assert "hunter2" not in result.output


def test_a_model_that_is_to_be_shut_down_is_told_by_the_server_or_by_the_list(
    llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [{"id": "gpt-4.1-mini"}, {"id": "text-embedding-3-small", "shutdown_date": "2031-03-01"}]
    with ChatServer(models=models) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-mini")
        monkeypatch.setenv("LLMA_EMBEDDING_MODEL", "text-embedding-3-small")
        answer = llma_json("doctor")
    found = {each["name"]: each for each in answer.document["findings"]}
    assert (answer.code, found["chat model"]["status"]) == (0, "ok")
    assert found["chat model's end"]["status"] == found["embedding model's end"]["status"] == "warn"
    assert found["chat model's end"]["detail"].startswith("gpt-4.1-mini is shut down on 2027-01-14: ")
    assert found["embedding model's end"]["detail"].startswith("text-embedding-3-small is shut down on 2031-03-01: in ")


def test_a_model_that_is_gone_is_named_with_what_the_server_offers(
    llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Status(404, "The model does not exist", code="model_not_found")
    judge = lambda request: gone if request.body["model"] == "gpt-4.1-nano" else None  # noqa: E731
    with ChatServer(judge=judge, models=[{"id": "gpt-6-luna"}]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-4.1-nano")
        answer = llma_json("doctor")
    found = {each["name"]: each for each in answer.document["findings"]}["chat model"]
    assert (answer.code, found["status"]) == (1, "fail")
    assert "does not know the model 'gpt-4.1-nano'; it offers gpt-6-luna" in found["detail"]
    assert "LLMA_CHAT_MODEL" in found["advice"]


def test_a_model_without_key_and_server_fails_with_the_way_out(llma: Llma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_CHAT_MODEL", "gpt-6-luna")
    result = llma("doctor")
    assert result.exit_code == 1
    assert "OPENAI_API_KEY" in result.stdout


@pytest.mark.parametrize(
    ("text", "status"), [("lookback_days = 'seven'", "warn"), ("no_such_field = 1", "warn"), ("= broken", "fail")]
)
def test_team_settings_that_cannot_be_used_are_named(
    settings: Settings, llma_json: Callable[..., Answer], text: str, status: str
) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text(text)
    answer = llma_json("doctor")
    assert statuses(answer)["team settings"] == status
    assert answer.code == (status == "fail")


def test_a_broken_setting_is_named_and_ends_the_round(
    llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_OLDEST_DAY", "soon")
    answer = llma_json("doctor")
    assert answer.code == 1
    assert answer.document["findings"][-1]["name"] == "settings"


def test_a_dagster_home_that_cannot_be_made_fails(
    llma_json: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "file" / "home"))
    answer = llma_json("doctor")
    assert (answer.code, statuses(answer)["Dagster instance"]) == (1, "fail")


def test_a_dagster_yaml_of_an_earlier_version_is_told(
    settings: Settings, llma_json: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    prepare_home(settings)
    assert "Dagster's run queue" not in statuses(llma_json("doctor"))
    config = (home / "dagster.yaml").read_text()
    (home / "dagster.yaml").write_text(config.replace("llma/concurrency_key", "another/tag"))
    answer = llma_json("doctor")
    assert (answer.code, statuses(answer)["Dagster's run queue"]) == (0, "warn")
    (told,) = [each["detail"] for each in answer.document["findings"] if each["name"] == "Dagster's run queue"]
    assert "sets no limit for llma/concurrency_key:" in told


def test_a_dagster_yaml_follows_what_ships_until_somebody_edits_it(
    settings: Settings, llma_json: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    prepare_home(settings)
    shipped = (home / "dagster.yaml").read_text()
    # As an earlier version left it.
    for name in ("dagster.yaml", "dagster.yaml.shipped"):
        (home / name).write_text(shipped.replace("max_concurrent_runs: 4", "max_concurrent_runs: 2"))
    prepare_home(settings)
    assert (home / "dagster.yaml").read_text() == shipped == (home / "dagster.yaml.shipped").read_text()

    # An earlier version, and somebody has set another value in it since.
    (home / "dagster.yaml.shipped").write_text(shipped.replace("max_concurrent_runs: 4", "max_concurrent_runs: 2"))
    edited = shipped.replace("max_concurrent_runs: 4", "max_concurrent_runs: 2").replace("success: 30", "success: 90")
    (home / "dagster.yaml").write_text(edited)
    answer = llma_json("doctor")
    assert (home / "dagster.yaml").read_text() == edited
    (told,) = [each for each in answer.document["findings"] if each["name"] == "Dagster's settings"]
    assert told["status"] == "warn"
    assert told["detail"].endswith("has changed since: concurrency.runs.max_concurrent_runs")
    assert f"copy the shipped file to {home}/dagster.yaml.shipped" in told["advice"]
    # Both ways out.
    (home / "dagster.yaml").write_text(edited.replace("max_concurrent_runs: 2", "max_concurrent_runs: 4"))
    assert "Dagster's settings" not in statuses(llma_json("doctor"))
    (home / "dagster.yaml").write_text(edited)
    (home / "dagster.yaml.shipped").write_text(shipped)
    assert "Dagster's settings" not in statuses(llma_json("doctor"))


def test_a_pattern_of_private_values_that_cannot_be_used_fails(
    settings: Settings, llma_json: Callable[..., Answer]
) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text('quiet_minutes = "x"\n[teams.7]\nredaction_patterns = ["ab(c"]\n')
    answer = llma_json("doctor")
    findings = [each for each in answer.document["findings"] if each["name"] == "team settings"]
    assert (answer.code, [each["status"] for each in findings]) == (1, ["warn", "fail"])
    assert "teams.7.redaction_patterns: extra pattern 0 cannot be used: missing )" in findings[1]["detail"]


def test_themes_that_are_no_longer_valid_are_named(database: Database, llma_json: Callable[..., Answer]) -> None:
    stored = {
        "team_id": 7,
        "changed_at": datetime(2026, 11, 7, tzinfo=UTC),
        "change_id": "00000000-0000-0000-0000-000000000001",
        "action": "changed",
        "author": "ann",
        "version": "",
    }
    database.insert_rows("themes", [stored | {"theme_id": "traces", "settings": '{"mode": "long"}'}])
    answer = llma_json("doctor")
    (found,) = [each for each in answer.document["findings"] if each["name"] == "themes"]
    assert (found["status"], answer.code) == ("warn", 0)
    assert found["detail"].startswith("team 7: traces.mode: 'long' is not one of minimal, detailed")
    database.insert_rows("themes", [stored | {"theme_id": "", "settings": '{"base_filters": [{"ky": "a"}]}'}])
    assert llma_json("doctor").code == 1


@pytest.mark.parametrize("older", [False, True])
def test_what_dagster_and_the_rejects_hold_is_closed_to_others(
    settings: Settings, llma: Llma, llma_json: Callable[..., Answer], older: bool
) -> None:
    home = settings.data_dir / "dagster"
    if older:
        home.mkdir(parents=True)
        home.chmod(0o755)
        settings.rejects_dir.mkdir()
        settings.rejects_dir.chmod(0o755)
    before = os.umask(0o022)
    try:
        answer = llma_json("doctor")
        assert statuses(answer).get("private folders") == ("warn" if older else None)
        assert llma("ingest", "-", input=b"no json").exit_code == 1
        with opened_instance(settings):
            pass
        assert "private folders" not in statuses(llma_json("doctor"))
    finally:
        os.umask(before)
    written = [*home.rglob("*"), *settings.rejects_dir.rglob("*")]
    assert {"dagster.yaml", "runs"} <= {path.name for path in written} | {path.stem for path in written}
    for path in (home, settings.rejects_dir, *written):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
