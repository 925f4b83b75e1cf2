"""Finds e-mail addresses, IP addresses and telephone numbers. Cards and IBANs belong in `payment_numbers`."""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from llma_assets.privacy.beside import numbers_a_thing
from llma_assets.privacy.spans import Span

EMAIL: Final = "EMAIL"
IP: Final = "IP"
PHONE: Final = "PHONE"

_LOCAL: Final = re.compile(r"[\w.!#$%&*+~'-]+\Z")
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}[^\W\d_][\w-]{1,62}|\[?[0-9]{1,3}(?:\.[0-9]{1,3}){3}\]?")
_ENCODED: Final = re.compile(r"^(?:%[0-9A-Fa-f]{2}|[.'%+*&!#$~-])+")

_AT_SIGNS: Final = ("@", "%40", "%2540", "&#64;", "&#x40;", "&commat;")

_REPEATED: Final = re.compile(r"([^A-Za-z0-9])\1{5,}")  # what `normalise` makes of an escape

_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9]|\.[0-9])")
_IPV6: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{1,4}:|(?<!:)::)(?=[0-9A-Fa-f:])[0-9A-Fa-f:]{1,38}"
    r"(?:[0-9]{0,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})?"
)
_VERSION: Final = re.compile(
    r"(?i)(?:version|ver|\bv|release|build|section|chapter|§|chrome|chromium|safari|firefox|edge?|opr|gecko|webkit"
    r"|browser|==|>=|<=|~=)[\s:=/\"'(]{0,4}\Z"
)
_SPECIAL_ADDRESSES: Final = frozenset(["127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "::"])

_INTERNATIONAL: Final = re.compile(
    r"(?:\+|(?<![0-9A-Za-z.,-])00(?=[1-9]))[ ]?\(?[0-9](?:[ ().\u00a0/-]{0,3}[0-9]){6,14}"
)
_NORTH_AMERICAN: Final = re.compile(
    r"(?:1[ .-](?=[(2-9]))?(?:\([2-9][0-9]{2}\)[ .-]?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-]"
    r"[0-9]{4}(?![0-9A-Za-z]|[-.][0-9])"
)
_NATIONAL: Final = re.compile(
    r"\(?0[0-9]{1,5}\)?[ /.-]{1,2}[0-9]{2,8}(?:[ .-][0-9]{2,8}){0,4}(?![0-9A-Za-z]|[-.:/][0-9])"
)
_NAMED: Final = re.compile(
    r"(?i:phone|mobile|\bcell|whatsapp|\btel\b|\bfax|\bsms|call me|contact number|telefon|handy|téléphone)"
    r"[^0-9+\n]{0,24}?([(]?[0-9](?:[ ().\u00a0/-]{0,2}[0-9]){6,14})(?![0-9A-Za-z])"
)
_PHONE_WORDS: Final = (
    "phone", "mobile", "cell", "whatsapp", "tel", "fax", "sms", "call me", "contact number", "handy", "téléphone",
)  # fmt: skip
_DATE: Final = re.compile(
    r"[0-9]{1,2}[./ -][0-9]{1,2}[./ -](?:19|20)[0-9]{2}(?![0-9])"
    r"|(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2}(?![0-9])"
)
_REGIONS: Final = ("GB", "FR", "DE", "IT", "NL", "BE", "CH", "AT", "AU", "IN", "JP", "SE", "BR")


def find_emails(normalised: str, password_ends: frozenset[int]) -> Iterator[Span]:
    """E-mail addresses, also with `%40`; `password_ends` are positions of `@` that end a password in a URL."""
    for sign in _AT_SIGNS:
        place = normalised.find(sign)
        while place >= 0:
            local = _LOCAL.search(normalised[max(place - 64, 0) : place]) if place not in password_ends else None
            behind = place + len(sign)
            while sign == "@" and normalised.startswith("@", behind) and behind - place < 24:
                behind += 1
            if behind - place in range(2, 6) and sign == "@":  # no escape of JSON is so short
                local = None
            domain = _DOMAIN.match(normalised, behind) if local else None
            if local and domain:
                name = _ENCODED.sub("", local.group())
                # `git@github.com:owner/name` is the address of a repository.
                if name and not (name == "git" and normalised[domain.end() : domain.end() + 1] in {":", "/"}):
                    end = domain.end()
                    yield Span(place - len(name), end, EMAIL, _REPEATED.sub(r"\1", f"{name}@{domain.group()}".lower()))
            place = normalised.find(sign, behind)


def find_numbers(normalised: str) -> Iterator[Span]:
    """IP addresses, then telephone numbers."""
    if not any(digit in normalised for digit in "0123456789"):
        return
    yield from _addresses(normalised)
    yield from _phones(normalised)


def _addresses(normalised: str) -> Iterator[Span]:
    if normalised.count(".") >= 3:
        for found in _IPV4.finditer(normalised):
            if _follows(normalised, found.start(), "."):
                continue
            try:
                address = str(IPv4Address(found.group()))
            except AddressValueError:
                continue
            if (
                address not in _SPECIAL_ADDRESSES
                and _VERSION.search(normalised[max(found.start() - 16, 0) : found.start()]) is None
            ):
                yield Span(found.start(), found.end(), IP, address)
    if normalised.count(":") >= 2:
        for found in _IPV6.finditer(normalised):
            text = found.group().rstrip(":") if not found.group().endswith("::") else found.group()
            if text.count(":") < 7 and "::" not in text:
                continue
            try:
                number = IPv6Address(text)
            except AddressValueError:
                continue
            plausible = text.count(":") >= 5 or re.match(r"(?i)[23][0-9a-f]{3}:|fe[89ab]|f[cdf]|64:ff9b|::ffff:", text)
            if plausible and str(number) not in _SPECIAL_ADDRESSES:
                yield Span(found.start(), found.start() + len(text), IP, str(number))


def _phones(normalised: str) -> Iterator[Span]:
    if "+" in normalised or "00" in normalised:
        for found in _INTERNATIONAL.finditer(normalised):
            if found.group()[0] == "0" and _goes_on(normalised, found.start()):
                continue
            kept = _international(found.group())
            if kept:
                yield Span(found.start(), found.start() + kept[0], PHONE, kept[1])
    for found in _NORTH_AMERICAN.finditer(normalised):
        if not _follows(normalised, found.start(), ".$€£#+-", letters=True):
            yield Span(found.start(), found.end(), PHONE, "+1" + _bare(found.group())[-10:])
    for found in _NATIONAL.finditer(normalised):
        if _follows(normalised, found.start(), ".,$€£#+:/-", letters=True) or _goes_on(normalised, found.start()):
            continue
        digits = _bare(found.group())
        if (
            9 <= len(digits) <= 12
            and not _DATE.match(found.group())
            and _is_national(digits)
            and not _is_of_a_thing(normalised, found.start())
        ):
            yield Span(found.start(), found.end(), PHONE, digits)
    lower = normalised.lower()
    if any(word in lower for word in _PHONE_WORDS):
        for found in _NAMED.finditer(normalised):
            if not _DATE.match(found.group(1)):
                digits = _bare(found.group(1))
                yield Span(found.start(1), found.end(1), PHONE, f"+1{digits}" if _is_american(digits) else digits)


def _is_of_a_thing(normalised: str, start: int) -> bool:
    """Whether the words before a number say that it is of an order or a parcel."""
    head = normalised[max(start - 32, 0) : start].lower()
    return numbers_a_thing(head, len(head))


def _follows(normalised: str, start: int, signs: str, *, letters: bool = False) -> bool:
    """Whether the character before `start` is a digit, one of `signs` or, with `letters`, an ASCII letter.

    Checked after a match, because a pattern that begins with a lookbehind is several times slower.
    """
    if start == 0:
        return False
    before = normalised[start - 1]
    return before in "0123456789" or before in signs or (letters and before.isascii() and before.isalpha())


def _goes_on(normalised: str, start: int) -> bool:
    """Whether a group of digits precedes `start`, so that the match is part of a longer number."""
    return start > 1 and normalised[start - 1] in " .-" and normalised[start - 2] in "0123456789"


def _bare(text: str) -> str:
    return "".join(c for c in text if c in "0123456789")


def _is_american(digits: str) -> bool:
    return len(digits) == 10 and digits[0] in "23456789"


@lru_cache(maxsize=4_096)
def _international(text: str) -> tuple[int, str] | None:
    """Length of the longest beginning of `text` that is a possible number, and that number; None for none."""
    import phonenumbers

    bare = _bare(text)
    cuts = [len(text), *(g.start() for g in reversed(list(re.finditer(r"(?<=[0-9])[^0-9]+[0-9]+", text))))]
    for cut in cuts:
        digits = _bare(text[:cut])
        number_text = "+" + (digits[2:] if text.startswith("00") else digits)
        if len(digits) < 8:
            break
        try:
            number = phonenumbers.parse(number_text)
        except phonenumbers.NumberParseException:
            return None
        if phonenumbers.is_possible_number(number):
            return cut, f"+{number.country_code}{number.national_number}"
    return (len(text), f"+{bare}") if len(bare) >= 10 and not text.startswith("00") else None


@lru_cache(maxsize=4_096)
def _is_national(digits: str) -> bool:
    import phonenumbers

    for region in _REGIONS:
        try:
            if phonenumbers.is_valid_number_for_region(phonenumbers.parse(digits, region), region):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
