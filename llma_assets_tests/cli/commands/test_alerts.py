"""`llma alerts`: rules by file, preview, why, mutes and the outbox, as a person meets them."""

import json
from collections.abc import Callable

import pytest

from llma_assets.clickhouse import Database
from llma_assets.testing import WebhookServer
from llma_assets_tests.alerts.conftest import SECRET, month
from llma_assets_tests.cli.conftest import Answer, Llma
from llma_assets_tests.databases import PlantedOnce

FILE = b"""
channels:
  - {channel: ops, kind: webhook, address_env: LLMA_ALERTS_URL, secret_env: LLMA_ALERTS_SECRET}
rules:
  - {rule: escalating, enabled: true, channels: [ops]}
"""


def test_a_month_from_the_file_to_the_server_and_why(
    llma: Llma,
    llma_json: Callable[..., Answer],
    database: Database,
    planted_once: PlantedOnce,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    planted_once(month)
    monkeypatch.setenv("LLMA_ALERTS_PRIVATE_HOSTS", "127.0.0.1")
    monkeypatch.setenv("LLMA_ALERTS_SECRET", SECRET)
    dry = llma("alerts", "apply", "-", "--team", "1", "--dry-run", "--by", "ada", input=FILE)
    assert "rule escalating changed\n  enabled: false → true" in dry.stdout
    assert llma_json("alerts", "history", "--team", "1").document["changes"] == []
    assert llma("alerts", "apply", "-", "--team", "1", "--by", "ada", input=FILE).exit_code == 0
    assert "Nothing to change" in llma("alerts", "apply", "-", "--team", "1", "--by", "ada", input=FILE).stderr
    assert {each["author"] for each in llma_json("alerts", "history", "--team", "1").document["changes"]} == {"ada"}

    preview = llma_json("alerts", "preview", "escalating", "--team", "1", "--days", "7").document
    assert [(each["date"], len(each["changes"])) for each in preview["days"]] == [("2026-11-22", 1)]
    with WebhookServer(SECRET) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        told = llma_json(
            "alerts", "run", "--team", "1", "--date", "2026-11-22", "--as-of", "2026-11-22", "--dry-run"
        ).document
        assert (told["decisions"], len(told["messages"]), server.requests) == ({"opened": 1, "quiet": 2}, 1, [])
        run = llma_json("alerts", "run", "--team", "1", "--date", "2026-11-22", "--as-of", "2026-11-22").document
        assert (run["sent"], len(server.taken)) == (1, 1)
    assert server.taken[0].body["data"]["facts"] == told["messages"][0]["facts"], "preview, dry run and run agree"
    (decision,) = llma_json("alerts", "why", "bbbb", "--team", "1", "--date", "2026-11-22").document["decisions"]
    assert decision["reason"] == "it is within what is expected of the day"
    (incident,) = llma_json("alerts", "incidents", "--team", "1").document["incidents"]
    assert (incident["subject"], incident["open"]) == ("aaaa-spike", True)
    (delivery,) = llma_json("alerts", "deliveries", "--team", "1").document["deliveries"]
    assert delivery["state"] == "sent"
    assert llma_json("alerts", "deliveries", "--team", "2").document["deliveries"] == []
    assert SECRET not in json.dumps([delivery, incident, run]) + llma("alerts", "list", "--team", "1").stdout

    lineage = ("--lineage", "aaaa-spike")
    assert llma("alerts", "snooze", "--team", "1", *lineage, "--days", "3", "--by", "ada").exit_code == 0
    assert llma_json("alerts", "run", "--team", "1", "--date", "2026-11-22", "--dry-run").document["messages"] == []
    assert "1 mutes were taken back" in llma("alerts", "unmute", "--team", "1").stderr
    again = llma_json("alerts", "resend", "--team", "1", delivery["message"][:8], "--dry-run").document
    assert again["chosen"] == [delivery["message"]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"rules: [{rule: x, kind: escalatng}]", "did you mean 'escalating'"),
        (b"rules: [{rule: escalating, chanels: [a]}]", "did you mean 'channels'"),
        (b"rules: [{rule: x, kind: threshold}]", "needs above, times_previous or times_expected"),
        (b"rules: [{rule: x, kind: escalating, k: 9}]", "rules[0].k"),
        (b"rules: [{rule: escalating, channels: [nobody]}]", "there is no channel 'nobody'"),
        (
            b"channels: [{channel: a, kind: webhook, address_env: 'https://h/secret'}]",
            "must be the name of an environment",
        ),
        (b"channels: [{channel: a, kind: webhook, address_env: OPENAI_API_KEY}]", "begins with LLMA_ALERTS_"),
        (b"channels: [{channel: a, kind: slack, secret_env: LLMA_ALERTS_T}]", "a channel of kind slack needs it"),
        (b"[]", "must be a mapping"),
    ],
)
def test_a_file_that_is_wrong_says_where_and_stores_nothing(
    llma: Llma, llma_json: Callable[..., Answer], content: bytes, said: str
) -> None:
    result = llma("alerts", "apply", "-", "--team", "1", "--by", "ada", input=content)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "h/secret" not in result.stderr
    assert llma_json("alerts", "history", "--team", "1").document["changes"] == []


def test_unknown_names_say_the_way_out(llma: Llma, database: Database) -> None:
    assert "did you mean 'escalating'" in llma("alerts", "preview", "escalatin", "--team", "1").stderr
    assert "has no lineage 'nope'" in llma("alerts", "mute", "--team", "1", "--lineage", "nope").stderr
    assert "say until when" in llma("alerts", "snooze", "--team", "1", "--rule", "escalating").stderr
    assert "no alert rule switched on" in llma("alerts", "run", "--team", "1", "--date", "2026-11-22").stderr
    gone = b"rules: [{rule: absent, kind: gone, themes: [trace]}]"
    llma("alerts", "apply", "-", "--team", "1", "--by", "ada", input=gone)
    said = llma("alerts", "list", "--team", "1").stderr
    assert "rule absent.themes: the rule finds nothing: there is no theme 'trace'; did you mean 'traces'?" in said
