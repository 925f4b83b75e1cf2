"""Finds what users ask for in a summary: their words, and the clauses of them that can be a title.

Choosing among the clauses belongs in `request_titles`, phrases in `words`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from llma_assets.labels.evidence import ClusterEvidence, SummaryText
from llma_assets.labels.words import flow_steps, phrases, spelled
from llma_assets.languages import (
    AFTER_CLAUSES,
    ASKS,
    BEFORE_VERBS,
    ENGLISH,
    FILLERS,
    LEADS,
    LIGHT_VERBS,
    NOUNS_HAVE_CAPITALS,
    OFFERS,
    OPENINGS,
    PARTICLES,
    SKIPPED,
    STATES,
    STOPS,
    SUBJECTS,
    count_words,
    language_of,
    stem,
)
from llma_assets.machine_text import without_machine_text
from llma_assets.summaries import ASKED, without_courtesies

LONGEST, SHORTEST = 9, 3
"""Words of a clause."""
_SPAN = range(SHORTEST, LONGEST + 1)

_ASKED = re.compile(re.escape(ASKED).replace(re.escape("{}"), "(.*)"), re.DOTALL)
_TOKEN = re.compile(r"\w[\w'’@.-]*\w|\w|[^\w\s]")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE = re.compile(r"[.!?;:。！？；，\n()\"“”]+(?:\s|$)|[。！？；，\n()\"“”]|,\s|\s[-–—]\s")
_JOINS = re.compile(r"\b(?:and|but|because|since|so that|although|if|while|then|or)\b", re.IGNORECASE)
_THANKS = re.compile(r"(?:many )?(?:thank you|thanks)\b", re.IGNORECASE)
THANKS = "thanks"
"""Stands among the words of a request for its thanks, which are no content elsewhere."""
_ONLY_THANKS = (frozenset((THANKS,)), frozenset[str](), False, "thanks", False, False)
"""What a clause of thanks is besides its text."""
_CUT_OFF = " 0"  # stands for what is not shown; a clause cannot end before it


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a request that reads on its own.

    Attributes:
        text: as written.
        words: stems of its content words.
        names: stems of those written with a capital in the middle of a sentence.
        codes: whether these are capitals only, as in "ATL", "PIN".
        start: how it begins: "verb" (after "to", "please"), "clause" or "question"; "thanks" asks for nothing,
            "tool" is the name of one as words, "told" an id that is given.
        light: whether it begins with a verb that says little, or with a form that is no request: "make", "changing".
        later: whether it is from a later message than the first that asks for something.
    """

    text: str
    words: frozenset[str]
    names: frozenset[str]
    codes: bool
    start: str
    light: bool
    later: bool


@dataclass(frozen=True, slots=True)
class Requests:
    """What the user of one trace asks.

    Attributes:
        words: stems of the content words of all requests.
        clauses: parts of them that could be a title.
    """

    words: frozenset[str]
    clauses: tuple[Clause, ...]


def are_calls(evidence: Sequence[ClusterEvidence]) -> bool:
    """Whether the summaries are of single calls of models: only then a trace has several."""
    traces = [text.trace_id for each in evidence for text in (*each.representatives, *each.members) if text.trace_id]
    return len(set(traces)) < len(traces)


def requests_by_trace(summaries: Sequence[SummaryText], *, of_calls: bool = False) -> list[Requests]:
    """The requests of each trace, so that a trace with many generations counts once."""
    lone = count()
    of_trace: dict[str | int, list[SummaryText]] = {}
    for summary in summaries:
        of_trace.setdefault(summary.trace_id or next(lone), []).append(summary)
    language = language_of_requests(summaries)
    return [requests_of(own, language, of_calls=of_calls) for own in of_trace.values()]


def language_of_requests(summaries: Sequence[SummaryText]) -> str:
    """The language of most of the requests; short ones do not show theirs each by itself."""
    said = [text for summary in summaries for text in asked_in(summary) or (summary.title,)]
    return language_of([token.casefold() for text in said for token in _WORD.findall(text)])


