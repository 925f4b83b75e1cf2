"""Is something wished that the application cannot do. Whether it failed at what it can do belongs in `errors`."""

import re

from llma_assets.summaries.rules.talk import Talk, lines_of
from llma_assets.summaries.rules.verdict import Signal, Verdict
from llma_assets.summaries.schema import shorten

_UNABLE = re.compile(r"\b(?:i(?:'m| am) (?:unable|not able) to|i can(?:no|')t|is not supported)\b", re.IGNORECASE)


def shows_wishes(talk: Talk) -> Verdict:
    """Relevant where the application says that it cannot do what is asked."""
    signals = tuple(
        Signal("cannot", "", shorten(step.text, 160), lines_of(step))
        for step in talk.answers
        if _UNABLE.search(step.text)
    )
    return Verdict(bool(signals), "something is not possible" if signals else "nothing was refused", signals)
