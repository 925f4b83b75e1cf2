"""Whether a word beside a value names it: `my SSN is 078 05 1120`, `"passport_no": "C01X00T47"`."""

import re
from typing import Final

_BEFORE: Final = 48
_AFTER: Final = 28
_WIDE: Final = 80

_SMALL: Final = {
    "is", "was", "are", "were", "number", "numbers", "no", "nr", "num", "nummer", "numero", "número", "n",
    "code", "id", "my", "the", "of", "for", "has", "and", "it", "its", "to", "on", "be", "as", "new", "old",
    "value", "called", "says", "reads", "follows", "mine", "hers", "his", "her", "card", "security", "social",
    "service", "insurance", "tax", "document", "identity", "ist", "lautet", "es", "est", "é", "è", "il", "mio",
    "mi", "usa", "us", "uk", "date", "birth", "account", "sent", "enter", "use", "type", "one", "time",
    "password", "passcode", "here", "verification", "login", "s", "this", "that", "your", "their", "our",
    "customer", "user", "holder", "patient", "a", "an", "valid", "current", "given", "text", "name", "address",
    "wallet", "btc", "bitcoin", "payment", "pay", "please", "der", "die", "das", "meine", "mein", "mijn", "meu",
    "minha", "mon", "ma", "del", "della", "do", "da", "de", "la", "le", "el", "u", "ssn", "nin", "in", "string",
    "field", "line", "data", "eq", "pin", "otp", "passport", "from",
}  # fmt: skip
"""Words that may stand between a name and its value."""

_WORD: Final = re.compile(r"[^\W\d_]+")
_DIGIT: Final = re.compile(r"[0-9]")
_SENTENCE: Final = re.compile(r"[!?;]|\n\s{0,8}\n")


def is_named(lower: str, start: int, end: int, words: re.Pattern[str]) -> bool:
    """Whether one of `words` stands directly before the value, or directly behind it (`… is my SSN`)."""
    window = lower[max(start - _BEFORE, 0) : start]
    last = None
    for found in words.finditer(window):
        last = found
    if last is not None and _connects(window[last.end() :]):
        return True
    behind = lower[end : end + _AFTER]
    first = words.search(behind)
    return first is not None and _connects(behind[: first.start()])


def _connects(between: str) -> bool:
    """Whether nothing but small words and signs stands between a name and its value."""
    if len(between) > 1 and (_DIGIT.search(between) or _SENTENCE.search(between)):
        return False
    return all(word in _SMALL for word in _WORD.findall(between))


def is_beside(lower: str, start: int, end: int, words: re.Pattern[str]) -> bool:
    """Whether one of `words` is near the value, whatever stands between."""
    return words.search(lower[max(start - _WIDE, 0) : end + _AFTER]) is not None


_THING: Final = re.compile(
    r"(?:^|[^a-z])(?:order|invoice|part|sku|ticket|case|tracking|parcel|shipment|version|build|ref|reference|serial|model"
    r"|isbn|article|item|batch|lot)\W{0,3}(?:[a-z]{1,10}\W{1,3}){0,2}\Z"
)


def numbers_a_thing(lower: str, start: int) -> bool:
    """Whether the words before a number say that it is of an order, a part, a version, and not of a person."""
    return _THING.search(lower[max(start - 32, 0) : start]) is not None
