"""Divides a cluster that holds far more than its share further, where the data confirm it: a cut of its own.

One resolution serves all of the data; where one part is much finer than the rest, it stays in one piece. Choosing the
cut belongs in `resolution`.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.leiden import Graph
from llma_assets.clusters.engine.neighbours import Neighbours
from llma_assets.clusters.engine.resolution import Choice, ResolutionChooser, evenness_of

LEAST_EVENNESS = 0.55
"""Of two clusters one may have 72 % of the items, of three 63 %, of many 45 %."""
LEAST_STABILITY, MOST_NOISE = 0.7, 0.3
"""A division counts as confirmed where resamples agree on it: parts of planted broad topics that have none reached a
stability of 0.63."""
FEWEST_POINTS = 100

ChooserOf = Callable[[NDArray[np.intp], Graph, Neighbours], ResolutionChooser]
"""Makes a chooser for some of the points: their indices, the graph and the neighbours among them."""


def divide_dominant(
    choice: Choice, graph: Graph, weights: NDArray[np.float64], neighbours: Neighbours, chooser_of: ChooserOf
) -> Choice:
    """Cut the largest cluster anew where it dominates and a division of it is confirmed.

    Args:
        choice: of m points.
        graph: of the same points.
        weights: float64 (m,).
        neighbours: of the same points.
        chooser_of: for the points of that cluster.

    Returns:
        The choice with the parts in the place of the cluster; its stability is then that of both cuts by their items.
    """
    if choice.chosen is None or choice.weak:
        return choice
    sizes = np.bincount(choice.labels, weights=weights)
    share = float(sizes.max() / weights.sum())
    members = np.flatnonzero(choice.labels == int(sizes.argmax()))
    if evenness_of(choice.chosen.clusters, share) >= LEAST_EVENNESS or len(members) < FEWEST_POINTS:
        return choice
    inner = chooser_of(members, graph.among(members), _among(neighbours, members)).choose()
    part = inner.chosen
    if inner.weak or part is None or part.stability < LEAST_STABILITY or part.noise > MOST_NOISE:
        return choice
    if evenness_of(part.clusters, part.largest) < LEAST_EVENNESS:
        return choice
    labels = choice.labels.copy()
    labels[members] = inner.labels + len(sizes)
    labels = np.unique(labels, return_inverse=True)[1].astype(np.int32)
    stability = share * part.stability + (1 - share) * choice.chosen.stability
    return replace(choice, labels=labels, chosen=replace(choice.chosen, stability=stability))


def _among(neighbours: Neighbours, members: NDArray[np.intp]) -> Neighbours:
    """The neighbours of `members`, numbered anew; one outside is replaced by the point itself."""
    place = np.full(len(neighbours.indices), -1, dtype=np.int32)
    place[members] = np.arange(len(members), dtype=np.int32)
    inside = place[neighbours.indices[members]]
    own = np.arange(len(members), dtype=np.int32)[:, None]
    return Neighbours(np.where(inside < 0, own, inside), neighbours.distances[members])
