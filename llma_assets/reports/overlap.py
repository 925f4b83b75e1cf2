"""Whether clusters of two themes share traces more than chance would: lift, counts, uncertainty. No database.

Chance is that of drawing: of all traces that both themes looked at, a cluster of the one theme picks its traces as if
it knew nothing of the other's. Then the number of shared traces is hypergeometric, and Fisher's exact test, one-sided,
says how seldom chance shares as many. Many pairs are tested, so p-values become q-values (Y. Benjamini, Y. Hochberg,
J. R. Statist. Soc. B 57 (1995), 289-300): of the pairs called "more", about `FALSE_SHARE` are so by chance.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from llma_assets.stats import Share

LEAST_TRACES = 5
"""A cluster with fewer traces among those compared is not tested: it could not show anything but extremes, and each
test costs the others some of their power. It is decided by sizes alone, never by what is shared."""

LEAST_SHARED = 3
"""With fewer shared traces nothing is called "more", whatever its lift."""

FALSE_SHARE = 0.05
"""Of the pairs that are called "more", so many are so by chance, on average."""


@dataclass(frozen=True, slots=True)
class CrossPair:
    """A cluster of one theme and a cluster of another.

    Attributes:
        first, second: the keys of the two clusters.
        first_traces, second_traces: their traces, among those compared.
        shared: traces in both.
        expected: how many chance would share, on average.
        lift: shared / expected.
        share: of the first cluster's traces, those that are in the second; its interval divided by `base` is that of
            the lift.
        base: the second cluster's share of all traces compared.
        p_value: chance shares as many, or more, so often.
        q_value: the same for many pairs at once, after Benjamini and Hochberg.
        more: whether that is more than chance would.
    """

    first: str
    second: str
    first_traces: int
    second_traces: int
    shared: int
    expected: float
    lift: float
    share: Share
    base: float
    p_value: float
    q_value: float
    more: bool

    @property
    def lift_low(self) -> float:
        """The lower end of the lift's interval at 95 %."""
        return self.share.low / self.base

    @property
    def lift_high(self) -> float:
        """The upper end of the lift's interval at 95 %."""
        return self.share.high / self.base


@dataclass(frozen=True, slots=True)
class Crossing:
    """What two themes have in common.

    Attributes:
        traces: those that are compared.
        in_first, in_second, in_both: of these, those that are in a cluster of the one, of the other, of both; outliers
            are in none.
        too_small: clusters of both themes that were not tested, for want of traces.
        pairs: those that were tested, the most certain first.
    """

    traces: int
    in_first: int
    in_second: int
    in_both: int
    too_small: int
    pairs: tuple[CrossPair, ...]


def cross(
    first: Mapping[str, Collection[str]], second: Mapping[str, Collection[str]], traces: Collection[str]
) -> Crossing:
    """Compare the clusters of two themes over the same traces.

    Args:
        first, second: trace ids by cluster. A trace may be in several clusters of a theme, as it is where the theme's
            items are generations; it counts once in each.
        traces: all that both themes looked at; others do not count.
    """
    among = set(traces)
    ones, others = _within(first, among), _within(second, among)
    in_first, in_second = set[str]().union(*ones.values()), set[str]().union(*others.values())
    tested_ones = {key: ids for key, ids in ones.items() if len(ids) >= LEAST_TRACES}
    tested_others = {key: ids for key, ids in others.items() if len(ids) >= LEAST_TRACES}
    return Crossing(
        traces=len(among),
        in_first=len(in_first),
        in_second=len(in_second),
        in_both=len(in_first & in_second),
        too_small=len(ones) - len(tested_ones) + len(others) - len(tested_others),
        pairs=_pairs(tested_ones, tested_others, len(among)),
    )


def _within(clusters: Mapping[str, Collection[str]], among: Collection[str]) -> dict[str, set[str]]:
    return {key: {trace_id for trace_id in ids if trace_id in among} for key, ids in clusters.items()}


def _pairs(ones: Mapping[str, set[str]], others: Mapping[str, set[str]], total: int) -> tuple[CrossPair, ...]:
    tested = [(one, other, len(ones[one] & others[other])) for one in ones for other in others]
    if not tested:
        return ()
    from scipy.stats import false_discovery_control, hypergeom

    p_values = hypergeom.sf(
        [shared - 1 for _, _, shared in tested],
        total,
        [len(others[other]) for _, other, _ in tested],
        [len(ones[one]) for one, _, _ in tested],
    ).clip(0.0, 1.0)
    pairs = []
    for (one, other, shared), p_value, q_value in zip(
        tested, p_values.tolist(), false_discovery_control(p_values).tolist(), strict=True
    ):
        n_one, n_other = len(ones[one]), len(others[other])
        expected = n_one * n_other / total
        pairs.append(
            CrossPair(
                first=one,
                second=other,
                first_traces=n_one,
                second_traces=n_other,
                shared=shared,
                expected=expected,
                lift=shared / expected,
                share=Share.of(shared, n_one),
                base=n_other / total,
                p_value=p_value,
                q_value=q_value,
                more=shared >= LEAST_SHARED and q_value <= FALSE_SHARE,
            )
        )
    return tuple(sorted(pairs, key=lambda pair: (pair.p_value, -pair.lift, pair.first, pair.second)))
