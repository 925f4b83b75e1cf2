"""Alerts over HTTP: the documents of the command line, and changes by those who may; of the team alone."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from llma_assets.alerts import Incident, Message, alerts_of, deliveries, mutes_of, put
from llma_assets.alerts.incidents import store_incidents
from llma_assets.clickhouse import Database
from llma_assets.web import Site
from llma_assets_tests.web.conftest import CHANGER, READER, bearer
from llma_assets_tests.web.planted import HOSTILE

INCIDENT, OTHERS = UUID(int=1), UUID(int=2)
DAY = date(2026, 11, 7)
API = "/api/v1/teams/1/alerts"
FILE = """
channels:
  - {channel: ops, kind: webhook, address_env: LLMA_ALERTS_OPS, secret_env: LLMA_ALERTS_OPS_SECRET}
rules:
  - {rule: escalating, enabled: true, k: 4, channels: [ops]}
"""


@pytest.fixture
def alerted(planted: Database) -> Database:
    """An incident and a message of each of two teams."""
    for team_id, incident_id, title in ((1, INCIDENT, HOSTILE[0]), (2, OTHERS, "of the other team")):
        incident = Incident(
            incident_id, "escalating", "v", "traces", "traces-0", "traces-0", title, date(2026, 11, 7), 60.0, 1
        )
        store_incidents(planted, {team_id: [incident]})
        message = Message(team_id=team_id, event="opened", day=str(DAY), headline=title, incident_id=str(incident_id))
        at = datetime(2026, 11, 7, 9, tzinfo=UTC)
        put(planted, at, [("ops", message, at)])
    planted.insert_rows(
        "alert_decisions",
        [
            {
                **{"team_id": team_id, "day": DAY, "rule_id": "escalating", "theme_id": "traces"},
                **{"subject": "traces-0", "rule_version": "v", "verdict": "opened", "reason": "above", "muted": False},
                **{"title": HOSTILE[0], "numbers": f'{{"value": {value}}}'},
            }
            for team_id, value in ((1, 61), (2, 987))
        ],
    )
    return planted


def test_what_was_decided_and_said_is_read_by_its_team(client: TestClient, alerted: Database) -> None:
    (incident,) = client.get(f"{API}/incidents", params={"open": True}).json()["incidents"]
    assert (incident["incident_id"], incident["title"], incident["open"]) == (str(INCIDENT), HOSTILE[0], True)
    assert client.get(f"{API}/incidents/{INCIDENT}").json() == incident
    assert client.get(f"{API}/incidents/{OTHERS}").status_code == 404
    (decision,) = client.get(f"{API}/why", params={"date": str(DAY), "lineage": "traces-0"}).json()["decisions"]
    assert decision["numbers"] == {"value": 61}
    assert client.get(f"{API}/why", params={"date": str(DAY)}).json()["decisions"] == []
    (said,) = client.get(f"{API}/deliveries").json()["deliveries"]
    assert (said["channel"], said["headline"], said["state"]) == ("ops", HOSTILE[0], "waiting")
    assert client.get(f"{API}/deliveries", params={"dead": True}).json()["deliveries"] == []


def test_rules_are_read_changed_and_kept_with_who_did(client: TestClient, planted: Database) -> None:
    tried = client.post(f"{API}/file", json={"yaml": FILE, "dry_run": True}).json()
    assert (tried["stored"], len(tried["changes"])) == (False, 2)
    assert not alerts_of(planted, 1).enabled
    assert client.post(f"{API}/file", json={"yaml": FILE}).json()["stored"]
    rules = client.get(f"{API}/rules").json()
    (rule,) = [each for each in rules["rules"] if each["rule"] == "escalating"]
    assert (rule["k"], rule["enabled"], rule["sentence"][:9]) == (4, True, "Tell when")
    assert rules["channels"][0]["switched_off_because"] is None
    only = client.get(f"{API}/file", params={"name": "ops"}).json()
    assert (len(only["channels"]), only["rules"]) == (1, [])
    assert client.get(f"{API}/file", params={"name": "nothing"}).status_code == 404
    assert [each["author"] for each in client.get(f"{API}/history").json()["changes"]] == ["me", "me"]
    assert not alerts_of(planted, 2).enabled
    wrong = client.post(f"{API}/file", json={"yaml": "rules:\n  - {rule: mine, kind: tresh}\n"})
    assert wrong.status_code == 422
    assert "kind" in wrong.json()["field"]
    seen = client.get(f"{API}/rules/escalating/preview", params={"date": str(DAY), "days": 3}).json()
    assert (seen["rule"], seen["days"]) == ("escalating", [])
    assert client.get(f"{API}/rules/escalatin/preview", params={"date": str(DAY)}).status_code == 404


def test_mutes_are_made_and_taken_back(client: TestClient, site: Site, alerted: Database) -> None:
    assert client.post(f"{API}/mutes", json={}).status_code == 422
    assert client.post(f"{API}/mutes", json={"rule": "escalating", "traces": 5}).status_code == 422
    assert client.post(f"{API}/mutes", json={"rule": "nothing"}).status_code == 422
    assert client.post(f"{API}/mutes", json={"lineage": "nothing-0"}).status_code == 422
    made = client.post(f"{API}/mutes", json={"rule": "escalating", "lineage": "traces-0", "days": 7})
    assert (made.status_code, made.json()["author"]) == (201, "me")
    (kept,) = mutes_of(alerted, 1)
    assert kept.until is not None
    assert client.get(f"{API}/mutes").json()["mutes"][0]["mute_id"] == str(kept.mute_id)
    assert client.post(f"{API}/mutes/lift", json={"rule": "gone"}).json()["lifted"] == []
    assert len(client.post(f"{API}/mutes/lift", json={"rule": "escalating"}).json()["lifted"]) == 1
    assert mutes_of(alerted, 1) == mutes_of(alerted, 2) == []


def test_messages_go_into_the_outbox_again(client: TestClient, site: Site, alerted: Database) -> None:
    client.post(f"{API}/file", json={"yaml": FILE})
    (before,) = deliveries(alerted, 1, site.clock())
    chosen = {"messages": [str(before.message_id)[:8]]}
    assert client.post(f"{API}/deliveries/resend", json={}).status_code == 422
    assert client.post(f"{API}/deliveries/resend", json={"channel": "none"}).status_code == 404
    tried = client.post(f"{API}/deliveries/resend", json={**chosen, "dry_run": True}).json()
    assert (tried["chosen"], tried["waiting"]) == ([str(before.message_id)], 0)
    assert client.post(f"{API}/deliveries/resend", json=chosen).json()["waiting"] == 1
    (after,) = deliveries(alerted, 1, site.clock())
    assert (after.message_id, after.round) == (before.message_id, before.round + 1)
    (other,) = deliveries(alerted, 2, site.clock())
    assert other.round == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("file", {"yaml": FILE}),
        ("mutes", {"rule": "escalating"}),
        ("mutes/lift", {}),
        ("deliveries/resend", {"channel": "ops"}),
    ],
)
def test_a_reader_changes_nothing(guarded: TestClient, planted: Database, path: str, body: dict[str, object]) -> None:
    assert guarded.post(f"{API}/{path}", json=body).status_code == 401
    assert guarded.post(f"{API}/{path}", json=body, headers=bearer(READER)).status_code == 403
    other = f"{API}/{path}".replace("teams/1", "teams/2")
    assert guarded.post(other, json=body, headers=bearer(CHANGER)).status_code == 404
    assert alerts_of(planted, 1).newest is None
    assert mutes_of(planted, 1) == []
