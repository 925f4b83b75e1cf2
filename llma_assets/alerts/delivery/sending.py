"""Sends what is due: claimed, sent, stored. Killed between two of these, a message is sent again and never lost."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from llma_assets.alerts.daily import daily_digest, digest_day
from llma_assets.alerts.delivery.channels import SENDERS
from llma_assets.alerts.delivery.errors import DeliveryError, Gone, Refused
from llma_assets.alerts.delivery.outbox import (
    Delivery,
    Outcome,
    channels_off,
    claim,
    deliveries,
    put,
    record,
    switch_channel,
)
from llma_assets.alerts.delivery.retry_after import seconds_of
from llma_assets.alerts.digests import checked
from llma_assets.alerts.messages import Message
from llma_assets.alerts.rule import Channel
from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.clock import Clock
from llma_assets.isolation import fault_of

log = logging.getLogger(__name__)

DEAD_LETTERS = 3
"""So many dead letters in a row switch a channel off."""

LONGEST_WAIT_S = 86_400.0
"""A provider that wants to be left alone for longer is asked after a day."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a pass over the outbox did.

    Attributes:
        sent, failed, dead: messages.
        waiting: messages that are not due yet, wait for the daily digest, or whose channel is off.
        switched_off: channels.
    """

    sent: int = 0
    failed: int = 0
    dead: int = 0
    waiting: int = 0
    switched_off: tuple[str, ...] = ()


def deliver(database: Database, team_id: int, channels: Mapping[str, Channel], *, clock: Clock) -> Sent:
    """Send what is due, by channel in the order in which it was said; what waits holds up what comes after it.

    A channel that fails does not hold up another.
    """
    found = _with_digests(database, team_id, clock())
    off = channels_off(database, team_id)
    counts = {"sent": 0, "failed": 0, "dead": 0, "waiting": 0}
    switched = []
    for name in dict.fromkeys(each.channel for each in found):
        of_channel = [each for each in found if each.channel == name]
        channel = channels.get(name)
        is_on = channel is not None and channel.enabled and name not in off
        if channel is None or not is_on:
            counts["waiting"] += sum(each.state in ("waiting", "held") for each in of_channel)
            continue
        done, gone = _deliver_channel(database, team_id, channel, of_channel, clock)
        for state in done:
            counts[state] += 1
        dead = [each for each in gone if each]
        if dead:
            switched.append(name)
            _switch_off(database, team_id, name, dead[0], channels, off, clock)
    return Sent(**counts, switched_off=tuple(switched))


def _with_digests(database: Database, team_id: int, now: datetime) -> list[Delivery]:
    """The messages of a team, with the daily digests that are due; one a channel and day, whatever is killed when."""
    found = deliveries(database, team_id, now)
    day = digest_day(now) - timedelta(days=1)
    digests = []
    for name in dict.fromkeys(each.channel for each in found):
        held = [
            each
            for each in found
            if each.channel == name and each.state == "held" and digest_day(each.created_at) <= day
        ]
        if held and all(each.due_at is None or each.due_at <= now for each in held):
            said = [each.message for each in held]
            digests.append((name, daily_digest(team_id, day, said, [str(each.message_id) for each in held]), now))
    put(database, now, digests)
    return deliveries(database, team_id, now) if digests else found


def _deliver_channel(
    database: Database, team_id: int, channel: Channel, found: Sequence[Delivery], clock: Clock
) -> tuple[list[str], list[str]]:
    """Returns what became of each message, and why the channel is to be switched off, if it is."""
    done: list[str] = []
    dead_in_row = 0
    threads = {each.incident_id: each for each in reversed(found) if _opens_thread(each)}
    for at, each in enumerate(found):
        if each.state in ("held", "in_digest"):
            done += ["waiting"] * (each.state == "held")
            continue
        if each.state in ("sent", "dead"):
            dead_in_row = dead_in_row + 1 if each.state == "dead" else 0
            continue
        now = clock()
        if each.state == "under_way" or (each.due_at and each.due_at > now):
            return [*done, *["waiting"] * (len(found) - at)], []
        attempt = claim(database, team_id, each, now)
        if attempt is None:
            return [*done, *["waiting"] * (len(found) - at)], []
        outcome, reply, failure = _send(database, channel, each, threads.get(each.incident_id), clock)
        error, at_end = str(failure) if failure else "", clock()
        wait = seconds_of(failure.retry_after, at_end) if failure else None
        after = record(
            database, team_id, each, attempt, outcome, at=at_end, reply=reply, error=error,
            retry_at=at_end + timedelta(seconds=min(wait, LONGEST_WAIT_S)) if wait else None,
        )  # fmt: skip
        if after.state == "sent":
            done.append("sent")
            dead_in_row = 0
            if _opens_thread(after):
                threads.setdefault(each.incident_id, after)
            continue
        done.append("dead" if after.state == "dead" else "failed")
        log.warning(f"team {team_id}: message {each.message_id} to {channel.channel} was not delivered: {error}")
        dead_in_row += after.state == "dead"
        if isinstance(failure, Gone) or dead_in_row >= DEAD_LETTERS:
            return [*done, *["waiting"] * (len(found) - at - 1)], [error]
        if after.state != "dead":
            return [*done, *["waiting"] * (len(found) - at - 1)], []
    return done, []


def _opens_thread(delivery: Delivery) -> bool:
    """Whether what follows on its incident may refer to it; what is about no incident stands alone."""
    return delivery.state == "sent" and bool(delivery.reply) and delivery.incident_id.int != 0


def _send(
    database: Database, channel: Channel, delivery: Delivery, first: Delivery | None, clock: Clock
) -> tuple[Outcome, str, DeliveryError | None]:
    try:
        # A digest says what is stored at the moment when somebody is told.
        message = checked(database, delivery.message)
        if message is None:
            return "refused", "", Refused("nothing that it says is stored any longer")
        delivery = replace(delivery, message=message)
        return "sent", SENDERS[channel.kind](channel, delivery, first, clock()), None
    except Refused as error:
        return "refused", "", error
    # Of a channel that is gone, too, what was said stays and is sent when it is on again.
    except DeliveryError as error:
        return "failed", "", error
    except DatabaseError:
        raise
    # A message that a sender cannot make must not stop the others; its words may hold an address.
    except Exception as error:
        log.error("a message could not be sent: %s", fault_of(error))
        return "failed", "", DeliveryError(f"unexpected: {type(error).__name__}")


def _switch_off(
    database: Database,
    team_id: int,
    name: str,
    reason: str,
    channels: Mapping[str, Channel],
    off: Mapping[str, str],
    clock: Clock,
) -> None:
    switch_channel(database, team_id, name, off=True, reason=reason)
    now = clock()
    message = Message(
        event="channel_off",
        team_id=team_id,
        day=now.date().isoformat(),
        headline=f"The alert channel {name} of team {team_id} is switched off",
        facts=(f"It does not deliver: {reason}", "Its messages wait."),
        severity=2,
        incident_id="",
        mute_command=f"llma alerts resend --team {team_id} --channel {name}",
    )
    others = [each for each in channels.values() if each.enabled and each.channel != name and each.channel not in off]
    put(database, now, [(each.channel, message, now) for each in others])
