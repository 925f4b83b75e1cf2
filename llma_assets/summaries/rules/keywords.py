"""Does the conversation speak of a theme's own keywords, in any form of the words."""

import re
from collections.abc import Sequence

from llma_assets.summaries.rules.talk import Talk, lines_of
from llma_assets.summaries.rules.verdict import Signal, Verdict
from llma_assets.summaries.schema import shorten


def shows_keywords(talk: Talk, keywords: Sequence[str]) -> Verdict:
    """Relevant where a user or the application says one of the keywords."""
    signals = []
    for keyword in keywords:
        pattern = re.compile(rf"\b{re.escape(keyword)}\b", re.IGNORECASE)
        for step in (*talk.users, *talk.answers):
            if pattern.search(step.text):
                signals.append(Signal("keyword", keyword, shorten(step.text, 160), lines_of(step)))
                break
    return Verdict(bool(signals), "keywords: " + ", ".join(s.subject for s in signals), tuple(signals))
