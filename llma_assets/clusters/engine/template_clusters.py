"""Clusters what is left when each template is a cluster of its own. Finding templates belongs in `templates`.

The texts of one template differ in names and numbers only. Among other texts they would form dozens of clusters, one a
name, and their number would decide where everything else is divided.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.engine.assignment import cluster_radii, unit_rows
from llma_assets.clusters.engine.clustering import Clustering, Predict
from llma_assets.clusters.engine.clustering_run import cluster
from llma_assets.clusters.engine.config import ClusteringConfig
from llma_assets.clusters.engine.groups import groups_by_size
from llma_assets.clusters.engine.measures import ranks_within
from llma_assets.clusters.engine.templates import NO_TEMPLATE
from llma_assets.clusters.engine.threads import one_thread

GRID = 41
"""Places along each side of the map that are tried for a template."""
LARGEST_DISC = 0.12
"""Radius of a template's disc on the map, at most."""
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def cluster_with_templates(
    embeddings: NDArray[np.float32],
    of_template: NDArray[np.int_],
    config: ClusteringConfig = ClusteringConfig(),
    *,
    initial_coordinates: NDArray[np.float64] | None = None,
    earlier_labels: NDArray[np.int_] | None = None,
    arrivals: NDArray[np.int_] | None = None,
    **options: Any,
) -> Clustering:
    """Make each template a cluster, and cluster the other rows as if the templates were not there.

    Args:
        embeddings: float32 (n, d).
        of_template: int (n,), place of each row's template, -1 where it has none. If every row has one, the rows of the
            last template are clustered like any others.
        config: of the other rows.
        initial_coordinates, earlier_labels, arrivals: of all rows, as in `cluster`.
        options: further options of `cluster`.

    Raises:
        InvalidEmbeddingsError: as `cluster` does.
    """
    places = np.unique(of_template[of_template != NO_TEMPLATE])
    if len(places) and (of_template != NO_TEMPLATE).all():
        of_template = np.where(of_template == places[-1], NO_TEMPLATE, of_template)
        places = places[:-1]
    if len(places) == 0:
        return cluster(
            embeddings,
            config,
            initial_coordinates=initial_coordinates,
            earlier_labels=earlier_labels,
            arrivals=arrivals,
            **options,
        )
    others = np.flatnonzero(of_template == NO_TEMPLATE)
    base = cluster(
        embeddings[others],
        config,
        initial_coordinates=None if initial_coordinates is None else initial_coordinates[others],
        earlier_labels=None if earlier_labels is None else earlier_labels[others],
        arrivals=None if arrivals is None else arrivals[others],
        **options,
    )
    members = [np.flatnonzero(of_template == place) for place in places]
    with one_thread():
        return _merged(base, embeddings, others, members, places, initial_coordinates)


def _merged(
    base: Clustering,
    embeddings: NDArray[np.float32],
    others: NDArray[np.intp],
    members: Sequence[NDArray[np.intp]],
    places: NDArray[np.int_],
    earlier: NDArray[np.float64] | None,
) -> Clustering:
    n, k, t = len(embeddings), len(base.centroids), len(members)
    raw = _spread(n, others, base.labels)
    distances, strength = _spread(n, others, base.distances), _spread(n, others, base.strength)
    coordinates, distinct = _spread(n, others, base.coordinates), _spread(n, others, base.distinct)
    borderline = _spread(n, others, base.borderline)
    centroids, centres = [*base.centroids], [*base.centroid_coordinates]
    inertia, taken = base.quality.inertia, base.coordinates
    first_distinct = int(base.distinct.max()) + 1
    for number, rows in enumerate(members):
        unit = unit_rows(embeddings[rows], 0)
        centroid = unit.mean(axis=0, dtype=np.float64).astype(np.float32)
        raw[rows] = k + number
        distances[rows] = np.linalg.norm(unit - centroid, axis=1)
        strength[rows] = 1.0
        distinct[rows] = first_distinct + number
        inertia += float(np.square(distances[rows]).sum())
        coordinates[rows] = disc = _disc(taken, distances[rows], None if earlier is None else earlier[rows])
        taken = np.vstack([taken, disc])
        centroids.append(centroid)
        centres.append(disc.mean(axis=0))
    sizes = np.bincount(raw[raw >= 0], minlength=k + t)
    order = np.argsort(-sizes, kind="stable")
    numbers = np.full(k + t + 1, -1, dtype=np.int_)  # noise has the last place
    numbers[order] = np.arange(k + t)
    labels = numbers[raw]
    groups = np.concatenate([base.groups, base.groups.max(initial=-1) + 1 + np.arange(t)])[order]
    share = len(others) / n
    quality = replace(
        base.quality,
        clusters=k + t,
        inertia=inertia,
        noise_share=base.quality.noise_share * share,
        borderline_share=base.quality.borderline_share * share,
        largest_share=base.quality.largest_share * share,
        distinct_items=base.quality.distinct_items + t,
    )
    return replace(
        base,
        labels=labels,
        centroids=np.array(centroids, dtype=np.float32)[order],
        radii=cluster_radii(labels, distances, k + t),
        groups=groups_by_size(groups, sizes[order]),
        distances=distances,
        ranks=ranks_within(labels, distances),
        strength=strength,
        borderline=borderline,
        coordinates=coordinates,
        centroid_coordinates=np.array(centres)[order],
        distinct=distinct,
        quality=quality,
        outlier_scores=None if base.outlier_scores is None else _spread(n, others, base.outlier_scores),
        predict=None if base.predict is None else _renumbered(base.predict, numbers),
        templates=np.concatenate([np.full(k, NO_TEMPLATE, dtype=np.int_), places])[order],
    )


def _spread(n: int, rows: NDArray[np.intp], values: NDArray[Any]) -> NDArray[Any]:
    """The values at their rows among n, and zeros."""
    spread = np.zeros((n, *values.shape[1:]), dtype=values.dtype)
    spread[rows] = values
    return spread


def _renumbered(predict: Predict, numbers: NDArray[np.int_]) -> Predict:
    def renumbered(unit: NDArray[np.float32]) -> tuple[NDArray[np.int_], NDArray[np.float64]]:
        labels, strength = predict(unit)
        return numbers[labels], strength

    return renumbered


def _disc(
    taken: NDArray[np.float64], distances: NDArray[np.float64], earlier: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Places (m, 2) of a template's texts: a disc where the map is empty, or where most of them lay before.

    The nearest to the centroid lie in the middle; a sunflower's spiral fills the disc evenly.
    """
    side = np.linspace(-1 + LARGEST_DISC, 1 - LARGEST_DISC, GRID)
    grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    known = earlier[~np.isnan(earlier).any(axis=1)] if earlier is not None else np.empty((0, 2))
    if 2 * len(known) > len(distances):
        grid = np.clip(known.mean(axis=0, keepdims=True), -1 + LARGEST_DISC, 1 - LARGEST_DISC)
    from scipy.spatial import KDTree

    room = KDTree(taken).query(grid)[0]
    widest = int(np.argmax(room))
    m = len(distances)
    radius = min(LARGEST_DISC, 0.8 * max(float(room[widest]), 0.02), 0.01 * m**0.5)
    place = np.empty(m)
    place[np.argsort(distances, kind="stable")] = np.arange(m)
    out, turn = radius * np.sqrt((place + 0.5) / m), GOLDEN_ANGLE * place
    spiral: NDArray[np.float64] = grid[widest] + np.column_stack([out * np.cos(turn), out * np.sin(turn)])
    return spiral
