"""Private values and look-alikes in other words than those that the finders were made with.

Written after the finders, in other sentences and spellings. It was measured before anything was changed; then four
general faults that it showed were mended, so that another hand is needed for the next claim: both measures are in
`results/redaction.md`. Each maker gives a sentence and the value in it.
"""

import random
import string
from collections.abc import Callable

from llma_assets.testing.personal_values import PERSONAL_VALUES, MakeSentence

_LOWER = string.ascii_lowercase
_HEX = "0123456789abcdef"


def _of(rng: random.Random, letters: str, size: int) -> str:
    return "".join(rng.choices(letters, k=size))


def _said(kind: str, *sentences: str, spell: Callable[[random.Random, str], str] | None = None) -> MakeSentence:
    """Values of a kind of the other set in other sentences, perhaps spelled otherwise; `@` stands for the value."""

    def make(rng: random.Random) -> tuple[str, str]:
        _, value = PERSONAL_VALUES[kind](rng)
        value = spell(rng, value) if spell else value
        return rng.choice(sentences).replace("@", value), value

    return make


def _grouped(*sizes: int, sign: str = " ") -> Callable[[random.Random, str], str]:
    def spell(_: random.Random, value: str) -> str:
        plain = "".join(filter(str.isalnum, value))
        ends = [sum(sizes[: place + 1]) for place in range(len(sizes))]
        return sign.join(plain[end - size : end] for end, size in zip(ends, sizes, strict=True))

    return spell


def _birth(rng: random.Random) -> tuple[str, str]:
    year, day = rng.randint(1935, 2008), rng.randint(1, 28)
    month = rng.choice(["Feb", "April", "June", "Sept", "November"])
    value = rng.choice(
        [
            f"{day}th of {month} {year}",
            f"{month} {day}th, {year}",
            f"{year}/{rng.randint(1, 12):02d}/{day:02d}",
            f"{day:02d}-{rng.randint(1, 12):02d}-{year}",
        ]
    )
    sentences = (
        "she was born {}",
        "D.O.B.: {}",
        "Her birthday is {}.",
        '"dateOfBirth":"{}"',
        "born: {}",
        "née le {}",
        "patient, birthdate {}, female",
        "Birth date (as in the passport) {}",
    )
    return rng.choice(sentences).format(value), value


def _passport(rng: random.Random) -> tuple[str, str]:
    value = rng.choice(
        [
            f"{rng.choice('EGKPX')}{_of(rng, string.digits, 7)}",
            f"5{_of(rng, string.digits, 8)}",
            f"{_of(rng, 'CFGHJK', 1)}{_of(rng, string.digits, 2)}{_of(rng, 'LMNPRT', 1)}{_of(rng, string.digits, 5)}",
        ]
    )
    sentences = (
        "Passport No: {}",
        "passport# {}",
        "US passport {}",
        "Reisepassnummer: {}",
        "passportNumber={}",
        "the number in my passport is {}",
        "Numéro de passeport : {}",
        "passport (number {})",
    )
    return rng.choice(sentences).format(value), value


def _code(rng: random.Random) -> tuple[str, str]:
    value = _of(rng, string.digits, rng.choice([4, 5, 6, 8]))
    sentences = (
        "Use {} as your login code",
        "Your OTP is {}. Do not share it.",
        "otp_code={}",
        "I typed my PIN, {}, twice",
        "2FA code: {}",
        "card PIN {}",
        "enter the one time passcode {}",
        "{} is the OTP for your payment",
        "authentication code {}",
        "verification code - {}",
        "Der PIN ist {}",
        "TAN: {}",
    )
    return rng.choice(sentences).format(value), value


def _curl(rng: random.Random) -> tuple[str, str]:
    value = _of(rng, string.ascii_letters + string.digits + "!%.", 11)
    sentences = (
        'curl -X GET -u "svc_user:{}" https://h.example/v1',
        "curl -su bob:{} http://localhost:8080/x",
        "curl https://h.example --user bob:{}",
        "$ curl -k -u bob:{} -H 'Accept: */*' https://h.example",
        "curl --user=bob:{} https://h.example",
    )
    return rng.choice(sentences).format(value), value


