"""Fourteen days of CLINC150 whose story is known: which intents start, end, double, split and merge, and when.

What is scored, and how, belongs in `lineage.py`.

- start, end: an intent's texts begin or stop on a day.
- double: from a day on there are twice as many.
- split: one intent's texts are replaced by those of the two intents nearest to it.
- merge: the texts of two near intents are replaced by those of the one nearest to both.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROJECT = Path(__file__).resolve().parents[1]
CLINC150 = PROJECT / ".." / "shared" / "data" / "clinc150.csv.gz"
DAYS, WINDOW = 14, 7
FIRST_DAY = date(2026, 11, 1)
OUT_OF_SCOPE = "oos"
A_DAY, FEW_A_DAY, OOS_A_DAY = 7.0, 5.0, 30.0
STARTS = ENDS = DOUBLES = 12
SPLITS = MERGES = 8
EVENT_DAYS = range(4, 11)
"""Days on which something happens: late enough to have a past, early enough to be seen."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happens to intents.

    Attributes:
        kind: start, end, double, split or merge.
        day: number of the first day on which it is so.
        before: intents that are there before, and stop or double.
        after: intents that are there from that day.
    """

    kind: str
    day: int
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """The items of all days.

    Attributes:
        rows: int (n,), the text of each item, a row of the embeddings; no text comes twice.
        days: int (n,), 0 to 13.
        intents: str (n,).
        happenings: what happens, by day.
        steady: intents to which nothing happens.
    """

    rows: NDArray[np.intp]
    days: NDArray[np.intp]
    intents: NDArray[np.str_]
    happenings: tuple[Happening, ...]
    steady: tuple[str, ...]

    def window(self, day: int) -> NDArray[np.bool_]:
        """Which items the clustering of a day sees."""
        return (self.days > day - WINDOW) & (self.days <= day)


def day_of(number: int) -> date:
    """The calendar day of a day's number."""
    return FIRST_DAY + timedelta(days=number)


def read_intents() -> NDArray[np.str_]:
    """The intent of each row of the data file, 23,700 of them."""
    with gzip.open(CLINC150, "rt", encoding="utf-8", newline="") as file:
        return np.array([row["intent"] for row in csv.DictReader(file)])


def read_embeddings(cache: Path) -> NDArray[np.float32]:
    """The embeddings of all rows, float32 (23700, d); made once with the offline embedder and kept in `cache`."""
    return embedded(CLINC150, cache)


def embedded(texts: Path, cache: Path) -> NDArray[np.float32]:
    """The embeddings of the column `text` of a compressed CSV file, float32 (n, d), made once and kept in `cache`."""
    if cache.exists():
        found: NDArray[np.float32] = np.load(cache)
        return found
    from llma_assets.models import OfflineEmbedder

    with gzip.open(texts, "rt", encoding="utf-8", newline="") as file:
        vectors = OfflineEmbedder().embed([row["text"] for row in csv.DictReader(file)])
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.save(cache, vectors)
    return vectors


def tell(intents: NDArray[np.str_], embeddings: NDArray[np.float32], seed: int) -> Story:
    """Spread the texts over the days; daily numbers are Poisson, everything follows from the seed."""
    rng = np.random.default_rng(seed)
    happenings, steady = _plot(intents, embeddings, rng)
    rates: dict[str, NDArray[np.float64]] = {name: np.full(DAYS, A_DAY) for name in steady}
    for happening in happenings:
        _write(happening, rates)
    rates[OUT_OF_SCOPE] = np.full(DAYS, OOS_A_DAY)
    rows, days, names = [], [], []
    for name, rate in sorted(rates.items()):
        texts = rng.permutation(np.flatnonzero(intents == name))
        numbers = rng.poisson(rate)
        taken = np.repeat(np.arange(DAYS), numbers)[: len(texts)]
        rows.append(texts[: len(taken)])
        days.append(taken)
        names.append(np.full(len(taken), name))
    return Story(
        np.concatenate(rows), np.concatenate(days), np.concatenate(names), tuple(happenings), tuple(sorted(steady))
    )


def _write(happening: Happening, rates: dict[str, NDArray[np.float64]]) -> None:
    since = np.arange(DAYS) >= happening.day
    if happening.kind == "double":
        rates[happening.before[0]] = np.where(since, 2.0, 1.0) * FEW_A_DAY
        return
    # A topic keeps its volume when it is replaced: two halves for one whole, and the other way round.
    total = A_DAY * max(len(happening.before), len(happening.after))
    for name in happening.before:
        rates[name] = np.where(since, 0.0, total / len(happening.before))
    for name in happening.after:
        rates[name] = np.where(since, total / len(happening.after), 0.0)


def _plot(
    intents: NDArray[np.str_], embeddings: NDArray[np.float32], rng: np.random.Generator
) -> tuple[list[Happening], list[str]]:
    names = sorted(set(intents.tolist()) - {OUT_OF_SCOPE})
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    centroids = np.array([unit[intents == name].mean(axis=0) for name in names])
    near = centroids @ centroids.T
    left = [int(each) for each in rng.permutation(len(names))]
    happenings = []
    for kind, number in (("split", SPLITS), ("merge", MERGES)):
        for _ in range(number):
            one = left.pop()
            two = sorted(left, key=lambda other: -near[one, other])[:2]
            left = [each for each in left if each not in two]
            pair = (names[two[0]], names[two[1]])
            before, after = ((names[one],), pair) if kind == "split" else (pair, (names[one],))
            happenings.append(Happening(kind, int(rng.choice(EVENT_DAYS)), before, after))
    for kind, number in (("start", STARTS), ("end", ENDS), ("double", DOUBLES)):
        for _ in range(number):
            name, day = names[left.pop()], int(rng.choice(EVENT_DAYS))
            happenings.append(
                Happening(kind, day, after=(name,)) if kind == "start" else Happening(kind, day, before=(name,))
            )
    return sorted(happenings, key=lambda each: (each.day, each.kind, each.before, each.after)), [
        names[each] for each in left
    ]


def told(happenings: tuple[Happening, ...]) -> Iterator[tuple[str, str, int]]:
    """What happens to each single intent: (intent, "start" or "end" or "double", day)."""
    for happening in happenings:
        if happening.kind == "double":
            yield happening.before[0], "double", happening.day
            continue
        for name in happening.before:
            yield name, "end", happening.day
        for name in happening.after:
            yield name, "start", happening.day
