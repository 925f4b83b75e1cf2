"""Finds payment cards, IBANs and Bitcoin addresses, confirmed by checksums. Other numbers belong in `contacts`."""

import hashlib
import re
from collections.abc import Iterator
from typing import Final

from llma_assets.privacy.spans import Span

CARD: Final = "CARD"
IBAN: Final = "IBAN"
BITCOIN: Final = "BITCOIN"

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
"""Sizes of the digit groups in which cards are written."""

_TOKEN: Final = re.compile(r"[0-9A-Za-z]+")

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
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_OLD_ADDRESS: Final = re.compile(r"(?<![0-9A-Za-z])[13][1-9A-HJ-NP-Za-km-z]{25,34}(?![0-9A-Za-z])")
_NEW_ADDRESS: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:bc1q(?:[02-9ac-hj-np-z]{58}|[02-9ac-hj-np-z]{38})|bc1p[02-9ac-hj-np-z]{58}"
    r"|BC1Q(?:[02-9AC-HJ-NP-Z]{58}|[02-9AC-HJ-NP-Z]{38})|BC1P[02-9AC-HJ-NP-Z]{58})(?![0-9A-Za-z])"
)
_IBAN_HEAD: Final = re.compile(r"[A-Za-z]{2}[0-9]{2}(?=[ -]?[0-9A-Za-z]{2})")
_IBAN_BODY: Final = re.compile(r"(?:[ \u00a0-]?[0-9A-Za-z]){11,36}")


def find_payment_numbers(normalised: str) -> Iterator[Span]:
    """IBANs, then payment cards."""
    if any(digit in normalised for digit in "0123456789"):
        yield from _ibans(normalised)
        yield from _cards(normalised)


def find_wallets(normalised: str) -> Iterator[Span]:
    """Bitcoin addresses: of the old kinds those with a valid checksum, of the newer ones those of a valid length."""
    for found in _OLD_ADDRESS.finditer(normalised):
        if _is_base58(found.group()):
            yield Span(found.start(), found.end(), BITCOIN, found.group())
    for found in _NEW_ADDRESS.finditer(normalised):
        yield Span(found.start(), found.end(), BITCOIN, found.group().lower())


def _is_base58(address: str) -> bool:
    number = 0
    for sign in address:
        number = number * 58 + _BASE58.index(sign)
    data = number.to_bytes(25, "big") if number < 1 << 200 else b""
    checksum = hashlib.sha256(hashlib.sha256(data[:21]).digest()).digest()[:4]
    return len(data) == 25 and data[0] in {0, 5} and checksum == data[21:]


def _cards(normalised: str) -> Iterator[Span]:
    for run in _DIGITS.finditer(normalised):
        if run.end() - run.start() < 13:
            continue
        groups = [(run.start() + g.start(), run.start() + g.end()) for g in _GROUP.finditer(run.group())]
        first = 0
        while first < len(groups):
            last = _card_from(normalised, groups, first)
            if last >= 0 and not _in_hash(normalised, groups[first][0], groups[last][1]):
                start, end = groups[first][0], groups[last][1]
                yield Span(start, end, CARD, "".join(_GROUP.findall(normalised[start:end])))
                first = last
            first += 1


def _card_from(normalised: str, groups: list[tuple[int, int]], first: int) -> int:
    """Index of the last group of a card number that begins with group `first`, or -1."""
    sizes: tuple[int, ...] = ()
    digits, best = "", -1
    for index in range(first, min(first + 5, len(groups))):
        digits += normalised[groups[index][0] : groups[index][1]]
        sizes = (*sizes, groups[index][1] - groups[index][0])
        if len(digits) > 19:
            break
        if (len(sizes) == 1 or sizes in _CARD_GROUPS) and _is_card(digits):
            best = index
    return best


def _is_card(digits: str) -> bool:
    """Whether issuer, length and Luhn checksum are those of a payment card."""
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


def _in_hash(normalised: str, start: int, end: int) -> bool:
    """Whether the digits are part of a longer word of letters and digits, such as a hash."""
    before, after = normalised[max(start - 40, 0) : start][::-1], normalised[end : end + 40]
    left, right = _TOKEN.match(before), _TOKEN.match(after)
    around = (left.end() if left else 0) + (right.end() if right else 0)
    return around > 0 and around + end - start >= 24


def _ibans(normalised: str) -> Iterator[Span]:
    behind = 0
    for head in _IBAN_HEAD.finditer(normalised):
        length = _IBAN_LENGTHS.get(head.group()[:2].upper())
        start = head.start()
        if length is None or start < behind:
            continue
        if start and normalised[start - 1].isalnum() and normalised[max(start - 4, 0) : start].upper() != "IBAN":
            continue
        body = _IBAN_BODY.match(normalised, head.end())
        if body is None:
            continue
        places = [head.end() + place for place, c in enumerate(body.group()) if c.isalnum()]
        if len(places) < length - 4:
            continue
        end = places[length - 5] + 1
        if end < len(normalised) and normalised[end].isascii() and normalised[end].isalnum():
            continue
        value = head.group().upper() + "".join(normalised[place] for place in places[: length - 4]).upper()
        if int("".join(str(int(c, 36)) for c in value[4:] + value[:4])) % 97 == 1:
            behind = end
            yield Span(start, end, IBAN, value)
