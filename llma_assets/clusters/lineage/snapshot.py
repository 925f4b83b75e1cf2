"""The input of linking: the clusters of one run, and what must be equal for two runs to be comparable."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters.ages import CHANCE, DAILY_DAYS, chance_of_silence
from llma_assets.clusters.lineage.growth import Growth, counts_by_day, growth_in

UNUSUAL = 0.05
"""A cluster that is gone ended if chance puts so few of its last items on the newest days at most this often."""


@dataclass(frozen=True, slots=True)
class Space:
    """What has to be equal for the clusters of two runs to be comparable.

    Attributes:
        embedding_model: name of the model.
        method: clustering method.
        theme_version: what was asked of the traces; "" where it is not known, which is equal to any.
    """

    embedding_model: str
    method: str
    theme_version: str = ""

    def differences(self, other: "Space") -> str:
        """A description of what differs from this to the other; "" if nothing does."""
        changed = []
        if self.embedding_model != other.embedding_model:
            changed.append(f"embedding model: {self.embedding_model} before, {other.embedding_model} now")
        if self.method != other.method:
            changed.append(f"method: {self.method} before, {other.method} now")
        if self.theme_version and other.theme_version and self.theme_version != other.theme_version:
            changed.append(f"theme version: {self.theme_version} before, {other.theme_version} now")
        return "; ".join(changed)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The k clusters of one run over n items, as linking sees them.

    Attributes:
        day: of the run.
        space: what makes it comparable.
        item_ids: str (n,), distinct.
        item_days: datetime64[D] (n,), the day of each item.
        labels: int (n,) in 0..k-1, -1 is noise.
        centroids: float32 (k, d).
        lineage_ids: k ids; of the run that is to be linked, the ids that its clusters get if they are new.
        statuses: what was said of each cluster, as in `links.Link`; none where it is not known.
    """

    day: date
    space: Space
    item_ids: NDArray[np.str_]
    item_days: NDArray[np.datetime64]
    labels: NDArray[np.int_]
    centroids: NDArray[np.float32]
    lineage_ids: tuple[str, ...]
    statuses: tuple[str, ...] = ()

    def status(self, cluster: int) -> str:
        """What was said of a cluster, "" where it is not known."""
        return self.statuses[cluster] if self.statuses else ""

    @property
    def sizes(self) -> NDArray[np.intp]:
        """Members of each cluster, (k,)."""
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.lineage_ids))

    def names_of(self, chosen: NDArray[np.bool_]) -> frozenset[str]:
        """Lineage ids of some clusters, given as (k,)."""
        return frozenset(self.lineage_ids[c] for c in np.flatnonzero(chosen))

    def is_silent(self) -> NDArray[np.bool_]:
        """Which clusters had items day by day, and next to none on the newest days, (k,)."""
        return self._silence() < CHANCE

    def falls(self) -> NDArray[np.bool_]:
        """Which clusters have fewer items on the newest days than chance often puts there, (k,)."""
        return self._silence(daily_days=1) < UNUSUAL

    def _silence(self, daily_days: int = DAILY_DAYS) -> NDArray[np.float64]:
        counts, everything = counts_by_day(self.item_days, self.labels, len(self.lineage_ids))
        return chance_of_silence(counts, everything, daily_days=daily_days)

    def growth(self) -> Growth:
        """How the clusters grow or fade within the window."""
        return growth_in(self.item_days, self.labels, len(self.lineage_ids))
