"""What is said at once, in one message, and in the daily digest: nothing twice, nothing lost, whoever dies."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from llma_assets.alerts import Channel, Message, Rule, deliver, deliveries, due_days, put
from llma_assets.alerts.deciding import Change
from llma_assets.alerts.delivery import outbox_counts
from llma_assets.alerts.incidents import Incident, incident_id
from llma_assets.alerts.judging import Decision
from llma_assets.alerts.judging.verdicts import Verdict
from llma_assets.alerts.telling import Outgoing, Put, messages
from llma_assets.clickhouse import Database
from llma_assets.testing import WebhookServer
from llma_assets_tests.alerts.conftest import SECRET
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER
from llma_assets_tests.alerts.test_day import MORNING, OPS
from llma_assets_tests.alerts.test_killed import Dying, Killed

RULE = Rule("escalating", "escalating", channels=("ops",))
DAY = LAST
EIGHT = datetime(2026, 11, 23, 8, tzinfo=UTC)


def change(subject: str, verdict: Verdict = "opened", day: date = DAY, rule: Rule = RULE) -> Change:
    made = incident_id(MINE, rule, "traces", subject, DAY)
    incident = Incident(made, rule.rule, rule.version, "traces", subject, subject, f"Title {subject}", DAY, 60.0, 2)
    numbers = {"value": 60.0, "limit": 20.0}
    return Change(rule, incident, Decision(rule.rule, "traces", subject, day, verdict, "", numbers, 2))


class Team:
    """A team's outbox, kept in memory as the asset keeps it in the database."""

    def __init__(self, channel: Channel = OPS) -> None:
        self.outbox: list[Put] = []
        self._channel = channel

    def tell(self, told: Sequence[Change], now: datetime) -> list[Outgoing]:
        channels = {"ops": self._channel}
        found = messages(MINE, told, channels, self.outbox, now, lambda each: (f"example of {each.incident.subject}",))
        there = [each.message for each in self.outbox]
        fresh = [each for each in found if each[1] not in there]
        self.outbox += [Put(channel, message, now, at) for channel, message, at in fresh]
        return fresh


def said(found: Sequence[Outgoing]) -> list[tuple[str, str]]:
    """How each was said, and of what."""
    return [("held" if each.held else each.event, each.lineage_id or str(len(each.parts))) for _, each, _ in found]


def test_three_by_themselves_and_what_comes_after_is_in_the_daily_digest() -> None:
    team = Team()
    first = team.tell([change(each) for each in "abc"], MORNING)
    assert said(first) == [("opened", "a"), ("opened", "b"), ("opened", "c")]
    assert first[0][1].examples == ("example of a",)
    later = team.tell([change(each) for each in "abcd"], MORNING + timedelta(minutes=10))
    assert said(later) == [("held", "d")], "what is in the outbox is not said again"
    assert later[0][2] == EIGHT
    assert said(team.tell([change("e")], EIGHT)) == [("opened", "e")], "after the digest three are said again"


def test_many_at_once_are_one_message_and_what_opens_later_is_not_lost() -> None:
    team = Team()
    assert said(team.tell([change(each) for each in "abcd"], MORNING)) == [("several", "4")]
    assert said(team.tell([change(each) for each in "abcdef"], MORNING)) == [("held", "e"), ("held", "f")]
    assert team.tell([change(each) for each in "abcdef"], MORNING) == []


def test_a_closing_is_said_as_its_opening_was() -> None:
    team = Team()
    team.tell([change("a")], MORNING - timedelta(days=1))
    team.tell([change(each) for each in "bcde"], MORNING)
    on = DAY + timedelta(days=1)
    closed = [change(each, "closed", on) for each in "abz"]
    assert said(team.tell(closed, MORNING + timedelta(days=1))) == [("closed", "a"), ("held", "b")], "nobody heard of z"
    worse = team.tell([change("b", "worse", on), change("a", "worse", on)], MORNING + timedelta(days=1))
    assert sorted(said(worse)) == [("worse", "a"), ("worse", "b")], "what gets worse does not wait"


def test_an_opening_and_its_closing_in_one_evaluation_are_both_said() -> None:
    found = Team().tell([change("a"), change("a", "closed", DAY + timedelta(days=1))], MORNING)
    assert said(found) == [("opened", "a"), ("closed", "a")]


