"""The sets of `accuracy`: real texts, and planted ones of kinds that clusterings fail on. Measuring belongs there."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustering_data import DATA, _rows, read_texts

Vectors = NDArray[np.float32]
Truth = NDArray[np.str_]
HWU_ITEMS = 5000


def load(name: str, cache: Path) -> tuple[Vectors, Truth]:
    """Vectors and true groups of one of `SETS`; vectors of texts are kept in `cache`."""
    return SETS[name](cache)


def _banking(cache: Path) -> tuple[Vectors, Truth]:
    return read_texts("banking77", cache)[:2]


def _clinc(cache: Path) -> tuple[Vectors, Truth]:
    return read_texts("clinc150", cache)[:2]


def _hwu(cache: Path) -> tuple[Vectors, Truth]:
    rows = _rows("hwu64.csv.gz")
    vectors = _embedded("hwu64", [row["text"] for row in rows], cache)
    chosen = np.sort(np.random.default_rng(0).choice(len(rows), HWU_ITEMS, replace=False))
    return vectors[chosen], np.array([row["intent"] for row in rows])[chosen]


def _bills(cache: Path) -> tuple[Vectors, Truth]:
    with gzip.open(DATA / "bills.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return _embedded("bills", [row["summary"] for row in rows], cache), np.array([row["topic"] for row in rows])


def _two_scenarios(cache: Path) -> tuple[Vectors, Truth]:
    rows = _rows("hwu64.csv.gz")
    scenarios = np.array([row["scenario"] for row in rows])
    both = np.flatnonzero(np.isin(scenarios, ["music", "calendar"]))
    return _embedded("hwu64", [row["text"] for row in rows], cache)[both], scenarios[both]


def _embedded(name: str, texts: list[str], cache: Path) -> Vectors:
    path = cache / f"{name}.npy"
    if not path.exists():
        from llma_assets.models.offline_embedder import OfflineEmbedder

        np.save(path, OfflineEmbedder().embed(texts))
    return np.load(path)


def overlapping(
    items: int,
    topics: int,
    clarity: float,
    seed: int,
    *,
    background: float = 0.1,
    parents: int = 5,
    kinship: float = 0.5,
    width: float = 0.5,
    size_power: float = 0.5,
) -> tuple[Vectors, Truth]:
    """Hard text: topics of unequal size and width that overlap in thirty effective dimensions, and a background.

    Args:
        items: to make.
        topics: of them.
        clarity: length of the centres, where the items scatter around them by about 1.
        seed: of everything.
        background: share of the items that belong to no topic.
        parents: groups of topics that lie near each other.
        kinship: share of a centre that it has from its parent.
        width: deviation of the logarithm of how far a topic scatters.
        size_power: of the topics' rank in their size; 0 for equal sizes.
    """
    rng = np.random.default_rng(seed)
    d, effective, tail = 384, 30, 5
    spectrum = 1 / np.arange(1, d + 1) ** 0.7
    basis = np.linalg.qr(rng.normal(size=(d, d)))[0] * (spectrum / np.linalg.norm(spectrum))[:, None]
    narrow = np.where(np.arange(d) < effective, 1 / np.arange(1, d + 1) ** 0.3, 0.0)
    narrow /= np.linalg.norm(narrow)
    turned = np.linalg.qr(rng.normal(size=(d, d)))[0]
    shared = rng.normal(size=(parents, d)) * narrow
    own = rng.normal(size=(topics, d)) * narrow
    centres = (kinship**0.5 * shared[rng.integers(0, parents, topics)] + (1 - kinship) ** 0.5 * own) @ turned
    sizes = 1 / np.arange(1, topics + 1) ** size_power
    truth = rng.choice(topics, items, p=sizes / sizes.sum())
    widths = np.exp(width * rng.normal(size=topics))
    scatter = rng.normal(size=(items, d)) @ basis * np.sqrt(tail / rng.chisquare(tail, size=items))[:, None]
    along = np.empty((items, d))
    for topic in range(topics):
        members = np.flatnonzero(truth == topic)
        along[members] = rng.normal(size=(len(members), 8)) @ rng.normal(size=(8, d)) / (8 * d) ** 0.5
    vectors = clarity * centres[truth] + widths[truth][:, None] * (0.8 * scatter + 0.6 * along)
    lost = rng.random(items) < background
    vectors[lost] = 1.3 * rng.normal(size=(int(lost.sum()), d)) @ basis
    vectors += 0.6 * rng.normal(size=d) / d**0.5
    return vectors.astype(np.float32), np.where(lost, "background", truth.astype(np.str_))


def few_topics(sizes: tuple[int, ...], seed: int) -> tuple[Vectors, Truth]:
    """Topics without a background, with so many items each."""
    k, most = len(sizes), max(sizes)
    vectors, truth = overlapping(
        2 * most * k, k, 1.2, seed, background=0, parents=k, kinship=0, width=0.3, size_power=0
    )
    kept = np.concatenate([np.flatnonzero(truth == str(topic))[:size] for topic, size in enumerate(sizes)])
    return vectors[kept], truth[kept]


def directions(items: int, seed: int) -> tuple[Vectors, Truth]:
    """Random directions: nothing to find, and one true group."""
    return np.random.default_rng(seed).normal(size=(items, 384)).astype(np.float32), np.full(items, "all")


CHOSEN_ON = frozenset(
    {"banking77", "clinc150", "hwu64", "bills", "two_scenarios", "overlap_2600_a", "overlap_5000_a", "one_of_90"}
    | {"one_of_90_b", "random"}
)
"""Sets that were looked at while the method and its constants were chosen. The others were only reported on, but are
further draws of the same generators."""
SETS: dict[str, Callable[[Path], tuple[Vectors, Truth]]] = {
    "banking77": _banking,
    "clinc150": _clinc,
    "hwu64": _hwu,
    "bills": _bills,
    "two_scenarios": _two_scenarios,
    "overlap_2600_a": lambda _: overlapping(2600, 20, 0.8, 1),
    "overlap_2600_b": lambda _: overlapping(2600, 20, 0.8, 11),
    "overlap_2600_c": lambda _: overlapping(2600, 20, 0.6, 12),
    "overlap_5000_a": lambda _: overlapping(5000, 20, 0.7, 3),
    "overlap_5000_b": lambda _: overlapping(5000, 20, 1.0, 13),
    "two_topics": lambda _: few_topics((600, 600), 14),
    "one_of_90": lambda _: few_topics((1350, 75, 75), 1),
    "one_of_90_b": lambda _: few_topics((1350, 150), 15),
    "random": lambda _: directions(2000, 0),
}
