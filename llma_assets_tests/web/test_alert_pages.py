"""Alerts on pages: what happened and by which numbers, silencing it, and the rules; of the team alone."""

from datetime import date
from html import unescape
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from llma_assets.alerts import Incident, alerts_of, mutes_of
from llma_assets.alerts.incidents import store_incidents
from llma_assets.clickhouse import Database
from llma_assets.web import Site
from llma_assets_tests.web.planted import HOSTILE

INCIDENT, OTHERS = UUID(int=1), UUID(int=2)
PAGE = "/teams/1/alerts"


@pytest.fixture
def alerted(planted: Database) -> Database:
    for team_id, incident_id, title in ((1, INCIDENT, HOSTILE[0]), (2, OTHERS, "of the other team")):
        incident = Incident(
            incident_id, "escalating", "v", "traces", "traces-0", "traces-0", title, date(2026, 11, 7), 60.0, 1
        )
        store_incidents(planted, {team_id: [incident]})
    planted.insert_rows(
        "alert_decisions",
        [
            {
                "team_id": team_id,
                "day": date(2026, 11, 7),
                "rule_id": "escalating",
                "theme_id": "traces",
                "subject": "traces-0",
                "rule_version": "v",
                "verdict": "opened",
                "reason": "above_what_is_expected",
                "title": HOSTILE[0],
                "numbers": f'{{"value": {value}, "expected": 12, "sigma": 3.5}}',
                "muted": False,
            }
            for team_id, value in ((1, 61), (2, 987))
        ],
    )
    return planted


def send(client: TestClient, path: str, **fields: str) -> str:
    """The page after a form was sent."""
    client.get("/sign-in")  # any page gives the key of forms
    return unescape(client.post(path, data={"form_key": client.cookies["llma_form"], **fields}).text)


def test_an_incident_has_a_chart_with_its_band_and_marks(client: TestClient, alerted: Database) -> None:
    page = f"{PAGE}/{INCIDENT}"
    assert 'class="incident"' not in client.get(page).text, "one day is no chart"
    earlier = {"team_id": 1, "rule_id": "escalating", "theme_id": "traces", "subject": "traces-0", "rule_version": "v"}
    alerted.insert_rows(
        "alert_decisions",
        [
            {
                **earlier, "day": date(2026, 11, day), "verdict": "quiet", "reason": "", "title": "", "muted": False,
                "numbers": f'{{"value": {day}, "expected": 12, "sigma": 3.5, "k": 3}}',
            }
            for day in (3, 4, 6)
        ],
    )  # fmt: skip
    shown = client.get(page).text
    assert shown.count('class="band"') == 2, "5 November has no data: the line is broken"
    assert shown.count('class="calm"') == 3
    assert shown.count('class="hot"') == 1
    assert ">opened</text>" in shown
    assert ">closed</text>" not in shown
    assert "2026-11-07: 61, 12 expected; opened" in shown


def test_a_cluster_is_silenced_until_a_release_or_more_of_it(client: TestClient, alerted: Database) -> None:
    page = f"{PAGE}/{INCIDENT}"
    assert "until the next release" in send(client, page, action="release")
    send(client, page, action="unmute")
    assert "until 250 more users" in send(client, page, action="users", count="250")
    assert [(each.more_users, each.subject) for each in mutes_of(alerted, 1)] == [(250, "traces-0")]
    assert "must be an integer" in send(client, page, action="traces", count="many")
    assert mutes_of(alerted, 2) == []


def test_incidents_are_shown_with_the_numbers_of_their_days(client: TestClient, alerted: Database) -> None:
    shown = client.get(PAGE).text
    assert "1 open" in shown
    assert HOSTILE[0] not in shown
    assert "of the other team" not in shown
    one = client.get(f"{PAGE}/{INCIDENT}").text
    assert "above what is expected" in one
    assert ("61" in one, "987" in one, HOSTILE[0] in one) == (True, False, False)
    assert client.get(f"{PAGE}/{OTHERS}").status_code == 404
    assert client.get(f"{PAGE}/nonsense").status_code == 422


def test_an_incident_is_silenced_and_told_of_again(client: TestClient, site: Site, alerted: Database) -> None:
    assert "by me" in send(client, f"{PAGE}/{INCIDENT}", action="snooze")
    (made,) = mutes_of(alerted, 1)
    assert (made.rule_id, made.subject, made.author) == ("escalating", "traces-0", "me")
    assert made.until is not None
    assert 6 <= (made.until - site.clock()).days <= 7
    assert "Silenced" in client.get(PAGE).text
    send(client, f"{PAGE}/{INCIDENT}", action="unmute")
    assert mutes_of(alerted, 1) == []


def test_rules_are_switched_checked_and_saved_under_ones_name(client: TestClient, planted: Database) -> None:
    assert not alerts_of(planted, 1).enabled
    send(client, PAGE, action="on", name="escalating")
    assert [each.rule for each in alerts_of(planted, 1).enabled] == ["escalating"]
    assert not alerts_of(planted, 2).enabled
    file = "rules:\n  - {rule: escalating, enabled: true, k: 4}\n"
    checked = send(client, PAGE, action="check", file=file)
    assert "Saving makes these changes" in checked
    assert file.strip() in checked
    assert alerts_of(planted, 1).rule("escalating").k == 3
    assert ", me: rule escalating changed" in send(client, PAGE, action="save", file=file)
    assert alerts_of(planted, 1).rule("escalating").k == 4
    send(client, PAGE, action="off", name="escalating")
    assert not alerts_of(planted, 1).enabled


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"action": "on", "name": "escalatin"}, "did you mean 'escalating'?"),
        ({"action": "save", "file": "rules:\n  - {rule: mine, kind: tresh}\n"}, "kind"),
        ({"action": "save", "file": "rules: ["}, "line"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(
    client: TestClient, planted: Database, fields: dict[str, str], told: str
) -> None:
    shown = send(client, PAGE, **fields)
    assert told in shown
    assert fields.get("file", "").strip() in shown
    assert not alerts_of(planted, 1).enabled
