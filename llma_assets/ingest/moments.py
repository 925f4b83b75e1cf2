"""Times of events: microseconds since 1970, UTC, within bounds. Pure: no clock."""

from datetime import UTC, date, datetime, timedelta

from llma_assets.ingest.errors import LineError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
OLDEST_US = (OLDEST - EPOCH) // MICROSECOND


def day_of(timestamp_us: int) -> date:
    """The UTC day of a time in microseconds since 1970."""
    return (EPOCH + timestamp_us * MICROSECOND).date()


def timestamp_us(value: str | datetime, latest: datetime) -> int:
    """Microseconds since 1970 of ISO 8601 text or a datetime, UTC without a zone.

    Raises:
        LineError: it is no time, or out of bounds.
    """
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LineError("invalid_timestamp", "timestamp must be an ISO 8601 date and time") from None
    if not OLDEST <= moment <= latest:
        raise _out_of_range(moment.isoformat(), latest)
    return (moment - EPOCH) // MICROSECOND


def check_time(time_us: int, latest: datetime) -> None:
    """Raise unless a time in microseconds since 1970 is one that an event may have.

    Raises:
        LineError: it is before 2000 or after `latest`.
    """
    if not OLDEST_US <= time_us <= (latest - EPOCH) // MICROSECOND:
        try:
            shown = (EPOCH + time_us * MICROSECOND).isoformat()
        except OverflowError:
            shown = f"{time_us} µs since 1970"
        raise _out_of_range(shown, latest)


def _out_of_range(shown: str, latest: datetime) -> LineError:
    allowed = f"{OLDEST:%Y-%m-%d} to {latest:%Y-%m-%d %H:%M} UTC"
    return LineError("timestamp_out_of_range", f"timestamp must be within {allowed}, not {shown}")
