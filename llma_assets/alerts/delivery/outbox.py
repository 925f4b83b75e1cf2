"""The outbox: messages with ids that follow from what they say, leases on their attempts, and what became of each."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4, uuid5

from llma_assets.alerts.incidents import NAMESPACE
from llma_assets.alerts.messages import Message, without_words
from llma_assets.clickhouse import Database
from llma_assets.clusters import withheld_lineages

Outcome = Literal["sent", "failed", "refused"]
State = Literal["waiting", "under_way", "sent", "dead", "held", "in_digest"]
HELD = "held"
"""The event of a row whose message waits for the daily digest."""

RETRIES_S = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each attempt, after the one before it; Standard Webhooks 1.0."""

LEASE = timedelta(minutes=5)
JITTER = 0.1

# Keys: alert_messages (team_id, message_id); alert_claims and alert_attempts (…, round, attempt).
MESSAGES = """
SELECT message_id, channel, event, incident_id, body, created_at, not_before, round
FROM alert_messages FINAL
WHERE team_id = {team_id:Int64} AND created_at >= {since:DateTime64(6, 'UTC')}
ORDER BY created_at, message_id
"""

TEAMS_WITH_MESSAGES = """
SELECT DISTINCT team_id
FROM alert_messages
WHERE team_id IN {team_ids:Array(Int64)} AND created_at >= {since:DateTime64(6, 'UTC')}
"""

CLAIMS = """
SELECT message_id, round, attempt, claimed_by, lease_until
FROM alert_claims FINAL
WHERE team_id = {team_id:Int64} AND claimed_at >= {since:DateTime64(6, 'UTC')}
"""

ATTEMPTS = """
SELECT message_id, round, attempt, outcome, reply, error, attempted_at, retry_at
FROM alert_attempts FINAL
WHERE team_id = {team_id:Int64} AND attempted_at >= {since:DateTime64(6, 'UTC')}
"""

WINNER = """
SELECT claimed_by
FROM alert_claims FINAL
WHERE team_id = {team_id:Int64}
    AND message_id = {message_id:UUID}
    AND round = {round:UInt32}
    AND attempt = {attempt:UInt32}
"""

CHANNELS_OFF = """
SELECT channel, reason
FROM alert_channel_states FINAL
WHERE team_id = {team_id:Int64} AND is_off
"""

KEPT = timedelta(days=60)
"""Older messages are neither sent nor shown."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message to a channel, and how far it is.

    Attributes:
        round: how many times a person sent it again.
        attempts: made in this round, those without a result too.
        state: `under_way` while somebody has the lease; `held` until the daily digest, `in_digest` once that has it.
        due_at: when the next attempt may begin; None where there is none.
        reply: the provider's id of the message.
        error: of the last attempt.
    """

    message_id: UUID
    channel: str
    event: str
    incident_id: UUID
    message: Message
    created_at: datetime
    not_before: datetime
    round: int
    attempts: int
    state: State
    due_at: datetime | None
    reply: str = ""
    error: str = ""


def message_id(channel: str, message: Message) -> UUID:
    """The same for the same message to a channel, however often it is put into the outbox."""
    about = message.incident_id or ("" if message.event == "daily" else message.headline)
    return uuid5(NAMESPACE, "|".join((channel, str(message.team_id), message.event, about, message.day)))


def put(database: Database, created_at: datetime, messages: Iterable[tuple[str, Message, datetime]]) -> None:
    """Put messages into the outbox: channel, message, not before. What is there already stays as it is."""
    rows = [_row(message_id(channel, each), channel, each, created_at, at, 0) for channel, each, at in messages]
    if not rows:
        return
    there = {each.message_id for each in deliveries(database, rows[0]["team_id"], created_at)}
    database.insert_rows("alert_messages", [row for row in rows if row["message_id"] not in there])


def deliveries(database: Database, team_id: int, now: datetime) -> list[Delivery]:
    """The messages of a team of the last sixty days, oldest first; without words of what is withheld by now."""
    period = {"team_id": team_id, "since": now - KEPT}
    rows = database.rows(MESSAGES, **period)
    if not rows:
        return []
    claims = _by_message(database.rows(CLAIMS, **period))
    attempts = _by_message(database.rows(ATTEMPTS, **period))
    found = [_delivery(row, claims.get(_key(row), ()), attempts.get(_key(row), ()), now) for row in rows]
    told = {part for each in found if each.event == "daily" for part in each.message.parts}
    found = [
        replace(each, state="in_digest", due_at=None) if each.state == HELD and str(each.message_id) in told else each
        for each in found
    ]
    withheld = withheld_lineages(database, team_id)
    return [replace(each, message=without_words(each.message, withheld)) for each in found]


def teams_with_messages(database: Database, team_ids: Collection[int], now: datetime) -> set[int]:
    """The teams that have any message of the last sixty days, sent or not."""
    rows = database.rows(TEAMS_WITH_MESSAGES, team_ids=sorted(team_ids), since=now - KEPT)
    return {row["team_id"] for row in rows}


