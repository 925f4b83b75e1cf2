"""Finds what is private by the words beside it: passports, birth dates, PINs and one-time codes, cookies, `curl -u`.

All patterns take linear time, and look only at a window around a value.
"""

import re
from collections.abc import Iterator
from typing import Final

from llma_assets.privacy.beside import is_named
from llma_assets.privacy.credentials import PASSWORD
from llma_assets.privacy.spans import Span

PASSPORT: Final = "PASSPORT"
BIRTH_DATE: Final = "BIRTH_DATE"
PIN: Final = "PIN"
COOKIE: Final = "COOKIE"

_PASSPORT_WORDS: Final = re.compile(r"passport|reisepass|passeport|pasaporte|passaporto|passaporte|paspoort")
_PASSPORT: Final = re.compile(
    r"(?<![0-9A-Za-z-])(?=[0-9A-Za-z]{0,9}[0-9])[0-9A-Za-z]{6,10}(?![0-9A-Za-z]|-[0-9A-Za-z])"
)

_BIRTH_WORDS: Final = re.compile(
    r"birth[ _-]?da(?:te|y)|date[ _-]of[ _-]birth|dateofbirth|\bdob\b|\bborn\b|\bd\.\s?o\.\s?b\.?"
    r"|geburtsdatum|geburtstag|geboren|geb\.|nacimiento|nacid[oa]|nascita|nat[oa] il|nascimento|naissance"
    r"|n[ée]{1,3} le|geboortedatum"
)
_MONTH: Final = (
    r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez|ene|abr|ago|dic|fév|avr|aoû|déc|gen|mag|giu|lug|set|ott)"
    r"[a-zäéû]{0,8}\.?"
)
_DATE: Final = re.compile(
    r"(?<![0-9])(?:(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
    r"|[0-9]{1,2}[-/. ]{1,2}[0-9]{1,2}[-/. ]{1,2}(?:19|20)?[0-9]{2}"
    r"|(?:19|20)[0-9]{6}"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|\.)? (?:of |de )?{_MONTH},? (?:de )?(?:19|20)[0-9]{{2}}"
    rf"|(?<![a-z]){_MONTH} [0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}})(?![0-9])"
)

_PIN_WORDS: Final = re.compile(
    r"\bpin\b|\bpin_?(?:code|number)|\botp(?:\b|_)|one[- _]?time[- _]?(?:pass(?:word|code)?|code|pin)|passcode|\btan\b"
    r"|(?:verification|security|login|auth(?:entication|orization)?|access|sms|2fa|mfa|two[- ]factor|sign-?in"
    r"|confirmation)[ _]code|bestätigungscode|verificatiecode|código de (?:verificación|seguridad)"
    r"|code de vérification"
)
_PIN: Final = re.compile(
    r"(?<![0-9A-Za-z.,$€£-])(?:[0-9]{4,8}|[0-9]{3}[ -][0-9]{3})(?![0-9A-Za-z%]|[.,:/-][0-9]| [0-9])"
)

_CURL: Final = re.compile(
    r"(?:\s-[a-zA-Z]{0,6}u\s{0,3}|\s--user[ =])[\"']{0,2}([^\s:\"'$<{]{1,128}:[^\s\"'$<{]{0,256})"
)
_COOKIE: Final = re.compile(
    r"(?i:cookie)2?[\"']{0,8}\s{0,3}[:=]\s{0,3}[\"']{0,8}"
    r"([\w.$%-]{1,100}=[^\s;\"',]{1,4096}(?:;\s{0,2}[\w.$%-]{1,100}(?:=[^\s;\"',]{0,4096})?){0,60})"
)

_COOKIE_VALUE: Final = re.compile(r"([\w.$%-]{1,100})=([^\s;\"',]{1,4096})")
_ATTRIBUTES: Final = {"path", "domain", "expires", "max-age", "samesite", "priority"}


def find_named_values(normalised: str, lower: str) -> Iterator[Span]:
    """Values that words beside them make private; `lower` is the text in lower case."""
    if "curl" in lower or "http" in lower:
        for found in _CURL.finditer(normalised) if " -" in lower else ():
            if len(found.group(1)) >= 6:
                yield Span(found.start(1), found.end(1), PASSWORD, found.group(1))
    if "cookie" in lower:
        for found in _COOKIE.finditer(normalised):
            for each in _COOKIE_VALUE.finditer(normalised, found.start(1), found.end(1)):
                if each.group(1).lower() not in _ATTRIBUTES and _is_secret(each.group(2)):
                    yield Span(each.start(2), each.end(2), COOKIE, each.group(2))
    if _PASSPORT_WORDS.search(lower) is not None:
        yield from _named(normalised, lower, _PASSPORT, _PASSPORT_WORDS, PASSPORT)
    if _BIRTH_WORDS.search(lower) is not None:
        yield from _named(lower, lower, _DATE, _BIRTH_WORDS, BIRTH_DATE)
    if _PIN_WORDS.search(lower) is not None:
        yield from _named(normalised, lower, _PIN, _PIN_WORDS, PIN)


def _named(text: str, lower: str, form: re.Pattern[str], words: re.Pattern[str], kind: str) -> Iterator[Span]:
    for found in form.finditer(text):
        value = found.group()
        if kind == PASSPORT and not _is_passport(value):
            continue
        if is_named(lower, found.start(), found.end(), words):
            yield Span(found.start(), found.end(), kind, value.upper())


def _is_secret(value: str) -> bool:
    """Whether a cookie may tell who somebody is: `lang=en` and `theme=dark` do not."""
    return len(value) >= 6 or (len(value) >= 3 and any(sign.isdigit() for sign in value))


def _is_passport(value: str) -> bool:
    digits = sum(sign.isdigit() for sign in value)
    return digits >= 4 and not (len(value) == 8 and digits == 8 and value[:2] in {"19", "20"})
