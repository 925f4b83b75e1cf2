"""How often lineage is right: clusters of fourteen days whose story is known, linked day by day and scored.

    python -m benchmarks.lineage                       # the engine's default, and linking alone on true clusters
    python -m benchmarks.lineage --write               # and into benchmarks/results/lineage.md
    python -m benchmarks.lineage --method kmeans --seeds 1

The story (`lineage_story.py`) is CLINC150 spread over 14 days. Each day's seven-day window is clustered afresh. Two
kinds of clusters are linked:

- engine: as `llma_assets.clusters.cluster` finds them. A wrong link may be the clustering's fault as well.
- true: clusters are the intents themselves, one item in ten put into noise or a wrong cluster at random, and pairs of
  near intents that are one cluster up to a day and two after it, and the other way round. Only linking can be wrong.

Beside it the goals of lineage on streams of HWU64 and of planted topics, quiet or with news (`lineage_goals.py`), each
cut anew every day, and with what is carried over from the days before.

Embeddings are made once by the offline embedder and kept in the folder `--embeddings`.
"""

import argparse
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import lineage_goals
from benchmarks.lineage_chain import KINDS, Day, Said, chain, engine_days, faces, kept_days, what_was_said
from benchmarks.lineage_story import (
    DAYS,
    OUT_OF_SCOPE,
    PROJECT,
    Story,
    embedded,
    read_embeddings,
    read_intents,
    tell,
    told,
)
from benchmarks.lineage_streams import HWU64
from llma_assets.clusters import ClusteringConfig
from llma_assets.clusters.engine.assignment import assign, cluster_radii
from llma_assets.clusters.lineage.links import Link, Links, link
from llma_assets.clusters.lineage.snapshot import Snapshot

RESULTS = PROJECT / "benchmarks" / "results" / "lineage.md"
WRONG_SHARE = 0.1
FIRST_FULL = 6
"""Ids are scored from the first full window on."""
STREAMS_MARK = "<!-- streams: written by benchmarks/lineage.py -->"
MARK = "<!-- figures: written by benchmarks/lineage.py -->"
SEEN_WITHIN = 3
"""Days in which something that begins has to be seen."""


def true_days(story: Story, embeddings: NDArray[np.float32], seed: int) -> tuple[list[Day], list[tuple[str, str, int]]]:
    """Clusters that are the intents, some items wrong, some near pairs one cluster for a part of the time.

    Returns:
        the days; and for each pair its two intents, joined by "+", "split" or "merge", and the day.
    """
    rng = np.random.default_rng([seed, 1])
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    pairs = _near_pairs(story, unit, rng)
    days = []
    for number in range(DAYS):
        items = np.flatnonzero(story.window(number))
        names = story.intents[items].astype(object)
        for pair, kind, since in pairs:
            if (number < since) == (kind == "split"):
                names[np.isin(story.intents[items], pair.split("+"))] = pair
        present = sorted(set(names.tolist()) - {OUT_OF_SCOPE})
        order = rng.permutation(len(present))
        place = {name: int(order[n]) for n, name in enumerate(present)} | {OUT_OF_SCOPE: -1}
        labels = np.array([place[name] for name in names])
        wrong = rng.random(len(labels)) < WRONG_SHARE
        labels[wrong] = rng.integers(-1, len(present), size=int(wrong.sum()))
        kept, inverse = np.unique(labels[labels >= 0], return_inverse=True)
        labels[labels >= 0] = inverse
        centroids = np.array([unit[story.rows[items[labels == c]]].mean(axis=0) for c in range(len(kept))])
        days.append(Day(number, items, labels, np.zeros(len(items)), centroids.astype(np.float32)))
    return days, pairs


