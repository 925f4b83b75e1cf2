"""What follows from a run: alert rules judge the day, trackers are synchronised, and of old days nobody is told."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from llma_assets.alerts import Channel, Rule, apply, deliveries, stored_decisions
from llma_assets.alerts import Document as AlertsDocument
from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.testing import GitHubServer, WebhookServer, day_of_traces, write_events
from llma_assets.trackers import Document, Tracker, TrackerRule
from llma_assets.trackers import apply as apply_trackers
from llma_assets_tests.alerts.conftest import SECRET
from llma_assets_tests.cli.conftest import Answer

pytestmark = pytest.mark.slow

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)
OLD = YESTERDAY - timedelta(days=6)
OPS = Channel("ops", "webhook", address_env="LLMA_ALERTS_URL", secret_env="LLMA_ALERTS_SECRET")
MANY = Rule("many", "threshold", above=1, channels=("ops",))
BUGS = Tracker("bugs", "github", "acme/app", "LLMA_TRACKERS_TOKEN", "LLMA_TRACKERS_ADDRESS")
CLUSTERS = TrackerRule("clusters", "bugs", about="cluster", min_users=0)


def prepared(database: Database, settings: Settings, day: date) -> None:
    """Two teams with traffic, rules and a tracker; only the first is run."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text("lookback_days = 1\n")
    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, day, 24))
        apply(database, team_id, AlertsDocument((OPS,), (MANY,)), "ann")
        apply_trackers(database, team_id, Document((BUGS,), (CLUSTERS,)), "ann")


@pytest.mark.parametrize(("day", "told"), [(YESTERDAY, True), (OLD, False)], ids=["yesterday", "an old day"])
def test_a_run_judges_the_day_and_opens_issues_unless_the_day_is_old(
    environment: Settings, database: Database, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch,
    day: date, told: bool,
) -> None:  # fmt: skip
    prepared(database, environment, day)
    monkeypatch.setenv("LLMA_ALERTS_PRIVATE_HOSTS", "127.0.0.1")
    with WebhookServer(SECRET) as webhooks, GitHubServer("token") as github:
        for name, value in {
            "LLMA_ALERTS_URL": webhooks.address,
            "LLMA_ALERTS_SECRET": SECRET,
            "LLMA_TRACKERS_TOKEN": "token",
            "LLMA_TRACKERS_ADDRESS": github.base,
        }.items():
            monkeypatch.setenv(name, value)
        quiet = llma_json("run", "--team", "1", "--date", str(day), "--results-only").document
        assert quiet["teams"][0]["actions"] == []
        assert (webhooks.requests, github.requests) == ([], [])
        (team,) = llma_json("run", "--team", "1", "--date", str(day)).document["teams"]
        assert team["status"] == "done"
        alerts, trackers = team["actions"]
        assert [(each["stage"], each["error"]) for each in team["actions"]] == [("alerts", ""), ("trackers", "")]
        assert {each.verdict for each in stored_decisions(database, 1, day, day)} >= {"opened"}
        assert stored_decisions(database, 2, day, day) == []
        assert bool(webhooks.taken) is told
        assert bool(github.issues) is told
        if told:
            assert trackers["details"]["done"]["opened"] == len(github.issues)
            assert alerts["details"]["sent"] == len(webhooks.taken)
            issues = len(github.issues)
            llma_json("run", "--team", "1", "--date", str(day))
            assert (len(github.issues), len(webhooks.taken)) == (issues, alerts["details"]["sent"])
        else:
            assert "ended more than 2 days ago" in trackers["reason"]
            assert "ended more than 2 days ago" in alerts["details"]["nobody_told_because"]
            assert deliveries(database, 1, datetime.now(UTC)) == []
