"""`llma themes packs`: list, show and install, and what a team has of each."""

from collections.abc import Callable

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma

INSTALL = ("themes", "packs", "install", "agent_failures", "--team", "1", "--by", "ann")


def test_a_pack_is_installed_once_and_differs_where_the_team_changed_it(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    def state(team_id: int = 1) -> tuple[int, list[str]]:
        listed = llma_json("themes", "packs", "list", "--team", str(team_id)).document
        (found,) = [each for each in listed["packs"] if each["name"] == "agent_failures"]
        return len(found["team"]["installed"]), found["team"]["differing"]

    assert state() == (0, [])
    assert "agent_verification" in llma(*INSTALL, "--dry-run").output
    assert state() == (0, [])
    assert llma(*INSTALL, "--yes").exit_code == 0
    assert state() == (3, [])
    rules = {each["rule"]: each["enabled"] for each in llma_json("alerts", "list", "--team", "1").document["rules"]}
    assert rules["agent_failures_rising"] is False
    assert "agent_failures_rising" not in llma("alerts", "list", "--team", "2").output
    assert state(2) == (0, [])
    llma("themes", "enable", "agent_verification", "--team", "1", "--by", "ann")
    assert state() == (3, []), "whether a theme is on is the team's own"
    changed = b"themes:\n  - {theme_id: agent_verification, prompt: Something else., enabled: true}\n"
    llma("themes", "apply", "-", "--team", "1", "--yes", "--by", "ann", input=changed)
    assert state() == (3, ["agent_verification"])
    shown = llma(*INSTALL, "--dry-run").output
    assert "Something else." in shown


def test_a_pack_is_shown_with_its_source_and_an_unknown_one_is_refused(llma: Llma) -> None:
    shown = llma("themes", "packs", "show", "agent_failures").output
    assert "arXiv:2503.13657" in shown
    assert "Alert rule agent_failures_new, off: Tell when a cluster" in shown
    assert "- theme_id: agent_task_handling" in shown
    refused = llma("themes", "packs", "show", "agent")
    assert refused.exit_code == 2
    assert "packs: agent_failures, retrieval_answers" in refused.output
