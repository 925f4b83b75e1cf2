"""Chooses the title of a cluster among the clauses of its users' requests. Finding the clauses belongs in `requests`.

A cluster is the share of its traces that hold each content word. A clause is good where its words are common in the
cluster and rare in the others, most of all in the nearest ones, and where it holds no word that only a few traces have:

    score(c) = sum over w in c of weight(w) · (share(w) - contrast(w)) / sqrt(sum over w in c of weight(w)²)

which is a cosine of TF-IDF vectors up to the length of the cluster's: the clause that is nearest to the centroid of the
cluster and farthest from those of its neighbours.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from llma_assets.labels.evidence import ClusterEvidence
from llma_assets.labels.label_checks import TITLE_WORDS
from llma_assets.labels.requests import THANKS, Clause, Requests, are_calls, content_of, requests_by_trace
from llma_assets.languages import ENGLISH, count_words

NEIGHBOURS = 3
"""Nearest clusters whose words count against a title as much as those of all others."""
LEAST_SHARE = 0.12
"""Share of a cluster's traces that hold a word of its title, at least."""
TRACES_OF_NAME = 6
"""Traces that hold a name in a title, at least: fewer tell who wrote or where to, not what is asked for."""

_CONTRAST = 0.5
_SMOOTH = 0.02
_WEIGHT_OF_START = {"verb": 1.0, "clause": 0.9, "question": 0.9, "thanks": 0.9, "told": 0.9, "tool": 0.6}
_THANKS_APART = 0.3
"""Thanks are a title where the share of the traces that thank is so much above that of other clusters."""
_LATER = 0.75
_SINGLE = 0.8
_LIGHT = 0.85
_OPTIONS = 60
_ARTICLES = frozenset(("a", "an", "the", "my", "our"))
"""What begins so names a thing, and asks for nothing: it is no second half of a title."""
_NEARLY = 0.75
_SECOND, _DETAIL = (0.6, 0.5), (0.3, 0.3)
_COMMON = 0.5
_SMALL_PART, _LEAST_HALF = 0.2, 0.15
_SHARE_OF_CODE = 0.5
_WORDS_WANTED, _PER_WORD = 4, 0.03

Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ScoredClause:
    """A clause that could be the title of a cluster.

    Attributes:
        text: as its users wrote it.
        words: stems of its content words.
        asked: of these the verb that it begins with, if it does.
        score: higher is better; comparable within a cluster.
        verb: whether it begins with a verb.
        tool: whether it is the name of a tool.
        told: whether it is an id that is given.
        code: whether it holds a code that few traces have, such as that of an airport.
    """

    text: str
    words: frozenset[str]
    asked: frozenset[str]
    score: float
    verb: bool
    tool: bool
    told: bool
    code: bool


@dataclass(frozen=True, slots=True)
class RequestsOfCluster:
    """The requests of a cluster.

    Attributes:
        traces: one entry a trace.
        clauses: best first.
        own: share of its traces that hold a word.
        around: mean share of the traces of the nearest clusters.
    """

    traces: list[Requests]
    clauses: list[ScoredClause]
    own: Shares
    around: Shares

    def is_common(self, clause: ScoredClause) -> bool:
        """Whether the nearest clusters ask for the same, too, so that the clause alone does not tell them apart."""
        return all(self.around[word] >= _COMMON * self.own[word] for word in clause.words)

    def share_of_all(self, clause: ScoredClause) -> float:
        """Share of the traces that hold all words of a clause."""
        return sum(clause.words <= each.words for each in self.traces) / max(1, len(self.traces))

    def share_of_both(self, first: ScoredClause, second: ScoredClause) -> float:
        """Share of the traces that hold at least half of the words of each, and what the second asks to have done."""
        held = sum(
            second.asked <= each.words
            and all(2 * len(clause.words & each.words) >= len(clause.words) for clause in (first, second))
            for each in self.traces
        )
        return held / max(1, len(self.traces))


