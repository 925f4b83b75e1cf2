"""Did the user have trouble with the application. What failed technically belongs in `errors`."""

import re

from llma_assets.summaries.rules.talk import Talk, lines_of
from llma_assets.summaries.rules.verdict import Signal, Verdict
from llma_assets.summaries.schema import shorten

_COMPLAINT = re.compile(
    r"\b(?:frustrat\w+|ridiculous|unacceptable|not helpful|i already (?:said|told))\b", re.IGNORECASE
)


def shows_trouble(talk: Talk) -> Verdict:
    """Relevant where a user complains."""
    signals = tuple(
        Signal("complaint", "", shorten(step.text, 160), lines_of(step))
        for step in talk.users
        if _COMPLAINT.search(step.text)
    )
    return Verdict(bool(signals), "the user complains" if signals else "no trouble told", signals)