def _cookie(rng: random.Random) -> tuple[str, str]:
    value = _of(rng, string.ascii_letters + string.digits, 20)
    sentences = (
        "curl -H 'Cookie: JSESSIONID={}' https://x.example",
        "cookie: a=1; b=2; remember_me={}",
        "Set-Cookie: __Host-id={}; Secure; HttpOnly",
        "headers = {{'cookie': 'user={}'}}",
    )
    return rng.choice(sentences).format(value), value


def _mail(rng: random.Random) -> tuple[str, str]:
    name, host = f"{_of(rng, _LOWER, 5)}.{_of(rng, _LOWER, 6)}", _of(rng, _LOWER, 7)
    value = rng.choice(
        [
            f"{name} AT {host} DOT net",
            f"{name}(at){host}(dot)io",
            f"{name} <at> {host} <dot> com",
            f"{name}@{host} dot com",
            f"{name} {{at}} {host}.co.uk",
            f"{name}[@]{host}[.]com",
            f"{name}_at_{host}_dot_com",
            f"{name} at {host} punkt de",
        ]
    )
    return rng.choice(["mail me: {}", "reach me under {} please", "{}", "contact = {}"]).format(value), value


def _bitcoin(rng: random.Random) -> tuple[str, str]:
    _, value = PERSONAL_VALUES["bitcoin"](rng)
    if rng.random() < 0.3:
        value = "bc1p" + _of(rng, "qpzry9x8gf2tvdw0s3jn54khce6mua7l", 58)
    return rng.choice(["bitcoin:@?amount=0.1", "pay @ today", '{"addr":"@"}', "(@)"]).replace("@", value), value


HELD_OUT: dict[str, MakeSentence] = {
    "us_ssn": _said(
        "us_ssn",
        "SSN# @",
        "Social Security: @",
        "ssn=@&x=1",
        "soc sec no @",
        "my social is @",
        "@ (SSN)",
        "Last, First, SSN @, NY",
        spell=_grouped(3, 2, 4, sign="-"),
    ),
    "us_ssn in one piece or with blanks": _said(
        "us_ssn",
        "SSN @",
        "social security number is @",
        "socialSecurityNumber: @",
        spell=lambda r, v: _grouped(3, 2, 4, sign=r.choice(["", " "]))(r, v),
    ),
    "uk_nino": _said(
        "uk_nino",
        "National Insurance no. @",
        "NI No @",
        "nationalInsuranceNumber: @",
        "N.I. number @",
        "my NINO: @",
        "@ (national insurance)",
    ),
    "nl_bsn": _said("nl_bsn", "bsn-nummer: @", "BSN=@", "sofinummer @", "citizen service number @", "Haar BSN is @."),
    "es_dni": _said(
        "es_dni", "con DNI @", "D.N.I.: @", "NIE: @", "número de documento @", "dni_number=@", "Tarjeta de identidad @"
    ),
    "br_cpf": _said("br_cpf", "CPF nº @", "O CPF dele é @", '"cpf":"@"', "cpf do cliente: @", "portador do CPF @"),
    "in_aadhaar": _said(
        "in_aadhaar",
        "Aadhaar card no. @",
        "AADHAR @",
        "UIDAI number: @",
        "aadhaarNumber=@",
        "आधार @",
        spell=lambda r, v: _grouped(4, 4, 4, sign=r.choice([" ", "-", ""]))(r, v),
    ),
    "it_codice_fiscale": _said(
        "it_codice_fiscale",
        "c.f. @",
        "Il mio codice fiscale è @.",
        "codiceFiscale=@",
        "CF @",
        spell=lambda r, v: r.choice([v, v.lower()]),
    ),
    "passport": _passport,
    "birth_date": _birth,
    "pin and codes": _code,
    "curl_user": _curl,
    "cookie": _cookie,
    "bitcoin": _bitcoin,
    "spelled_mail": _mail,
}


