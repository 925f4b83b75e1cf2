"""Finds e-mail and IP addresses, cards, accounts and telephone numbers, each proved by its checksum or its rules."""

import re
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from llma_assets.privacy.spans import Span

EMAIL: Final = "EMAIL"
CARD: Final = "CARD"
IBAN: Final = "IBAN"
IP: Final = "IP"
PHONE: Final = "PHONE"

_LOCAL: Final = re.compile(r"[\w.!#$%&*+~'-]+\Z")
_DOMAIN: Final = re.compile(r"(?:[^\W_](?:[\w-]{0,62})\.){1,8}[^\W\d_][\w-]{1,62}|\[?[0-9]{1,3}(?:\.[0-9]{1,3}){3}\]?")
_ENCODED: Final = re.compile(r"^(?:%[0-9A-Fa-f]{2}|[.'%+*&!#$~-])+")

_AT_SIGNS: Final = ("@", "%40", "%2540", "&#64;", "&#x40;", "&commat;")

_REPEATED: Final = re.compile(r"([^A-Za-z0-9])\1{5,}")  # what `shadow_of` makes of an escape

_DIGITS: Final = re.compile(r"[0-9]{2,32}(?:[ \t\n\u00a0.-]{1,2}[0-9]{1,19}){0,24}")
_GROUP: Final = re.compile(r"[0-9]+")
_CARD_GROUPS: Final = frozenset(
    tuple(map(int, sizes))
    for sizes in [
        "4444",
        "465",
        "464",
        "44443",
        "44442",
        "44441",
        "4441",
        "4442",
        "4443",
        "4445",
        "4446",
        "4447",
        "4333",
        "88",
        "445",
        "456",
    ]
)
"""Sizes of the groups in which cards are written."""

_TOKEN: Final = re.compile(r"[0-9A-Za-z]+")

_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9]|\.[0-9])")
_IPV6: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{1,4}:|(?<!:)::)(?=[0-9A-Fa-f:])[0-9A-Fa-f:]{1,38}"
    r"(?:[0-9]{0,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})?"
)
_VERSION: Final = re.compile(
    r"(?i)(?:version|ver|\bv|release|build|section|chapter|§|chrome|chromium|safari|firefox|edge?|opr|gecko|webkit"
    r"|browser|==|>=|<=|~=)[\s:=/\"'(]{0,4}\Z"
)
_NOBODY: Final = frozenset(["127.0.0.1", "0.0.0.0", "255.255.255.255", "::1", "::"])

# Lengths by country, from the registry of ISO 13616.
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FO FI GL NL SD FK", 19: "MK SI", 20: "AT BA EE KZ XK LT LU MN",
        21: "CR LV LI HR CH", 22: "BH BG DE GE IE ME RS GB VA", 23: "AE TL IL IQ GI OM SO",
        24: "AD CZ MD PK RO SA SK ES SE TN VG DZ", 25: "PT ST LY", 26: "IS TR", 27: "FR GR IT MC SM MR BI DJ",
        28: "AL AZ CY DO GT HU LB PL BY SV NI SN HN", 29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip
_IBAN_HEAD: Final = re.compile(r"[A-Za-z]{2}[0-9]{2}(?=[ -]?[0-9A-Za-z]{2})")
_IBAN_BODY: Final = re.compile(r"(?:[ \u00a0-]?[0-9A-Za-z]){11,36}")

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


def find_emails(shadow: str, taken: frozenset[int]) -> Iterator[Span]:
    """E-mail addresses, also with `%40`; `taken` are places of `@` that end a password in a URL."""
    for sign in _AT_SIGNS:
        place = shadow.find(sign)
        while place >= 0:
            local = _LOCAL.search(shadow[max(place - 64, 0) : place]) if place not in taken else None
            behind = place + len(sign)
            while sign == "@" and shadow.startswith("@", behind) and behind - place < 24:
                behind += 1
            if behind - place in range(2, 6) and sign == "@":  # no escape of JSON is so short
                local = None
            domain = _DOMAIN.match(shadow, behind) if local else None
            if local and domain:
                name = _ENCODED.sub("", local.group())
                if name:
                    end = domain.end()
                    yield Span(place - len(name), end, EMAIL, _REPEATED.sub(r"\1", f"{name}@{domain.group()}".lower()))
            place = shadow.find(sign, behind)


def find_numbers(shadow: str) -> Iterator[Span]:
    """Cards, accounts, IP addresses and telephone numbers, the most certain first."""
    if not any(digit in shadow for digit in "0123456789"):
        return
    yield from _ibans(shadow)
    yield from _cards(shadow)
    yield from _addresses(shadow)
    yield from _phones(shadow)


def _cards(shadow: str) -> Iterator[Span]:
    for run in _DIGITS.finditer(shadow):
        if run.end() - run.start() < 13:
            continue
        groups = [(run.start() + g.start(), run.start() + g.end()) for g in _GROUP.finditer(run.group())]
        first = 0
        while first < len(groups):
            last = _card_from(shadow, groups, first)
            if last >= 0 and not _in_hash(shadow, groups[first][0], groups[last][1]):
                start, end = groups[first][0], groups[last][1]
                yield Span(start, end, CARD, "".join(_GROUP.findall(shadow[start:end])))
                first = last
            first += 1


def _card_from(shadow: str, groups: list[tuple[int, int]], first: int) -> int:
    """The last group of a card that begins with group `first`, or -1."""
    sizes: tuple[int, ...] = ()
    digits, best = "", -1
    for index in range(first, min(first + 5, len(groups))):
        digits += shadow[groups[index][0] : groups[index][1]]
        sizes = (*sizes, groups[index][1] - groups[index][0])
        if len(digits) > 19:
            break
        if (len(sizes) == 1 or sizes in _CARD_GROUPS) and _is_card(digits):
            best = index
    return best


