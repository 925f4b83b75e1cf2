"""Fifteen planted days, clustered afresh each day and linked: what is said is what happened.

The same on real texts, with figures instead of a verdict, is `benchmarks/lineage.py`.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest

from llma_assets.clusters import ClusteringConfig, cluster
from llma_assets.clusters.engine.assignment import assign, cluster_radii
from llma_assets.clusters.lineage.links import Links, link
from llma_assets.clusters.lineage.snapshot import Snapshot, Space

FIRST = date(2026, 11, 1)
DAYS, WINDOW, DIMENSIONS, EACH = 15, 7, 48, 12
STEADY = "ABCDEFGH"
HAPPENS = 7
"""The day on which everything happens."""


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """The items of all days, and what was found on each."""

    topics: np.ndarray
    days: np.ndarray
    points: np.ndarray
    snapshots: list[Snapshot]
    links: list[Links]

    def main(self, topic: str, day: int) -> int:
        """The cluster that most items of a topic are in."""
        window = (self.days > day - WINDOW) & (self.days <= day)
        labels = self.snapshots[day].labels[self.topics[window] == topic]
        return Counter(labels.tolist()).most_common(1)[0][0] if len(labels) else -1

    def lineage(self, topic: str, day: int) -> str:
        """The lineage that a topic has on a day, "" for none."""
        place = self.main(topic, day)
        return self.links[day].clusters[place].lineage_id if place >= 0 else ""


def daily(topic: str, day: int) -> int:
    """How many items of a topic a day has."""
    since = day >= HAPPENS
    return {
        "start": EACH * since,
        "end": EACH * (not since),
        "double": EACH * (1 + since),
        "parent": 2 * EACH * (not since),
        "child1": EACH * since,
        "child2": EACH * since,
    }.get(topic, EACH)


@pytest.fixture(scope="module")
def story() -> Story:
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(DIMENSIONS, DIMENSIONS)))[0]
    names = [*STEADY, "start", "end", "double", "parent", "child1", "child2"]
    centres = dict(zip(names, axes, strict=False))
    for child in ("child1", "child2"):
        centres[child] = (centres["parent"] + 0.7 * centres[child]) / np.hypot(1, 0.7)
    topics, days = [], []
    for day in range(DAYS):
        for name in names:
            topics += [name] * daily(name, day)
            days += [day] * daily(name, day)
    points = np.array([centres[name] for name in topics]) + rng.normal(scale=0.06, size=(len(topics), DIMENSIONS))
    told = Story(np.array(topics), np.array(days), points.astype(np.float32), [], [])
    for day in range(DAYS):
        window = np.flatnonzero((told.days > day - WINDOW) & (told.days <= day))
        found = cluster(told.points[window], ClusteringConfig())
        k = len(found.centroids)
        current = Snapshot(
            day=FIRST + timedelta(days=day),
            space=Space("planted", found.method),
            item_ids=np.char.mod("%05d", window),
            item_days=np.array([FIRST + timedelta(days=int(n)) for n in told.days[window]], dtype="datetime64[D]"),
            labels=found.labels,
            centroids=found.centroids,
            lineage_ids=tuple(f"{day}-{c}" for c in range(k)),
        )
        links = link(told.snapshots[-1] if told.snapshots else None, current, told.snapshots[-2:-7:-1])
        told.links.append(links)
        ids, statuses = zip(*((each.lineage_id, each.status) for each in links.clusters), strict=True)
        told.snapshots.append(replace(current, lineage_ids=ids, statuses=statuses))
    return told


@pytest.mark.heavy
def test_what_stays_has_one_lineage_on_all_days(story: Story) -> None:
    for topic in (*STEADY, "double"):
        assert {story.lineage(topic, day) for day in range(DAYS)} == {story.lineage(topic, 0)}
    assert len({story.lineage(topic, 0) for topic in STEADY}) == len(STEADY)


def test_what_starts_is_new_and_then_goes_on(story: Story) -> None:
    begun = story.links[HAPPENS].clusters[story.main("start", HAPPENS)]
    assert (begun.status, begun.parents) == ("new", ())
    assert {story.lineage("start", day) for day in range(HAPPENS, DAYS)} == {begun.lineage_id}


def test_what_ends_is_said_on_the_third_day_without_it(story: Story) -> None:
    ended = {each.lineage_id: day for day, links in enumerate(story.links) for each in links.ended}
    assert ended[story.lineage("end", HAPPENS - 1)] == HAPPENS + 2
    assert not {story.lineage(topic, 0) for topic in STEADY} & ended.keys()


def test_what_doubles_has_grown_and_what_stays_has_not(story: Story) -> None:
    statuses = {
        topic: {story.links[day].clusters[story.main(topic, day)].status for day in range(HAPPENS, HAPPENS + 4)}
        for topic in (*STEADY, "double")
    }
    assert "grown" in statuses["double"]
    assert all("grown" not in statuses[topic] for topic in STEADY)


def test_two_that_take_over_from_one_say_where_they_come_from(story: Story) -> None:
    parent = story.lineage("parent", HAPPENS - 1)
    for child in ("child1", "child2"):
        seen = [story.links[day].clusters[story.main(child, day)] for day in range(HAPPENS, HAPPENS + 5)]
        assert any(each.status == "split" and parent in each.parents for each in seen)
    last = DAYS - 1
    assert len({story.lineage(child, last) for child in ("child1", "child2")}) == 2


@pytest.mark.heavy
def test_new_items_assigned_to_yesterdays_clusters_are_where_the_next_run_puts_them(story: Story) -> None:
    agreed = []
    for day in range(1, HAPPENS):
        before = np.flatnonzero((story.days > day - 1 - WINDOW) & (story.days <= day - 1))
        found = cluster(story.points[before], ClusteringConfig())
        new = np.flatnonzero(story.days == day)
        radii = cluster_radii(found.labels, found.distances, len(found.centroids))
        labels = assign(story.points[new], found.centroids, radii).labels
        ids = [*story.snapshots[day - 1].lineage_ids, "noise"]
        after = [story.lineage(topic, day) for topic in story.topics[new]]
        agreed += [ids[guess] == truth for guess, truth in zip(labels, after, strict=True)]
    assert np.mean(agreed) > 0.95
