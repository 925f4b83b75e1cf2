"""From which day to which something is shown, and what is wrong with days that somebody asks for."""

from datetime import date, timedelta

from llma_assets.web.problems import InvalidInput

MOST_DAYS = 26 * 7


def wrong_days(first_day: date | None, last_day: date | None) -> str:
    """What is wrong with the days, and what would be right; "" for nothing.

    >>> wrong_days(date(2026, 11, 8), date(2026, 11, 7))
    'the first day, 2026-11-08, must not be after the last, 2026-11-07'
    """
    if first_day is None or last_day is None:
        return ""
    if first_day > last_day:
        return f"the first day, {first_day}, must not be after the last, {last_day}"
    if (last_day - first_day).days >= MOST_DAYS:
        earliest = last_day - timedelta(days=MOST_DAYS - 1)
        return f"at most {MOST_DAYS // 7} weeks can be shown; begin on {earliest} or later"
    return ""


def check_days(first_day: date | None, last_day: date | None) -> None:
    """
    Raises:
        InvalidInput: something is wrong with them.
    """
    if problem := wrong_days(first_day, last_day):
        raise InvalidInput(problem, field="from")