def _is_card(digits: str) -> bool:
    """Whether issuer, length and Luhn's checksum are those of a payment card."""
    size, two, four = len(digits), int(digits[:2]), int(digits[:4])
    issued = (
        (digits[0] == "4" and size in {13, 16, 19})
        or (size == 16 and (51 <= two <= 55 or 2221 <= four <= 2720))
        or (size == 15 and two in {34, 37})
        or (size in {14, 16, 19} and (two in {36, 38, 39} or 3000 <= four <= 3059))
        or (16 <= size <= 19 and (two in {62, 65} or four == 6011 or 6440 <= four <= 6499 or 3528 <= four <= 3589))
        or (size in {16, 18, 19} and (two in {50, 56, 57, 58} or four in {6304, 6759, 6761, 6762, 6763}))
    )
    if not issued or len(set(digits)) < 2:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (1 + place % 2)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _in_hash(shadow: str, start: int, end: int) -> bool:
    """Whether digits are a part of a longer word of letters and digits, such as a checksum."""
    before, after = shadow[max(start - 40, 0) : start][::-1], shadow[end : end + 40]
    left, right = _TOKEN.match(before), _TOKEN.match(after)
    around = (left.end() if left else 0) + (right.end() if right else 0)
    return around > 0 and around + end - start >= 24


def _ibans(shadow: str) -> Iterator[Span]:
    behind = 0
    for head in _IBAN_HEAD.finditer(shadow):
        length = _IBAN_LENGTHS.get(head.group()[:2].upper())
        start = head.start()
        if length is None or start < behind:
            continue
        if start and shadow[start - 1].isalnum() and shadow[max(start - 4, 0) : start].upper() != "IBAN":
            continue
        body = _IBAN_BODY.match(shadow, head.end())
        if body is None:
            continue
        places = [head.end() + place for place, c in enumerate(body.group()) if c.isalnum()]
        if len(places) < length - 4:
            continue
        end = places[length - 5] + 1
        if end < len(shadow) and shadow[end].isascii() and shadow[end].isalnum():
            continue
        value = head.group().upper() + "".join(shadow[place] for place in places[: length - 4]).upper()
        if int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1:
            behind = end
            yield Span(start, end, IBAN, value)


def _addresses(shadow: str) -> Iterator[Span]:
    if shadow.count(".") >= 3:
        for found in _IPV4.finditer(shadow):
            if _follows(shadow, found.start(), "."):
                continue
            try:
                address = str(IPv4Address(found.group()))
            except AddressValueError:
                continue
            if address not in _NOBODY and _VERSION.search(shadow[max(found.start() - 16, 0) : found.start()]) is None:
                yield Span(found.start(), found.end(), IP, address)
    if shadow.count(":") >= 2:
        for found in _IPV6.finditer(shadow):
            text = found.group().rstrip(":") if not found.group().endswith("::") else found.group()
            if text.count(":") < 7 and "::" not in text:
                continue
            try:
                number = IPv6Address(text)
            except AddressValueError:
                continue
            plausible = text.count(":") >= 5 or re.match(r"(?i)[23][0-9a-f]{3}:|fe[89ab]|f[cdf]|64:ff9b|::ffff:", text)
            if plausible and str(number) not in _NOBODY:
                yield Span(found.start(), found.start() + len(text), IP, str(number))


def _phones(shadow: str) -> Iterator[Span]:
    if "+" in shadow or "00" in shadow:
        for found in _INTERNATIONAL.finditer(shadow):
            if found.group()[0] == "0" and _goes_on(shadow, found.start()):
                continue
            kept = _international(found.group())
            if kept:
                yield Span(found.start(), found.start() + kept[0], PHONE, kept[1])
    for found in _NORTH_AMERICAN.finditer(shadow):
        if not _follows(shadow, found.start(), ".$€£#+-", letters=True):
            yield Span(found.start(), found.end(), PHONE, "+1" + _bare(found.group())[-10:])
    for found in _NATIONAL.finditer(shadow):
        if _follows(shadow, found.start(), ".,$€£#+:/-", letters=True) or _goes_on(shadow, found.start()):
            continue
        digits = _bare(found.group())
        if 9 <= len(digits) <= 12 and not _DATE.match(found.group()) and _is_national(digits):
            yield Span(found.start(), found.end(), PHONE, digits)
    lower = shadow.lower()
    if any(word in lower for word in _PHONE_WORDS):
        for found in _NAMED.finditer(shadow):
            if not _DATE.match(found.group(1)):
                digits = _bare(found.group(1))
                yield Span(found.start(1), found.end(1), PHONE, f"+1{digits}" if _is_american(digits) else digits)


def _follows(shadow: str, start: int, signs: str, *, letters: bool = False) -> bool:
    """Whether what begins at `start` goes on from a digit, one of `signs`, or, if asked, an ASCII letter.

    Looked at behind a match, because a pattern that begins with a look behind is searched for several times slower.
    """
    if start == 0:
        return False
    before = shadow[start - 1]
    return before in "0123456789" or before in signs or (letters and before.isascii() and before.isalpha())


def _goes_on(shadow: str, start: int) -> bool:
    """Whether a group of digits stands just before, so that what begins here is a part of something longer."""
    return start > 1 and shadow[start - 1] in " .-" and shadow[start - 2] in "0123456789"


def _bare(text: str) -> str:
    return "".join(c for c in text if c in "0123456789")


def _is_american(digits: str) -> bool:
    return len(digits) == 10 and digits[0] in "23456789"


@lru_cache(maxsize=4_096)
def _international(text: str) -> tuple[int, str] | None:
    """How much of `text` is a possible number, and that number; a following number of its own is no part of it."""
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
