"""The header `Retry-After`."""

from datetime import datetime
from email.utils import parsedate_to_datetime


def seconds_of(retry_after: str, now: datetime) -> float | None:
    """The seconds that the header `Retry-After` says, as a number or as a date; None of anything else.

    >>> now = datetime.fromisoformat("2026-11-23T06:00:00+00:00")
    >>> seconds_of("120", now), seconds_of("Mon, 23 Nov 2026 06:01:00 GMT", now), seconds_of("soon", now)
    (120.0, 60.0, None)
    """
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return max((until - now).total_seconds(), 0.0) if until.tzinfo else None
