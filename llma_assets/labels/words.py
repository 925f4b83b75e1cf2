"""Finds the candidate phrases in a summary: words, identifiers, stop words. Scoring belongs in `phrases`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from llma_assets.languages import (
    ENGLISH,
    LINKS,
    MEASURED,
    NEGATIONS,
    NOUNS_HAVE_CAPITALS,
    PARTICLES,
    SKIPPED,
    STOPS,
    has_no_spaces,
    language_of,
    pieces,
    stem,
    stops_of,
)

LONGEST_PHRASE = 4
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_BREAK = re.compile(r"[^\w\s'’]+|\s[-–—]\s|\n|\S*\d\S*")
_IDENTIFIER = re.compile(r"\b(?:[a-z]+(?:_[a-z]+)+|(?:[A-Z][a-z]+){2,}|[a-z]+(?:[A-Z][a-z]+)+)(?=\b|\d)(?!\s*=)")
_ARROW = re.compile(r"\s*(?:→|⇄|->|=>|\n)\s*")
_FOLDED = re.compile(r"^\W+|\W*(?:[×x]\s?\d+)?\W*$")
_NAME = re.compile(r"[^\W\d][\w.-]{1,40}")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|_")
_CONTRACTION = re.compile(r"['’](?:s|re|ve|ll|d|m|t)$", re.IGNORECASE)
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu)['’](?=\w)", re.IGNORECASE)
_HYPHEN = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
_LONGEST_WORD = 30
_LONGEST_ACRONYM = 4
_TITLE_CASE = 0.6


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase as one summary has it.

    Attributes:
        stems: its words without endings; equal phrases have equal stems.
        surface: as written, lower case but for names and acronyms.
        proper: written with capitals in the middle of a sentence, as names are, or all in capitals, as codes are.
        step: the name of a tool or a function.
    """

    stems: tuple[str, ...]
    surface: str
    proper: bool
    step: bool


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    stem: str
    proper: bool
    link: str

    def joined(self, particle: str) -> "_Word":
        return replace(self, text=f"{self.text} {particle}", stem=f"{self.stem}+{particle}")

    def negated(self) -> "_Word":
        return replace(self, text=f"not {self.text}", stem=f"not+{self.stem}")


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


def phrases(text: str, language: str | None = None) -> Iterator[Phrase]:
    """Every phrase of one to four words in `text`; a tool's name also as a whole.

    Without a given language words count as English unless the text has stop words of another.
    """
    for name in steps(text):
        words = spelled(name).split()
        if 2 <= len(words) <= LONGEST_PHRASE:
            yield Phrase(tuple(stem(word) for word in words), " ".join(words), proper=False, step=True)
    parts = [_WORD.findall(part) for part in _BREAK.split(_HYPHEN.sub(" ", _IDENTIFIER.sub(" . ", text)))]
    language = language or language_of([word.casefold() for words in parts for word in words])
    for run in _runs(parts, language):
        yield from _grams(run)


def _runs(parts: list[list[str]], language: str) -> Iterator[list[_Word]]:
    """Words that stand together, without those that end a phrase."""
    stops = STOPS | stops_of(language)
    inside = [word for words in parts for word in words[1:]]
    capitals = sum(word[0].isupper() for word in inside)
    names_show = language not in NOUNS_HAVE_CAPITALS and capitals <= _TITLE_CASE * len(inside)
    for words in parts:
        run: list[_Word] = []
        before = links = ""
        for position, written in enumerate(words):
            word = written if language == ENGLISH else _ELISION.sub("", written)
            lower = word.casefold().replace("’", "'")
            content = lower not in stops and 2 <= len(word) <= _LONGEST_WORD and not _CONTRACTION.search(lower)
            if has_no_spaces(word):
                yield run
                yield from ([_Word(piece, piece, False, "")] for piece in pieces(word))
                run, links = [], ""
            elif language == ENGLISH and lower in SKIPPED:
                continue
            elif language == ENGLISH and lower in PARTICLES and run and not links:
                run[-1] = run[-1] if before in MEASURED else run[-1].joined(lower)
            elif language == ENGLISH and before == "how" and lower in MEASURED:
                run = [_Word(f"how {lower}", f"how+{lower}", False, "")]
            elif content:
                acronym = word.isupper() and len(word) <= _LONGEST_ACRONYM
                proper = names_show and not acronym and word[0].isupper() and (position > 0 or word.isupper())
                noun = language in NOUNS_HAVE_CAPITALS and position > 0
                as_written = noun or (names_show and (proper or acronym))
                own = _Word(word if as_written else lower, stem(word, language), proper, links)
                run.append(own.negated() if before in NEGATIONS and not links else own)
                links = ""
            elif run and not links and _links(lower, language):
                links = lower
            else:
                yield run
                run, links = [], ""
            before = lower
        yield run


def _links(word: str, language: str) -> bool:
    """Whether a phrase may go on after `word`, and keeps it: "cost of living", "annuler la commande"."""
    return word in LINKS if language == ENGLISH else len(word) <= 3 and word in stops_of(language)


def _grams(run: list[_Word]) -> Iterator[Phrase]:
    for start in range(len(run)):
        for end in range(start + 1, min(start + LONGEST_PHRASE, len(run)) + 1):
            words = run[start:end]
            if sum(word.link != "" for word in words[1:]) > 1:
                break
            texts = [words[0].text, *(f"{word.link} {word.text}".lstrip() for word in words[1:])]
            yield Phrase(
                tuple(word.stem for word in words),
                " ".join(texts),
                proper=any(word.proper for word in words),
                step=False,
            )
