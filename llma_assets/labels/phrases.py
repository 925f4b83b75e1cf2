"""Which phrases set a cluster apart: class-based TF-IDF over phrases. No titles, no sentences.

M. Grootendorst, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure", arXiv:2203.05794 (2022),
equation 2: W(t, c) = tf(t, c) · log(1 + A / tf(t)), with tf(t) summed over the classes and A the mean over the
classes of the sum over all terms. Here tf(t, c) is the share of the cluster's summaries that hold the phrase, so
that neither a long summary nor a large cluster weighs more.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from llma_assets.labels.evidence import ClusterEvidence, SummaryText
from llma_assets.labels.words import phrases

Stems = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoredPhrase:
    """A phrase of a cluster.

    Attributes:
        stems: what makes phrases equal.
        surface: its most common spelling, lower case.
        share: share of the cluster's summaries that hold it, in (0, 1].
        score: class-based TF-IDF, weighted for reading; higher is better.
        step: mostly the name of a tool.
    """

    stems: Stems
    surface: str
    share: float
    score: float
    step: bool


@dataclass(slots=True)
class _Counts:
    summaries: Counter[Stems]
    titles: Counter[Stems]
    steps: Counter[Stems]
    total: int


# Two words say more than one, and are rarer; without this the single words would always win.
_LENGTH_WEIGHT = {1: 1.0, 2: 1.5, 3: 1.6, 4: 1.6}
# Names of people and places are no topics. Where most words have capitals, as German nouns do, they mean nothing.
_PROPER_WEIGHT = 0.05
_MOST_PROPER = 0.4
_STEP_WEIGHT = 1.5
_TITLE_WEIGHT = 0.5


def read_summaries(cluster: ClusterEvidence) -> tuple[SummaryText, ...]:
    """All summaries that are at hand for `cluster`, each once."""
    return tuple(dict.fromkeys((*cluster.representatives, *cluster.members)))


def scored_phrases(evidence: Sequence[ClusterEvidence]) -> dict[int, list[ScoredPhrase]]:
    """For each cluster the phrases of its summaries, best first; equal scores in the order of the words.

    A phrase of a single summary says nothing about a cluster of several, and is left out there.
    """
    spellings: defaultdict[Stems, Counter[str]] = defaultdict(Counter)
    proper: Counter[Stems] = Counter()
    seen: Counter[Stems] = Counter()
    counts = {cluster.cluster_id: _count(read_summaries(cluster), spellings, proper, seen) for cluster in evidence}
    shares = {
        cluster_id: {stems: number / count.total for stems, number in count.summaries.items()}
        for cluster_id, count in counts.items()
        if count.total
    }
    over_all: defaultdict[Stems, float] = defaultdict(float)
    for of_cluster in shares.values():
        for stems, share in of_cluster.items():
            over_all[stems] += share
    single = [stems for stems in seen if len(stems) == 1]
    names = {stems for stems in seen if 2 * proper[stems] > seen[stems]}
    if sum(stems in names for stems in single) > _MOST_PROPER * len(single):
        names = set()
    mean_total = sum(over_all.values()) / max(1, len(shares))
    scored = {}
    for cluster_id, count in counts.items():
        found = []
        least = 1 if count.total < 4 else 2
        for stems, number in count.summaries.items():
            if number < least:
                continue
            share = shares[cluster_id][stems]
            tf_idf = share * math.log1p(mean_total / over_all[stems])
            is_step = 2 * count.steps[stems] > number
            reading = _LENGTH_WEIGHT[len(stems)] * (_STEP_WEIGHT if is_step else 1.0)
            reading *= _PROPER_WEIGHT if stems in names else 1.0
            reading *= 1.0 + _TITLE_WEIGHT * count.titles[stems] / count.total
            # The formula's logarithm is gentle; what half of all clusters say is no name for one of them.
            distinct = share / over_all[stems]
            surface = min(spellings[stems].items(), key=lambda item: (-item[1], item[0]))[0]
            found.append(ScoredPhrase(stems, surface, share, tf_idf * reading * distinct, is_step))
        scored[cluster_id] = sorted(found, key=lambda phrase: (-phrase.score, phrase.stems))
    return scored


def _count(
    summaries: Sequence[SummaryText],
    spellings: Mapping[Stems, Counter[str]],
    proper: Counter[Stems],
    seen: Counter[Stems],
) -> _Counts:
    counts = _Counts(Counter(), Counter(), Counter(), len(summaries))
    for summary in summaries:
        here: set[Stems] = set()
        as_step: set[Stems] = set()
        for text in (summary.title, summary.flow_diagram, *summary.bullets, *summary.notes):
            for phrase in phrases(text):
                here.add(phrase.stems)
                spellings[phrase.stems][phrase.surface] += 1
                seen[phrase.stems] += 1
                proper[phrase.stems] += phrase.proper
                if phrase.step:
                    as_step.add(phrase.stems)
        counts.summaries.update(here)
        counts.steps.update(as_step)
        counts.titles.update({phrase.stems for phrase in phrases(summary.title)})
    return counts
