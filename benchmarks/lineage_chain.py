"""Clusters of the days of a known story: how they are made, linked and read. Figures are made in `lineage`."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from benchmarks.lineage_story import OUT_OF_SCOPE, WINDOW, day_of
from llma_assets.clusters import ClusteringConfig, cluster
from llma_assets.clusters.lineage.links import Link, Links
from llma_assets.clusters.lineage.snapshot import Snapshot, Space
from llma_assets.clusters.lineage_ids import first_lineage_id
from llma_assets.clusters.store.clustering_runs import FILLED

SPACE = Space("offline", "benchmark")
FIRST_SCORED = 4
"""Events are scored from this day on."""
FIELDS = ("items", "labels", "distances", "centroids")
KINDS = ("start", "end", "double", "split", "merge")


class Told(Protocol):
    """A story: the day and the intent of each item."""

    @property
    def days(self) -> NDArray[np.intp]: ...
    @property
    def intents(self) -> NDArray[np.str_]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """The clusters of one day's window.

    Attributes:
        number: of the day.
        items: int (n,), items of the story in the window.
        labels: int (n,), -1 is noise.
        distances: float64 (n,), to the own centroid.
        centroids: float32 (k, d).
    """

    number: int
    items: NDArray[np.intp]
    labels: NDArray[np.int_]
    distances: NDArray[np.float64]
    centroids: NDArray[np.float32]


def engine_days(
    story: Told, vectors: NDArray[np.float32], days: int, config: ClusteringConfig, *, prior: bool = True
) -> list[Day]:
    """Cluster each day's window as the pipeline does.

    Args:
        vectors: float32 (n, d), of the story's items.
        days: of the story.
        prior: whether a day's cut carries over what the two days before it agree on.
    """
    found: list[Day] = []
    resolution = None
    for number in range(days):
        items = np.flatnonzero((story.days > number - WINDOW) & (story.days <= number))
        held = prior and len(found) > 1 and all(2 * len(day.items) >= len(items) for day in found[-2:])
        arrivals = np.column_stack([story.days[items], items])
        # What was right for a window that was still filling does not bind the first that is (nearly) full.
        if prior and number == WINDOW - 1 - FILLED:
            resolution = None
        clustering = cluster(
            vectors[items],
            config,
            earlier_resolution=resolution,
            earlier_labels=_earlier(found[-2:], items, len(vectors)) if held else None,
            arrivals=arrivals if held and number >= WINDOW - 1 - FILLED else None,
        )
        resolution = clustering.quality.resolution
        found.append(Day(number, items, clustering.labels, clustering.distances, clustering.centroids))
    return found


def kept_days(file: Path | None, make: Callable[[], list[Day]]) -> list[Day]:
    """The days that a file keeps; where there is none they are made, and kept there."""
    if file is None:
        return make()
    if not file.exists():
        arrays = {f"{day.number}.{name}": getattr(day, name) for day in make() for name in FIELDS}
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, **arrays)
    with np.load(file) as kept:
        numbers = sorted({int(name.partition(".")[0]) for name in kept.files})
        return [Day(number, *(kept[f"{number}.{name}"] for name in FIELDS)) for number in numbers]


def _earlier(days: Sequence[Day], items: NDArray[np.intp], total: int) -> NDArray[np.int_]:
    """The clusters that some items had on earlier days, (n, r)."""
    columns = np.full((total, len(days)), -1, dtype=np.int_)
    for place, day in enumerate(days):
        columns[day.items, place] = day.labels
    return columns[items]


Linker = Callable[[Snapshot | None, Snapshot, Sequence[Snapshot]], Links]


def chain(story: Told, days: Sequence[Day], linker: Linker) -> list[Links]:
    """Link the days one after the other, as the pipeline does."""
    done: list[Snapshot] = []
    links = []
    for day in days:
        k = len(day.centroids)
        current = Snapshot(
            day=day_of(day.number),
            space=SPACE,
            item_ids=np.char.mod("%06d", day.items),
            item_days=np.array([day_of(int(number)) for number in story.days[day.items]], dtype="datetime64[D]"),
            labels=day.labels,
            centroids=day.centroids,
            lineage_ids=tuple(first_lineage_id(1, "story", UUID(int=day.number), c) for c in range(k)),
        )
        found = linker(done[-1] if done else None, current, done[-2:-7:-1])
        links.append(found)
        done.append(
            Snapshot(
                current.day,
                SPACE,
                current.item_ids,
                current.item_days,
                current.labels,
                current.centroids,
                tuple(each.lineage_id for each in found.clusters),
                tuple(each.status for each in found.clusters),
            )
        )
    return links


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """What the clusters of a day show of the intents.

    Attributes:
        main: the cluster that holds most of an intent's items, -1 where that is noise; intents with at least 5.
        majority: the intent that most items of a cluster have.
        own: intents that are the majority of their main cluster.
    """

    main: dict[str, int]
    majority: dict[int, str]
    own: frozenset[str]


def faces(story: Told, day: Day, fold: Callable[[str], str] = str) -> Faces:
    """Read a day's clusters; `fold` may call several intents by one name."""
    names = np.array([fold(name) for name in story.intents[day.items]])
    main, majority = {}, {}
    for name in set(names.tolist()) - {OUT_OF_SCOPE}:
        labels = day.labels[names == name]
        if len(labels) >= 5:
            main[name] = Counter(labels.tolist()).most_common(1)[0][0]
    for c in range(len(day.centroids)):
        inside = names[day.labels == c]
        majority[c] = Counter(sorted(inside.tolist())).most_common(1)[0][0] if len(inside) else OUT_OF_SCOPE
    return Faces(main, majority, frozenset(name for name, c in main.items() if c >= 0 and majority[c] == name))


@dataclass(frozen=True, slots=True)
class Said:
    """One event that was said: on which day, of which intent, out of the clusters of which others."""

    kind: str
    day: int
    intent: str
    parents: tuple[str, ...] = ()


def what_was_said(story: Told, days: Sequence[Day], links: Sequence[Links]) -> list[Said]:
    """The statuses of all days as events; a lineage is called by the intent that most of its items have."""
    names: dict[str, str] = {}
    said = []
    for day, found in zip(days, links, strict=True):
        majority = faces(story, day).majority
        if day.number >= FIRST_SCORED:
            said += [_said(day.number, each, majority[each.cluster_id], names) for each in found.clusters]
            said += [Said("end", day.number, names[ended.lineage_id]) for ended in found.ended if not ended.into]
        names |= {each.lineage_id: majority[each.cluster_id] for each in found.clusters}
    return [each for each in said if each.kind in KINDS]


def _said(day: int, link_: Link, intent: str, names: dict[str, str]) -> Said:
    kinds = {"new": "start", "grown": "double", "merged": "merge", "split": "split"}
    kind = kinds.get(link_.status, "")
    if kind == "split" and link_.lineage_id in link_.parents:
        kind = ""  # the part that keeps the id; the other part is the event
    return Said(kind, day, intent, tuple(names.get(parent, "") for parent in link_.parents))
