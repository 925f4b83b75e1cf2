"""Streams of some weeks whose story is known: HWU64 and planted topics, quiet or with news.

What is scored, and how, belongs in `lineage_goals.py`. A stream of fourteen days of CLINC150 is in `lineage_story.py`.

- quiet: the same topics every day, nothing happens.
- eventful: topics start, end, split (one is replaced by two near ones) and merge (two are replaced by one near to both)
  while the others stay.
- planted: vectors of topics in broad groups, each topic with a volume, a width and a shape of its own, and strays.
"""

import csv
import gzip
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.lineage_story import OUT_OF_SCOPE, PROJECT, Happening

HWU64 = PROJECT / ".." / "shared" / "data" / "hwu64.csv.gz"
A_DAY = 7.0
FEWEST_TEXTS = 70
"""Intents with fewer texts cannot fill a stream."""
STRAYS_A_DAY = 12.0
DIMENSIONS, GROUPS, FACETS = 96, 12, 6


@dataclass(frozen=True, slots=True)
class Plot:
    """What happens in a stream.

    Attributes:
        days: of the stream.
        starts, ends, splits, merges: how many.
        first, last: days on which something happens.
    """

    days: int
    starts: int = 0
    ends: int = 0
    splits: int = 0
    merges: int = 0
    first: int = 8
    last: int = 13


QUIET = Plot(days=18)
EVENTFUL = Plot(days=22, starts=5, ends=5, splits=4, merges=4)


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """The items of all days.

    Attributes:
        vectors: float32 (n, d).
        days: int (n,).
        intents: str (n,); `OUT_OF_SCOPE` for strays.
        happenings: what happens.
        steady: topics to which nothing happens.
        length: number of days.
    """

    vectors: NDArray[np.float32]
    days: NDArray[np.intp]
    intents: NDArray[np.str_]
    happenings: tuple[Happening, ...]
    steady: tuple[str, ...]
    length: int


def hwu64_stream(embeddings: NDArray[np.float32], plot: Plot, seed: int) -> Stream:
    """Texts of HWU64 spread over the days, no text twice.

    Args:
        embeddings: float32 (n, d), of all rows of the file.
    """
    with gzip.open(HWU64, "rt", encoding="utf-8", newline="") as file:
        intents = np.array([row["intent"] for row in csv.DictReader(file)])
    rng = np.random.default_rng([seed, 64])
    names, counts = np.unique(intents, return_counts=True)
    kept = names[counts >= FEWEST_TEXTS].tolist()
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    centroids = np.array([unit[intents == name].mean(axis=0) for name in kept])
    near = centroids @ centroids.T
    left = [int(each) for each in rng.permutation(len(kept))]
    families = []
    for _ in range(plot.splits + plot.merges):
        one = left.pop()
        two = sorted(left, key=lambda other: -near[one, other])[:2]
        left = [each for each in left if each not in two]
        families.append((kept[one], (kept[two[0]], kept[two[1]])))
    happenings, steady = _happenings(plot, families, [kept[each] for each in left], rng)
    rates = _rates(plot, happenings, dict.fromkeys(steady, A_DAY))
    rows, days = [], []
    for name, rate in sorted(rates.items()):
        texts = rng.permutation(np.flatnonzero(intents == name))
        # A topic with few texts has fewer a day, so that it does not end of itself.
        taken = np.repeat(np.arange(plot.days), rng.poisson(rate * min(1.0, 0.85 * len(texts) / rate.sum())))
        taken = taken[: len(texts)]
        rows.append(texts[: len(taken)])
        days.append(taken)
    chosen = np.concatenate(rows)
    return Stream(
        embeddings[chosen], np.concatenate(days), intents[chosen], tuple(happenings), tuple(sorted(steady)), plot.days
    )


def planted_stream(plot: Plot, seed: int, *, topics: int = 80, width: float = 1.0) -> Stream:
    """Topics around random centres in broad groups.

    Args:
        topics: that stay.
        width: of the topics; wider ones overlap more.
    """
    rng = np.random.default_rng([seed, topics])
    groups = rng.normal(size=(GROUPS, DIMENSIONS))
    singles = [f"t{number:03d}" for number in range(topics + plot.starts + plot.ends)]
    centres = {name: groups[rng.integers(GROUPS)] + 0.9 * rng.normal(size=DIMENSIONS) for name in singles}
    families = []
    for number in range(plot.splits + plot.merges):
        middle = groups[rng.integers(GROUPS)] + 0.9 * rng.normal(size=DIMENSIONS)
        apart = 0.8 * rng.normal(size=DIMENSIONS)
        family = (f"f{number}", (f"f{number}a", f"f{number}b"))
        centres |= {family[0]: middle, family[1][0]: middle + apart, family[1][1]: middle - apart}
        families.append(family)
    happenings, steady = _happenings(plot, families, singles[::-1], rng)
    volumes = {name: A_DAY * float(rng.lognormal(0.0, 0.4)) for name in steady}
    rates = _rates(plot, happenings, volumes)
    vectors, days, names = [], [], []
    for name, rate in sorted(rates.items()):
        taken = np.repeat(np.arange(plot.days), rng.poisson(rate))
        shape = rng.normal(size=(FACETS, DIMENSIONS)) / np.sqrt(FACETS)
        scale = width * rng.uniform(0.8, 1.3)
        spread = rng.normal(size=(len(taken), FACETS)) @ shape + 0.7 * rng.normal(size=(len(taken), DIMENSIONS))
        vectors.append(centres[name] + scale * spread)
        days.append(taken)
        names.append(np.full(len(taken), name))
    strays = np.repeat(np.arange(plot.days), rng.poisson(STRAYS_A_DAY, size=plot.days))
    vectors.append(groups[rng.integers(GROUPS, size=len(strays))] + 1.6 * rng.normal(size=(len(strays), DIMENSIONS)))
    return Stream(
        np.concatenate(vectors).astype(np.float32),
        np.concatenate([*days, strays]),
        np.concatenate([*names, np.full(len(strays), OUT_OF_SCOPE)]),
        tuple(happenings),
        tuple(sorted(steady)),
        plot.days,
    )


def _happenings(
    plot: Plot, families: list[tuple[str, tuple[str, str]]], singles: list[str], rng: np.random.Generator
) -> tuple[list[Happening], list[str]]:
    """What happens to whom, and the topics that stay."""

    def day() -> int:
        return int(rng.integers(plot.first, plot.last + 1))

    found = [Happening("split", day(), (one,), two) for one, two in families[: plot.splits]]
    found += [Happening("merge", day(), two, (one,)) for one, two in families[plot.splits :]]
    found += [Happening("start", day(), after=(name,)) for name in singles[: plot.starts]]
    found += [Happening("end", day(), before=(name,)) for name in singles[plot.starts : plot.starts + plot.ends]]
    return sorted(found, key=lambda each: (each.day, each.kind, each.before, each.after)), singles[
        plot.starts + plot.ends :
    ]


def _rates(plot: Plot, happenings: list[Happening], volumes: dict[str, float]) -> dict[str, NDArray[np.float64]]:
    """Items a day of each topic; a topic that is replaced keeps its volume."""
    rates = {name: np.full(plot.days, volume) for name, volume in volumes.items()}
    for each in happenings:
        since = np.arange(plot.days) >= each.day
        total = A_DAY * max(len(each.before), len(each.after))
        for name in each.before:
            rates[name] = np.where(since, 0.0, total / len(each.before))
        for name in each.after:
            rates[name] = np.where(since, total / len(each.after), 0.0)
    return rates
