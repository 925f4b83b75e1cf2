"""Times of events: microseconds since 1970, UTC, within bounds. Pure: no clock."""

from datetime import UTC, date, datetime, timedelta

from llma_assets.ingest.errors import LineError, Reason

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
OLDEST_US = (OLDEST - EPOCH) // MICROSECOND


def day_of(timestamp_us: int) -> date:
    """The UTC day of a time in microseconds since 1970."""
    return (EPOCH + timestamp_us * MICROSECOND).date()


def timestamp_us(text: str, latest: datetime) -> int:
    """Microseconds since 1970 of ISO 8601 text, UTC without a zone.

    Raises:
        LineError: it is no time, or out of bounds.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not UTC:
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


def micros(value: object, name: str) -> int:
    """Microseconds since 1970 of ISO 8601 text (UTC without a zone), a datetime, or a Unix time in s, ms, µs or ns.

    Raises:
        LineError: it is none of them.
    """
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise _invalid(name, "invalid_timestamp") from None
    if isinstance(value, datetime):
        try:
            aware = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
            return (aware - EPOCH) // MICROSECOND
        except OverflowError:
            raise _invalid(name, "invalid_timestamp") from None
    if isinstance(value, str):
        value = int(value[:30])
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(name, "wrong_type")
    for limit, a_second in ((1e11, 1), (1e14, 1_000), (1e17, 1_000_000), (1e20, 1_000_000_000)):
        if abs(value) < limit:
            return int(value * 1_000_000 // a_second)
    raise _invalid(name, "timestamp_out_of_range")


def _invalid(name: str, reason: Reason) -> LineError:
    return LineError(reason, f"{name} must be an ISO 8601 date and time, or a Unix time")
