"""The rule `ux`: the user corrects, complains, insists, repeats a request or asks for a person.

Phrases are English; repetitions are found in any language. A change of mind or thanks do not count, nor do complaints
before the application's first answer: they are the reason for the conversation. Technical failures belong in `errors`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from llma_assets.languages import language_of, stem
from llma_assets.summaries.rules.conversation import QUOTE_CHARS, Conversation, english_match, sentence_at
from llma_assets.summaries.rules.phrases import phrases
from llma_assets.summaries.rules.verdict import Signal, Verdict
from llma_assets.summaries.schema import shorten
from llma_assets.summaries.words import content_words, is_courtesy

CORRECTS, COMPLAINS, INSISTS = "user corrects", "user complains", "user insists"
WANTS_PERSON, HANDED_OVER = "user asks for a person", "handed over to a person"
REPEATS, ASKED_AGAIN, SAYS_AGAIN = "user repeats", "application asks again", "application says the same again"
ADMITS = "application admits a mistake"
ENOUGH = 2
_STRONG, _WEAK = 2, 1
_MIN_WORDS = 4
_WORDS_OF_DEMAND = 6
_ALIKE_REQUESTS, _ALIKE_QUESTIONS = 0.7, 0.8
_HAND_OVER = re.compile(r"(?:transfer|escalat|hand_?off|handover)\w*", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NUMBER = re.compile(r"\d+")
_OFFERS_HELP = re.compile(
    r"\b(?:anything else|any other|any more|further (?:assistance|questions|help)|feel free|if you need"
    r"|how (?:can|may) i)\b",
    re.IGNORECASE,
)
_CONFIRMS = re.compile(r"\b(?:confirm|correct|right|verify|is that ok)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Clue:
    at: int
    weight: int
    signal: Signal


def shows_trouble(conversation: Conversation) -> Verdict:
    """Relevant with one strong clue, or with two weak ones in different messages."""
    clues = sorted((clue for find in _FINDERS for clue in find(conversation)), key=lambda clue: (-clue.weight, clue.at))
    clues = _one_a_message(clues)
    weight = sum(clue.weight for clue in clues)
    signals = tuple(clue.signal for clue in clues)
    kinds = ", ".join(dict.fromkeys(signal.kind for signal in signals))
    if weight >= ENOUGH:
        first = signals[0]
        tells_itself = first.kind in {CORRECTS, COMPLAINS} and len(set(content_words(first.quote))) >= _MIN_WORDS
        return Verdict(True, kinds, signals, first.quote if tells_itself else f"{first.kind}:")
    return Verdict(False, f"only once: {kinds}" if kinds else "no trouble told", signals)


def _one_a_message(clues: list[_Clue]) -> list[_Clue]:
    kept: dict[int, _Clue] = {}
    for clue in clues:
        kept.setdefault(clue.at, clue)
    return list(kept.values())


def _said_by_user(conversation: Conversation) -> Iterator[_Clue]:
    """Clues in messages of users after the application's first answer."""
    answered = conversation.answers[0][0] if conversation.answers else len(conversation.steps)
    for at, step in conversation.users:
        if at < answered:
            continue
        for name, kind, weight in _SAYINGS:
            match = english_match(phrases(name), step)
            if match is None or (name == "correction_start" and match.start() > 0):
                continue
            said = sentence_at(step.text, match.start(), match.end())
            excuse = _EXCUSES.get(name)
            if excuse and phrases(excuse).search(step.text):
                continue
            if name == "human" and phrases("assent").match(step.text):
                continue  # the user accepts an offer; the hand-over itself is a clue of its own
            yield _Clue(at, weight, Signal(kind, "", said, conversation.lines_of(step, match[0])))
            break


_SAYINGS = (
    ("correction", CORRECTS, _STRONG),
    ("correction_start", CORRECTS, _STRONG),
    ("complaint", COMPLAINS, _STRONG),
    ("human", WANTS_PERSON, _STRONG),
    ("insistence", INSISTS, _WEAK),
)


_EXCUSES = {"correction": "change_of_mind", "correction_start": "change_of_mind", "human": "human_declined"}
"""Phrases that cancel other phrases in the same message."""


def _handed_over(conversation: Conversation) -> Iterator[_Clue]:
    """Calls of a tool that hands the conversation to a person."""
    for at, step in conversation.calls:
        if _HAND_OVER.match(step.name) and re.search("human|agent|person|operator|support", step.name, re.IGNORECASE):
            yield _Clue(at, _WEAK, Signal(HANDED_OVER, step.name, step.text[:200], conversation.lines_of(step)))


