"""Names of clusters without a model: readable titles and descriptions from distinctive phrases.

Finding phrases belongs in `words`, scoring them in `phrases`.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence

from llma_assets.labels.evidence import NOISE_ID, ClusterEvidence, SummaryText
from llma_assets.labels.label_checks import TITLE_CHARS, TITLE_WORDS, one_line
from llma_assets.labels.phrases import ScoredPhrase, Stems, read_summaries, scored_phrases
from llma_assets.labels.request_titles import request_titles, scored_clauses
from llma_assets.labels.schema import ClusterLabels, LabelItem
from llma_assets.labels.words import flow_steps, phrases
from llma_assets.languages import count_words
from llma_assets.machine_text import without_machine_text

HEAD_SCORE = 0.4
"""A phrase of two words or more heads the title if it scores this share of the best phrase."""
TOPIC_SHARE = 0.12
"""A phrase in a smaller share of the summaries is an example, not a topic."""
_TOPICS = 3
_CANDIDATES = 60
_COVERED = 0.6
_SECOND_SHARE, _SECOND_SCORE = 0.3, 0.25
_EXAMPLE_TITLES, _EXAMPLES = 2, 3
_ALIKE = 0.7
_TITLE_WORDS_WANTED = 8
_STEP_ALONE = 0.6
"""A tool that so large a share of the summaries names is the title: what was looked up with it differs."""
_SENTENCE_WORDS = 12  # shorter statements are not preferred for being short: sentences read better than lists
_BULLET_CHARS = 160


def offline_labels(
    evidence: Sequence[ClusterEvidence], used_titles: Collection[str] = (), *, only: Collection[int] | None = None
) -> ClusterLabels:
    """Label each cluster from the words of its summaries: same evidence, same labels.

    Titles read "Find apartment and schedule visit: baths, pets"; descriptions hold common steps, common phrases and
    examples of requests.

    Args:
        evidence: clusters; noise, and clusters without summaries, get no item.
        used_titles: titles of other clusters, not to be given again.
        only: ids of the clusters to label; the others are for contrast. All by default.
    """
    named = [cluster for cluster in evidence if cluster.cluster_id != NOISE_ID and read_summaries(cluster)]
    scored = scored_phrases(named)
    used = {title.casefold() for title in used_titles}
    heads = _head_phrases(scored)
    asked = request_titles(scored_clauses(named))
    items = []
    for cluster in named:
        if only is not None and cluster.cluster_id not in only:
            continue
        found = scored[cluster.cluster_id]
        title = next(
            title
            for title in (*asked[cluster.cluster_id], *_titles(cluster, heads.get(cluster.cluster_id), found))
            if title.casefold() not in used
        )
        used.add(title.casefold())
        items.append(LabelItem(cluster_id=cluster.cluster_id, title=title, description=_points(cluster, found)))
    return ClusterLabels(items=items)


def _head_phrases(scored: Mapping[int, Sequence[ScoredPhrase]]) -> dict[int, ScoredPhrase]:
    """The first phrase of each title; no two clusters share one, the better fit wins."""
    pairs = []
    for cluster_id, found in scored.items():
        candidates = [phrase for phrase in found[:_CANDIDATES] if not phrase.name] or found[:_CANDIDATES]
        best = candidates[0].score if candidates else 0.0
        long = [phrase for phrase in candidates if len(phrase.stems) > 1 and phrase.score >= HEAD_SCORE * best]
        pairs += [(-phrase.score, cluster_id, index, phrase) for index, phrase in enumerate(long or candidates)]
    heads: dict[int, ScoredPhrase] = {}
    gone: set[frozenset[str]] = set()
    for _, cluster_id, _, phrase in sorted(pairs, key=lambda pair: pair[:3]):
        if cluster_id not in heads and frozenset(phrase.stems) not in gone:
            heads[cluster_id] = phrase
            gone.add(frozenset(phrase.stems))
    return heads


def _titles(cluster: ClusterEvidence, head: ScoredPhrase | None, found: Sequence[ScoredPhrase]) -> Iterator[str]:
    """Titles of 3 to 10 words, best first; the last one is always unused."""
    if head is not None:
        topics = _distinct_phrases(found, head)
        if head.step and head.share >= _STEP_ALONE and _fits(head.surface):
            yield _capitalised(head.surface)
        for shown in range(min(_TOPICS, len(topics)), len(topics) + 1):
            title = _title_of(head, topics[max(0, shown - _TOPICS) : shown])
            if _fits(title):
                yield title
    for summary in cluster.representatives or cluster.members:
        title = " ".join(without_machine_text(one_line(summary.title)).split()[: TITLE_WORDS.stop - 1])
        if _fits(title):
            yield title
    word = head.surface if head is not None else "unnamed traces"
    numbered = f"{_capitalised(word)}: cluster {cluster.cluster_id}"
    yield numbered if _fits(numbered) else f"Unnamed traces: cluster {cluster.cluster_id}"


def _fits(title: str) -> bool:
    return count_words(title) in TITLE_WORDS and len(title) <= TITLE_CHARS


def _distinct_phrases(found: Sequence[ScoredPhrase], head: ScoredPhrase | None = None) -> list[ScoredPhrase]:
    """Phrases without a common word with `head` or each other, by how many further summaries they cover."""
    used = set(_words_of(head)) if head else set()
    covered = set(head.held) if head else set()
    left = [phrase for phrase in found[:_CANDIDATES] if len(phrase.stems) <= 2 or phrase.step]
    chosen: list[ScoredPhrase] = []
    while left := [phrase for phrase in left if not used & set(_words_of(phrase))]:
        best = max(left, key=lambda phrase: (phrase.share >= TOPIC_SHARE, _new_coverage(phrase, covered), phrase.stems))
        chosen.append(best)
        used |= set(_words_of(best))
        covered |= best.held
    return chosen


def _words_of(phrase: ScoredPhrase) -> list[str]:
    """The stems of a phrase, those joined within a word apart."""
    return [part for stem in phrase.stems for part in stem.split("+")]


def _new_coverage(phrase: ScoredPhrase, covered: Collection[int]) -> float:
    """The score of a phrase, reduced if the summaries that hold it are covered already."""
    return phrase.score * (1 - _COVERED * len(phrase.held & set(covered)) / len(phrase.held))


def _title_of(head: ScoredPhrase, topics: Sequence[ScoredPhrase]) -> str:
    """The head, the tool that goes with it where both are tools, and as many topics as fit."""
    least = _SECOND_SCORE * head.score
    tools = [topic for topic in topics if head.step and topic.step and topic.score >= least]
    second = next((tool for tool in tools if tool.share >= _SECOND_SHARE), None)
    title = _capitalised(f"{head.surface} and {second.surface}" if second else head.surface)
    kept: list[str] = []
    for topic in topics:
        length = len(title.split()) + sum(len(word.split()) for word in kept)
        if topic is not second and (not kept or length + len(topic.surface.split()) <= _TITLE_WORDS_WANTED):
            kept.append(topic.surface)
    return f"{title}: {', '.join(kept)}" if kept else title


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _points(cluster: ClusterEvidence, found: Sequence[ScoredPhrase]) -> list[str]:
    summaries = read_summaries(cluster)
    points = []
    common = _common_steps(summaries)
    if common:
        points.append("Common steps: " + ", ".join(f"{name} ({share:.0%})" for name, share in common))
    topics = [phrase for phrase in _distinct_phrases(found) if phrase.share >= TOPIC_SHARE and not phrase.step][:6]
    if topics:
        points.append("Often mentioned: " + ", ".join(f"{topic.surface} ({topic.share:.0%})" for topic in topics))
    points += [f"For example: {statement}" for statement in _examples(cluster, found)]
    if len(points) < 2:
        points.append(f"{cluster.size} items, {len(summaries)} of them read for this description")
    if len(points) < 2:
        points.append("The summaries have too little text in common to say more")
    return points


def _common_steps(summaries: Sequence[SummaryText]) -> list[tuple[str, float]]:
    """Up to four tools that a fifth or more of the summaries name, with the share that does."""
    holding: Counter[str] = Counter()
    for summary in summaries:
        holding.update(set(flow_steps(summary.flow_diagram)))
    ordered = sorted(holding.items(), key=lambda item: (-item[1], item[0]))
    return [(name, number / len(summaries)) for name, number in ordered[:4] if number * 5 >= len(summaries)]


def _examples(cluster: ClusterEvidence, found: Sequence[ScoredPhrase]) -> list[str]:
    """Two titles and a statement of representatives that hold the most of what sets the cluster apart."""
    weight = {phrase.stems: phrase.score for phrase in found[:_CANDIDATES]}
    summaries = cluster.representatives or cluster.members
    chosen: list[tuple[str, frozenset[str]]] = []
    for most, texts in (
        (_EXAMPLE_TITLES, [summary.title for summary in summaries]),
        (_EXAMPLES, [bullet for summary in summaries for bullet in summary.bullets]),
    ):
        for text, words_held in _ranked_texts(texts, weight):
            if len(chosen) == most:
                break
            if all(len(words_held & other) <= _ALIKE * min(len(words_held), len(other)) for _, other in chosen):
                chosen.append((text, words_held))
    return [text if len(text) <= _BULLET_CHARS else text[: _BULLET_CHARS - 1].rstrip() + "…" for text, _ in chosen]


def _ranked_texts(texts: Sequence[str], weight: Mapping[Stems, float]) -> list[tuple[str, frozenset[str]]]:
    """The texts of three words or more, each with its words; those first that hold the heaviest phrases."""
    ranked = []
    for place, text in enumerate(without_machine_text(one_line(text)) for text in texts):
        held = {phrase.stems for phrase in phrases(text)}
        words = len(text.split())
        value = sum(weight.get(stems, 0.0) for stems in held) / max(_SENTENCE_WORDS, words) ** 0.5
        if value > 0 and words >= 3:
            ranked.append((-value, place, text, frozenset(word for stems in held for word in stems)))
    return [(text, words_held) for _, _, text, words_held in sorted(ranked, key=lambda item: item[:2])]
