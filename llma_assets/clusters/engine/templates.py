"""Finds templates: texts that a program sends again and again, with other names and numbers. Knows no vectors.

Whether a template becomes a cluster of its own is decided in `template_clusters`.

R. Vaarandi, M. Pihelgas, "LogCluster: a data clustering and pattern mining algorithm for event logs", CNSM 2015: words
that occur in many texts are those of a template, all others are its slots. Here commonness is tried from half of the
texts downwards, so that a name that is common in a small template is still a slot of a large one.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHARES = (0.5, 0.3, 0.2, 0.12, 0.07, 0.04, 0.02)
"""Shares of the texts that a word, and a template, must at least have, tried in this order."""
FEWEST_TEXTS = 50
"""Fewer texts are no template, however small the window is."""
FEWEST_WORDS = 3
"""Words that a template has at least, slots not counted."""
LEAST_FIXED = 0.5
"""Least share of a template in the words of its texts; masked numbers and quotations count as fixed."""
MOST_SLOT_WORDS = 4
"""Words in a row that a slot holds at most: a name or a thing. What is longer says something of its own."""
MOST_SHARE = 0.95
"""Where a template has more of the texts, what is in its slots is all there is to tell apart."""
MOST_WORDS = 120
"""Words of a text that are read; templates differ before."""
MOST_CHARACTERS = 2_000
NO_TEMPLATE = -1

_MASKED = re.compile(
    r"""(?P<quoted>"[^"\n]{1,200}"|“[^”\n]{1,200}”|«[^»\n]{1,200}»|`[^`\n]{1,200}`|(?<!\w)'[^'\n]{1,200}'(?!\w))"""
    r"""|(?P<id>(?:https?://|www\.)\S+|[\w.+-]+@[\w-]+\.[\w.-]+|\S*\d\S*)"""
    r"""|(?P<word>[^\W_]+(?:['’][^\W_]+)*)""",
)
_SLOT, _NUMBER, _QUOTE = "…", "#", "“”"
_MASKS = frozenset((_NUMBER, _QUOTE))
_SLOTS = _MASKS | {_SLOT}


class Template(NamedTuple):
    """A template.

    Attributes:
        pattern: its words in order; `#` stands for numbers and ids, `“”` for a quotation, `…` for other words.
        texts: how many texts are made of it.
    """

    pattern: str
    texts: int


class Templates(NamedTuple):
    """The templates of n texts.

    Attributes:
        found: the templates, by falling number of texts.
        of_text: int (n,), place of each text's template in `found`, -1 where it has none.
    """

    found: list[Template]
    of_text: NDArray[np.int_]


def find_templates(texts: Sequence[str]) -> Templates:
    """Find the templates that many of the texts are made of.

    Time is linear in the characters. The answer depends on the texts alone, not on their order.
    """
    n = len(texts)
    of_text = np.full(n, NO_TEMPLATE, dtype=np.int_)
    known: dict[str, str] = {}
    words = [tuple(known.setdefault(word, word) for word in masked_words(text)) for text in texts]
    rest = [index for index in range(n) if words[index]]
    patterns: list[tuple[str, list[int]]] = []
    for share in SHARES:
        least = max(FEWEST_TEXTS, int(np.ceil(share * n)))
        if len(rest) < least:
            continue
        counts = Counter(word for index in rest for word in set(words[index]))
        common = frozenset(word for word, count in counts.items() if count >= least) - _MASKS
        frames = _frames(words, rest, common)
        taken = {pattern: members for pattern, members in frames.items() if len(members) >= least}
        if taken:
            patterns += taken.items()
            gone = {index for members in taken.values() for index in members}
            rest = [index for index in rest if index not in gone]
    patterns = [
        (pattern, members) for pattern, members in patterns if not _is_boilerplate(pattern, members, words, rest)
    ]
    patterns.sort(key=lambda each: (-len(each[1]), each[0]))
    for place, (_, members) in enumerate(patterns):
        of_text[members] = place
    return Templates([Template(pattern, len(members)) for pattern, members in patterns], of_text)


def masked_words(text: str) -> tuple[str, ...]:
    """The words of a text in small letters, with `#` for what holds digits and for addresses, `“”` for quotations.

    >>> masked_words('Refund order A-17 of "Ann Lee", please: it\\'s late')
    ('refund', 'order', '#', 'of', '“”', 'please', "it's", 'late')
    """
    found = []
    for match in _MASKED.finditer(text[:MOST_CHARACTERS]):
        found.append(_QUOTE if match["quoted"] else _NUMBER if match["id"] else match["word"].lower())
        if len(found) == MOST_WORDS:
            break
    return tuple(found)


def _is_boilerplate(
    pattern: str, members: Sequence[int], words: Sequence[tuple[str, ...]], others: Sequence[int]
) -> bool:
    """Whether the words of a pattern stand in the other texts, too, as those of a prompt around every question do."""
    if len(members) > MOST_SHARE * len(words):
        return True
    fixed = set(pattern.split()) - _SLOTS
    return sum(fixed.issubset(words[index]) for index in others) > len(members) / 2


def _frames(words: Sequence[tuple[str, ...]], rest: Sequence[int], common: frozenset[str]) -> dict[str, list[int]]:
    """The texts by their common words in order; texts that have few of these, or long slots, are left out."""
    frames: dict[str, list[int]] = {}
    if len(common) < FEWEST_WORDS:
        return frames
    for index in rest:
        own = words[index]
        fixed = sum(word in common for word in own)
        masked = sum(word in _MASKS for word in own)
        if fixed < FEWEST_WORDS or fixed + masked < LEAST_FIXED * len(own):
            continue
        frame: list[str] = []
        run = 0
        for word in own:
            run = 0 if word in common else run + (word not in _MASKS)
            if run > MOST_SLOT_WORDS:
                break
            if word in common or (word in _MASKS and (not frame or frame[-1] not in _SLOTS)):
                frame.append(word)
            elif not frame or frame[-1] not in _SLOTS:
                frame.append(_SLOT)
            elif frame[-1] != word:
                frame[-1] = _SLOT
        else:
            frames.setdefault(" ".join(frame), []).append(index)
    return frames


def sampled_templates(templates: Templates, sampled: int) -> Templates:
    """The same without templates that none of the first `sampled` texts is made of: nothing says where these lie."""
    seen = np.unique(templates.of_text[:sampled])
    known = np.where(np.isin(templates.of_text, seen), templates.of_text, NO_TEMPLATE)
    return Templates(templates.found, known)