def _near_pairs(
    story: Story, unit: NDArray[np.float32], rng: np.random.Generator, each: int = 8
) -> list[tuple[str, str, int]]:
    left = list(rng.permutation(story.steady))
    centroids = {name: unit[story.rows[story.intents == name]].mean(axis=0) for name in left}
    pairs = []
    for kind in ("split", "merge"):
        for _ in range(each):
            one = left.pop()
            other = max(left, key=lambda name: float(centroids[one] @ centroids[name]))
            left.remove(other)
            pairs.append((f"{one}+{other}", kind, int(rng.integers(7, 13))))
    return pairs


def by_number(previous: Snapshot | None, current: Snapshot, others: Sequence[Snapshot]) -> Links:  # noqa: ARG001
    """What there was before lineages: the cluster's number, by size."""
    return Links(tuple(Link(c, str(c), "continued", 1.0) for c in range(len(current.lineage_ids))))


def by_centroid(previous: Snapshot | None, current: Snapshot, others: Sequence[Snapshot]) -> Links:  # noqa: ARG001
    """Members forgotten: one-to-one by the cosine of centroids, at least 0.9."""
    from scipy.optimize import linear_sum_assignment

    ids = list(current.lineage_ids)
    if previous is not None:
        left, right = (
            each.centroids / np.linalg.norm(each.centroids, axis=1, keepdims=True) for each in (previous, current)
        )
        near = left @ right.T
        for p, c in zip(*linear_sum_assignment(near, maximize=True), strict=True):
            if near[p, c] >= 0.9:
                ids[c] = previous.lineage_ids[p]
    return Links(tuple(Link(c, lineage_id, "continued", 1.0) for c, lineage_id in enumerate(ids)))


@dataclass(frozen=True, slots=True)
class Continuity:
    """How often a cluster's id is right from one day to the next.

    Attributes:
        kept: of the intents that both days know, the share whose main cluster keeps its id.
        kept_found: the same for intents that are the majority of their main cluster on both days.
        true_ids: of the ids on both days, the share that stands for the same intent.
        whole: of the steady intents found on day 6 and on the last day, the share with one id on both.
        steps: pairs of intent and day behind `kept`.
    """

    kept: float
    kept_found: float
    true_ids: float
    whole: float
    steps: int


def continuity(
    story: Story, days: Sequence[Day], links: Sequence[Links], pairs: Sequence[tuple[str, str, int]] = ()
) -> Continuity:
    """Score ids from each day to the next; intents of `pairs` are not steady."""
    paired = {name for pair, _, _ in pairs for name in pair.split("+")}
    seen = [faces(story, day) for day in days]
    ids = [[each.lineage_id for each in found.clusters] for found in links]
    kept, found_kept, true_ids = [], [], []
    for d in range(FIRST_FULL + 1, len(days)):
        for name in sorted(seen[d - 1].main.keys() & seen[d].main.keys()):
            before, after = seen[d - 1].main[name], seen[d].main[name]
            if before < 0 or after < 0:
                continue
            same = ids[d - 1][before] == ids[d][after]
            kept.append(same)
            if name in seen[d - 1].own and name in seen[d].own:
                found_kept.append(same)
        places = {lineage_id: c for c, lineage_id in enumerate(ids[d])}
        for c, lineage_id in enumerate(ids[d - 1]):
            if lineage_id in places and seen[d - 1].majority[c] != OUT_OF_SCOPE:
                true_ids.append(seen[d - 1].majority[c] == seen[d].majority[places[lineage_id]])
    first, last = FIRST_FULL, len(days) - 1
    whole = [
        ids[first][seen[first].main[name]] == ids[last][seen[last].main[name]]
        for name in story.steady
        if name not in paired and name in seen[first].own and name in seen[last].own
    ]
    return Continuity(*(float(np.mean(each)) for each in (kept, found_kept, true_ids, whole)), steps=len(kept))