def _isbn(rng: random.Random) -> str:
    return rng.choice(["isbn {}-{}-{}-X", "ISBN-10: {}{}{}1", "ISBN-13 978{}{}{}"]).format(
        rng.randint(0, 9), _of(rng, string.digits, 3), _of(rng, string.digits, 5)
    )


HELD_OUT_LOOK_ALIKES: dict[str, Callable[[random.Random], str]] = {
    "UUID in upper case": lambda rng: "-".join(_of(rng, _HEX.upper(), size) for size in (8, 4, 4, 4, 12)),
    "UUID after a word": lambda rng: "passport service " + "-".join(_of(rng, _HEX, size) for size in (8, 4, 4, 4, 12)),
    "md5": lambda rng: f"md5 {_of(rng, _HEX, 32)}",
    "commit": lambda rng: f"commit {_of(rng, _HEX, 7)} and {_of(rng, _HEX, 40)}",
    "order number": lambda rng: rng.choice(["Order {}-{}-{}", "PO-{}{}-{}", "order #{}{}{}", "RMA {}/{}/{}"]).format(
        _of(rng, string.digits, 3), _of(rng, string.digits, 7), _of(rng, string.digits, 7)
    ),
    "order of nine digits": lambda rng: f"your order number is {_of(rng, string.digits, 9)}",
    "tracking number": lambda rng: f"tracking 1Z{_of(rng, string.ascii_uppercase + string.digits, 16)}",
    "ISBN": _isbn,
    "version": lambda rng: rng.choice(
        ["numpy=={}.{}.{}", "release {}.{}.{}-rc1", "Python {}.{}.{}", "v{}.{}.{}+build.7"]
    ).format(rng.randint(0, 30), rng.randint(0, 99), rng.randint(0, 2026)),
    "timestamp": lambda rng: rng.choice(
        [
            "2026-05-{:02d} 10:{:02d}:{:02d},123",
            "[{:02d}/Nov/2026:13:{:02d}:{:02d} +0000]",
            "202605{:02d}T10{:02d}{:02d}Z",
            "at {:02d}:{:02d}:{:02d}.000",
        ]
    ).format(rng.randint(1, 23), rng.randint(0, 59), rng.randint(0, 59)),
    "epoch": lambda rng: f"ts={rng.randint(1_700_000_000, 1_800_000_000)}",
    "dates of a booking": lambda rng: f"check-in 2026-0{rng.randint(1, 9)}-1{rng.randint(0, 9)}, passport needed",
    "status code": lambda rng: f"HTTP code {rng.choice([2000, 4040, 5003])} at line {rng.randint(1000, 9999)}",
    "port and pin of a board": lambda rng: f"set pin {rng.randint(1, 40)} high, port {rng.randint(1024, 65535)}",
    "git over ssh": lambda rng: f"remote: git@gitlab.com:{_of(rng, _LOWER, 5)}/{_of(rng, _LOWER, 5)}.git",
    "cookies to bake": lambda rng: f"bake cookies: {rng.randint(10, 20)} minutes at {rng.randint(150, 220)} degrees",
    "phrase with at": lambda rng: f"see you at {_of(rng, _LOWER, 6)} dot 7, table {rng.randint(1, 90)}",
    "part number": lambda rng: (
        f"part {_of(rng, string.ascii_uppercase, 2)}{_of(rng, string.digits, 6)}{rng.choice('ABCD')}"
    ),
    "amount": lambda rng: f"{rng.randint(100, 999)}.{rng.randint(100, 999)}.{rng.randint(100, 999)},00 EUR",
    "curl without a user": lambda rng: f"curl -o out.json https://h.example/u/{rng.randint(1, 999)}",
}
