"""`llma themes`: a team's themes as a person lists, applies, exports, switches and deletes them."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from llma_assets.clickhouse import Database
from llma_assets.themes import SHIPPED, themes_of
from llma_assets_tests.cli.conftest import Answer, Llma

MINE = """
themes:
  - theme_id: mine
    name: My own
    prompt: Look.
    sample_rate: 0.25
    daily_budget_usd: 2.5
    filters: [{key: $ai_span_name, value: agent}]
"""
RED = "\x1b[31m"

LlmaJson = Callable[..., Answer]


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    """Writes a file and gives its path."""

    def write(text: str) -> str:
        path = tmp_path / "themes.yaml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


File = Callable[[str], str]


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_USER", "ann")


def test_the_list_shows_what_ships_and_how_to_switch_it_on(llma: Llma) -> None:
    result = llma("themes", "list", "--team", "1")
    rows = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert list(rows) == list(SHIPPED)
    assert " off " in rows["ux_issues"]
    assert "with the pipeline" in rows["traces"]
    assert "llma themes enable THEME --team 1" in result.stderr


def test_the_list_shows_filters_sample_budget_schedule_and_last_run_of_the_team_alone(
    llma: Llma, database: Database, file: File
) -> None:
    for team in ("1", "2"):
        llma("themes", "apply", file(MINE), "--team", team)
    for team_id, day, items in ((1, date(2026, 11, 6), 50), (1, date(2026, 11, 7), 1_234), (2, date(2026, 11, 9), 77)):
        database.insert_rows("clustering_runs", [_run(team_id, day, items)])
    (row,) = [line for line in llma("themes", "list", "--team", "1").stdout.splitlines() if line.startswith("mine")]
    assert row.split()[1:] == [
        *("trace", "daily", themes_of(database, 1).get("mine").version, "1", "0.25", "$2.50"),
        *("2026-11-07:", "1,234", "items,", "9", "clusters", "My", "own"),
    ]


def test_the_list_as_json_has_the_settings_by_their_names_in_a_file(
    llma_json: LlmaJson, llma: Llma, file: File
) -> None:
    llma("themes", "apply", file(MINE), "--team", "1")
    document = llma_json("themes", "list", "--team", "1").document
    assert [theme["theme_id"] for theme in document["themes"]] == [*SHIPPED, "mine"]
    mine = document["themes"][-1]
    assert (mine["filters"], mine["sample_rate"], mine["last_run"]) == (
        [{"key": "$ai_span_name", "operator": "exact", "value": "agent"}],
        0.25,
        None,
    )
    assert (document["team"], document["base_filters"], document["problems"]) == (1, [], [])


def test_apply_shows_the_diff_stores_it_and_has_nothing_to_do_the_second_time(
    llma: Llma, database: Database, file: File
) -> None:
    result = llma("themes", "apply", file(MINE), "--team", "1")
    assert result.exit_code == 0
    assert "mine created, version " in result.stdout
    assert '+{"key": "$ai_span_name", "operator": "exact", "value": "agent"}' in result.stdout
    assert "sample_rate: null → 0.25" in result.stdout
    assert "Stored for team 1, by ann." in result.stderr
    again = llma("themes", "apply", file(MINE), "--team", "1")
    assert (again.stdout, again.stderr) == ("", "Nothing to change: the themes of team 1 match the file.\n")


def test_apply_shows_a_changed_prompt_line_by_line_and_that_clusters_begin_anew(llma: Llma, file: File) -> None:
    first = 'themes: [{theme_id: mine, prompt: "One.\\nTwo.\\nThree."}]'
    llma("themes", "apply", file(first), "--team", "1")
    result = llma("themes", "apply", file(first.replace("Two", "Other")), "--team", "1", "--dry-run")
    assert [line.strip() for line in result.stdout.splitlines()[1:]] == [
        "prompt:",
        "One.",
        "-Two.",
        "+Other.",
        "Three.",
    ]
    assert " → " in result.stdout.splitlines()[0]
    assert "clusters begin anew; `llma themes preview --team 1 --theme mine`" in result.stderr


def test_a_dry_run_stores_nothing(llma: Llma, database: Database, file: File) -> None:
    result = llma("themes", "apply", file(MINE), "--team", "1", "--dry-run")
    assert "mine created" in result.stdout
    assert [theme.theme_id for theme in themes_of(database, 1).themes] == list(SHIPPED)


@pytest.mark.parametrize(("answer", "stored"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_apply_asks_first(
    llma: Llma, database: Database, file: File, monkeypatch: pytest.MonkeyPatch, answer: str, stored: bool
) -> None:
    monkeypatch.setattr("llma_assets.cli.commands.themes_changes.is_asked", lambda: True)
    result = llma("themes", "apply", file(MINE), "--team", "1", input=answer.encode())
    assert "Apply this?" in result.stderr
    assert result.exit_code == (0 if stored else 130)
    assert ("mine" in [theme.theme_id for theme in themes_of(database, 1).themes]) is stored
    assert "Apply this?" not in llma("themes", "apply", file(MINE), "--team", "1", "--yes").stderr


def test_all_mistakes_of_a_file_are_named_and_nothing_is_stored(llma: Llma, database: Database, file: File) -> None:
    path = file("themes:\n- {theme_id: mine, promt: Look.}\n- {theme_id: other, prompt: Look., after: mien}\n")
    result = llma("themes", "apply", path, "--team", "1")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{path}: themes[0].promt: there is no such field; did you mean 'prompt'?",
        f"{path}: themes[1].after: there is no theme 'mien'; did you mean 'mine'?",
        f"Error: {path}: 2 problems; nothing was stored",
    ]
    assert [theme.theme_id for theme in themes_of(database, 1).themes] == list(SHIPPED)


def test_a_file_that_is_no_yaml_or_is_not_there_is_said_in_one_line(llma: Llma, file: File) -> None:
    result = llma("themes", "apply", file("themes: ["), "--team", "1")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "line 1" in result.stderr
    missing = llma("themes", "apply", "no_such_file.yaml", "--team", "1")
    assert missing.stderr == "Error: no_such_file.yaml: No such file or directory\n"


def test_apply_reads_stdin(llma: Llma, database: Database) -> None:
    assert llma("themes", "apply", "-", "--team", "1", input=MINE.encode()).exit_code == 0
    assert themes_of(database, 1).get("mine").sample_rate == 0.25


def test_pruning_makes_the_file_all_there_is(llma: Llma, database: Database, file: File) -> None:
    llma("themes", "apply", file(MINE), "--team", "1")
    result = llma("themes", "apply", file("themes: []"), "--team", "1", "--prune")
    assert "mine deleted" in result.stdout
    assert [theme.theme_id for theme in themes_of(database, 1).themes] == list(SHIPPED)


def test_apply_as_json_gives_each_change_field_by_field(llma_json: LlmaJson, file: File) -> None:
    path = file("base_filters: [{key: env, value: prod}]\nthemes: [{theme_id: ux_issues, enabled: true}]")
    document = llma_json("themes", "apply", path, "--team", "1").document
    assert (document["team"], document["dry_run"], document["stored"]) == (1, False, True)
    team, theme = document["changes"]
    assert (team["theme_id"], team["action"], team["version_after"]) == ("", "changed", None)
    assert theme["fields"] == [{"field": "enabled", "before": False, "after": True}]
    assert len(document["notes"]) == 3
    assert llma_json("themes", "apply", path, "--team", "1", "--dry-run").document["changes"] == []


def test_what_is_exported_applies_to_no_change(llma: Llma, file: File) -> None:
    llma("themes", "apply", file(MINE), "--team", "1")
    llma("themes", "enable", "ux_issues", "--team", "1")
    exported = llma("themes", "export", "--team", "1").stdout
    assert "theme_id: ux_issues\n  enabled: true\n" in exported
    again = llma("themes", "apply", file(exported), "--team", "1", "--prune")
    assert again.stderr == "Nothing to change: the themes of team 1 match the file.\n"


def test_the_shipped_example_can_be_applied(llma: Llma, database: Database) -> None:
    assert llma("themes", "example").stdout == "unhappy_users\n"
    text = llma("themes", "example", "unhappy_users").stdout
    assert llma("themes", "apply", "-", "--team", "1", input=text.encode()).exit_code == 0
    assert themes_of(database, 1).get("unhappy_users").theme_filters[0].key == "$ai_span_name"
    unknown = llma("themes", "example", "unhapy_users")
    assert (unknown.exit_code, "did you mean 'unhappy_users'" in unknown.stderr) == (2, True)


def test_show_has_every_field_of_a_theme_and_can_be_applied(llma: Llma, file: File) -> None:
    llma("themes", "apply", file(MINE), "--team", "1")
    shown = llma("themes", "show", "mine", "--team", "1").stdout
    assert shown.startswith("My own: daily, version ")
    assert "  schedule: daily\n" in shown
    yaml = shown[shown.index("base_filters:") :]
    assert "Nothing to change" in llma("themes", "apply", file(yaml), "--team", "1").stderr


def test_show_of_an_unknown_theme_suggests_one(llma: Llma) -> None:
    result = llma("themes", "show", "ux_isues", "--team", "1")
    assert result.exit_code == 2
    assert "team 1 has no theme 'ux_isues'; did you mean 'ux_issues'?" in result.stderr


def test_a_theme_is_switched_on_and_off_and_says_what_is_so_already(llma: Llma, database: Database) -> None:
    assert "ux_issues is on now." in llma("themes", "enable", "ux_issues", "--team", "1").stderr
    assert themes_of(database, 1).get("ux_issues").enabled
    assert llma("themes", "enable", "ux_issues", "--team", "1").stderr == "ux_issues is on already.\n"
    assert "ux_issues is off now." in llma("themes", "disable", "ux_issues", "--team", "1").stderr
    assert not themes_of(database, 1).get("ux_issues").enabled


def test_history_says_who_changed_what_and_when_also_of_a_deleted_theme(
    llma: Llma, llma_json: LlmaJson, file: File
) -> None:
    llma("themes", "apply", file(MINE), "--team", "1")
    llma("themes", "disable", "mine", "--team", "1", "--by", "bob")
    assert "history mine --team 1" in llma("themes", "delete", "mine", "--team", "1").stderr
    lines = llma("themes", "history", "mine", "--team", "1").stdout.splitlines()
    who = [line.split(" ", 2)[2].split(", ")[0] for line in lines if not line.startswith(" ")]
    assert who == ["ann: mine created", "bob: mine disabled", "ann: mine deleted"]
    changes = llma_json("themes", "history", "--team", "1").document["changes"]
    assert [(each["by"], each["action"]) for each in changes][1] == ("bob", "disabled")
    assert changes[1]["fields"] == [{"field": "enabled", "before": True, "after": False}]
    assert datetime.fromisoformat(changes[0]["changed_at"]).tzinfo is not None
    assert llma_json("themes", "history", "--team", "2").document["changes"] == []


def test_what_was_is_shown_and_put_back(llma: Llma, llma_json: LlmaJson, database: Database, file: File) -> None:
    llma("themes", "apply", file(MINE), "--team", "1")
    at = llma_json("themes", "history", "--team", "1").document["changes"][0]["changed_at"].removesuffix("+00:00")
    llma("themes", "apply", file(MINE.replace("Look.", "Look closer.")), "--team", "1")
    assert llma_json("themes", "show", "mine", "--team", "1", "--at", at).document["prompt"] == "Look."
    exported = llma("themes", "export", "mine", "--team", "1", "--at", at).stdout
    assert llma("themes", "apply", file(exported), "--team", "1").exit_code == 0
    assert themes_of(database, 1).get("mine").prompt == "Look."


def test_a_shipped_theme_is_not_deleted(llma: Llma) -> None:
    result = llma("themes", "delete", "traces", "--team", "1")
    assert (result.exit_code, "llma themes disable traces --team 1" in result.stderr) == (2, True)


def test_hostile_texts_are_shown_plain(llma: Llma, database: Database) -> None:
    database.insert_rows("themes", [_row("mine", {"name": "ok", "prompt": f"{RED}prompt"}, author=f"{RED}bob")])
    database.insert_rows("themes", [_row(f"{RED}name", {"prompt": "Look."}, author="ann")])
    database.insert_rows("themes", [_row("other", {"prompt": "Look.", f"{RED}field": RED}, author="ann")])
    for command in (["list"], ["history"], ["show", "mine"], ["show", f"{RED}name"], ["export"]):
        result = llma("themes", *command, "--team", "1")
        assert "\x1b" not in result.output, command
    assert r"\x1b[31mbob" in llma("themes", "history", "--team", "1").stdout


def test_what_is_stored_and_no_longer_valid_is_said_and_the_others_are_listed(llma: Llma, database: Database) -> None:
    database.insert_rows("themes", [_row("mine", {"prompt": "Look.", "mode": "long"}, author="ann")])
    result = llma("themes", "list", "--team", "1")
    assert "Invalid, so the theme is off: mine.mode: 'long' is not one of minimal, detailed" in result.stderr
    assert len(result.stdout.splitlines()) == 1 + len(SHIPPED) + 1


def _row(theme_id: str, settings: dict[str, Any], *, author: str) -> dict[str, Any]:
    return {
        "team_id": 1,
        "theme_id": theme_id,
        "changed_at": datetime(2026, 11, 7, tzinfo=UTC),
        "change_id": uuid4(),
        "action": "created",
        "author": author,
        "settings": json.dumps(settings),
        "version": "",
    }


def _run(team_id: int, day: date, items: int) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "day": day,
        "theme_id": "mine",
        "level": "trace",
        "attempt_id": uuid4(),
        "run_id": f"{team_id}_{day}",
        "method": "graph",
        "params": "{}",
        "items": items,
        "window_items": items,
        "clusters": 9,
        "noise_items": 0,
        "silhouette": None,
        "inertia": None,
        "quality": "{}",
        "embedding_model": "offline",
        "window_start": datetime(2026, 11, 1, tzinfo=UTC),
        "window_end": datetime(2026, 11, 8, tzinfo=UTC),
    }
