"""A quick look whether a text may hold what `named_values`, `personal_ids` and `disguised_mail` search for.

An RE2 pattern reads each character once, however many words and forms it looks for; most texts hold none of them.
"""

from functools import lru_cache
from typing import Any, Final

_NAMED: Final = (
    "passport", "reisepass", "passeport", "pasaporte", "passaport", "paspoort",
    "birth", r"\bdob\b", r"\bborn\b", r"d\.o\.b", "geburts", "gebor", r"geb\.", "nacimiento", "nacid", "nascita",
    "nat[oa] il", "nascimento", "naissance", "n[ée]+ le", r"\bpin\b", "pin_?code", "pin_?number", r"\botp", "one.?time",
    "(?:ion|ty|in|ess|ms|fa|or)[ _]code", "passcode", r"\btan\b", "bestätigungs", "verificatie", "código",
    r"\bcurl\b", "--user", "cookie",
)  # fmt: skip
_IDS: Final = (
    "ssn", "social.?sec", "ss ?#", r"\bitin\b", "tax ?payer", "national.?ins", "nino", r"\bn\.?i\.? ?n",
    "insurance number", "bsn", "burgerserv", "sofi", "citizen service", r"\bdni", r"d\.n\.i", r"\bnie\b", r"\bnif",
    "documento", "identidad", "spanish id", "cédula", r"\bcpf", "cadastro", "brazilian", "aadh", "adhaar", "uida",
    "आधार", "codice", "cod.? ?fisc", r"\bc\.?f\b", "fiscal code", "italian tax",
)  # fmt: skip
_FORMS: Final = (
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", r"\b[A-Z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [A-D]\b", r"\b[XYZ]-?[0-9]{7}-?[A-Z]\b",
    r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b",
    r"\b[A-Za-z]{6}[0-9LMNPQRSTUVa-v]{2}[A-Za-z][0-9LMNPQRSTUVa-v]{2}[A-Za-z][0-9LMNPQRSTUVa-v]{3}[A-Za-z]\b",
)  # fmt: skip
_WALLETS: Final = (r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b", "bc1[qp]", "BC1[QP]")
_MAIL: Final = (
    "[([{<] ?(?:at|ät|arroba|@) ?[])}>]", r"\bdot\b", "_dot_", "punkt", "punto", r"\[ ?\. ?\]", r"\( ?\. ?\)",
)  # fmt: skip


def may_hold(normalised: bytes) -> tuple[bool, bool, bool, bool]:
    """Whether a text in UTF-8 holds a word or a form that the finders of named values, ids, wallets and mail need."""
    named, ids, wallets, mail = (pattern.search(normalised) is not None for pattern in _patterns())
    return named, ids, wallets, mail


@lru_cache(maxsize=1)
def _patterns() -> tuple[Any, ...]:
    import re2

    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    any_case = "(?i:{})".format
    return tuple(
        re2.compile(pattern.encode(), options)
        for pattern in (
            any_case("|".join(_NAMED)),
            f"{any_case('|'.join(_IDS))}|{'|'.join(_FORMS)}",
            "|".join(_WALLETS),
            any_case("|".join(_MAIL)),
        )
    )
