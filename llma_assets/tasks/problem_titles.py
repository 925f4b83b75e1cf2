"""Finds the part of a description that reports the problem, and makes a title of it. English; no model."""

import re
from collections.abc import Sequence
from typing import Final

from llma_assets.tasks.impact import flags_of
from llma_assets.tasks.trouble_phrases import normalised, trouble_words

_SENTENCE_END: Final = re.compile(
    r"(?<=[.!?;])\s+|,\s+(?=(?:and|but|although|so|the|each|which|after)\b)", re.IGNORECASE
)
_PART_END: Final = re.compile(
    r"(?<=[,:])\s+|\s+(?=(?:and|but|when|while|because|before|until|although|which|so|where|as|after)\s)", re.IGNORECASE
)
_LINKS: Final = re.compile(r"^(?:and|but|then|so|also|although|which|,|-)\s+", re.IGNORECASE)
_LOOSE: Final = re.compile(
    r"(?:[\s,;:]|\b(?:an?|and|any|as|at|because|but|by|for|from|in|into|of|on|or|so|than|that|the|their|then|to|when|which"
    r"|while|with|without)$)+$",
    re.IGNORECASE,
)
"""Words and marks that are cut from the end of a title."""
_HEAD_WORDS: Final = 3
"""Least words of the beginning that are shown."""


def problem_sentence(description: str) -> tuple[list[str], int]:
    """The sentences of a description, and the index of the one that reports the worst problem; -1 if none does."""
    sentences = [part for part in _SENTENCE_END.split(description) if part.strip()] or [description]
    return sentences, _worst_part(sentences)


def problem_title(description: str, most_words: int) -> str:
    """At most so many words of a description: the part that reports the problem, with its context.

    >>> problem_title("He looks at five lamps, sorts them by price, and then the page crashes when he pays.", 6)
    'The page crashes'
    >>> problem_title("The user entered a coupon code at checkout and got the answer that it is invalid.", 12)
    'The user entered … got the answer that it is invalid'
    """
    sentences, worst = problem_sentence(description)
    title = _LINKS.sub("", _window(sentences[max(worst, 0)], most_words))
    return title[:1].upper() + title[1:]


def _window(sentence: str, most_words: int) -> str:
    """The worst part of a sentence, then those before and after it while there is room, then its beginning."""
    if len(sentence.split()) <= most_words:
        return _LOOSE.sub("", sentence.strip().rstrip("."))
    parts = [part.split() for part in _PART_END.split(sentence) if part.strip()]
    worst = max(_worst_part([" ".join(part) for part in parts]), 0)
    words, first, last = parts[worst], worst, worst
    while first > 0 and len(parts[first - 1]) + len(words) <= most_words:
        first -= 1
        words = parts[first] + words
    while last + 1 < len(parts) and len(words) + len(parts[last + 1]) <= most_words:
        last += 1
        words = words + parts[last]
    rest = _LINKS.sub("", _LOOSE.sub("", " ".join(words[:most_words]).rstrip(".")))
    head = sentence.split()[: most_words - len(rest.split()) - 1]
    if first == 0 or len(head) < _HEAD_WORDS:
        return rest
    return f"{_LOOSE.sub('', ' '.join(head))} … {rest}"


def _worst_part(parts: Sequence[str]) -> int:
    """The index of the part with the most impact, the first on a tie; -1 if none reports a problem.

    Other words of trouble weigh more than abandonment, and less than failure or confusion.
    """
    scores = [flags_of(part).impact + 0.25 * trouble_words(normalised(part)) for part in parts]
    highest = max(scores)
    return scores.index(highest) if highest > 0 else -1
