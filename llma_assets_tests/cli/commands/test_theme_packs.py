"""`llma themes packs`: list, show and install, and what a team has of each."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llma_assets.alerts import Document, alerts_of, apply
from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma

INSTALL = ("themes", "packs", "install", "agent_failures", "--team", "1", "--by", "ann")
RULES = ["agent_failures_new", "agent_failures_rising"]


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


def test_a_pack_differs_where_the_team_changed_one_of_its_alert_rules(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    def state(team_id: int = 1) -> tuple[list[str], list[str], str]:
        listed = llma_json("themes", "packs", "list", "--team", str(team_id)).document
        (found,) = [each for each in listed["packs"] if each["name"] == "agent_failures"]
        assert found["rules"] == RULES
        lines = llma("themes", "packs", "list", "--team", str(team_id)).stdout.splitlines()
        (line,) = [each for each in lines if each.startswith("agent_failures")]
        return found["team"]["rules"], found["team"]["differing_rules"], line

    def change(rule: str, team_id: int = 1) -> None:
        file = f"rules:\n  - {rule}\n".encode()
        assert llma("alerts", "apply", "-", "--team", str(team_id), "--yes", "--by", "ann", input=file).exit_code == 0

    assert state()[:2] == ([], [])
    llma(*INSTALL, "--yes")
    llma(*(each.replace("1", "2") for each in INSTALL), "--yes")
    assert state()[:2] == (RULES, [])
    assert " all " in state()[2]
    (rule,) = [
        each
        for each in llma_json("alerts", "show", "agent_failures_new", "--team", "1").document["rules"]
        if each["rule"] == "agent_failures_new"
    ]
    ops = "channels:\n  - {channel: ops, kind: slack_webhook, address_env: LLMA_ALERTS_OPS}\n"
    llma("alerts", "apply", "-", "--team", "1", "--yes", "--by", "ann", input=ops.encode())
    change(json.dumps({**rule, "enabled": True, "channels": ["ops"]}))
    assert state()[1] == [], "whether a rule is on, and whom it tells, is the team's own"
    change(json.dumps({**rule, "min_users": 99}))
    assert state()[:2] == (RULES, ["agent_failures_new"])
    assert "other settings of rule agent_failures_new" in state()[2]
    assert state(2)[1] == []
    llma(*INSTALL, "--yes")
    assert state()[1] == []
    kept = alerts_of(database, 1).rules["agent_failures_new"]
    apply(database, 1, Document(rules=(kept,)), "ann", prune=True)
    assert state()[:2] == (["agent_failures_new"], [])
    assert "3 of 3 themes, 1 of 2 alert rules" in state()[2]


def test_a_pack_whose_alert_rules_are_wrong_is_named_and_hides_no_other(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "loud_pack"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "pack.yaml").write_text("title: Loud\n")
    (package / "themes.yaml").write_text("themes: []\n")
    (package / "alerts.yaml").write_text("rules:\n  - {rule: mine, kind: tresh}\n")
    metadata = tmp_path / "loud_pack-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: loud_pack\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[llma_assets.theme_packs]\nloud_pack = loud_pack\n")
    monkeypatch.syspath_prepend(tmp_path)
    for of_team in ((), ("--team", "1")):
        listed = llma_json("themes", "packs", "list", *of_team).document
        assert [each["name"] for each in listed["packs"]] == ["agent_failures", "retrieval_answers"]
        assert listed["problems"][0].startswith("loud_pack/alerts.yaml rules[0].kind: 'tresh' is not one of")
    for show in (("show", "loud_pack"), ("show", "loud_pack", "--json"), ("install", "loud_pack", "--team", "1")):
        refused = llma("themes", "packs", *show)
        assert (refused.exit_code, "loud_pack/alerts.yaml rules[0].kind" in refused.output) == (2, True)


def test_a_pack_is_shown_with_its_source_and_an_unknown_one_is_refused(llma: Llma) -> None:
    shown = llma("themes", "packs", "show", "agent_failures").output
    assert "arXiv:2503.13657" in shown
    assert "Alert rule agent_failures_new, off: Tell when a cluster" in shown
    assert "- theme_id: agent_task_handling" in shown
    refused = llma("themes", "packs", "show", "agent")
    assert refused.exit_code == 2
    assert "packs: agent_failures, retrieval_answers" in refused.output
