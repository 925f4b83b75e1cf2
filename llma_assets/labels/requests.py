"""Finds what users ask for in a summary: their words, and the clauses of them that can be a title.

Choosing among the clauses belongs in `request_titles`, phrases in `words`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from llma_assets.labels.evidence import SummaryText
from llma_assets.labels.words import phrases
from llma_assets.languages import (
    ENGLISH,
    LINKS,
    NEGATIONS,
    PARTICLES,
    SKIPPED,
    STOPS,
    count_words,
    has_no_spaces,
    language_of,
    stops_of,
)
from llma_assets.summaries import ASKED, without_courtesies

LONGEST, SHORTEST = 9, 3
"""Words of a clause."""

_ASKED = re.compile(re.escape(ASKED).replace(re.escape("{}"), "(.*)"), re.DOTALL)
_TOKEN = re.compile(r"\w[\w'’@.-]*\w|\w|[^\w\s]")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?;:…。！？；，\n()\"“”]+|,\s|\s[-–—]\s")
_JOINS = re.compile(r"\b(?:and|but|because|since|so that|although|if|while|then|or)\b", re.IGNORECASE)
_BEFORE_VERBS = frozenset("to i we please can't cannot let's lets i'd i'll we'd".split())
_OFFERS = frozenset("can could would will".split())
_GOES_ON = NEGATIONS | frozenset(
    "is are was were am be been being has have had having do does did will would can could should must may might "
    "isn aren wasn weren hasn haven doesn didn won wouldn couldn still not already just yet now".split()
)
_ASKS = frozenset("how what why when where which who whose".split())
_OPENS = _ASKS | frozenset("is are do does did can has have was my our the there no not i".split())
_BEFORE_NOUNS = frozenset("a an the my our your his her its their this that these those any some".split())


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a request that reads on its own.

    Attributes:
        text: as written.
        words: stems of its content words.
        start: how it begins: "verb" (after "to", "please"), "clause" or "question".
        language: as far as the request shows it.
    """

    text: str
    words: frozenset[str]
    start: str
    language: str


@dataclass(frozen=True, slots=True)
class Requests:
    """What the user of one trace asks.

    Attributes:
        words: stems of the content words of all requests.
        clauses: parts of them that could be a title.
    """

    words: frozenset[str]
    clauses: tuple[Clause, ...]


def requests_of(summary: SummaryText) -> Requests:
    """The requests of a summary: the user's own words where it begins with them, its title otherwise."""
    said = asked_in(summary) or (summary.title,)
    words: set[str] = set()
    clauses: dict[Clause, None] = {}
    for text in said:
        language = language_of([token.casefold() for token in _TOKEN.findall(text)])
        words |= content_of(text, language)
        for sentence in _SENTENCE.split(text):
            for clause in _clauses(without_courtesies(sentence) if language == ENGLISH else sentence, language):
                clauses.setdefault(clause)
    return Requests(frozenset(words), tuple(clauses))


def asked_in(summary: SummaryText) -> tuple[str, ...]:
    """What users wrote, from a summary that begins with a request; a theme's own finding comes first where there is one."""
    found = [match[1] for bullet in summary.bullets if (match := _ASKED.fullmatch(bullet))]
    return tuple(found) if found and _ASKED.fullmatch(summary.bullets[0]) else ()


def content_of(text: str, language: str) -> frozenset[str]:
    """The stems of the content words of a text."""
    return frozenset(phrase.stems[0] for phrase in phrases(text, language) if len(phrase.stems) == 1)


def _clauses(sentence: str, language: str) -> Iterator[Clause]:
    parts = _JOINS.split(sentence) if language == ENGLISH else [sentence]
    for part in dict.fromkeys([sentence, *parts]):
        run: list[str] = []
        opening = True
        for token in [*_TOKEN.findall(part), "\n"]:
            if _WORD.fullmatch(token):
                run.append(token)
                continue
            if token in ",/'’-&":
                continue
            yield from _spans(run, language, opening)
            run, opening = [], False
    return


def _spans(run: list[str], language: str, opening: bool) -> Iterator[Clause]:
    """The spans of a run of words that may begin and end a title."""
    if language != ENGLISH:
        yield from _whole(run, language, opening)
        return
    lower = [word.casefold().replace("’", "'") for word in run]
    empty = [word in STOPS or word in SKIPPED for word in lower]
    for start, word in enumerate(lower):
        if word in _ASKS:
            kind = "question"
        elif start == 0 and opening and (word in _OPENS or not empty[0]):
            kind = "clause"
        elif _before_verb(lower[:start]) and not empty[start]:
            kind = "verb"
        else:
            continue
        for end in range(start + SHORTEST, min(start + LONGEST, len(run)) + 1):
            last, after = lower[end - 1], lower[end] if end < len(run) else ""
            if empty[end - 1] and last not in PARTICLES and last not in ("work", "works"):
                continue
            if after and (after not in STOPS or after in PARTICLES or after in _GOES_ON):
                continue
            text = " ".join(run[start:end])
            yield Clause(text, content_of(text, language), kind, language)


def _before_verb(words: list[str]) -> bool:
    """Whether a verb follows: after "to", "please", "I", "can you"."""
    return words[-1:] != [] and (words[-1] in _BEFORE_VERBS or (words[-1] == "you" and words[-2:-1] != [] and words[-2] in _OFFERS))


def _whole(run: list[str], language: str, opening: bool) -> Iterator[Clause]:
    text = " ".join(run)
    if opening and SHORTEST <= count_words(text) <= LONGEST:
        yield Clause(text, content_of(text, language), "clause", language)
