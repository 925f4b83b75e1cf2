"""Did it go so well that one can learn from it. That nothing went wrong is not enough."""

import re

from llma_assets.summaries.rules.errors import shows_errors
from llma_assets.summaries.rules.norms import Norms
from llma_assets.summaries.rules.performance import is_unusual
from llma_assets.summaries.rules.talk import Talk, lines_of
from llma_assets.summaries.rules.ux import shows_trouble
from llma_assets.summaries.rules.verdict import Facts, Signal, Verdict
from llma_assets.summaries.schema import shorten

_PRAISE = re.compile(r"\b(?:perfect|awesome|excellent|amazing|wonderful|very helpful)\b", re.IGNORECASE)


def shows_success(talk: Talk, facts: Facts, norms: Norms) -> Verdict:
    """Relevant where a user praises at the end of a conversation without errors and trouble."""
    praise = tuple(
        Signal("praise", "", shorten(step.text, 160), lines_of(step))
        for step in talk.users[-1:]
        if _PRAISE.search(step.text)
    )
    if not praise:
        return Verdict(False, "no praise")
    for other in (shows_errors(talk, facts), shows_trouble(talk), is_unusual(talk, facts, norms)):
        if other.relevant:
            return Verdict(False, f"praise, but {other.why}")
    return Verdict(True, "praise at the end", praise)
