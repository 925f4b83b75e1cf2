"""Digests by channel: a day or a week of a theme in five sentences, each with the numbers that it rests on.

What a digest says is in `reports`; here it becomes a message, and is held against what is stored before it is sent.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from typing import Literal
from urllib.parse import quote

from llma_assets.alerts.messages import PAGES_VARIABLE, Message
from llma_assets.alerts.quiet_hours import not_before
from llma_assets.alerts.rule import Rule
from llma_assets.clickhouse import Database
from llma_assets.reports import Digest, NothingToTell, digest_of
from llma_assets.team_day import TeamDay

SUNDAY = 6


def digests_due(
    database: Database, team_day: TeamDay, rules: Sequence[Rule], channels: Collection[str], now: datetime
) -> Iterator[tuple[str, Message, datetime]]:
    """The digests of a day by channel, each with the moment before which it is not sent."""
    for rule in rules:
        names = [each for each in rule.channels if each in channels]
        for message in digests_of(database, team_day, rule) if names else ():
            yield from ((name, message, not_before(rule, now)) for name in names)


def digests_of(database: Database, team_day: TeamDay, rule: Rule) -> Iterator[Message]:
    """The digests that a rule asks for at the end of a day, one a theme: of the day, or on Sundays of the week."""
    if rule.every == "week" and team_day.day.weekday() != SUNDAY:
        return
    for theme_id in rule.themes or ("",):
        message = digest_message(database, team_day.team_id, team_day.day, theme_id, rule.every, rule.rule)
        if message:
            yield message


def digest_message(
    database: Database, team_id: int, until: date, theme_id: str, every: Literal["day", "week"], rule: str
) -> Message | None:
    """The message of a digest as it is stored now; None where there is nothing to tell."""
    days: Literal[1, 7] = 1 if every == "day" else 7
    try:
        digest = digest_of(database, team_id, until=until, theme_id=theme_id or None, days=days)
    except NothingToTell:
        return None
    return _message(digest, every, rule)


def checked(database: Database, message: Message) -> Message | None:
    """A message as it may be sent now: a digest by the numbers that are stored now, any other as it is.

    Returns:
        None for a digest of which nothing is stored any longer.
    """
    if message.event != "digest":
        return message
    every: Literal["day", "week"] = "day" if message.days == 1 else "week"
    until = date.fromisoformat(message.day)
    return digest_message(database, message.team_id, until, message.theme_id, every, message.rule)


def _message(digest: Digest, every: str, rule: str) -> Message:
    base = os.environ.get(PAGES_VARIABLE, "").strip().rstrip("/")
    period = f"{digest.until}" if every == "day" else f"{digest.first_day} to {digest.until}"
    page = (
        f"{base}/teams/{digest.team_id}/week?theme={quote(digest.theme_id)}&date={digest.until}&period={every}"
        if base
        else ""
    )
    return Message(
        event="digest",
        team_id=digest.team_id,
        day=digest.until.isoformat(),
        headline=f"The {every} of team {digest.team_id}, theme {digest.theme_id}: {period}",
        facts=tuple(each.text for each in digest.sentences),
        rule=rule,
        theme_id=digest.theme_id,
        page=page,
        mute_command=f"llma alerts list --team {digest.team_id}",
        numbers=tuple({"topic": each.topic, **each.numbers} for each in digest.sentences),
        days=1 if every == "day" else 7,
    )
