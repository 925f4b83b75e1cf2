"""Makes up private values of each kind, seeded; also what only looks like one.

>>> from llma_assets.privacy import Redactor
>>> address = PRIVATE_VALUES["email"](random.Random(7))
>>> Redactor().redact(f"Write to {address}!")
'Write to [EMAIL_1]!'
"""

import base64
import random
import string
from collections.abc import Callable
from ipaddress import IPv6Address

Make = Callable[[random.Random], str]

_ALNUM = string.ascii_letters + string.digits
_URL_SAFE = _ALNUM + "-_"


def _of(rng: random.Random, letters: str, size: int) -> str:
    return "".join(rng.choices(letters, k=size))


def _random(rng: random.Random, letters: str, size: int) -> str:
    """`size` letters with a digit, an upper and a lower one among them, as nearly all drawn at random have."""
    return _of(rng, letters, size - 3) + rng.choice(string.digits) + rng.choice("ABCDEFG") + rng.choice("abcdefg")


def email(rng: random.Random) -> str:
    """An address with the usual signs in its local part."""
    name = rng.choice(["anna", "bob", "jürgen", "li", "o.connor", "x"]) + rng.choice(["", ".", "_", "-", "+"])
    host = rng.choice(["example.com", "mail.example.co.uk", "müller.de", "a-b.io", "x.museum", "sub.dept.example.org"])
    return f"{name}{_of(rng, string.ascii_lowercase + string.digits, rng.randint(1, 12))}@{host}"


def card(rng: random.Random) -> str:
    """A number with its checksum, of an issuer, in one of the usual groupings."""
    head, size = rng.choice(
        [
            ("4", 16),
            ("51", 16),
            ("55", 16),
            ("2221", 16),
            ("34", 15),
            ("37", 15),
            ("6011", 16),
            ("65", 16),
            ("3530", 16),
        ]
    )
    digits = head + _of(rng, string.digits, size - len(head) - 1)
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 - place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    digits += str(-total % 10)
    separator = rng.choice(["", " ", "-"])
    sizes = [4, 4, 4, 4] if size == 16 else [4, 6, 5]
    parts = [digits[sum(sizes[:index]) : sum(sizes[: index + 1])] for index in range(len(sizes))]
    return separator.join(parts)


def iban(rng: random.Random) -> str:
    """An account of five countries with its checksum, in groups of four or in one piece."""
    country, size, bank = rng.choice(
        [("DE", 18, ""), ("FR", 23, ""), ("GB", 14, "NWBK"), ("NL", 10, "ABNA"), ("ES", 20, "")]
    )
    body = bank + _of(rng, string.digits, size)
    check = 98 - int("".join(str(int(c, 36)) for c in f"{body}{country}00")) % 97
    whole = f"{country}{check:02d}{body}"
    return whole if rng.random() < 0.5 else " ".join(whole[place : place + 4] for place in range(0, len(whole), 4))


def ipv4(rng: random.Random) -> str:
    """Any address of a host."""
    return ".".join(str(rng.randint(1, 254)) for _ in range(4)).replace("127.", "128.", 1)


def ipv6(rng: random.Random) -> str:
    """A global address, in full or compressed."""
    number = (0x2000 + rng.randrange(0x2000)) << 112 | rng.getrandbits(112 if rng.random() < 0.5 else 16)
    return str(IPv6Address(number)) if rng.random() < 0.8 else IPv6Address(number).exploded