def claim(database: Database, team_id: int, delivery: Delivery, now: datetime) -> int | None:
    """Take the lease of the next attempt; None where another process has it.

    Returns:
        the attempt's number, which `record` takes.
    """
    mine, attempt = uuid4(), delivery.attempts + 1
    key = {"team_id": team_id, "message_id": delivery.message_id, "round": delivery.round, "attempt": attempt}
    row = {**key, "claimed_by": mine, "claimed_at": now, "lease_until": now + LEASE}
    database.insert_rows("alert_claims", [row], once="/".join(map(str, key.values())))
    return attempt if database.value(WINNER, **key) == mine else None


def record(
    database: Database,
    team_id: int,
    delivery: Delivery,
    attempt: int,
    outcome: Outcome,
    *,
    at: datetime,
    reply: str = "",
    error: str = "",
    retry_at: datetime | None = None,
) -> Delivery:
    """Store what became of an attempt; returns the delivery as it is now.

    Args:
        retry_at: the moment before which the provider wants no other attempt.
    """
    row = {
        "team_id": team_id,
        "message_id": delivery.message_id,
        "round": delivery.round,
        "attempt": attempt,
        "outcome": outcome,
        "reply": reply[:500],
        "error": error[:500],
        "attempted_at": at,
        "retry_at": retry_at,
    }
    database.insert_rows("alert_attempts", [row])
    state, due = _after(delivery.message_id, outcome, attempt, at, retry_at)
    return replace(delivery, attempts=attempt, state=state, due_at=due, reply=reply, error=error)


def again(database: Database, team_id: int, chosen: Iterable[Delivery], now: datetime) -> None:
    """Send messages again with their old ids, so that a provider that has one takes it once."""
    rows = []
    for each in chosen:
        said = replace(each.message, held=False)
        row = _row(each.message_id, each.channel, said, each.created_at, now, each.round + 1)
        rows.append({**row, "team_id": team_id})
    database.insert_rows("alert_messages", rows)


def channels_off(database: Database, team_id: int) -> dict[str, str]:
    """Channels that are switched off because they do not deliver, with the reason."""
    return {row["channel"]: row["reason"] for row in database.rows(CHANNELS_OFF, team_id=team_id)}


def switch_channel(database: Database, team_id: int, channel: str, *, off: bool, reason: str = "") -> None:
    """Switch a channel off or on."""
    row = {"team_id": team_id, "channel": channel, "is_off": off, "reason": reason[:500]}
    database.insert_rows("alert_channel_states", [row])


def _row(
    message: UUID, channel: str, said: Message, created_at: datetime, not_before: datetime, round: int
) -> dict[str, Any]:
    return {
        "team_id": said.team_id,
        "message_id": message,
        "channel": channel,
        "event": HELD if said.held else said.event,
        "incident_id": UUID(said.incident_id) if said.incident_id else UUID(int=0),
        "body": json.dumps(said.as_json(), ensure_ascii=False),
        "created_at": created_at,
        "not_before": not_before,
        "round": round,
    }


def _key(row: Mapping[str, Any]) -> tuple[UUID, int]:
    return row["message_id"], row["round"]


def _by_message(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[UUID, int], list[Mapping[str, Any]]]:
    found: dict[tuple[UUID, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(_key(row), []).append(row)
    return found


def _delivery(
    row: Mapping[str, Any], claims: Sequence[Mapping[str, Any]], attempts: Sequence[Mapping[str, Any]], now: datetime
) -> Delivery:
    last_claim = max(claims, key=lambda each: each["attempt"], default=None)
    last = max(attempts, key=lambda each: each["attempt"], default=None)
    sent = next((each for each in attempts if each["outcome"] == "sent"), None)
    made = max(each["attempt"] if each else 0 for each in (last_claim, last))
    state: State = "waiting"
    due: datetime | None = row["not_before"]
    if sent:
        state, due, last = "sent", None, sent
    elif row["event"] == HELD:
        state = "held"
    elif last_claim and (last is None or last_claim["attempt"] > last["attempt"]):
        # Whoever has it may be under way, or was killed: nobody knows whether it was sent.
        due = last_claim["lease_until"]
        state = "under_way" if due > now else "waiting"
        if state == "waiting" and made >= len(RETRIES_S):
            state, due = "dead", None
    elif last:
        state, due = _after(row["message_id"], last["outcome"], made, last["attempted_at"], last["retry_at"])
    return Delivery(
        row["message_id"], row["channel"], row["event"], row["incident_id"], Message.from_json(json.loads(row["body"])),
        row["created_at"], row["not_before"], row["round"], made, state, due,
        last["reply"] if last else "", last["error"] if last else "",
    )  # fmt: skip


def _after(
    message: UUID, outcome: str, attempt: int, at: datetime, retry_at: datetime | None
) -> tuple[State, datetime | None]:
    if outcome == "sent":
        return "sent", None
    if outcome == "refused" or attempt >= len(RETRIES_S):
        return "dead", None
    # By the message's id, so that every reader sees the same time.
    jitter = 1 + JITTER * (message.int % 1000) / 1000
    due = at + timedelta(seconds=RETRIES_S[attempt] * jitter)
    return "waiting", max(due, retry_at) if retry_at else due
