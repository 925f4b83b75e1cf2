"""Finds national ids: by their checksum, or by their form and a word beside them that names them.

US social security numbers, UK national insurance numbers, Dutch BSN, Spanish DNI and NIE, Brazilian CPF, Indian
Aadhaar, Italian codice fiscale. All patterns take linear time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from llma_assets.privacy.beside import is_beside, is_named, numbers_a_thing
from llma_assets.privacy.spans import Span

NATIONAL_ID: Final = "NATIONAL_ID"

_DNI_LETTERS: Final = "TRWAGMYFPDXBNJZSQVHLCKE"
_NOT_NINO: Final = {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16,
         10, 22, 25, 24, 23],
        strict=True,
    )
)  # fmt: skip
"""Values of signs at odd places of a codice fiscale; those at even places count as they are."""


def _ssn(value: str) -> bool:
    area, group, serial = value[:3], value[3:5], value[5:]
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"


def _nino(value: str) -> bool:
    return value[:2] not in _NOT_NINO


def _bsn(value: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(value, (9, 8, 7, 6, 5, 4, 3, 2, -1), strict=True))
    return total % 11 == 0 and value.strip("0") != ""


def _dni(value: str) -> bool:
    number = str("XYZ".index(value[0])) + value[1:-1] if value[0] in "XYZ" else value[:-1]
    return _DNI_LETTERS[int(number) % 23] == value[-1]


def _cpf(value: str) -> bool:
    if len(set(value)) == 1:
        return False
    digits = list(map(int, value))
    for size in (9, 10):
        rest = sum(digit * (size + 1 - place) for place, digit in enumerate(digits[:size])) * 10 % 11 % 10
        if rest != digits[size]:
            return False
    return True


def _aadhaar(value: str) -> bool:
    """Verhoeff's checksum, in the dihedral group of ten elements."""
    check = 0
    permutation = list(range(10))
    for digit in reversed(value):
        check = _multiplied(check, permutation[int(digit)])
        permutation = [(1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[each] for each in permutation]
    return check == 0


def _multiplied(first: int, second: int) -> int:
    if first < 5:
        return (first + second) % 5 + (5 if second >= 5 else 0)
    return (first - second) % 5 + (0 if second >= 5 else 5)


def _codice_fiscale(value: str) -> bool:
    total = sum(
        _ODD[sign] if place % 2 == 0 else (int(sign) if sign.isdigit() else ord(sign) - 65)
        for place, sign in enumerate(value[:15])
    )
    return chr(65 + total % 26) == value[15]


@dataclass(frozen=True, slots=True)
class _Form:
    """How an id is written.

    Attributes:
        form: its pattern; a match that goes on in letters or digits is no such id.
        words: what names it.
        is_valid: whether its signs without separators can be such an id.
        alone: pattern of a spelling so tight that no word is needed, None if there is none.
    """

    form: re.Pattern[str]
    words: re.Pattern[str]
    is_valid: Callable[[str], bool]
    alone: re.Pattern[str] | None = None


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_FORMS: Final = (
    _Form(
        re.compile(r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}"),
        _words(r"\bssn|social[ _-]?sec|\bss ?#|\bitin\b|tax ?payer id|socialsec"),
        _ssn,
        re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}"),
    ),
    _Form(
        re.compile(r"(?i:[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?(?i:[A-D])"),
        _words(r"national[ _-]?ins|nationalins|\bnino\b|\bni (?:number|no)|\bn\.?i\.? ?(?:number|no)|insurance number"),
        _nino,
        re.compile(r"[A-Z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [A-D]"),
    ),
    _Form(
        re.compile(r"[0-9]{4}[. ]?[0-9]{2}[. ]?[0-9]{3}|[0-9]{3}[. ][0-9]{3}[. ][0-9]{3}"),
        _words(r"\bbsn|burgerservice|sofi-?nummer|citizen service n"),
        _bsn,
    ),
    _Form(
        re.compile(r"(?:[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}|(?i:[XYZ])[- ]?[0-9]{7})[- ]?(?i:[A-HJ-NP-TV-Z])"),
        _words(r"\bd\.?n\.?i\b|\bnie\b|\bnif\b|documento|identidad|spanish id|cédula|\b(?:dni|nie|nif)_"),
        _dni,
        re.compile(r"[XYZ]-?[0-9]{7}-?[A-Z]"),
    ),
    _Form(
        re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}[-.][0-9]{2}|[0-9]{9}-?[0-9]{2}"),
        _words(r"\bcpf|cadastro de pessoa|brazilian (?:tax|id)"),
        _cpf,
        re.compile(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"),
    ),
    _Form(
        re.compile(r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}"),
        _words(r"aadha+r|aadhar|\buidai?\b|आधार|adhaar"),
        _aadhaar,
    ),
    _Form(
        re.compile(
            r"(?i:[A-Z]{3} ?[A-Z]{3} ?[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2} ?[A-Z][0-9LMNPQRSTUV]{3}[A-Z])"
        ),
        _words(r"codice[ _-]?fiscale|\bcod\.? ?fisc|\bc\.?f\.?\b|fiscal code|italian tax"),
        _codice_fiscale,
        re.compile(r"(?i:[A-Z]{6}[0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z])"),
    ),
)
_SEPARATORS: Final = re.compile(r"[ .-]")


def find_national_ids(normalised: str, lower: str) -> Iterator[Span]:
    """National ids; `lower` is the text in lower case."""
    for each in _FORMS:
        has_word = each.words.search(lower) is not None
        if not has_word and each.alone is None:
            continue
        pattern = each.form if has_word or each.alone is None else each.alone
        for found in pattern.finditer(normalised):
            start, end = found.span()
            if not _stands_alone(normalised, start, end):
                continue
            value = _SEPARATORS.sub("", found.group()).upper()
            if (
                (has_word and is_named(lower, start, end, each.words))
                or (has_word and is_beside(lower, start, end, each.words) and each.is_valid(value))
                or (
                    each.alone is not None
                    and each.alone.fullmatch(found.group()) is not None
                    and each.is_valid(value)
                    and not numbers_a_thing(lower, start)
                )
            ):
                yield Span(start, end, NATIONAL_ID, value)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether the signs are no part of a longer number, code or word."""
    before, after = text[max(start - 2, 0) : start], text[end : end + 2]
    if before[-1:].isalnum() or after[:1].isalnum():
        return False
    joins = {"-", ".", "/", "_", ":"}
    return not (
        (before[-1:] in joins - {":"} and before[:1].isdigit() and len(before) == 2)
        or (after[:1] in joins - {":"} and after[1:].isalnum() and (after[0] != "." or after[1:].isdigit()))
    )