def phone(rng: random.Random) -> str:
    """A number in international, American, British, French or German writing."""
    nxx, rest = rng.randint(200, 989), rng.randint(0, 9999)
    area = rng.choice([212, 415, 312, 206, 617, 702])
    area_de, tail = rng.choice(["30", "89", "221", "40"]), rng.randint(1_000_000, 99_999_999)
    french = " ".join(f"{rng.randint(10, 99)}" for _ in range(4))
    return rng.choice(
        [
            f"+1 {area} {nxx} {rest:04d}", f"+1{area}{nxx}{rest:04d}", f"({area}) {nxx}-{rest:04d}",
            f"{area}-{nxx}-{rest:04d}", f"{area}.{nxx}.{rest:04d}", f"1-{area}-{nxx}-{rest:04d}",
            f"+44 20 7{rng.randint(100, 999)} {rest:04d}", f"020 7{rng.randint(100, 999)} {rest:04d}",
            f"+33 6 {french}", f"06 {french}", f"+49 {area_de} {tail}", f"0{area_de} {tail}",
            f"0049 {area_de} {tail}", f"+91 98{rng.randint(100, 999)} {rng.randint(10000, 99999)}",
        ]
    )  # fmt: skip


def key(rng: random.Random) -> str:
    """A key of one of the well-known providers."""
    upper = string.ascii_uppercase + string.digits
    makers: list[Callable[[], str]] = [
        lambda: "sk-" + _random(rng, _ALNUM, 48),
        lambda: "sk-proj-" + _random(rng, _URL_SAFE, 120),
        lambda: "sk-ant-api03-" + _random(rng, _URL_SAFE, 93) + "AA",
        lambda: rng.choice(["AKIA", "ASIA"]) + _of(rng, upper, 16),
        lambda: rng.choice(["ghp_", "gho_", "ghs_", "ghu_", "ghr_"]) + _of(rng, _ALNUM, 36),
        lambda: "github_pat_" + _of(rng, _ALNUM, 22) + "_" + _of(rng, _ALNUM, 59),
        lambda: "glpat-" + _of(rng, _URL_SAFE, 20),
        lambda: f"xoxb-{_of(rng, string.digits, 12)}-{_of(rng, string.digits, 12)}-{_of(rng, _ALNUM, 24)}",
        lambda: rng.choice(["sk", "rk"]) + rng.choice(["_live_", "_test_"]) + _of(rng, _ALNUM, 24),
        lambda: "AIza" + _of(rng, _URL_SAFE, 35),
        lambda: "hf_" + _random(rng, _ALNUM, 34),
        lambda: rng.choice(["AC", "SK", "key-", "fc-"]) + _hex(rng, 32),
        lambda: f"lsv2_pt_{_hex(rng, 32)}_{_hex(rng, 10)}",
        lambda: rng.choice(["ntn_", "pcsk_", "nvapi-", "tgp_v1_", "xai-", "gsk_"]) + _of(rng, _ALNUM, 50),
        lambda: "tvly-" + _of(rng, _ALNUM, 32),
        lambda: f"{_of(rng, '123456789', 9)}:AA{_of(rng, _ALNUM, 33)}",
        lambda: f"glsa_{_of(rng, _ALNUM, 32)}_{_hex(rng, 8)}",
        lambda: "sk-lf-" + "-".join(_hex(rng, size) for size in (8, 4, 4, 4, 12)),
    ]
    return rng.choice(makers)()


def jwt(rng: random.Random) -> str:
    """A signed token."""
    parts = ('{"alg":"HS256","typ":"JWT"}', f'{{"sub":"{rng.getrandbits(64)}","iat":{rng.getrandbits(31)}}}')
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, _of(rng, _URL_SAFE, 43)])


def private_key(rng: random.Random) -> str:
    """A block of some lines."""
    name = rng.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "EC PRIVATE KEY"])
    lines = [_of(rng, _ALNUM + "+/", 64) for _ in range(rng.randint(3, 26))]
    return "\n".join([f"-----BEGIN {name}-----", *lines, f"-----END {name}-----"])


def bearer(rng: random.Random) -> str:
    """What stands behind `Authorization: Bearer`."""
    return _random(rng, _ALNUM + "._~-", rng.randint(20, 60))


def password(rng: random.Random) -> str:
    """What stands between user and host in a URL."""
    return _random(rng, _ALNUM + "!$*+.,-_", rng.randint(8, 20))


