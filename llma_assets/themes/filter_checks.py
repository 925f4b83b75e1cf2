"""Which filters are sound: what each operator takes, how much of it, and where in a pattern the mistake is.

What a filter means belongs in `filter_sql.py`. It is checked when it is saved, so that no query fails by it later.
"""

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from llma_assets.themes.filter import Filter, FilterValue, Operator, Scalar

MOST_FILTERS = 150
MOST_KEY_CHARS = 400
MOST_KEY_PARTS = 8
MOST_KEY_BYTES = 30_000
"""Of all keys together, in UTF-8. ClickHouse takes no parameter above 128 KiB, and escapes have their length, too."""

MOST_VALUES = 200
MOST_VALUE_CHARS = 1_000
MOST_VALUE_BYTES = 16_000
"""Of all values of a filter together, in UTF-8."""

LARGEST_NUMBER = 2**53
"""Up to here a double holds every whole number."""

COLUMNS = ("event", "distinct_id", "timestamp")
"""Keys that are no properties: the event's own name, its user, its time."""

DATES: tuple[Operator, ...] = ("date_exact", "date_before", "date_after")
_PATTERN_MEMORY = 1 << 20  # ClickHouse allows more, so that what is accepted here is never too large there
_DATE_FORM = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?")
_NUMBER_FORM = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_PARENTHESES = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\[:\w+:\]|\\.|[^\]\\])*\]|[()]", re.DOTALL)


class FilterError(ValueError):
    """A filter cannot be used.

    Attributes:
        field: `key`, `operator`, `value`, or with its place `value[2]`; "" where filters are too many.
        problem: what is wrong and what would be right.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


def check_filters(filters: Sequence[Filter]) -> None:
    """Check filters that hold together: each alone, and that they are not too many or too large.

    Raises:
        FilterError: `field` begins with the filter's place, `[0].value`.
    """
    if len(filters) > MOST_FILTERS:
        raise FilterError("", f"{len(filters)} filters; at most {MOST_FILTERS} can hold together")
    for place, each in enumerate(filters):
        try:
            check_filter(each)
        except FilterError as error:
            raise FilterError(f"[{place}].{error.field}", error.problem) from None
    size = sum(len(key.encode()) for key in {each.key for each in filters})
    if size > MOST_KEY_BYTES:
        raise FilterError("", f"the keys have {size:,} bytes together; at most {MOST_KEY_BYTES:,} can be asked for")


def check_filter(filter: Filter) -> None:
    """Check one filter.

    Raises:
        FilterError: names the field and says what would be right.
    """
    _check_key(filter.key)
    operator, value = filter.operator, filter.value
    if operator not in get_args(Operator):
        raise FilterError("operator", f"{operator!r} is not one of {', '.join(get_args(Operator))}")
    if filter.key == "timestamp" and operator not in DATES:
        raise FilterError("operator", f"the time of an event takes one of {', '.join(DATES)}")
    if operator in ("is_set", "is_not_set"):
        if value is not None:
            raise FilterError("value", f"{operator} takes none; leave it out")
        return
    if value is None:
        raise FilterError("value", f"{operator} needs one; for records without the property there is is_not_set")
    _check_shape(operator, value)
    check = _CHECKS.get(operator, _check_plain)
    for place, each in enumerate(values_of(filter)):
        field = f"value[{place}]" if isinstance(value, tuple) else "value"
        _check_size(field, each)
        check(field, operator, each)
    size = sum(len(str(each).encode()) for each in values_of(filter))
    if size > MOST_VALUE_BYTES:
        raise FilterError("value", f"has {size:,} bytes; at most {MOST_VALUE_BYTES:,} are allowed")
    if operator == "between":
        low, high = map(float, values_of(filter))
        if low > high:
            raise FilterError("value", f"the first number is the smaller one: [{high:g}, {low:g}]")


def values_of(filter: Filter) -> tuple[Scalar, ...]:
    """The values as a tuple: of one for a single value, empty for none."""
    if filter.value is None:
        return ()
    return filter.value if isinstance(filter.value, tuple) else (filter.value,)


def text_of(value: Scalar) -> str:
    """A value as text is compared with it: numbers and truth values as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value)


def span_of(value: str) -> tuple[datetime, datetime]:
    """The time that a checked date stands for, its end not included: the whole day, minute, second or microsecond."""
    moment = datetime.fromisoformat(value)
    if "." in value:
        length = timedelta(microseconds=1)
    else:
        length = {10: timedelta(days=1), 16: timedelta(minutes=1)}.get(len(_local(value)), timedelta(seconds=1))
    start = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return start, start + length


def _local(value: str) -> str:
    """A date without its zone."""
    return re.sub(r"(?<=:\d\d)(?:Z|[+-]\d\d:\d\d)$", "", value)


def _check_key(key: object) -> None:
    if not isinstance(key, str) or not key:
        raise FilterError("key", "must be the name of an event property, such as $ai_span_name")
    if len(key) > MOST_KEY_CHARS:
        raise FilterError("key", f"has {len(key):,} characters; at most {MOST_KEY_CHARS} are allowed")
    if key.count(".") >= MOST_KEY_PARTS:
        raise FilterError("key", f"at most {MOST_KEY_PARTS} names can be joined by dots")
    _check_encodable("key", key)


