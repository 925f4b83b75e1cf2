"""How what a server said is quoted in a skip or a message: one short line without anything private in it."""

import re

LONGEST = 160
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\U000e0000-\U000e007f]+"
)


def quoted(said: str) -> str:
    """`said` on one line, without private values and hidden characters, cut; "" for nothing.

    >>> quoted("API key not valid.\\n Ask admin@example.com")
    'API key not valid. Ask [EMAIL_1]'
    """
    from llma_assets.rendering.redaction import Redactor  # takes a while to load, and is seldom needed

    line = " ".join(_HIDDEN.sub(" ", said[: 20 * LONGEST]).split())
    line = Redactor().redact(line).replace('"', "'")
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"
