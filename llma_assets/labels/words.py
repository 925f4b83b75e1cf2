"""From the text of a summary to the phrases that may name it: words, identifiers, stop words. No statistics."""

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

LONGEST_PHRASE = 3
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_BREAK = re.compile(r"[^\w\s'’]+|\s[-–—]\s|\n|\S*\d\S*")
_IDENTIFIER = re.compile(r"\b(?:[a-z]+(?:_[a-z]+)+|(?:[A-Z][a-z]+){2,}|[a-z]+(?:[A-Z][a-z]+)+)(?=\b|\d)(?!\s*=)")
_ARROW = re.compile(r"\s*(?:→|⇄|->|=>|\n)\s*")
_FOLDED = re.compile(r"^\W+|\W*(?:[×x]\s?\d+)?\W*$")
_NAME = re.compile(r"[^\W\d][\w.-]{1,40}")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_CONTRACTION = re.compile(r"['’](?:s|re|ve|ll|d|m|t)$", re.IGNORECASE)
_LONGEST_WORD = 30

_LISTS: dict[str, list[str]] = json.loads(resources.files(__package__).joinpath("stopwords.json").read_text("utf-8"))
SKIPPED = frozenset(_LISTS["skipped"])
"""Words inside which a phrase may go on: "book a flight" is the phrase "book flight"."""
STOPS = frozenset(_LISTS["stops"])
"""Words that end a phrase: function words, courtesies, and what every trace of a chat says."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as one summary has it.

    Attributes:
        stems: its words without case and plural; equal phrases have equal stems.
        surface: as written, lower case.
        proper: written with capitals in the middle of a sentence, as names are.
        step: the name of a tool or a function.
    """

    stems: tuple[str, ...]
    surface: str
    proper: bool
    step: bool


def stem(word: str) -> str:
    """`word` in lower case, without the s of an English plural."""
    lower = unicodedata.normalize("NFC", word).casefold()
    if len(lower) > 4 and lower.endswith("ies"):
        return lower[:-3] + "y"
    if len(lower) > 4 and lower.endswith(("ches", "shes", "sses", "xes")):
        return lower[:-2]
    if len(lower) > 3 and lower.endswith("s") and not lower.endswith(("ss", "us", "is")):
        return lower[:-1]
    return lower


def steps(text: str) -> list[str]:
    """The names of tools and functions in `text`, as written: words joined by underscores or humps."""
    return _IDENTIFIER.findall(text)


def flow_steps(flow: str) -> list[str]:
    """The tools between the arrows of a flow diagram, as written; roles and sentences are no tools."""
    found = []
    for part in _ARROW.split(flow):
        name = _FOLDED.sub("", part)
        if _NAME.fullmatch(name) and name.casefold() not in STOPS:
            found.append(name)
    return found


def spelled(name: str) -> str:
    """The name of a tool as words: `SearchOnewayFlight` is "search oneway flight"."""
    return " ".join(part.casefold() for part in _HUMP.split(name) if part)


def phrases(text: str) -> Iterator[Phrase]:
    """Every phrase of one to three words in `text`; a tool's name also as a whole."""
    for name in steps(text):
        words = spelled(name).split()
        if 2 <= len(words) <= LONGEST_PHRASE + 1:
            yield Phrase(tuple(stem(word) for word in words), " ".join(words), proper=False, step=True)
    without_names = _IDENTIFIER.sub(" . ", text)
    for part in _BREAK.split(without_names):
        yield from _phrases_of(part)


def _phrases_of(part: str) -> Iterator[Phrase]:
    run: list[tuple[str, bool]] = []
    for position, word in enumerate(_WORD.findall(part)):
        bare = _CONTRACTION.sub("", word)
        lower = bare.casefold()
        if lower in SKIPPED:
            continue
        if lower in STOPS or bare != word or not 2 <= len(bare) <= _LONGEST_WORD:
            yield from _grams(run)
            run = []
            continue
        run.append((bare, position > 0 and bare[0].isupper()))
    yield from _grams(run)


def _grams(run: list[tuple[str, bool]]) -> Iterator[Phrase]:
    for start in range(len(run)):
        for end in range(start + 1, min(start + LONGEST_PHRASE, len(run)) + 1):
            words = run[start:end]
            yield Phrase(
                tuple(stem(word) for word, _ in words),
                " ".join(word.casefold() for word, _ in words),
                proper=any(capital for _, capital in words),
                step=False,
            )