def disguised(rng: random.Random) -> str:
    """A value in full-width signs, with other dashes and blanks, or with its `@` as an entity."""
    if rng.random() < 0.5:
        return email(rng).replace("@", rng.choice(["%2540", "&#64;", "\uff20", "&commat;"]))
    made = rng.choice([card, iban])(rng)
    wide = "".join(chr(ord(c) + 0xFEE0) if c.isalnum() else c for c in made)
    return rng.choice([wide, made.replace(" ", "\u2009").replace("-", "\u2011"), wide.replace(" ", "\u3000")])


def named_password(rng: random.Random) -> str:
    """What stands behind the word in prose and in YAML."""
    return "k7" + _random(rng, _ALNUM + "!*+_", rng.randint(8, 20))


PRIVATE_VALUES: dict[str, Make] = {
    "email": email, "phone": phone, "card": card, "iban": iban, "ipv4": ipv4, "ipv6": ipv6, "key": key, "jwt": jwt,
    "private_key": private_key, "bearer": bearer, "password": password, "disguised": disguised,
    "password in YAML": named_password,
}  # fmt: skip
AROUND = {
    "bearer": "Authorization: Bearer {}",
    "password": "postgres://admin:{}@db.internal:5432/app",
    "password in YAML": "db_password: {}",
}
"""Words without which a value of a kind is not private by its looks."""


def _hex(rng: random.Random, size: int) -> str:
    return _of(rng, "0123456789abcdef", size)


def _no_card(rng: random.Random) -> str:
    made = card(rng)
    return made[:-1] + str((int(made[-1]) + 1) % 10)


HARMLESS_VALUES: dict[str, Make] = {
    "reservation code": lambda rng: _of(rng, string.ascii_uppercase + string.digits, 6),
    "uuid": lambda rng: "-".join(_hex(rng, size) for size in (8, 4, 4, 4, 12)),
    "flight number": lambda rng: f"HAT{rng.randint(1, 999):03d}",
    "ISO timestamp": lambda rng: (
        f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}:"
        f"{rng.randint(0, 59):02d}:{rng.randint(0, 59):02d}.{rng.randint(0, 999999):06d}+00:00"
    ),
    "date": lambda rng: (
        f"{rng.randint(1, 28):02d}.{rng.randint(1, 12):02d}.20{rng.randint(10, 30)} "
        f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}"
    ),
    "price": lambda rng: f"${rng.randint(1, 99_999):,}.{rng.randint(0, 99):02d}",
    "version": lambda rng: f"v{rng.randint(0, 20)}.{rng.randint(0, 99)}.{rng.randint(0, 99)}.{rng.randint(0, 99)}",
    "version of a package": lambda rng: f"{rng.randint(0, 20)}.{rng.randint(0, 99)}.{rng.randint(0, 999)}",
    "trace id": lambda rng: _hex(rng, 32),
    "sha-256": lambda rng: _hex(rng, 64),
    "milliseconds": lambda rng: str(rng.randint(1_600_000_000_000, 1_900_000_000_000)),
    "order number": lambda rng: "#W" + _of(rng, string.digits, 7),
    "number of ten digits": lambda rng: str(rng.randint(10**9, 10**10 - 1)),
    "number of sixteen digits": lambda rng: str(rng.randint(10**15, 10**16 - 1)),
    "card of a wrong checksum": _no_card,
    "path": lambda rng: f"/srv/task-{rng.randint(1, 999)}/sk-learn-{rng.randint(1, 9)}.{rng.randint(0, 9)}/x.py",
    "zip code": lambda rng: f"{rng.randint(10_000, 99_999)}-{rng.randint(0, 9_999):04d}",
    "setting": lambda rng: rng.choice(
        [
            f"max_tokens: {rng.randint(1, 99_999)}",
            f"password: {rng.choice(['required', 'wrong', 'string', 'reset'])}",
            f"the token is {rng.choice(['valid', 'expired'])}",
            f"sid={rng.randint(1, 999)}",
            "secret: true",
        ]
    ),
    "coordinates": lambda rng: f"{rng.uniform(-90, 90):.6f}, {rng.uniform(-180, 180):.6f}",
}
