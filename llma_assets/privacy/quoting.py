"""Quotes the answer of a server in a skip or an error: one short line without private values."""

from llma_assets.visible import visible

LONGEST = 160


def quoted(text: str) -> str:
    """`text` on one line, cut, without private values and hidden characters; "" for an empty text.

    >>> quoted("API key not valid.\\n Ask admin@example.com")
    'API key not valid. Ask [EMAIL_1]'
    """
    from llma_assets.privacy.redaction import Redactor  # slow to import, and seldom needed

    line = " ".join(visible(text[: 20 * LONGEST], control=" ").split())
    line = Redactor().redact(line).replace('"', "'")
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"
