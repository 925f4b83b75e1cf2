"""How what a server said is quoted in a skip or a message: one short line without anything private in it."""

from llma_assets.visible import visible

LONGEST = 160


def quoted(said: str) -> str:
    """`said` on one line, without private values and hidden characters, cut; "" for nothing.

    >>> quoted("API key not valid.\\n Ask admin@example.com")
    'API key not valid. Ask [EMAIL_1]'
    """
    from llma_assets.privacy.redaction import Redactor  # takes a while to load, and is seldom needed

    line = " ".join(visible(said[: 20 * LONGEST], control=" ").split())
    line = Redactor().redact(line).replace('"', "'")
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"
