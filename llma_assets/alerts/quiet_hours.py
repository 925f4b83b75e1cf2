"""The hours of the day in which a rule's messages wait."""

from datetime import UTC, datetime, time, timedelta

from llma_assets.alerts.rule import Rule


def not_before(rule: Rule, now: datetime) -> datetime:
    """Now, or the end of the quiet hours that it is in."""
    if not rule.quiet_hours:
        return now
    first, last = map(int, rule.quiet_hours.split("-"))
    quiet = first <= now.hour < last if first <= last else now.hour >= first or now.hour < last
    if not quiet:
        return now
    end = datetime.combine(now.date(), time(last), UTC)
    return end if end > now else end + timedelta(days=1)