def scored_clauses(evidence: Sequence[ClusterEvidence]) -> dict[int, RequestsOfCluster]:
    """For each cluster its requests, and the clauses that could be its title."""
    of_calls = are_calls(evidence)
    requests = {
        each.cluster_id: requests_by_trace((*each.representatives, *each.members), of_calls=of_calls)
        for each in evidence
    }
    shares = {key: _shares(own) for key, own in requests.items()}
    total: Counter[str] = Counter()
    for own in shares.values():
        total.update(own)
    weight = {word: math.log1p(1 / (_SMOOTH + share / len(shares))) for word, share in total.items()}
    found = {}
    for key, own in shares.items():
        near = _nearest(key, shares, weight)
        around = {word: sum(shares[other].get(word, 0.0) for other in near) / max(1, len(near)) for word in own}
        value = {}
        for word, share in own.items():
            others = max(around[word], (total[word] - share) / max(1, len(shares) - 1))
            value[word] = weight[word] * (share - _CONTRAST * others)
            if word == THANKS and share - others < _THANKS_APART:
                value[word] = 0.0
        clauses = _ranked(requests[key], own, value, weight)
        found[key] = RequestsOfCluster(requests[key], clauses, own, around)
    return found


def request_titles(found: Mapping[int, RequestsOfCluster]) -> dict[int, list[str]]:
    """For each cluster its titles, best first, without those that say what the title of a better fit says.

    A cluster whose best clause is taken gets the next that is nearly as good, or both that clause and a second one:
    "Cancel my flight, I booked two flights". So does one whose traces ask for two things: "Find a movie and
    buy tickets".
    """
    order = sorted(found, key=lambda key: (-found[key].clauses[0].score if found[key].clauses else 0.0, key))
    gone: set[frozenset[str]] = set()
    titles: dict[int, list[str]] = {}
    for key in order:
        own = found[key]
        options = [option for option in _options(own) if count_words(option[0]) in TITLE_WORDS]
        titles[key] = [title for title, words in options if words not in gone]
        if titles[key]:
            gone.add(next(words for _, words in options if words not in gone))
    return titles


def _options(own: RequestsOfCluster) -> Iterator[tuple[str, frozenset[str]]]:
    """Titles with their words, best first."""
    if not own.clauses:
        return
    best = own.clauses[0]
    alone = [each for each in own.clauses if each.score > 0 and not each.code][:_OPTIONS]
    second = _second(own, best, _DETAIL if own.is_common(best) else _SECOND)
    if second:
        yield _joined(best, second)
    lead = _lead(own, best, alone)
    half = _other_half(own, lead, alone) if lead else None
    if lead and half:
        yield _joined(lead, half)
    for each in alone:
        if each.score >= _NEARLY * best.score:
            yield _written(each.text), each.words
    for each in alone:
        if not best.words & each.words and THANKS not in best.words | each.words:
            yield _joined(best, each)
    for each in own.clauses:
        if each.code:
            yield _written(each.text), each.words
    for each in alone:
        yield _written(each.text), each.words


def _second(own: RequestsOfCluster, best: ScoredClause, least: tuple[float, float]) -> ScoredClause | None:
    """What many of the traces ask for, too; `least` are shares of the score of the best clause, and of the traces."""
    least_score, least_share = least
    for each in own.clauses[:_OPTIONS]:
        if each.code or each.score < least_score * best.score:
            return None
        both = len(best.text.split()) + len(each.text.split()) + 1 in TITLE_WORDS
        names_only = each.told or each.text.split(maxsplit=1)[0].casefold() in _ARTICLES
        if not both or names_only or best.words & each.words or THANKS in best.words | each.words:
            continue
        # "Upgrade to economy class" has words of "upgrade to business class" and of "economy class" alone.
        if own.share_of_both(best, each) >= least_share and own.share_of_all(each) >= least_share / 2:
            return each
    return None


def _lead(own: RequestsOfCluster, best: ScoredClause, others: Sequence[ScoredClause]) -> ScoredClause | None:
    """The tool that a title begins with, where few traces ask for the best clause, or it is a tool itself."""
    if best.tool:
        return best
    share = own.share_of_all(best)
    tools = [(own.share_of_all(each), each.score, each) for each in others if each.tool]
    most, _, tool = max(tools, key=lambda option: option[:2], default=(0.0, 0.0, None))
    return tool if share < _SMALL_PART and most >= 2 * share else None


