"""Finds words of titles that are not of their clusters: "Java in MATLAB" where 99 % of the traces are about MATLAB.

Vectors hardly tell such a name from a right one, so `held_out` does not find it. Words that no summary has are left
alone: a name may say in its own words what the summaries say in others.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from llma_assets.labels.evidence import ClusterEvidence
from llma_assets.labels.phrases import read_summaries
from llma_assets.labels.words import phrases

OWN_SHARE = 0.1
"""A word in a smaller share of a cluster's summaries is not what the cluster is about."""
OTHER_SHARE = 0.2
"""A word in this share of the summaries of another cluster is what that one is about."""
LEAST_SUMMARIES = 10
"""With fewer summaries a share says little."""


def foreign_words(titles: Mapping[int, str], evidence: Sequence[ClusterEvidence]) -> dict[int, list[str]]:
    """By cluster id the words of its title that are foreign to it, as written; clusters without any are left out.

    A word is foreign if less than a tenth of the cluster's summaries have it, and a fifth of another cluster's do; or
    if it is written as names are, and a few of the cluster's summaries have it, but less than a tenth.
    """
    shares: dict[int, dict[str, float]] = {}
    seen: Counter[str] = Counter()
    proper: Counter[str] = Counter()
    read = {cluster.cluster_id: read_summaries(cluster) for cluster in evidence}
    for key, summaries in read.items():
        held: Counter[str] = Counter()
        for summary in summaries:
            words: set[str] = set()
            for text in (summary.title, *summary.bullets, *summary.notes):
                for phrase in phrases(text):
                    if len(phrase.stems) == 1:
                        words.add(phrase.stems[0])
                        seen[phrase.stems[0]] += 1
                        proper[phrase.stems[0]] += phrase.proper
            held.update(words)
        shares[key] = {word: number / len(summaries) for word, number in held.items()}
    most: dict[str, list[tuple[float, int]]] = {}
    for key, own in shares.items():
        for word, share in own.items():
            most[word] = sorted([*most.get(word, ()), (share, key)], reverse=True)[:2]
    found: dict[int, list[str]] = {}
    for key, title in titles.items():
        if len(read.get(key, ())) < LEAST_SUMMARIES:
            continue
        for phrase in phrases(title):
            if len(phrase.stems) > 1:
                continue
            word = phrase.stems[0]
            share = shares[key].get(word, 0.0)
            elsewhere = max((other for other, home in most.get(word, ()) if home != key), default=0.0)
            is_name = share > 0 and 2 * proper[word] > seen[word]
            if share < OWN_SHARE and (elsewhere >= OTHER_SHARE or is_name):
                found.setdefault(key, []).append(phrase.surface)
    return found