def requests_of(summaries: Sequence[SummaryText], language: str = ENGLISH, *, of_calls: bool = False) -> Requests:
    """The requests in the summaries of a trace: the user's own words, or titles where the summaries quote none.

    A call of a model is also for what its tool does, most of all where the user only says "Yes, please" or "Paris".

    Args:
        summaries: those of one trace.
        language: of requests that do not show theirs.
        of_calls: whether the summaries are of single calls of models, and not of whole traces.
    """
    words: set[str] = set()
    clauses: dict[Clause, None] = {}
    for summary in summaries:
        later = asks = False
        tools = [spelled(name) for name in dict.fromkeys(flow_steps(summary.flow_diagram)) if of_calls]
        for text in map(without_machine_text, asked_in(summary) or (summary.title,)):
            shown = language_of([token.casefold() for token in _WORD.findall(text)])
            own = language if shown == ENGLISH else shown
            words |= content_of(text, own)
            thanks = _thanks_in(text) if own == ENGLISH else []
            words |= {THANKS} if thanks else set()
            asks = asks or bool(thanks)
            clauses |= dict.fromkeys(Clause(said, *_ONLY_THANKS) for said in thanks if said.count(" ") + 1 in _SPAN)
            only_tools = all(part in tools for part in text.casefold().split(", "))
            found = [] if only_tools else list(dict.fromkeys(_clauses(text, own, later=later)))
            clauses |= dict.fromkeys(found)
            later = later or bool(found)
            asks = asks or any(clause.words for clause in found)
        for name in tools if len(tools) == 1 or not asks else ():
            does = content_of(name, ENGLISH)
            words |= does
            if " " in name:
                clauses |= {Clause(name, does, frozenset(), False, "tool", False, False): None}
    return Requests(frozenset(words), tuple(clauses))


def asked_in(summary: SummaryText) -> tuple[str, ...]:
    """What users wrote, where a summary begins with it; what a theme has found comes before that."""
    found = [match[1] for bullet in summary.bullets if (match := _ASKED.fullmatch(bullet))]
    return tuple(found) if found and _ASKED.fullmatch(summary.bullets[0]) else ()


def content_of(text: str, language: str) -> frozenset[str]:
    """The stems of the content words of a text."""
    return frozenset(phrase.stems[0] for phrase in phrases(text, language) if len(phrase.stems) == 1)


def _thanks_in(text: str) -> list[str]:
    """The sentences that thank, such as "Thank you for your help"."""
    found = (_TOKEN.findall(sentence) for sentence in _SENTENCE.split(text) if _THANKS.match(sentence.strip()))
    return [" ".join(said) for said in found if all(map(_WORD.fullmatch, said))]


def _clauses(text: str, language: str, *, later: bool) -> Iterator[Clause]:
    for sentence in _SENTENCE.split(text.replace("…", _CUT_OFF)):
        plain = _plain(sentence.strip(), language)
        parts = _JOINS.split(plain) if language == ENGLISH else []
        names = _names(sentence, language)
        for part in dict.fromkeys([plain, *parts]):
            asks = plain != sentence.strip() and part == plain
            for span, start in _spans(_TOKEN.findall(part), language, "verb" if asks else "clause"):
                said = " ".join(span)
                named = {word: key for word in span if (key := stem(word, language)) in names}
                codes = all(word.isupper() for word in named)
                words = content_of(said, language)
                light = language == ENGLISH and (span[0].lower() in LIGHT_VERBS or span[0].endswith("ing"))
                yield Clause(said, words, frozenset(named.values()), codes, start, light, later)


def _plain(sentence: str, language: str) -> str:
    """A sentence without what it politely begins with; "there is" is no greeting."""
    plain = without_courtesies(sentence) if language == ENGLISH else sentence
    first = _WORD.match(plain)
    return plain if first and first[0].lower() not in STATES else sentence


def _names(sentence: str, language: str) -> frozenset[str]:
    inside = _TOKEN.findall(sentence)[1:]
    capital = [word for word in inside if word[0].isupper() and word.split("'")[0].split("’")[0] != "I"]
    if language in NOUNS_HAVE_CAPITALS or 2 * len(capital) > len(inside):
        return frozenset()
    return frozenset(stem(word, language) for word in capital)


