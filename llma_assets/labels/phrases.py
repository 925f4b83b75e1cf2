"""Scores distinctive phrases of clusters by class-based TF-IDF. Titles belong in `offline`.

M. Grootendorst, "BERTopic: Neural topic modeling with a class-based TF-IDF procedure", arXiv:2203.05794 (2022),
equation 2: W(t, c) = tf(t, c) · log(1 + A / tf(t)), with tf(t) summed over the classes and A the mean over the
classes of the sum over all terms. Here tf(t, c) is the share of the cluster's summaries that hold the phrase, so
that neither a long summary nor a large cluster weighs more. A summary holds a phrase if one of its statements has all
of its words, in whatever order: "freeze account" is in "please put a freeze on my account".
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from llma_assets.labels.evidence import ClusterEvidence, SummaryText
from llma_assets.labels.requests import asked_in, language_of_requests
from llma_assets.labels.words import flow_steps, phrases, spelled
from llma_assets.languages import ENGLISH, stem
from llma_assets.machine_text import without_machine_text
from llma_assets.summaries import ANSWERED

Stems = tuple[str, ...]

SCORED = 400
"""Phrases of a cluster that are scored in full, preselected by a simpler score."""


@dataclass(frozen=True, slots=True)
class ScoredPhrase:
    """A phrase of a cluster.

    Attributes:
        stems: what makes phrases equal.
        surface: its most common spelling in the cluster.
        share: share of the cluster's summaries that hold it, in (0, 1].
        score: class-based TF-IDF, weighted for reading; higher is better.
        step: mostly the name of a tool.
        name: mostly written as the names of people and places are.
        held: positions of the summaries of the cluster that hold it.
    """

    stems: Stems
    surface: str
    share: float
    score: float
    step: bool
    name: bool
    held: frozenset[int]


# Longer phrases say more, but are rarer: without weights single words would always win.
_LENGTH_WEIGHT = {1: 1.0, 2: 1.5, 3: 1.5, 4: 1.4}
# Names of people and places are examples, not topics.
_PROPER_WEIGHT = 0.05
_STEP_WEIGHT = 1.5
_TITLE_WEIGHT = 1.5
# "Fee for cash" is seldom written so where fees and cash are spoken of; "cost of living" nearly always is.
_COHESION = 0.5
# "Direct round" where "direct round trip" is meant.
_PART_WEIGHT = 0.7


_AGENT = ANSWERED.partition("{")[0]


def read_summaries(cluster: ClusterEvidence) -> tuple[SummaryText, ...]:
    """All distinct summaries of a cluster."""
    return tuple(dict.fromkeys((*cluster.representatives, *cluster.members)))


def _texts_of(summary: SummaryText) -> tuple[str, ...]:
    """What counts of a summary: where it quotes its user, neither what the agent says nor what is noted of the run."""
    said = (*summary.bullets, *summary.notes)
    if asked_in(summary):
        said = tuple(text for text in summary.bullets if not text.startswith(_AGENT))
    return (without_machine_text(summary.title), summary.flow_diagram, *map(without_machine_text, said))


def scored_phrases(evidence: Sequence[ClusterEvidence]) -> dict[int, list[ScoredPhrase]]:
    """For each cluster the phrases of its summaries, best first; equal scores in the order of the words.

    A phrase of a single summary says nothing about a cluster of several, and is left out there.
    """
    return _Corpus(evidence).scored()


class _Corpus:
    """Where each word and each phrase is, over all clusters."""

    def __init__(self, evidence: Sequence[ClusterEvidence]) -> None:
        self.summaries = {cluster.cluster_id: read_summaries(cluster) for cluster in evidence}
        self.statements: defaultdict[str, set[int]] = defaultdict(set)  # by word
        self.home: list[tuple[int, int]] = []  # cluster and place of the summary, by statement
        self.in_title: list[bool] = []  # by statement
        self.proper: Counter[Stems] = Counter()
        self.seen: Counter[Stems] = Counter()
        self.spellings: defaultdict[int, defaultdict[Stems, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self.spelled_in: defaultdict[int, defaultdict[Stems, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.as_step: defaultdict[int, defaultdict[Stems, set[int]]] = defaultdict(lambda: defaultdict(set))
        flows = {summary.flow_diagram for summaries in self.summaries.values() for summary in summaries}
        self.tools = {tuple(map(stem, spelled(name).split())) for flow in flows for name in flow_steps(flow)}
        for cluster_id, summaries in self.summaries.items():
            language = language_of_requests(summaries)
            for place, summary in enumerate(summaries):
                self._read(cluster_id, place, summary, None if language == ENGLISH else language)
        self.names = self._names()
        self.longer = {cluster_id: _longer(of_cluster) for cluster_id, of_cluster in self.spelled_in.items()}

    def _read(self, cluster_id: int, place: int, summary: SummaryText, language: str | None) -> None:
        for number, text in enumerate(_texts_of(summary)):
            statement = len(self.home)
            self.home.append((cluster_id, place))
            self.in_title.append(number == 0)
            for phrase in phrases(text, language):
                if phrase.step and phrase.stems not in self.tools:
                    continue  # the name of a field or a function in what somebody pasted
                self.seen[phrase.stems] += 1
                self.proper[phrase.stems] += phrase.proper
                self.spellings[cluster_id][phrase.stems][phrase.surface] += 1
                self.spelled_in[cluster_id][phrase.stems].add(place)
                if phrase.step:
                    self.as_step[cluster_id][phrase.stems].add(place)
                for word in phrase.stems if phrase.step or len(phrase.stems) == 1 else ():
                    self.statements[word].add(statement)

    def _names(self) -> set[Stems]:
        return {stems for stems in self.seen if 2 * self.proper[stems] > self.seen[stems]}

    def scored(self) -> dict[int, list[ScoredPhrase]]:
        candidates = {cluster_id: self._candidates(cluster_id) for cluster_id in self.summaries}
        holding = {stems: self._holding(stems) for of_cluster in candidates.values() for stems in of_cluster}
        over_all = {
            stems: sum(len(places) / len(self.summaries[home]) for home, (places, _) in held.items())
            for stems, held in holding.items()
        }
        single = sum(total for stems, total in over_all.items() if len(stems) == 1)
        mean_total = single / max(1, len(self.summaries))
        return {
            cluster_id: sorted(
                (self._score(cluster_id, stems, holding[stems], over_all[stems], mean_total) for stems in of_cluster),
                key=lambda phrase: (-phrase.score, phrase.stems),
            )
            for cluster_id, of_cluster in candidates.items()
        }

    def _candidates(self, cluster_id: int) -> list[Stems]:
        """Phrases as they are spelled in a cluster, those of more summaries first."""
        least = 1 if len(self.summaries[cluster_id]) < 4 else 2
        held = {stems: len(places) for stems, places in self.spelled_in[cluster_id].items() if len(places) >= least}
        value = {stems: number * _LENGTH_WEIGHT[len(stems)] / self.seen[stems] ** 0.5 for stems, number in held.items()}
        return sorted(held, key=lambda stems: (-value[stems], stems))[:SCORED]

    def _holding(self, stems: Stems) -> dict[int, tuple[set[int], set[int]]]:
        """By cluster the summaries that hold all the words in one statement, and those that do so in the title."""
        statements = set.intersection(*sorted((self.statements[word] for word in stems), key=len))
        found: dict[int, tuple[set[int], set[int]]] = {}
        for statement in statements:
            cluster_id, place = self.home[statement]
            places, titles = found.setdefault(cluster_id, (set(), set()))
            places.add(place)
            if self.in_title[statement]:
                titles.add(place)
        return found

    def _score(
        self,
        cluster_id: int,
        stems: Stems,
        holding: dict[int, tuple[set[int], set[int]]],
        over_all: float,
        mean_total: float,
    ) -> ScoredPhrase:
        places, titles = holding[cluster_id]
        total = len(self.summaries[cluster_id])
        share = len(places) / total
        is_step = 2 * len(self.as_step[cluster_id][stems]) > len(places)
        reading = _LENGTH_WEIGHT[len(stems)] * (_STEP_WEIGHT if is_step else 1.0)
        reading *= _PROPER_WEIGHT if stems in self.names else 1.0
        reading *= 1.0 + _TITLE_WEIGHT * len(titles) / total
        spelled = len(self.spelled_in[cluster_id][stems])
        reading *= (spelled / len(places)) ** _COHESION
        if len(stems) > 1:
            reading *= 1.0 - _PART_WEIGHT * self.longer[cluster_id].get(stems, 0) / spelled
        # The formula's logarithm is gentle; what half of all clusters say is no name for one of them.
        distinct = share / over_all
        surface = min(self.spellings[cluster_id][stems].items(), key=lambda item: (-item[1], item[0]))[0]
        score = share * math.log1p(mean_total / over_all) * reading * distinct
        return ScoredPhrase(stems, surface, share, score, is_step, stems in self.names, frozenset(places))


def _longer(spelled_in: Mapping[Stems, Collection[int]]) -> dict[Stems, int]:
    """How many summaries have the most common phrase that is one word longer, by phrase; 0 is left out."""
    found: dict[Stems, int] = {}
    for stems, places in spelled_in.items():
        for part in (stems[1:], stems[:-1]) if len(stems) > 2 else ():
            found[part] = max(found.get(part, 0), len(places))
    return found