def _check_shape(operator: str, value: FilterValue) -> None:
    is_list = isinstance(value, tuple)
    if operator in ("in", "not_in") and not is_list:
        raise FilterError("value", f"{operator} takes a list; for a single value there is exact or is_not")
    if operator == "between" and not (isinstance(value, tuple) and len(value) == 2):
        raise FilterError("value", "between takes two numbers, the smaller one first; both belong to it")
    if is_list and operator in ("gt", "gte", "lt", "lte", *DATES):
        raise FilterError("value", f"{operator} takes a single value")
    if isinstance(value, tuple) and not 0 < len(value) <= MOST_VALUES:
        raise FilterError("value", f"must be a list of 1 to {MOST_VALUES} values; this has {len(value):,}")


def _check_size(field: str, value: object) -> None:
    if isinstance(value, str):
        if len(value) > MOST_VALUE_CHARS:
            raise FilterError(field, f"has {len(value):,} characters; at most {MOST_VALUE_CHARS:,} are allowed")
        if "\0" in value:
            raise FilterError(field, "holds the character U+0000, which no text may hold; leave it out")
        _check_encodable(field, value)
    elif not isinstance(value, bool | int | float):
        raise FilterError(field, f"must be a text, a number, true or false, not {type(value).__name__}")
    elif not math.isfinite(value):
        raise FilterError(field, f"must be a finite number, not {value}")
    elif isinstance(value, int) and abs(value) > LARGEST_NUMBER:
        raise FilterError(field, f"numbers above {LARGEST_NUMBER:,} are compared as texts; put it in quotes")


def _check_encodable(field: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError(field, f"character {error.start + 1} is half of a surrogate pair; leave it out") from None


def _check_plain(field: str, operator: str, value: object) -> None:
    """`exact`, `is_not`, `in` and `not_in` take anything."""


def _check_part(field: str, operator: str, value: object) -> None:
    if value == "":
        raise FilterError(field, f"{operator} needs at least one character; for records with the property use is_set")
    if isinstance(value, float) and "e" in repr(value):
        raise FilterError(field, f"{value} can be written in several ways; put the one that is meant in quotes")


def _check_number(field: str, operator: str, value: object) -> None:
    if isinstance(value, bool) or (isinstance(value, str) and not _NUMBER_FORM.fullmatch(value.strip())):
        hint = "; for dates there are date_before and date_after" if _DATE_FORM.match(str(value)) else ""
        raise FilterError(field, f"{operator} needs a number, not {value!r}{hint}")
    if not math.isfinite(float(value)):  # type: ignore[arg-type]
        raise FilterError(field, f"{value} is too large for a number")


def _check_date(field: str, operator: str, value: object) -> None:
    right = "a day like 2026-01-31 or a time like 2026-01-31T09:30:00Z (UTC unless it says otherwise)"
    if not isinstance(value, str) or not _DATE_FORM.fullmatch(value):
        raise FilterError(field, f"{operator} needs {right}, not {value!r}")
    try:
        start, _ = span_of(value)
    except (ValueError, OverflowError) as error:
        raise FilterError(field, f"{value!r} is not a date: {error}") from None
    if not 1970 <= start.year < 2200:
        raise FilterError(field, "only the years from 1970 to 2199 can be compared")


def _check_regex(field: str, operator: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise FilterError(field, f"{operator} needs a pattern in RE2's syntax, as a text that is not empty")
    problem = pattern_problem(value)
    if problem is not None:
        raise FilterError(field, problem)


_CHECKS: dict[str, Callable[[str, str, object], None]] = {
    **dict.fromkeys(("icontains", "not_icontains"), _check_part),
    **dict.fromkeys(("regex", "not_regex"), _check_regex),
    **dict.fromkeys(("gt", "gte", "lt", "lte", "between"), _check_number),
    **dict.fromkeys(DATES, _check_date),
}


def pattern_problem(pattern: str) -> str | None:
    """What RE2 has against a pattern, with the place counted from 1; None if it can be used.

    >>> pattern_problem("refund|(cancel")
    "character 8, at '(cancel': missing ) (RE2 syntax)"
    >>> pattern_problem("ok+") is None
    True
    """
    reason = _refusal(pattern)
    if reason is None:
        return None
    what, _, part = reason.partition(": ")
    place = _place(pattern, what, part, reason)
    if place is None:
        return f"{reason} (RE2 syntax)"
    shown = part if part and pattern.startswith(part, place) else pattern[place:]
    hint = "; RE2 looks neither ahead nor behind" if part.startswith(("(?=", "(?!", "(?<")) else ""
    return f"character {place + 1}, at {shown[:20]!r}: {what} (RE2 syntax{hint})"


def _refusal(pattern: str) -> str | None:
    import re2

    options: Any = re2.Options()
    options.log_errors = False
    options.dot_nl = True  # as ClickHouse has it
    options.max_mem = _PATTERN_MEMORY
    try:
        re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not understood"
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return None


def _place(pattern: str, what: str, part: str, reason: str) -> int | None:
    """Index of the part that RE2 complains about, which it names but does not place."""
    if what in ("missing )", "unexpected )"):
        opened: list[int] = []
        for match in _PARENTHESES.finditer(pattern):
            if match.group() == "(":
                opened.append(match.start())
            elif match.group() == ")":
                if not opened:
                    return match.start()
                opened.pop()
        return opened[-1] if opened else None
    if not part:
        return len(pattern) - 1 if what.startswith("trailing") else None
    # RE2 reads from the left: the right place is the first up to which the pattern is refused for the same reason.
    places = [match.start() for match in re.finditer(f"(?={re.escape(part)})", pattern)]
    return next((at for at in places if _refusal(pattern[: at + len(part)]) == reason), places[0] if places else None)
