"""A quick look whether a text may hold what `named_values`, `personal_ids` and `disguised_mail` search for.

One RE2 pattern reads each character once, however many words and forms it looks for; most texts hold none of them.
"""

from functools import lru_cache
from typing import Any, Final

_WORDS: Final = (
    "ssn", "social.?sec", "ss ?#", "itin", "tax ?payer", "national.?ins", "nino", r"\bn\.?i\.? ?n", "insurance number",
    "bsn", "burgerserv", "sofi", "citizen service", "dni", r"\bnie\b", r"\bnif", "documento", "identidad", "spanish id",
    "cédula", "cpf", "cadastro", "brazilian", "aadh", "adhaar", "uida", "आधार", "codice", "cod.? ?fisc", r"\bc\.?f\b",
    "fiscal code", "italian tax",
    "passport", "reisepass", "passeport", "pasaporte", "passaport", "paspoort",
    "birth", r"\bdob\b", r"\bborn\b", r"d\.o\.b", "geburts", "gebor", r"geb\.", "nacimiento", "nacid", "nascita",
    "nat[oa] il", "nascimento", "naissance", "n[ée]+ le", r"\bpin\b", "pin.?code", "pin.?number", r"\botp", "one.?time",
    " code", "_code", "passcode", r"\btan\b", "bestätigungs", "verificatie", "código", r"curl\b", "https?:.{0,200} -u ",
    "cookie", "[([{<] ?(?:at|ät|arroba|@) ?[])}>]", r"\bdot\b", "_dot_", "punkt", "punto", r"\[\.\]", r"\(\.\)",
)  # fmt: skip
_FORMS: Final = (
    r"\b[0-9]{3}-[0-9]{2}-[0-9]{4}\b", r"\b[A-Z]{2} [0-9]{2} [0-9]{2} [0-9]{2} [A-D]\b", r"\b[XYZ]-?[0-9]{7}-?[A-Z]\b",
    r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b", r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b", "bc1[qp]", "BC1[QP]",
    r"\b[A-Za-z]{6}[0-9LMNPQRSTUVa-v]{2}[A-Za-z][0-9LMNPQRSTUVa-v]{2}[A-Za-z][0-9LMNPQRSTUVa-v]{3}[A-Za-z]\b",
)  # fmt: skip


def may_hold_named_values(normalised: str) -> bool:
    """Whether a text holds a word or a form that one of the finders needs."""
    return _pattern().search(normalised.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=1)
def _pattern() -> Any:
    import re2

    options = re2.Options()
    options.max_mem = 64 << 20
    options.log_errors = False
    return re2.compile(f"(?i:{'|'.join(_WORDS)})|{'|'.join(_FORMS)}".encode(), options)
