"""Chooses the title of a cluster among the clauses of its users' requests. Finding the clauses belongs in `requests`.

A cluster is the share of its traces that hold each content word. A clause is good where its words are common in the
cluster and rare in the others, most of all in the nearest ones, and where it holds no word that only a few traces have:

    score(c) = sum over w in c of weight(w) · (share(w) - contrast(w)) / sqrt(sum over w in c of weight(w)²)

which is a cosine of TF-IDF vectors, up to the length of the cluster's: the clause nearest to the centroid of the
cluster, less that to the centroids of its neighbours.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llma_assets.labels.evidence import ClusterEvidence
from llma_assets.labels.phrases import read_summaries
from llma_assets.labels.requests import Clause, Requests, requests_of

NEIGHBOURS = 3
_CONTRAST = 0.5
_SMOOTH = 0.02
_LEAST_SHARE = 0.12
_START = {"verb": 1.0, "clause": 0.9, "question": 0.9}

Shares = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ScoredClause:
    """A clause that could be the title of a cluster."""

    clause: Clause
    score: float


def scored_clauses(evidence: Sequence[ClusterEvidence]) -> dict[int, list[ScoredClause]]:
    """For each cluster the clauses that could be its title, best first."""
    requests = {each.cluster_id: [requests_of(summary) for summary in read_summaries(each)] for each in evidence}
    shares = {key: _shares(own) for key, own in requests.items()}
    over_all: Counter[str] = Counter()
    for own in shares.values():
        over_all.update(own)
    mean = {word: total / max(1, len(shares)) for word, total in over_all.items()}
    weight = {word: math.log(1 + 1 / (_SMOOTH + share)) for word, share in mean.items()}
    return {key: _ranked(requests[key], shares, key, weight, over_all) for key in requests}


def _shares(requests: Sequence[Requests]) -> dict[str, float]:
    counts = Counter(word for each in requests for word in each.words)
    return {word: number / len(requests) for word, number in counts.items()}


def _nearest(key: int, shares: Mapping[int, Shares], weight: Shares) -> list[int]:
    def length(own: Shares) -> float:
        return math.sqrt(sum((share * weight[word]) ** 2 for word, share in own.items())) or 1.0

    own = shares[key]
    alike = []
    for other, held in shares.items():
        if other != key:
            dot = sum(share * held[word] * weight[word] ** 2 for word, share in own.items() if word in held)
            alike.append((-dot / length(held), other))
    return [other for _, other in sorted(alike)[:NEIGHBOURS]]


def _ranked(
    requests: Sequence[Requests], shares: Mapping[int, Shares], key: int, weight: Shares, over_all: Shares
) -> list[ScoredClause]:
    own, near = shares[key], _nearest(key, shares, weight)
    others = max(1, len(shares) - 1)
    value: dict[str, float] = {}
    for word, share in own.items():
        around = sum(shares[other].get(word, 0.0) for other in near) / max(1, len(near))
        contrast = max(around, (over_all[word] - share) / others)
        value[word] = weight[word] * (share - _CONTRAST * contrast)
    least = max(_LEAST_SHARE, 1.5 / max(1, len(requests)))
    best: dict[tuple[str, frozenset[str]], ScoredClause] = {}
    seen: Counter[str] = Counter()
    clauses: defaultdict[Clause, int] = defaultdict(int)
    for each in requests:
        for clause in each.clauses:
            clauses[clause] += 1
    for clause, number in clauses.items():
        if not clause.words or any(own.get(word, 0.0) < least for word in clause.words):
            continue
        norm = math.sqrt(sum(weight[word] ** 2 for word in clause.words))
        score = sum(value[word] for word in clause.words) / norm * _START[clause.start]
        words = len(clause.text.split())
        score *= 1.0 - 0.03 * abs(words - 4)
        score *= 0.8 if len(clause.words) < 2 else 1.0
        score *= 1.0 + 0.05 * math.log(number)
        best[(clause.text.casefold(), clause.words)] = ScoredClause(clause, score)
    return sorted(best.values(), key=lambda each: (-each.score, len(each.clause.text), each.clause.text))
