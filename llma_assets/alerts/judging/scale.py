"""What a bucket is, and how many of them the rules of judging mean: days, or hours of themes that run hourly."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Scale:
    """Numbers of buckets.

    Attributes:
        bucket: how long one is.
        name: in words.
        week: buckets of a week: each is compared with those of the same weekday, and of the same hour.
        long: the long window; the short one is a single bucket.
        longest: an incident closes after so many, whatever is.
        silent: what lasts is not told again until so many after it opened; not while a cluster is new.
        day: buckets of a day.
        window: the long window in words.
    """

    bucket: timedelta
    name: str
    week: int
    long: int
    longest: int
    silent: int
    day: int
    window: str


DAYS = Scale(timedelta(days=1), "day", week=7, long=3, longest=14, silent=28, day=1, window="three days")
HOURS = Scale(timedelta(hours=1), "hour", week=7 * 24, long=6, longest=72, silent=8 * 24, day=24, window="six hours")
