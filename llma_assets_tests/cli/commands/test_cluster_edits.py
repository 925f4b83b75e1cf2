"""`llma clusters rename`, `lock`, `merge`, `hide` and `history`: what people decide survives the following days."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.clusters.planted import lineages, name_clusters, plant, run_day
from llma_assets_tests.databases import PlantedOnce

FIRST = date(2026, 11, 2)
TOMORROW = FIRST + timedelta(days=1)
TOPICS = {"A": 12, "B": 9, "C": 6}


def two_named_teams(database: Database) -> None:
    """Two teams with equal items and three named clusters each."""
    for team_id in (1, 2):
        plant(database, team_id, FIRST, TOPICS)
        run_day(database, team_id, FIRST, 3)
        name_clusters(database, team_id, FIRST)


@pytest.fixture
def named(database: Database, planted_once: PlantedOnce) -> Database:
    planted_once(two_named_teams)
    return database


def next_day(database: Database) -> None:
    """The next day of both teams, not named yet."""
    for team_id in (1, 2):
        plant(database, team_id, TOMORROW, TOPICS)
        run_day(database, team_id, TOMORROW, 3)


def listed(
    llma_json: Callable[..., Answer], *options: str, team: int = 1, day: date = TOMORROW
) -> list[dict[str, Any]]:
    """The clusters that `llma clusters` shows."""
    (run,) = llma_json("clusters", "--team", str(team), "--date", day.isoformat(), *options).document["runs"]
    found: list[dict[str, Any]] = run["clusters"]
    return found


def ids(database: Database, team: int = 1, day: date = FIRST) -> dict[str, str]:
    """Lineage ids by topic."""
    return {topic: row["lineage_id"] for topic, row in lineages(database, team, day).items()}


def test_a_title_of_ones_own_holds_on_the_following_days(
    named: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    said = llma("clusters", "rename", ids(named)["A"][:10], "  Money \n back ", "--team", "1")
    assert (said.exit_code, said.stdout) == (0, f"{ids(named)['A'][:8]} is now called Money back\n")
    next_day(named)
    for day in (FIRST, TOMORROW):
        titles = {each["lineage_id"]: (each["title"], each["renamed"]) for each in listed(llma_json, day=day)}
        assert titles[ids(named)["A"]] == ("Money back", True)
        assert not any(renamed for title, renamed in titles.values() if title != "Money back")
    assert "Money back" not in str(listed(llma_json, team=2))


def test_a_title_can_be_taken_back(named: Database, llma: Llma, llma_json: Callable[..., Answer]) -> None:
    one = ids(named)["A"]
    llma("clusters", "rename", one, "Money back", "--team", "1")
    assert llma("clusters", "rename", one, "--undo", "--team", "1").exit_code == 0
    assert {each["title"] for each in listed(llma_json, day=FIRST)} == {f"Topic {topic} of team 1" for topic in "ABC"}


def test_a_locked_name_stays_though_the_model_finds_another(
    named: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    one = ids(named)["B"]
    assert llma("clusters", "lock", one, "--team", "1").exit_code == 0
    next_day(named)
    name_clusters(named, 1, TOMORROW, prefix="Other words for")
    titles = {each["lineage_id"]: (each["title"], each["locked"]) for each in listed(llma_json)}
    assert titles[one] == ("Topic B of team 1", True)
    assert titles[ids(named)["A"]] == ("Other words for A of team 1", False)
    llma("clusters", "unlock", one, "--team", "1")
    assert {each["lineage_id"]: each["title"] for each in listed(llma_json)}[one] == "Other words for B of team 1"


def test_merged_clusters_are_one_under_the_name_of_the_first(
    named: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    of = ids(named)
    assert llma("clusters", "merge", of["B"], of["A"], of["C"], "--team", "1").exit_code == 0
    next_day(named)
    (one,) = listed(llma_json)
    assert (one["lineage_id"], one["size"], sorted(one["merged_lineage_ids"])) == (
        of["B"],
        54,
        sorted([of["A"], of["C"]]),
    )
    assert len(one["item_ids"]) == len(set(one["item_ids"])) == 54
    assert len(listed(llma_json, team=2)) == 3
    llma("clusters", "unmerge", of["A"], "--team", "1")
    assert {each["lineage_id"]: each["size"] for each in listed(llma_json)} == {of["A"]: 24, of["B"]: 30}


def test_a_cluster_cannot_be_merged_in_a_circle(named: Database, llma: Llma) -> None:
    of = ids(named)
    llma("clusters", "merge", of["A"], of["B"], "--team", "1")
    refused = llma("clusters", "merge", of["B"], of["A"], "--team", "1")
    assert refused.exit_code == 2
    assert "cannot be merged into itself" in refused.stderr
    assert llma("clusters", "merge", of["C"], of["C"], "--team", "1").exit_code == 2


def test_a_hidden_cluster_is_left_out_until_it_is_shown_again(
    named: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    of = ids(named)
    assert llma("clusters", "hide", of["C"], "--team", "1").exit_code == 0
    next_day(named)
    assert {each["lineage_id"] for each in listed(llma_json)} == {of["A"], of["B"]}
    assert {each["lineage_id"]: each["hidden"] for each in listed(llma_json, "--all")}[of["C"]]
    page = llma("clusters", "--team", "1", "--date", TOMORROW.isoformat())
    assert "1 hidden clusters are left out" in page.stderr
    assert len(listed(llma_json, team=2)) == 3
    llma("clusters", "unhide", of["C"], "--team", "1")
    assert len(listed(llma_json)) == 3


def test_the_same_decision_twice_is_stored_once(named: Database, llma: Llma) -> None:
    one = ids(named)["A"]
    for _ in range(2):
        for command in (("rename", one, "Money back"), ("lock", one), ("hide", one), ("merge", ids(named)["B"], one)):
            assert llma("clusters", *command, "--team", "1").exit_code == 0
    assert named.value("SELECT count() FROM cluster_edits") == 4
    assert "was so already" in llma("clusters", "hide", one, "--team", "1").stdout


def test_history_says_who_decided_what(named: Database, llma: Llma, llma_json: Callable[..., Answer]) -> None:
    of = ids(named)
    llma("clusters", "rename", of["A"], "Money back", "--team", "1", "--by", "ada")
    llma("clusters", "hide", of["B"], "--team", "1", "--by", "bob")
    edits = llma_json("clusters", "history", "--team", "1").document["edits"]
    assert [(each["author"], each["action"], each["title"]) for each in edits] == [
        ("ada", "rename", "Money back"),
        ("bob", "hide", ""),
    ]
    (edit,) = llma_json("clusters", "history", of["B"][:12], "--team", "1").document["edits"]
    assert (edit["author"], edit["lineage_id"]) == ("bob", of["B"])
    assert "ada" in llma("clusters", "history", "--team", "1").stdout
    assert "There are no decisions" in llma("clusters", "history", "--team", "2").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("rename", "ffffffff", "New"), 1, "team 1 has no lineage 'ffffffff'"),
        (("rename", "abc", "New"), 2, "at least 4 characters"),
        (("rename", "A", "   "), 2, "the title is empty"),
        (("rename", "A", "x" * 201), 2, "at most 200"),
        (("rename", "A"), 2, "the title is empty"),
        (("rename", "A", "New", "--undo"), 2, "not both"),
        (("hide", "other team"), 1, "team 1 has no lineage"),
        (("merge", "A", "other team"), 1, "team 1 has no lineage"),
        (("history", "other team"), 1, "team 1 has no lineage"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(
    named: Database, llma: Llma, arguments: tuple[str, ...], code: int, said: str
) -> None:
    known = {"A": ids(named)["A"], "other team": ids(named, 2)["A"]}
    result = llma("clusters", *(known.get(each, each) for each in arguments), "--team", "1")
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert named.value("SELECT count() FROM cluster_edits") == 0


def test_an_id_that_several_lineages_begin_with_lists_them(named: Database, llma: Llma) -> None:
    columns = ["team_id", "day", "theme_id", "attempt_id", "cluster_id", "size"]
    run = named.rows("SELECT * FROM clusters FINAL WHERE team_id = 1 AND cluster_id = 0")[0]
    twins = [{name: run[name] for name in columns} | {"cluster_id": n, "lineage_id": f"abcd-{n}"} for n in (7, 8)]
    named.insert_rows("clusters", twins)
    refused = llma("clusters", "hide", "abcd", "--team", "1")
    assert refused.exit_code == 2
    assert "abcd-7" in refused.stderr
    assert "abcd-8" in refused.stderr
    assert llma("clusters", "hide", "abcd-7", "--team", "1").exit_code == 0


def test_a_hostile_title_cannot_steer_the_terminal(named: Database, llma: Llma) -> None:
    llma("clusters", "rename", ids(named)["A"], "\x1b[2J[red]x[/red]", "--team", "1")
    shown = llma("clusters", "--team", "1", "--date", FIRST.isoformat()).stdout
    assert "\x1b" not in shown
    assert "\\x1b[2J[red]x[/red]" in shown


def test_the_page_shows_lineage_and_what_ended(database: Database, llma: Llma) -> None:
    plant(database, 1, FIRST, {"A": 12, "B": 9})
    run_day(database, 1, FIRST, 2)
    later = FIRST + timedelta(days=10)
    plant(database, 1, later, {"A": 12, "X": 9})
    run_day(database, 1, later, 2)
    before = ids(database)
    page = llma("clusters", "--team", "1", "--date", later.isoformat()).stdout
    assert f"Missing since the run before: {before['B'][:8]}" in page
    assert before["A"][:8] in page
    assert " new " in page
    last = later + timedelta(days=10)
    plant(database, 1, last, {"A": 12, "X": 9})
    run_day(database, 1, last, 2)
    page = llma("clusters", "--team", "1", "--date", last.isoformat()).stdout
    assert f"Ended: {before['B'][:8]}" in page
    assert "Missing" not in page


def test_another_method_begins_new_lineages_and_says_so(named: Database, llma: Llma) -> None:
    plant(named, 1, TOMORROW, TOPICS)
    run_day(named, 1, TOMORROW, 3, method="hdbscan")
    page = llma("clusters", "--team", "1", "--date", TOMORROW.isoformat()).stdout
    assert "No lineage goes on from 2026-11-02: method: kmeans before, hdbscan now" in page


def test_options_before_a_command_and_missing_options_are_wrong_use(llma: Llma) -> None:
    assert llma("clusters", "--team", "1").exit_code == 2
    assert llma("clusters", "--date", "2026-11-02").exit_code == 2
    assert llma("clusters", "--team", "1", "hide", "abcd", "--team", "1").exit_code == 2
    assert json.loads(llma("clusters", "--team", "1", "--date", "2026-11-02", "--json").stdout)["runs"] == []


def test_a_title_that_was_stored_with_a_later_day_goes_when_it_is_taken_back(
    named: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    one = ids(named)["A"]
    llma("clusters", "rename", one, "Money back", "--team", "1")
    next_day(named)
    name_clusters(named, 1, TOMORROW, prefix="Money back", origin="locked")
    llma("clusters", "rename", one, "--undo", "--team", "1")
    assert {each["lineage_id"]: each["title"] for each in listed(llma_json)}[one] == "Topic A of team 1"
    assert "Money back" not in llma("trends", "--team", "1").stdout


def test_who_decides_is_the_login_or_has_to_be_said(
    named: Database, llma: Llma, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    of = ids(named)
    monkeypatch.setenv("LLMA_USER", "grace")
    llma("clusters", "hide", of["A"], "--team", "1")
    monkeypatch.delenv("LLMA_USER")

    def nameless() -> str:
        raise OSError("no such user")

    monkeypatch.setattr("getpass.getuser", nameless)
    refused = llma("clusters", "hide", of["B"], "--team", "1")
    assert (refused.exit_code, "--by NAME" in refused.stderr) == (2, True)
    assert [each["author"] for each in llma_json("clusters", "history", "--team", "1").document["edits"]] == ["grace"]


def test_a_member_that_does_not_belong_there_stays_out_on_the_following_days(
    named: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    one = ids(named)["A"]
    first = {each["lineage_id"]: each for each in listed(llma_json, day=FIRST)}
    wrong, other = first[one]["item_ids"][0], first[ids(named)["B"]]["item_ids"][0]
    said = llma("clusters", "take-out", one, wrong, "--team", "1", "--by", "ana")
    assert said.exit_code == 0
    assert "no longer holds that member" in said.stdout
    assert llma("clusters", "take-out", one, other, "--team", "1").exit_code == 2
    next_day(named)
    for day in (FIRST, TOMORROW):
        found = {each["lineage_id"]: each for each in listed(llma_json, day=day)}
        assert wrong not in found[one]["item_ids"]
        assert len(found[one]["item_ids"]) == found[one]["size"]
        assert wrong in found[""]["item_ids"]
    assert wrong in str(llma("clusters", "history", "--team", "1").stdout)
    assert not any(each["lineage_id"] == "" for each in listed(llma_json, team=2, day=FIRST))
    shown = llma_json("clusters", "show", one, "--team", "1", "--date", FIRST.isoformat()).document
    assert [(each["item_id"], each["author"]) for each in shown["taken_out"]] == [(wrong, "ana")]
    assert llma("clusters", "put-back", one, wrong, "--team", "1").exit_code == 0
    assert {each["lineage_id"]: each["size"] for each in listed(llma_json, day=FIRST)}[one] == first[one]["size"]


def test_a_task_of_a_cluster_is_made_once(named: Database, llma: Llma, llma_json: Callable[..., Answer]) -> None:
    one = ids(named)["A"]
    asked = ("clusters", "make-task", one[:10], "--team", "1", "--date", FIRST.isoformat())
    made, again = (llma_json(*asked).document for _ in range(2))
    assert (made["is_new"], again) == (True, {"task_id": made["task_id"], "is_new": False})
    task = llma_json("tasks", "show", made["task_id"], "--team", "1").document
    assert (task["lineage_id"], task["cluster_day"], task["title"]) == (one, FIRST.isoformat(), "Topic A of team 1")
    assert len(task["traces"]) == 10
    assert "was there from" in llma(*asked[:-1], "2026-10-01").stderr
    assert llma_json("tasks", "list", "--team", "2").document["tasks"] == []
    alone = llma("clusters", "shared", one, "--team", "1", "--date", FIRST.isoformat())
    assert (alone.exit_code, "No cluster of another theme" in alone.stderr) == (0, True)
