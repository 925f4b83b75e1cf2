"""Shares of all items that match a theme, estimated from its sample, with confidence intervals.

Counting items by stage belongs in `funnel`. An estimate is about all matching items: each item of the sample has the
weight 1 / its probability to be in it (D. G. Horvitz, D. J. Thompson, JASA 47
(1952), 663-685), and the interval is Wilson's for a simple random sample of the same variance. Items with probability
1 add no variance, so a share without sampling is exact.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from llma_assets.clickhouse import Database
from llma_assets.stats import wilson
from llma_assets.summaries import STANDS_FOR
from llma_assets.themes import Theme, stored_versions


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share of all items that match.

    Attributes:
        value: the share, in [0, 1].
        low, high: its interval at 95 %; both are `value` where it was counted and not estimated.
        is_estimate: whether some items were not evaluated.
    """

    value: float
    low: float
    high: float
    is_estimate: Annotated[bool, Field(serialization_alias="estimate")]

    @classmethod
    def exact(cls, value: float) -> "Estimate":
        """A share of which every item was looked at."""
        return cls(value, value, value, is_estimate=False)


@dataclass(frozen=True, slots=True)
class Shares:
    """Estimates about the items of some days.

    Attributes:
        items: the estimated number of matching items.
        decided: sampled items whose relevance is known; the shares are estimated from these.
        screened: share that the theme's rule did not leave out.
        relevant: share that is relevant to the theme.
    """

    items: float
    decided: int
    screened: Estimate
    relevant: Estimate


def theme_shares(database: Database, team_id: int, first_day: date, last_day: date, theme: Theme) -> Shares | None:
    """The shares of a theme's items over some days, None where nothing is decided.

    Items without an answer yet, or with a failed summary, do not count; if there are many, the shares describe only the
    items that a run reached first.
    """
    (row,) = database.rows(
        STANDS_FOR,
        team_id=team_id,
        theme_id=theme.theme_id,
        version=theme.version,
        versions=list(stored_versions(theme)),
        **{"from": first_day, "until": last_day},
    )
    if not row["decided"]:
        return None
    whole, spread = row["stands_for"], row["spread"]
    return Shares(
        items=whole,
        decided=row["decided"],
        screened=estimate(row["screened_for"] / whole, whole, spread),
        relevant=estimate(row["relevant_for"] / whole, whole, spread),
    )


def estimate(share: float, whole: float, spread: float) -> Estimate:
    """A weighted share with its interval.

    Args:
        share: sum of the weights of the items that have it, over `whole`.
        whole: sum of the weights 1 / p of all items, p their chances to be in the sample.
        spread: sum of (1 - p) / p² of them: the variance of `whole`.
    """
    if spread <= 1e-9 * whole:
        return Estimate.exact(share)
    return Estimate(share, *wilson(min(1.0, max(0.0, share)), whole * whole / spread), is_estimate=True)