@dataclass(frozen=True, slots=True)
class Detection:
    """How well one kind of event is seen, from day 4 on.

    Attributes:
        kind: of event.
        true: events of the story that can be seen in its fourteen days.
        seen: of these, how many were said in time.
        said: events that were said.
        right: of these, how many are of the story.
        topical: of the splits and merges that were said, how many parted or joined different intents; the others cut
            one intent in two, or put its parts together.
        recut: of `true` and of `seen`, those whose items were cut anew; the others had their texts replaced.
    """

    kind: str
    true: int
    seen: int
    said: int
    right: int
    topical: int = 0
    recut: tuple[int, int] = (0, 0)


def detections(story: Story, said: Sequence[Said], pairs: Sequence[tuple[str, str, int]] = ()) -> list[Detection]:
    """Score what was said against the story.

    A start, an end or a doubling has to be said within three days of the day on which it can be seen: its own for a
    start, the sixth after it for an end, when the window has lost the last items; for a doubling, within nine days,
    because it shows as long as the window holds both volumes. An intent that is replaced ends, too, and one that
    replaces starts: to say so is right, but not asked for, because "split" and "merge" say more.
    """
    single = list(told(story.happenings))
    families = [(frozenset((*h.before, *h.after)), h.kind, h.day) for h in story.happenings if h.kind in FAMILY_KINDS]
    replaced = {name for family, _, _ in families for name in family}
    families += [(frozenset(pair.split("+")), kind, since) for pair, kind, since in pairs]
    result = []
    for kind in KINDS:
        events = [each for each in said if each.kind == kind]
        if kind in FAMILY_KINDS:
            truth = [(family, since) for family, what, since in families if what == kind]
            right = sum(any(_of_family(each, *one) for one in truth) for each in events)
            seen = [one for one in truth if any(_of_family(each, *one) for each in events)]
            topical = sum(len({each.intent, *each.parents}) > 1 for each in events)
            recut = sum(not one[0] <= replaced for one in truth), sum(not one[0] <= replaced for one in seen)
            result.append(Detection(kind, len(truth), len(seen), len(events), right, topical, recut))
            continue
        late = {"start": 0, "end": 6, "double": 6}[kind]
        # While the window fills, the share of what started does grow.
        allowed = [
            (name, since) for name, what, since in single if what == kind or (kind == "double" and what == "start")
        ]
        wanted = [
            (name, since)
            for name, what, since in single
            if what == kind and name not in replaced and (kind == "double" or since + late < DAYS)
        ]
        right = sum(any(_in_time(each, *one, late) for one in allowed) for each in events)
        in_time = sum(any(_in_time(each, *one, late) for each in events) for one in wanted)
        result.append(Detection(kind, len(wanted), in_time, len(events), right))
    return result


FAMILY_KINDS = ("split", "merge")


def _in_time(event: Said, intent: str, since: int, late: int) -> bool:
    return event.intent == intent and since <= event.day <= since + late + SEEN_WITHIN


def _of_family(event: Said, family: frozenset[str], since: int) -> bool:
    return (
        since <= event.day <= since + 6 + SEEN_WITHIN and event.intent in family and bool(set(event.parents) & family)
    )


@dataclass(frozen=True, slots=True)
class Agreement:
    """New items assigned to yesterday's clusters, against the clustering of the next day.

    Attributes:
        items: new items.
        assigned: share that is put into a cluster.
        same: of those that both put into a cluster that both days know, the share with the same lineage.
        same_or_noise: of all, the share with the same lineage, or with noise on both sides.
        intent: of those assigned, the share whose intent is the majority of the cluster.
        clustered_intent: the same for the next day's clustering itself.
    """

    items: int
    assigned: float
    same: float
    same_or_noise: float
    intent: float
    clustered_intent: float


