"""The daily digest of a channel: what was not told at once, in one message. Those of themes are in `digests.py`."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from llma_assets.alerts.messages import Message, together
from llma_assets.alerts.quiet_hours import not_before
from llma_assets.alerts.rule import Rule

DIGEST_HOUR = 8
"""The hour of the day, UTC, at which the digest is sent: what opened in the night is read in the morning."""


def digest_day(now: datetime) -> date:
    """The day whose digest a moment belongs to: it ends at `DIGEST_HOUR` of the next.

    >>> digest_day(datetime(2026, 11, 22, 7, 59, tzinfo=UTC)), digest_day(datetime(2026, 11, 22, 8, tzinfo=UTC))
    (datetime.date(2026, 11, 21), datetime.date(2026, 11, 22))
    """
    return (now - timedelta(hours=DIGEST_HOUR)).date()


def sent_at(rule: Rule, now: datetime) -> datetime:
    """When the digest is sent that a moment belongs to, after the quiet hours of a rule."""
    end = datetime.combine(digest_day(now) + timedelta(days=1), time(DIGEST_HOUR), UTC)
    return not_before(rule, end)


def daily_digest(team_id: int, day: date, held: Sequence[Message], ids: Collection[str]) -> Message:
    """What was held back on a day, as one message; the worst first.

    Args:
        held: messages that wait for it.
        ids: theirs in the outbox.
    """
    ordered = sorted(held, key=lambda each: (each.event == "closed", -each.severity, each.headline))
    message = together(ordered)
    headline = (
        f"The other alerts of team {team_id} up to {day + timedelta(days=1)} {DIGEST_HOUR:02}:00 UTC: {len(held)}"
    )
    return replace(message, event="daily", day=day.isoformat(), headline=headline, incident_id="", parts=tuple(ids))
