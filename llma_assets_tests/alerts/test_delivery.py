"""Channels against servers that speak their protocols: what arrives, what is tried again, what is refused for good."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from llma_assets.alerts import Channel, Message, Sent, channels_off, deliver, deliveries, put
from llma_assets.alerts.delivery import again, switch_channel
from llma_assets.clickhouse import Database
from llma_assets.testing import (
    Answer,
    MailServer,
    PagerDutyServer,
    SlackServer,
    SlackWebhookServer,
    WebhookServer,
)
from llma_assets_tests.alerts.conftest import HOSTILE, SECRET

NOW = datetime.now(UTC).replace(microsecond=0)
OPS = Channel("ops", "webhook", address_env="LLMA_ALERTS_URL", secret_env="LLMA_ALERTS_SECRET")
TOKEN = "xoxb-not-a-real-token"


def message(event: str = "opened", incident: str = "", **given: Any) -> Message:
    return Message(
        event,  # type: ignore[arg-type]
        team_id=1,
        day="2026-11-22",
        headline=f"Escalating: {HOSTILE}",
        facts=("60 traces; 12 ± 3 are expected.", "Since 2026-11-22."),
        examples=(HOSTILE, "second", "third"),
        incident_id=incident or str(uuid4()),
        page="https://pages.example/teams/1",
        **given,
    )


Deliver = Callable[..., Sent]


@pytest.fixture
def sent(database: Database, private_hosts: None) -> Deliver:
    """Delivers what is due, so many seconds after the start."""

    def pass_over(*channels: Channel, after_s: float = 0, team_id: int = 1) -> Sent:
        at = NOW + timedelta(seconds=after_s)
        return deliver(database, team_id, {each.channel: each for each in channels}, clock=lambda: at)

    return pass_over


def test_a_webhook_is_signed_as_the_library_of_the_specification_wants_it(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, NOW, [("ops", message(), NOW)])
    with WebhookServer(SECRET, clock=NOW.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        assert sent(OPS).sent == 1
    (hook,) = server.taken
    data = Webhook(SECRET).verify(hook.raw, dict(hook.headers))
    assert (data["type"], data["data"]["team_id"]) == ("alert.opened", 1)
    (delivery,) = deliveries(database, 1, NOW)
    assert delivery.reply == hook.headers["webhook-id"] == f"msg_{delivery.message_id}"


def test_failures_are_tried_again_with_one_id_at_the_times_of_the_specification(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, NOW, [("ops", message(), NOW)])
    faults = [Answer(500), Answer(302, headers={"Location": "http://127.0.0.1:1/"})]
    with WebhookServer(SECRET, faults, clock=(NOW + timedelta(seconds=170)).timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        found = [sent(OPS, after_s=after).sent for after in (0, 1, 6, 60, 340)]
    assert (found, len(server.requests)) == ([0, 0, 0, 0, 1], 3)
    assert len({each.headers["webhook-id"] for each in server.requests}) == 1


@pytest.mark.parametrize(
    "wanted", ["900", format_datetime(NOW + timedelta(seconds=900), usegmt=True)], ids=["seconds", "date"]
)
def test_a_provider_that_names_a_time_is_left_alone_until_then(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    put(database, NOW, [("ops", message(), NOW)])
    faults = [Answer(429, headers={"Retry-After": wanted})]
    with WebhookServer(SECRET, faults, clock=(NOW + timedelta(seconds=905)).timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        assert [sent(OPS, after_s=after).sent for after in (0, 6, 800, 1_000)] == [0, 0, 0, 1]
        assert len(server.requests) == 2


def test_after_ten_attempts_it_is_a_dead_letter_that_can_be_sent_again(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, NOW, [("ops", message(), NOW)])
    with WebhookServer(SECRET, always=Answer(503)) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        for attempt in range(12):
            sent(OPS, after_s=attempt * 100_000)
        assert len(server.requests) == 10
        (dead,) = deliveries(database, 1, NOW)
        assert (dead.state, dead.error) == ("dead", "HTTP 503")
        server.always = None
        later = NOW + timedelta(days=15)
        again(database, 1, [dead], later)
        assert deliver(database, 1, {"ops": OPS}, clock=lambda: later).failed == 1, (
            "its time is too far from the server's"
        )
    with WebhookServer(SECRET, clock=(NOW + timedelta(days=16)).timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        assert sent(OPS, after_s=16 * 86_400).sent == 1


def test_a_channel_that_was_down_for_a_day_catches_up_in_order(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [message() for _ in range(5)]
    for number, each in enumerate(said):
        put(database, NOW + timedelta(minutes=number), [("ops", each, NOW)])
    with WebhookServer(SECRET, [Answer(503)] * 3, clock=(NOW + timedelta(days=1)).timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        for after in (0, 10, 400):
            sent(OPS, after_s=after)
        assert sent(OPS, after_s=86_400).sent == 5
    assert [each.body["data"]["incident_id"] for each in server.taken] == [each.incident_id for each in said]


def test_a_channel_with_three_dead_letters_is_switched_off_and_another_is_told(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_ALERTS_HOOK", "ftp://127.0.0.1/x")
    broken = Channel("broken", "slack_webhook", address_env="LLMA_ALERTS_HOOK")
    for number in range(4):
        put(database, NOW + timedelta(seconds=number), [("broken", message(), NOW)])
    with WebhookServer(SECRET, clock=NOW.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        first = sent(OPS, broken, after_s=10)
        assert (first.dead, first.waiting, first.switched_off) == (3, 1, ("broken",))
        sent(OPS, broken, after_s=20)
    (told,) = server.taken
    assert told.body["type"] == "alert.channel_off"
    assert list(channels_off(database, 1)) == ["broken"]
    assert channels_off(database, 2) == {}
    switch_channel(database, 1, "broken", off=False)
    assert channels_off(database, 1) == {}


def test_an_address_that_is_gone_switches_off_at_once_and_loses_nothing(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, NOW, [("ops", message(), NOW)])
    with WebhookServer(SECRET, [Answer(410)]) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        assert sent(OPS).switched_off == ("ops",)
        assert (sent(OPS, after_s=60).sent, len(server.requests)) == (0, 1)
        switch_channel(database, 1, "ops", off=False)
        assert sent(OPS, after_s=120).sent == 1


def test_slack_by_token_answers_in_the_thread_and_mentions_nobody(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_ALERTS_TOKEN", TOKEN)
    slack = Channel(
        "slack", "slack", address_env="LLMA_ALERTS_SLACK", secret_env="LLMA_ALERTS_TOKEN", to=("C0123456789",)
    )
    incident = str(uuid4())
    with SlackServer(TOKEN, faults=[Answer(429, headers={"Retry-After": "3"})]) as server:
        monkeypatch.setenv("LLMA_ALERTS_SLACK", server.address)
        put(database, NOW, [("slack", message(incident=incident), NOW)])
        assert [sent(slack, after_s=after).sent for after in (0, 6)] == [0, 1]
        put(database, NOW + timedelta(seconds=7), [("slack", message("closed", incident), NOW)])
        assert sent(slack, after_s=8).sent == 1
    first, answer = (each.body for each in server.taken)
    assert answer["thread_ts"] == server.timestamps[0]
    assert list(server.updated) == [server.timestamps[0]], "the first message says that it is closed, too"
    shown = first["text"] + "".join(block["text"]["text"] for block in first["blocks"] if "text" in block)
    assert "<!" not in shown
    assert "@here" not in shown
    assert "https://evil" not in shown
    assert "<https://pages.example/teams/1|Open>" in shown


@pytest.mark.parametrize(
    ("token", "channel", "off", "said"),
    [("xoxb-wrong", "C0123456789", True, "invalid_auth"), (TOKEN, "C9", True, "channel_not_found")],
)
def test_slack_says_what_is_wrong(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch, token: str, channel: str, off: bool, said: str
) -> None:
    monkeypatch.setenv("LLMA_ALERTS_TOKEN", token)
    slack = Channel("slack", "slack", address_env="LLMA_ALERTS_SLACK", secret_env="LLMA_ALERTS_TOKEN", to=(channel,))
    put(database, NOW, [("slack", message(), NOW)])
    with SlackServer(TOKEN) as server:
        monkeypatch.setenv("LLMA_ALERTS_SLACK", server.address)
        assert (sent(slack).switched_off == ("slack",)) == off
    (delivery,) = deliveries(database, 1, NOW)
    assert said in delivery.error
    assert token not in delivery.error


def test_a_slack_webhook_gets_plain_messages(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = Channel("hook", "slack_webhook", address_env="LLMA_ALERTS_HOOK")
    put(database, NOW, [("hook", message(), NOW)])
    with SlackWebhookServer() as server:
        monkeypatch.setenv("LLMA_ALERTS_HOOK", server.address)
        assert sent(hook).sent == 1
    assert "&lt;!channel&gt;" in server.taken[0].body["text"]


def test_pagerduty_has_one_incident_for_one_and_it_is_resolved(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_ALERTS_KEY", "R" * 32)
    pager = Channel("pager", "pagerduty", address_env="LLMA_ALERTS_PAGER", secret_env="LLMA_ALERTS_KEY")
    incident = str(uuid4())
    with PagerDutyServer("R" * 32) as server:
        monkeypatch.setenv("LLMA_ALERTS_PAGER", server.url)
        put(database, NOW, [("pager", message("opened", incident), NOW), ("pager", message("worse", incident), NOW)])
        sent(pager)
        assert server.open == {f"llma-{incident}"}
        assert (len(server.requests), len(server.taken)) == (2, 1)
        put(database, NOW + timedelta(seconds=1), [("pager", message("closed", incident), NOW)])
        sent(pager, after_s=2)
        assert server.open == set()


def test_mail_has_text_and_html_without_links_of_others(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Channel("mail", "mail", address_env="LLMA_ALERTS_SMTP", to=("ada@example.com",), sender="llma@example.com")
    put(database, NOW, [("mail", message(), NOW)])
    with MailServer([421]) as server:
        monkeypatch.setenv("LLMA_ALERTS_SMTP", server.address)
        assert [sent(mail, after_s=after).sent for after in (0, 6)] == [0, 1]
    (taken,) = server.mails
    (delivery,) = deliveries(database, 1, NOW)
    assert taken["Message-ID"] == f"<{delivery.message_id}@llma-assets>"
    html = taken.get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert "<b>Refunds" not in html
    assert "&lt;b&gt;Refunds" in html
    assert 'href="https://pages.example/teams/1"' in html
    assert "https://evil" not in html + taken.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_mail_to_nobody_who_is_there_is_a_dead_letter(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = Channel("mail", "mail", address_env="LLMA_ALERTS_SMTP", to=("gone@example.com",), sender="l@example.com")
    put(database, NOW, [("mail", message(), NOW)])
    with MailServer(unknown=["gone@example.com"]) as server:
        monkeypatch.setenv("LLMA_ALERTS_SMTP", server.address)
        assert sent(mail).dead == 1
    assert "550" in deliveries(database, 1, NOW)[0].error


def test_apprise_reaches_its_channels(database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Channel("other", "apprise", address_env="LLMA_ALERTS_APPRISE")
    put(database, NOW, [("other", message(), NOW)])
    with SlackWebhookServer([Answer(200, "ok")]) as server:
        monkeypatch.setenv("LLMA_ALERTS_APPRISE", server.url.replace("http://", "json://"))
        assert sent(other).sent == 1
    assert "Escalating" in server.requests[0].body["title"]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://10.0.0.8/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://localhost/x",
        "http://93.184.215.14/x",
        "https://user:pw@93.184.215.14/x",
        "file:///etc/passwd",
    ],
)
def test_private_and_odd_addresses_are_refused_without_a_call_and_without_being_shown(
    database: Database, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.delenv("LLMA_ALERTS_PRIVATE_HOSTS", raising=False)
    monkeypatch.setenv("LLMA_ALERTS_URL", url)
    monkeypatch.setenv("LLMA_ALERTS_SECRET", SECRET)
    put(database, NOW, [("ops", message(), NOW)])
    assert deliver(database, 1, {"ops": OPS}, clock=lambda: NOW).dead == 1
    (delivery,) = deliveries(database, 1, NOW)
    assert "LLMA_ALERTS_URL" in delivery.error
    assert url not in delivery.error


def test_secrets_come_from_files_too_and_their_lack_is_said(
    database: Database, sent: Deliver, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LLMA_ALERTS_SECRET")
    put(database, NOW, [("ops", message(), NOW)])
    with WebhookServer(SECRET, clock=NOW.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        assert sent(OPS).failed == 1
        assert "LLMA_ALERTS_SECRET is not set" in deliveries(database, 1, NOW)[0].error
        (tmp_path / "secret").write_text(SECRET)
        monkeypatch.setenv("LLMA_ALERTS_SECRET_FILE", str(tmp_path / "secret"))
        assert sent(OPS, after_s=6).sent == 1