def agreement(story: Story, embeddings: NDArray[np.float32], days: Sequence[Day], links: Sequence[Links]) -> Agreement:
    """Assign each day's items to the clusters of the day before, from the first full window on."""
    both, either, intent, own, taken, total = [], [], [], [], 0, 0
    for d in range(7, len(days)):
        before, after = days[d - 1], days[d]
        new = story.days[after.items] == d
        radii = cluster_radii(before.labels, before.distances, len(before.centroids))
        labels = assign(embeddings[story.rows[after.items[new]]], before.centroids, radii).labels
        old_ids = [each.lineage_id for each in links[d - 1].clusters] + ["noise"]
        new_ids = [each.lineage_id for each in links[d].clusters] + ["noise"]
        majority = faces(story, before).majority | {-1: ""}
        majority_after = faces(story, after).majority | {-1: ""}
        for item, guess, truth in zip(after.items[new], labels, after.labels[new], strict=True):
            total += 1
            taken += guess >= 0
            known = new_ids[truth] in old_ids
            same_here = old_ids[guess] == new_ids[truth]
            either.append(same_here)
            if guess >= 0 and truth >= 0 and known:
                both.append(same_here)
            if guess >= 0:
                intent.append(majority[int(guess)] == story.intents[item])
            if truth >= 0:
                own.append(majority_after[int(truth)] == story.intents[item])
    return Agreement(total, taken / total, *(float(np.mean(each)) for each in (both, either, intent, own)))


def measure(method: str, seeds: int, embeddings: NDArray[np.float32], kept: Path | None = None) -> list[dict[str, Any]]:
    """All figures, one story a seed; `kept` is a folder for `kept_days`."""
    intents = read_intents()
    found = []
    for seed in range(seeds):
        story = tell(intents, embeddings, seed)
        days = kept_days(
            kept / f"CLINC150_{method}_{seed}.npz" if kept else None,
            partial(engine_days, story, embeddings[story.rows], DAYS, config_of(method)),
        )
        exact, pairs = true_days(story, embeddings, seed)
        started = time.perf_counter()
        links = chain(story, days, link)
        seconds = (time.perf_counter() - started) / len(days)
        exact_links = chain(story, exact, link)
        found.append(
            {
                "items": len(story.rows),
                "clusters": [len(day.centroids) for day in days],
                "seconds": seconds,
                "continuity": {
                    "engine, linked": continuity(story, days, links),
                    "engine, by nearest centroid alone": continuity(story, days, chain(story, days, by_centroid)),
                    "engine, by the cluster's number": continuity(story, days, chain(story, days, by_number)),
                    "true clusters, linked": continuity(story, exact, exact_links, pairs),
                    "true clusters, by nearest centroid alone": continuity(
                        story, exact, chain(story, exact, by_centroid), pairs
                    ),
                },
                "engine": detections(story, what_was_said(story, days, links)),
                "true": detections(story, what_was_said(story, exact, exact_links), pairs),
                "agreement": agreement(story, embeddings, days, links),
            }
        )
    return found


def config_of(method: str) -> ClusteringConfig:
    """The engine's defaults; k-means with as many clusters as there are topics."""
    if method == "kmeans":
        return ClusteringConfig(method="kmeans", min_k=100, max_k=100, n_init=1)
    return ClusteringConfig() if method == "default" else ClusteringConfig(method=method)


