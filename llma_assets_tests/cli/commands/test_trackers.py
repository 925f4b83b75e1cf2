"""`llma trackers`: settings by file, issues by hand and by rule, as a person meets them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from llma_assets.clickhouse import Database
from llma_assets.testing import GitHubServer, similar_segments, write_segments
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.tasks.passing import a_pass, tasks
from llma_assets_tests.trackers.conftest import TOKEN

FILE = b"""
trackers:
  - {tracker: bugs, kind: github, project: acme/app, token_env: LLMA_TRACKERS_TOKEN, address_env: LLMA_TRACKERS_URL}
rules:
  - {rule: urgent, tracker: bugs, min_users: 3}
"""


def test_from_the_file_to_issues(
    llma: Llma, llma_json: Callable[..., Answer], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    write_segments(database, similar_segments("pay", 0, start=now - timedelta(days=1)))
    a_pass(database, now)
    (task,) = tasks(database, now)
    monkeypatch.setenv("LLMA_ALERTS_PRIVATE_HOSTS", "127.0.0.1")
    team = ("--team", "1")
    assert "has no tracker" in llma("trackers", "open", *team, "--task", task.task_id).stderr
    assert "tracker bugs created" in llma("trackers", "apply", "-", *team, "--dry-run", input=FILE).stdout
    assert llma("trackers", "apply", "-", *team, "--by", "ada", input=FILE).exit_code == 0
    assert "Nothing to change" in llma("trackers", "apply", "-", *team, "--by", "ada", input=FILE).stderr
    assert len(llma_json("trackers", "history", *team).document["changes"]) == 2
    wrong = llma("trackers", "test", *team)
    assert (wrong.exit_code, "LLMA_TRACKERS_URL is not set" in wrong.stderr) == (1, True)
    with GitHubServer(TOKEN) as github:
        monkeypatch.setenv("LLMA_TRACKERS_TOKEN", TOKEN)
        monkeypatch.setenv("LLMA_TRACKERS_URL", github.base)
        assert "acme/app answers" in llma("trackers", "test", *team).stdout
        dry = llma_json("trackers", "sync", *team, "--dry-run").document
        assert ([each["what"] for each in dry["done"]], github.issues) == (["opened"], {})
        assert [each["what"] for each in llma_json("trackers", "sync", *team).document["done"]] == ["opened"]
        assert "acme/app#1" in llma("trackers", "open", *team, "--task", task.task_id[:8]).stdout
        assert "as they should be" in llma("trackers", "sync", *team).stderr
        assert len(github.issues) == 1
    (link,) = llma_json("trackers", "links", *team).document["links"]
    assert (link["issue"], link["wanted_by"], link["problem"]) == ("acme/app#1", "rule urgent", "")
    shown = llma("trackers", "list", *team).stdout + llma("trackers", "links", *team).stdout
    assert TOKEN not in shown
    assert "Open an issue in bugs for each task of priority 0 and 3 users or more" in shown
    assert llma_json("trackers", "links", "--team", "2").document["links"] == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"trackrs: []", "did you mean 'trackers'"),
        (b"trackers: [{tracker: bugs, kind: github, project: ENG, token_env: LLMA_TRACKERS_A}]", "owner/repository"),
        (b"trackers: [{tracker: bugs, kind: github, project: a/b, token_env: ghp_secret}]", "LLMA_TRACKERS_"),
        (b"trackers: [{tracker: bugs, kind: jira, project: a/b, token_env: LLMA_TRACKERS_A}]", "github, linear"),
        (b"rules: [{rule: all, tracker: bgus}]", "there is no tracker 'bgus'"),
    ],
)
def test_a_wrong_file_says_where_and_stores_nothing(llma: Llma, database: Database, content: bytes, says: str) -> None:
    result = llma("trackers", "apply", "-", "--team", "1", "--by", "ada", input=content)
    assert (result.exit_code, says in result.stderr) == (2, True), result.stderr
    assert "ghp_secret" not in result.stderr
    assert "has no tracker" in llma("trackers", "list", "--team", "1").stderr


def test_a_rule_about_a_theme_that_was_deleted_says_so(llma: Llma, database: Database) -> None:
    rules = FILE + b"  - {rule: of_slow, tracker: bugs, about: cluster, themes: [slow]}\n"
    alerts = b"rules:\n  - {rule: of_slow, kind: gone, themes: [slow]}\n"
    for team in ("1", "2"):
        theme = b"themes:\n  - {theme_id: slow, prompt: Say what was slow.}\n"
        for command, file in (("themes", theme), ("trackers", rules), ("alerts", alerts)):
            done = llma(command, "apply", "-", "--team", team, "--by", "ada", "--yes", input=file)
            assert done.exit_code == 0, done.output
    assert llma("themes", "delete", "slow", "--team", "1", "--by", "ada").exit_code == 0
    for command in ("trackers", "alerts"):
        told = "rule of_slow.themes: the rule finds nothing: there is no theme 'slow'"
        assert told in llma(command, "list", "--team", "1").stderr
        assert told in llma(command, "list", "--team", "1", "--json").stdout
        assert "there is no theme" not in llma(command, "list", "--team", "2").stderr
