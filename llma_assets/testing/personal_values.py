"""Makes up what is private by a word beside it or by its checksum: ids of countries, passports, dates of birth, codes.

A maker gives the value and the sentence that it stands in.

>>> import random
>>> sentence, value = PERSONAL_VALUES["us_ssn"](random.Random(7))
>>> value in sentence
True
"""

import hashlib
import random
import string
from collections.abc import Callable

MakeSentence = Callable[[random.Random], tuple[str, str]]
"""A sentence, and the private value in it."""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_MONTHS = ("January", "March", "May", "August", "October", "December")


def _digits(rng: random.Random, size: int) -> str:
    return "".join(rng.choices(string.digits, k=size))


def _in(rng: random.Random, value: str, *sentences: str) -> tuple[str, str]:
    return rng.choice(sentences).replace("@", value), value


def us_ssn(rng: random.Random) -> tuple[str, str]:
    """Nine digits, the first group neither 000 nor 666 nor from 900 on."""
    area, group, serial = rng.choice([*range(1, 666), *range(667, 900)]), rng.randint(1, 99), rng.randint(1, 9_999)
    if rng.random() < 0.5:
        return _in(rng, f"{area:03d}-{group:02d}-{serial:04d}", "My SSN is @.", "social security number: @", "I am @")
    return _in(rng, f"{area:03d}{group:02d}{serial:04d}", "SSN: @", '{"ssn": "@"}', "my social security no. is @")


def uk_nino(rng: random.Random) -> tuple[str, str]:
    """Two letters, six digits, a letter from A to D."""
    value = rng.choice(["AB", "CE", "JG", "SP", "YZ"]) + _digits(rng, 6) + rng.choice("ABCD")
    parts = [value[:2], value[2:4], value[4:6], value[6:8], value[8]]
    value = rng.choice([value, " ".join(parts)])
    return _in(rng, value, "NI number: @", "My national insurance number is @", "nino=@", "NINO @, thanks")


def nl_bsn(rng: random.Random) -> tuple[str, str]:
    """Nine digits whose weighted sum is a multiple of 11."""
    while True:
        head = _digits(rng, 8)
        rest = sum(int(digit) * (9 - place) for place, digit in enumerate(head)) % 11
        if rest < 10 and head[0] != "0":
            return _in(rng, f"{head}{rest}", "BSN @", "Mijn burgerservicenummer is @", '"bsn": "@"')


def es_dni(rng: random.Random) -> tuple[str, str]:
    """Eight digits and their letter, or X, Y, Z, seven digits and a letter."""
    first = rng.choice(["", "X", "Y", "Z"])
    digits = _digits(rng, 7 if first else 8)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(("0123"[" XYZ".index(first) - 1] if first else "") + digits) % 23]
    return _in(rng, f"{first}{digits}{letter}", "DNI @", "Mi NIE es @", "documento de identidad: @", "nif: @")


def br_cpf(rng: random.Random) -> tuple[str, str]:
    """Eleven digits, the last two of which check the others."""
    digits = [rng.randint(0, 9) for _ in range(9)]
    for size in (10, 11):
        rest = sum(digit * weight for digit, weight in zip(digits, range(size, 1, -1), strict=True)) % 11
        digits.append(0 if rest < 2 else 11 - rest)
    plain = "".join(map(str, digits))
    if rng.random() < 0.5:
        return _in(rng, plain, "CPF: @", "meu cpf é @", "cpf=@")
    return _in(rng, f"{plain[:3]}.{plain[3:6]}.{plain[6:9]}-{plain[9:]}", "CPF @", "It is @.", "cliente @")


def in_aadhaar(rng: random.Random) -> tuple[str, str]:
    """Twelve digits, written in groups of four."""
    value = rng.choice("23456789") + _digits(rng, 11)
    spaced = f"{value[:4]} {value[4:8]} {value[8:]}"
    return _in(rng, rng.choice([value, spaced]), "Aadhaar: @", "my aadhaar number is @", '{"aadhaar_no": "@"}')


def it_codice_fiscale(rng: random.Random) -> tuple[str, str]:
    """Sixteen signs, the last of which checks the others."""
    letters = "".join(rng.choices("BCDFGLMNPRSTV", k=6))
    head = f"{letters}{rng.randint(40, 99)}{rng.choice('ABCDEHLMPRST')}{rng.randint(1, 28):02d}"
    head += rng.choice("ABCDEFGHIL") + f"{rng.randint(1, 999):03d}"
    odd = dict(zip("0123456789", (1, 0, 5, 7, 9, 13, 15, 17, 19, 21), strict=True))
    odd |= dict(zip(string.ascii_uppercase, (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
                                             10, 22, 25, 24, 23), strict=True))  # fmt: skip
    even = {sign: place % 10 if sign.isdigit() else place for place, sign in enumerate("0123456789")}
    even |= {sign: place for place, sign in enumerate(string.ascii_uppercase)}
    total = sum((odd if place % 2 == 0 else even)[sign] for place, sign in enumerate(head))
    return _in(rng, head + string.ascii_uppercase[total % 26], "codice fiscale @", "CF: @", "Sono @", "@")