def report(found: Sequence[dict[str, Any]]) -> str:
    """The figures as Markdown; means over the stories, sums for events."""
    lines = [
        f"{len(found)} stories of {_mean(each['items'] for each in found):,.0f} items; the last windows have "
        f"{_mean(each['clusters'][-1] for each in found):.0f} clusters. Linking a day takes "
        f"{1000 * _mean(each['seconds'] for each in found):.0f} ms.",
        "",
        "| full windows (days 6 to 13) | intent keeps its id | well-found intent keeps it | id keeps its intent "
        "| same id after 7 days |",
        "|---|--:|--:|--:|--:|",
    ]
    for name in found[0]["continuity"]:
        scores = [each["continuity"][name] for each in found]
        values = [
            _mean(getattr(score, field) for score in scores) for field in ("kept", "kept_found", "true_ids", "whole")
        ]
        lines.append(f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |")
    for name, title in (("true", "linking alone, on true clusters"), ("engine", "engine and linking")):
        lines += ["", f"| {title} | in the story | seen | recall | said | right | precision | of different intents |"]
        lines.append("|---|--:|--:|--:|--:|--:|--:|--:|")
        for place, kind in enumerate(KINDS):
            events = [each[name][place] for each in found]
            true, seen, said, right, topical = (
                sum(getattr(event, field) for event in events) for field in ("true", "seen", "said", "right", "topical")
            )
            lines.append(
                f"| {kind} | {true} | {seen} | {_share(seen, true)} | {said} | {right} | {_share(right, said)} | "
                f"{_share(topical, said) if kind in FAMILY_KINDS else ''} |"
            )
        for place, kind in enumerate(KINDS):
            cut, cut_seen = (sum(each[name][place].recut[n] for each in found) for n in (0, 1))
            if cut:
                rest, rest_seen = (
                    sum(getattr(each[name][place], field) for each in found) - less
                    for field, less in (("true", cut), ("seen", cut_seen))
                )
                lines += [
                    "",
                    f"Each {kind}: {cut_seen} of {cut} that cut items anew, {rest_seen} of {rest} of replaced texts.",
                ]
    agreed = [each["agreement"] for each in found]
    lines += [
        "",
        "| new items, assigned to the day before's clusters | |",
        "|---|--:|",
        f"| items | {sum(each.items for each in agreed):,} |",
        f"| put into a cluster | {_mean(each.assigned for each in agreed):.3f} |",
        f"| same lineage as in the next full clustering, where both have one | {_mean(a.same for a in agreed):.3f} |",
        f"| the same of all new items, noise counted as one more | {_mean(a.same_or_noise for a in agreed):.3f} |",
        f"| in a cluster of their own intent | {_mean(each.intent for each in agreed):.3f} |",
        f"| the same in the next full clustering | {_mean(each.clustered_intent for each in agreed):.3f} |",
    ]
    return "\n".join(lines)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else ""


def main() -> None:
    """Measure and print, or write into the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", default="default", choices=("default", "graph", "kmeans", "hdbscan"))
    parser.add_argument("--seeds", type=int, default=3, help="stories; with 0 their figures stay as they are")
    parser.add_argument("--streams", type=int, default=3, help="streams of each kind; with 0 their figures stay")
    parser.add_argument("--carried-only", action="store_true", help="leave out streams that are cut anew each day")
    parser.add_argument("--embeddings", type=Path, default=PROJECT / ".llma" / "benchmarks")
    parser.add_argument(
        "--kept",
        type=Path,
        help="folder that keeps the clusters of each stream, so that a run that was stopped goes on; "
        "empty it when the engine changes",
    )
    parser.add_argument("--write", action="store_true", help="put the figures into benchmarks/results/lineage.md")
    options = parser.parse_args()
    streams = stories = ""
    if options.streams:
        texts = embedded(HWU64, options.embeddings / "hwu64.npy")
        with_prior = (True,) if options.carried_only else (False, True)
        streams = lineage_goals.report(texts, options.streams, with_prior=with_prior, kept=options.kept)
    if options.seeds:
        embeddings = read_embeddings(options.embeddings / "clinc150.npy")
        stories = report(measure(options.method, options.seeds, embeddings, options.kept))
    if not options.write:
        print("\n\n".join(filter(None, (streams, stories))))
        return
    head = f"Measured {datetime.now(UTC):%Y-%m-%d}: two cores, Python {platform.python_version()}.\n\n"
    before, _, rest = RESULTS.read_text().partition(STREAMS_MARK)
    old_streams, _, old_stories = rest.partition(MARK)
    streams = f"\n{head}{streams}\n\n" if streams else old_streams
    stories = f"\n{head}{stories}\n" if stories else old_stories
    RESULTS.write_text(f"{before}{STREAMS_MARK}{streams}{MARK}{stories}")


if __name__ == "__main__":
    main()