def test_a_keyed_channel_gets_each_by_itself() -> None:
    pager = Team(replace(OPS, kind="pagerduty"))
    assert {each for each, _ in said(pager.tell([change(each) for each in "abcdef"], MORNING))} == {"opened"}


def test_the_digest_waits_for_the_end_of_the_quiet_hours() -> None:
    rule = replace(RULE, quiet_hours="22-10")
    team = Team()
    found = team.tell([change(each, rule=rule) for each in "abc"], MORNING)
    assert {at for _, _, at in found} == {EIGHT + timedelta(hours=2)}
    assert team.tell([change("d", rule=rule)], MORNING)[0][2] == EIGHT + timedelta(hours=2)


def held(*subjects: str, team_id: int = MINE) -> list[tuple[str, Message, datetime]]:
    """Messages that wait for the digest of the morning."""
    found = []
    for number, each in enumerate(subjects):
        made = str(incident_id(team_id, RULE, "traces", each, DAY))
        facts = (f"{number} traces.",)
        message = Message("opened", team_id, f"{DAY}", f"Escalating: {each}", facts, incident_id=made, held=True)
        found.append(("ops", message, EIGHT))
    return found


def test_what_is_held_goes_in_one_message_once_a_day(
    database: Database, private_hosts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(database, MORNING, held("a", "b"))
    put(database, MORNING, held("other", team_id=OTHER))
    counts = {each.team_id: each for each in outbox_counts(database, MORNING)}
    assert MINE not in counts or counts[MINE].pending == 0, "the digest is one message, once it is there"
    with WebhookServer(SECRET, clock=EIGHT.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        early = deliver(database, MINE, {"ops": OPS}, clock=lambda: EIGHT - timedelta(minutes=1))
        assert (early.sent, early.waiting) == (0, 2)
        assert deliver(database, MINE, {"ops": OPS}, clock=lambda: EIGHT).sent == 1
        assert deliver(database, MINE, {"ops": OPS}, clock=lambda: EIGHT + timedelta(days=1)).sent == 0
    (taken,) = server.taken
    assert taken.body["type"] == "alert.daily"
    assert taken.body["data"]["headline"] == "The other alerts of team 1 up to 2026-11-23 08:00 UTC: 2"
    assert taken.body["data"]["facts"] == ["Escalating: a (0 traces.)", "Escalating: b (1 traces.)"]
    assert [each.state for each in deliveries(database, MINE, EIGHT)] == ["in_digest", "in_digest", "sent"]
    assert [each.state for each in deliveries(database, OTHER, EIGHT)] == ["held"]


@pytest.mark.parametrize(
    ("table", "when"),
    [
        ("alert_messages", "before"),
        ("alert_messages", "after"),
        ("alert_claims", "after"),
        ("alert_attempts", "before"),
    ],
)
def test_a_killed_digest_is_not_lost_and_not_another_one(
    database: Database, private_hosts: None, monkeypatch: pytest.MonkeyPatch, table: str, when: str
) -> None:
    put(database, MORNING, held("a", "b"))
    with WebhookServer(SECRET, clock=EIGHT.timestamp) as server:
        monkeypatch.setenv("LLMA_ALERTS_URL", server.address)
        with pytest.raises(Killed):
            deliver(Dying(database, table, when), MINE, {"ops": OPS}, clock=lambda: EIGHT)
        put(database, EIGHT + timedelta(minutes=1), held("a", "b", "c"))
        monkeypatch.setattr(server, "_clock", (EIGHT + timedelta(minutes=6)).timestamp)
        deliver(database, MINE, {"ops": OPS}, clock=lambda: EIGHT + timedelta(minutes=6))
    assert len({each.body["data"]["headline"] for each in server.taken}) == len(server.taken) == 1
    states = [each.state for each in deliveries(database, MINE, EIGHT + timedelta(minutes=6)) if each.event == "held"]
    assert states == ["in_digest", "in_digest", "held"], "c came after eight: it is in the next"


def test_a_digest_that_is_due_makes_its_team_due(database: Database) -> None:
    from llma_assets.alerts import Document, apply

    apply(database, MINE, Document((OPS,), (RULE,)), "ada")
    put(database, MORNING, held("a"))
    assert [each.team_id for each, _ in due_days(database, EIGHT)] == [MINE]
    assert list(due_days(database, EIGHT - timedelta(minutes=1))) == []