def _other_half(own: RequestsOfCluster, lead: ScoredClause, others: Sequence[ScoredClause]) -> ScoredClause | None:
    """What the traces are for that the tool of a title does not serve: another tool, or what users ask for."""
    found = []
    for each in others:
        fits = count_words(lead.text) + count_words(each.text) + 1 in TITLE_WORDS
        apart = not lead.words & each.words or (each.tool and lead.words != each.words)
        if fits and apart and THANKS not in each.words:
            more = sum(each.words <= trace.words and not lead.words <= trace.words for trace in own.traces)
            found.append((more / len(own.traces), each.score, each))
    share, _, half = max(found, key=lambda option: option[:2], default=(0.0, 0.0, None))
    return half if share >= _LEAST_HALF else None


def _joined(first: ScoredClause, second: ScoredClause) -> tuple[str, frozenset[str]]:
    link = " and " if first.verb and second.verb else ", "
    return f"{_written(first.text)}{link}{_within(second.text)}", first.words | second.words


def _written(text: str) -> str:
    """A clause as the beginning of a title."""
    return text[:1].upper() + text[1:]


def _within(text: str) -> str:
    """A clause that goes on a title: "The reason" is "the reason", "PIN" and "I" stay."""
    word = text.split(maxsplit=1)[0]
    own = re.split("['’]", word)[0] == "I" or word[1:2].isupper()
    return text if own else text[0].lower() + text[1:]


def _shares(requests: Sequence[Requests]) -> dict[str, float]:
    counts = Counter(word for each in requests for word in each.words)
    return {word: number / len(requests) for word, number in counts.items()}


def _nearest(key: int, shares: Mapping[int, Shares], weight: Shares) -> list[int]:
    """The clusters with the most similar words, by the cosine of their TF-IDF vectors."""

    def length(own: Shares) -> float:
        return math.sqrt(sum((share * weight[word]) ** 2 for word, share in own.items())) or 1.0

    own = shares[key]
    alike = []
    for other, held in shares.items():
        if other != key:
            dot = sum(share * held[word] * weight[word] ** 2 for word, share in own.items() if word in held)
            alike.append((-dot / length(held), other))
    return [other for _, other in sorted(alike)[:NEIGHBOURS]]


def _ranked(requests: Sequence[Requests], own: Shares, value: Shares, weight: Shares) -> list[ScoredClause]:
    traces = len(requests)
    least = max(LEAST_SHARE, 1.5 / traces if traces > 2 else 0.0)
    written = Counter(clause for each in requests for clause in set(each.clauses))
    best: dict[str, ScoredClause] = {}
    for clause, number in written.items():
        if not clause.words or any(own.get(word, 0.0) < least for word in clause.words):
            continue
        rare = any(own.get(name, 0.0) * traces < TRACES_OF_NAME for name in clause.names)
        if rare and not (clause.codes and all(own[name] >= _SHARE_OF_CODE for name in clause.names if name in own)):
            continue
        norm = math.sqrt(sum(weight[word] ** 2 for word in clause.words))
        score = sum(value[word] for word in clause.words) / norm * _reading(clause) * (1 + 0.05 * math.log(number))
        verb = clause.start in ("verb", "tool")
        asked = content_of(clause.text.split()[0], ENGLISH) if verb else frozenset()
        scored = ScoredClause(
            clause.text,
            clause.words,
            asked & clause.words,
            score,
            verb=verb,
            tool=clause.start == "tool",
            told=clause.start == "told",
            code=rare,
        )
        key = clause.text.casefold()
        if key not in best or best[key].score < score:
            best[key] = scored
    return sorted(best.values(), key=lambda each: (each.code, -each.score, len(each.text), each.text))


def _reading(clause: Clause) -> float:
    """How well a clause reads, about 1: imperatives of four words best."""
    found = _WEIGHT_OF_START[clause.start] * (1 - _PER_WORD * abs(len(clause.text.split()) - _WORDS_WANTED))
    found *= _LIGHT if clause.light else 1.0
    return found * (_LATER if clause.later else 1.0) * (_SINGLE if len(clause.words) < 2 else 1.0)