def _spans(tokens: Sequence[str], language: str, opening_kind: str) -> Iterator[tuple[list[str], str]]:
    """The spans of tokens that may be a title, with how they begin."""
    run: list[str] = []
    opening = opening_kind
    for token in tokens:
        if _WORD.fullmatch(token):
            run.append(token)
        elif token not in ",/'’-&":
            if language == ENGLISH and _is_told(run, token):
                yield from _told(run[:-1])
            else:
                yield from _within(run, language, opening=opening, closing=False)
            run, opening = [], ""
    yield from _within(run, language, opening=opening, closing=True)


def _is_told(run: list[str], token: str) -> bool:
    """Whether a run of words tells a code, as in "my user ID is lee_613", which is said in full without it."""
    return len(run) > 1 and run[-1].casefold() in STATES and any(each.isdigit() for each in token)


def _told(run: list[str]) -> Iterator[tuple[list[str], str]]:
    """ "my user ID" of "Sure, my user ID is lee_613": who says that gives it."""
    for start in range(len(run)):
        if run[start].casefold() in ("my", "our", "the") and SHORTEST <= len(run) - start + 1 <= LONGEST:
            yield ["give", *run[start:]], "told"
            return


def _within(run: list[str], language: str, *, opening: str, closing: bool) -> Iterator[tuple[list[str], str]]:
    """Spans of a run of words.

    Args:
        opening: how a sentence begins that begins with the run; "" where none does.
        closing: whether a sentence ends with it.
    """
    if language != ENGLISH:
        if opening and closing and SHORTEST <= count_words(" ".join(run)) <= LONGEST:
            yield run, "clause"
        return
    lower = [word.casefold().replace("’", "'") for word in run]
    content = [word not in STOPS and word not in SKIPPED for word in lower]
    ends = [
        at
        for at in range(1, len(run) + 1)
        if (content[at - 1] or lower[at - 1] in PARTICLES or lower[at - 1].startswith("work") or _may_do(lower[:at]))
        and (lower[at] in AFTER_CLAUSES if at < len(run) else closing)
    ]
    for start in range(len(run)):
        kind = _kind_of_start(lower, content, start, opening)
        if kind and not (kind == "verb" and start and run[start][0].isupper()):
            # "Is the song from 2018" is not "is the song".
            whole = lower[start] in STATES and lower[start + 1 : start + 2] != ["there"]
            here = [end for end in ends if SHORTEST <= end - start <= LONGEST and (not whole or end == len(run))]
            yield from ((run[start:end], kind) for end in here if not _asks_for_half(lower[start:end], lower[end:]))


def _may_do(lower: Sequence[str]) -> bool:
    """Whether words end as "how many bags I can take" does: what such a verb is about has been said before."""
    return lower[-1] in LIGHT_VERBS and lower[-2:-1] != [] and lower[-2] in OFFERS and bool(ASKS & set(lower))


def _asks_for_half(lower: Sequence[str], after: Sequence[str]) -> bool:
    """Whether words ask for something of which the rest follows: "how many bags" of "how many bags I can take"."""
    if not after or after[0] not in SUBJECTS:
        return False
    for at, word in enumerate(lower):
        if word in ("what", "which") or (word == "how" and lower[at + 1 : at + 2] in (["many"], ["much"])):
            return not (STATES | OFFERS | {"do", "does", "did"}) & set(lower[at:])
    return False


def _kind_of_start(lower: Sequence[str], content: Sequence[bool], start: int, opening: str) -> str:
    word, before = lower[start], lower[start - 1] if start else ""
    after = lower[start + 1] if start + 1 < len(lower) else ""
    if word in FILLERS or (word == "i" and FILLERS & set(lower[start + 1 : start + 3])):
        return ""
    if word.endswith("'ll") or (word == "there" and lower[start + 2 : start + 3] == ["any"]):
        return ""
    if word in ASKS:
        return "" if after == "about" or (word == "when" and after in SUBJECTS) else "question"
    if (start == 0 and opening) or before in LEADS:
        if content[start] or (opening == "verb" and word in LIGHT_VERBS):
            return opening if start == 0 else "clause"
        return "clause" if word in OPENINGS else ""
    verb = before in BEFORE_VERBS or (before == "you" and start > 1 and lower[start - 2] in OFFERS)
    verb = verb or (before in OFFERS and start > 1 and lower[start - 2] in ("i", "we"))
    return "verb" if verb and (content[start] or word in LIGHT_VERBS) else ""