def _admitted(conversation: Conversation) -> Iterator[_Clue]:
    for at, step in conversation.answers:
        if match := english_match(phrases("own_mistake"), step):
            said = sentence_at(step.text, match.start(), match.end())
            yield _Clue(at, _WEAK, Signal(ADMITS, "", said, conversation.lines_of(step, match[0])))


def _repeated(conversation: Conversation) -> Iterator[_Clue]:
    """Requests that a user repeats in similar words after an answer."""
    language = _language(conversation)
    earlier: list[frozenset[str]] = []
    for at, step in conversation.users:
        words = _stems(step.text[:1_000], language)
        assents = phrases("assent").match(step.text) is not None
        if len(words) >= _MIN_WORDS and not assents:
            if any(_alike(words, before, _ALIKE_REQUESTS) for before in earlier):
                yield _Clue(
                    at, _WEAK, Signal(REPEATS, "", shorten(step.text, QUOTE_CHARS), conversation.lines_of(step))
                )
            earlier.append(words)


def _asked_again(conversation: Conversation) -> Iterator[_Clue]:
    """Questions that the application repeats after the user's answer; requests to confirm do not count."""
    language = _language(conversation)
    earlier: list[tuple[frozenset[str], list[str]]] = []
    for at, step in conversation.answers:
        text = step.text[:1_000]
        words, numbers = _stems(text, language), _NUMBER.findall(text)
        if "?" not in text or is_courtesy(text) or _CONFIRMS.search(text) or len(words) < _MIN_WORDS:
            continue
        # With other numbers it is another offer.
        if any(_alike(words, before, _ALIKE_QUESTIONS) and numbers == theirs for before, theirs in earlier):
            yield _Clue(at, _WEAK, Signal(ASKED_AGAIN, "", shorten(text, QUOTE_CHARS), conversation.lines_of(step)))
        earlier.append((words, numbers))


def _demands_again(conversation: Conversation) -> Iterator[_Clue]:
    """Information that the application asks for again: the user cannot give it. English."""
    language = _language(conversation)
    wanted: list[frozenset[str]] = []
    for at, step in conversation.answers:
        match = english_match(phrases("demand"), step)
        if match is None:
            continue
        things = _stems(" ".join(step.text[match.end() :].split()[:_WORDS_OF_DEMAND]), language)
        if any(things & before for before in wanted):
            said = sentence_at(step.text, match.start(), match.end())
            yield _Clue(at, _WEAK, Signal(ASKED_AGAIN, "", said, conversation.lines_of(step, match[0])))
        wanted.append(things)


def _says_again(conversation: Conversation) -> Iterator[_Clue]:
    """Sentences that the application repeats in more than two answers: it is stuck."""
    language = _language(conversation)
    said: list[tuple[frozenset[str], list[int], str]] = []
    for at, step in conversation.answers:
        for sentence in _SENTENCE.split(step.text[:1_000]):
            words = _stems(sentence, language)
            if len(words) < _MIN_WORDS or _OFFERS_HELP.search(sentence) or _CONFIRMS.search(sentence):
                continue
            for before, where, _ in said:
                if _alike(words, before, _ALIKE_REQUESTS):
                    where.append(at)
                    break
            else:
                said.append((words, [at], sentence))
    for _, where, sentence in said:
        for at in sorted(set(where))[2:]:
            quote = shorten(sentence, QUOTE_CHARS)
            yield _Clue(at, _WEAK, Signal(SAYS_AGAIN, "", quote, conversation.lines_of(conversation.steps[at])))


def _alike(some: frozenset[str], others: frozenset[str], least: float) -> bool:
    return len(some & others) >= least * len(some | others)


@lru_cache(maxsize=4_096)
def _stems(text: str, language: str) -> frozenset[str]:
    return frozenset(stem(word, language) for word in content_words(text))


def _language(conversation: Conversation) -> str:
    """The language of all that was said by people: a single message may be too short to tell."""
    return language_of([word for _, step in conversation.users for word in content_words(step.text[:1_000])])


_FINDERS: tuple[Callable[[Conversation], Iterator[_Clue]], ...] = (
    _said_by_user,
    _handed_over,
    _admitted,
    _repeated,
    _asked_again,
    _demands_again,
    _says_again,
)