def passport(rng: random.Random) -> tuple[str, str]:
    """Nine digits, or letters and digits."""
    value = rng.choice([_digits(rng, 9).replace("19", "31"), "C" + _digits(rng, 8), "AB" + _digits(rng, 7)])
    value = "3" + value[1:] if value.isdigit() else value
    return _in(rng, value, "Passport number @", "my passport is @", '"passport_no": "@"', "@ is my passport number")


def birth_date(rng: random.Random) -> tuple[str, str]:
    """A day of the last century in several writings."""
    year, month, day = rng.randint(1940, 1999), rng.randint(1, 12), rng.randint(1, 28)
    value = rng.choice(
        [f"{year}-{month:02d}-{day:02d}", f"{day:02d}.{month:02d}.{year}", f"{month}/{day}/{year}",
         f"{day} {rng.choice(_MONTHS)} {year}", f"{rng.choice(_MONTHS)} {day}, {year}"]
    )  # fmt: skip
    return _in(rng, value, "I was born on @.", "date of birth: @", "DOB @", '"birth_date": "@"', "Geburtsdatum: @")


def pin(rng: random.Random) -> tuple[str, str]:
    """A PIN, or a code that is valid once."""
    code = _digits(rng, 6)
    if rng.random() < 0.5:
        return _in(rng, _digits(rng, 4), "My PIN is @", "PIN: @", "the pin code is @.")
    return _in(rng, code, "OTP @", "@ is your verification code", "Your one-time code: @", "security code is @")


def curl_user(rng: random.Random) -> tuple[str, str]:
    """User and password of a request."""
    value = "".join(rng.choices(string.ascii_letters + string.digits, k=12))
    return _in(rng, value, "curl -u admin:@ https://api.example.com", "curl --user 'ann:@' -X POST https://x.example")


def cookie(rng: random.Random) -> tuple[str, str]:
    """The value of a session in a header."""
    value = "".join(rng.choices(string.ascii_letters, k=14))
    return _in(rng, value, "Cookie: theme=dark; session=@", "set-cookie: sid=@; Path=/", '"Cookie": "auth=@; lang=en"')


def bitcoin(rng: random.Random) -> tuple[str, str]:
    """An address of the first kind with its checksum, or of a newer one."""
    if rng.random() < 0.5:
        value = "bc1q" + "".join(rng.choices(_BECH32, k=38))
    else:
        data = bytes([0]) + rng.randbytes(20)
        number = int.from_bytes(data + hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4], "big")
        value = ""
        while number:
            number, rest = divmod(number, 58)
            value = _BASE58[rest] + value
        value = "1" * (len(data) - len(data.lstrip(b"\0"))) + value
    return _in(rng, value, "Send it to @", "BTC wallet: @", "@")


def spelled_mail(rng: random.Random) -> tuple[str, str]:
    """An address that is spelled out."""
    name = "".join(rng.choices(string.ascii_lowercase, k=8))
    value = rng.choice(
        [f"{name} (at) example (dot) com", f"{name}[at]example.org", f"{name} at example dot com",
         f"{name} [at] mail [dot] example [dot] com"]
    )  # fmt: skip
    return _in(rng, value, "write to @", "My mail is @, thanks", "@")


PERSONAL_VALUES: dict[str, MakeSentence] = {
    made.__name__: made
    for made in (
        us_ssn, uk_nino, nl_bsn, es_dni, br_cpf, in_aadhaar, it_codice_fiscale, passport, birth_date, pin, curl_user,
        cookie, bitcoin, spelled_mail,
    )
}  # fmt: skip

IMPERSONAL_SENTENCES: dict[str, Callable[[random.Random], str]] = {
    "order of nine digits": lambda rng: f"order {_digits(rng, 9)} was sent",
    "order like an SSN": lambda rng: f"Order no. {_digits(rng, 3)}-{_digits(rng, 2)}-{_digits(rng, 4)}",
    "order of digits and a letter": lambda rng: f"case {_digits(rng, 8)}{rng.choice(string.ascii_uppercase)}",
    "groups of four digits": lambda rng: f"tracking {_digits(rng, 4)} {_digits(rng, 4)} {_digits(rng, 4)}",
    "ISBN": lambda rng: f"ISBN 978-{_digits(rng, 1)}-{_digits(rng, 2)}-{_digits(rng, 6)}-{_digits(rng, 1)}",
    "date of a flight": lambda rng: f"The flight leaves on 2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
    "code of an error": lambda rng: f"error code {_digits(rng, 4)}",
    "postal code": lambda rng: f"zip code {_digits(rng, 5)}",
    "expiry of a passport": lambda rng: f"my passport expires on 2029-{rng.randint(1, 12):02d}-01",
    "git remote": lambda rng: f"git clone git@github.com:acme/repo{rng.randint(1, 99)}.git",
    "prose with at and dot": lambda rng: f"we met at stage {rng.randint(1, 9)} near the dot on the map",
    "base58 of no address": lambda rng: "1" + "".join(rng.choices(_BASE58, k=32)),
    "year of birth": lambda rng: f"born in {rng.randint(1940, 1999)}",
    "hash": lambda rng: hashlib.sha1(rng.randbytes(8), usedforsecurity=False).hexdigest(),
}
