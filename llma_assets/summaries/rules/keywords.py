"""The rule `keywords`: the conversation contains a keyword of the theme, in any form of the word."""

import re
from collections.abc import Sequence
from functools import lru_cache

from llma_assets.languages import ENGLISH, has_no_spaces, language_of, stem
from llma_assets.summaries.rules.conversation import Conversation, sentence_at
from llma_assets.summaries.rules.verdict import Signal, Verdict
from llma_assets.summaries.transcript import Step

SAID = "speaks of"
_WORD = re.compile(r"[^\W_]+(?:['’][^\W\d_]+)?")
_READ_CHARS = 20_000
_MAX_SIGNALS = 3


def shows_keywords(conversation: Conversation, keywords: Sequence[str]) -> Verdict:
    """Relevant where a user or the application uses one of the keywords; the words of a keyword must be adjacent.

    Words are compared by their stems, in the language of the message and in English. A keyword in a script without
    spaces is searched as it is.
    """
    signals: list[Signal] = []
    for keyword in dict.fromkeys(keywords):
        found = [signal for step in _said(conversation) if (signal := _keyword_in(conversation, step, keyword))]
        signals += found[:_MAX_SIGNALS]
    told = list(dict.fromkeys(signal.subject for signal in signals))
    if told:
        return Verdict(True, f"speaks of {', '.join(told)}", tuple(signals), f"{told[0]}:")
    return Verdict(False, "none of its keywords" if keywords else "the theme has no keywords")


def _said(conversation: Conversation) -> list[Step]:
    return [step for _, step in sorted((*conversation.users, *conversation.answers), key=lambda pair: pair[0])]


def _keyword_in(conversation: Conversation, step: Step, keyword: str) -> Signal | None:
    text = step.text[:_READ_CHARS]
    span = _span(text, keyword)
    if span is None:
        return None
    return Signal(SAID, keyword, sentence_at(text, *span), conversation.lines_of(step, text[slice(*span)]))


def _span(text: str, keyword: str) -> tuple[int, int] | None:
    """Where a text contains a keyword.

    >>> _span("I was refunded twice", "refund")
    (6, 14)
    """
    spans, languages = _words(text)
    for language in languages:
        wanted = [stem(word, language) for word in _WORD.findall(keyword)]
        stems = [stem(text[start:end], language) for start, end in spans]
        for at in range(len(stems) - len(wanted) + 1):
            if wanted and stems[at : at + len(wanted)] == wanted:
                return spans[at][0], spans[at + len(wanted) - 1][1]
    if has_no_spaces(keyword) and (match := re.search(re.escape(keyword), text, re.IGNORECASE)):
        return match.span()
    return None


@lru_cache(maxsize=256)
def _words(text: str) -> tuple[list[tuple[int, int]], tuple[str, ...]]:
    spans = [match.span() for match in _WORD.finditer(text)]
    language = language_of([text[start:end].lower() for start, end in spans])
    return spans, tuple(dict.fromkeys((language, ENGLISH)))
