"""Trends: counts of each day's own items, intervals, and what became better."""

from datetime import date, timedelta

import pytest

from llma_assets.clusters.edits.decisions import Lineage, Standing
from llma_assets.reports.trends import Change, DayCount, Trend, trends
from llma_assets.stats import Share

FIRST = date(2026, 11, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(14)]


def counts(lineage_id: str, items: list[int], errors: list[int] | None = None) -> list[DayCount]:
    """Of one lineage, by day; each item costs 0.5."""
    broken = errors or [0] * len(items)
    return [
        DayCount(day, lineage_id, n, n, bad, 0.5 * n) for day, n, bad in zip(DAYS, items, broken, strict=False) if n
    ]


def lineage(lineage_id: str, first: int = 0, last: int = 13) -> Lineage:
    return Lineage("traces", lineage_id, DAYS[first], DAYS[last], 10, f"Title {lineage_id}")


def found(
    *groups: list[DayCount], known: list[Lineage], decided: dict[str, Standing] | None = None
) -> dict[str, Trend]:
    each = trends([count for group in groups for count in group], known, decided or {}, run_days=DAYS)
    return {trend.lineage_id: trend for trend in each}


def test_wilson_intervals_are_those_of_the_literature() -> None:
    # R. G. Newcombe, Statist. Med. 17 (1998), 857-872, table I, method 3.
    for part, whole, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        share = Share.of(part, whole)
        assert (round(share.low, 4), round(share.high, 4)) == (low, high)
    assert Share.of(29, 29).high == 1.0
    assert Share.of(0, 0) == Share(0, 0, None, 0.0, 1.0)


def test_differences_are_those_of_the_literature() -> None:
    # R. G. Newcombe, Statist. Med. 17 (1998), 873-890, table II, method 10: 56/70 - 48/80.
    change = Change.between(before=Share.of(48, 80), now=Share.of(56, 70))
    assert (round(change.low, 4), round(change.high, 4)) == (0.0524, 0.3339)
    assert change.verdict == "more"


def test_shares_are_of_all_items_of_the_day_outliers_too() -> None:
    trend = found(
        counts("a", [30] * 14), counts("b", [50] * 14), counts("", [20] * 14), known=[lineage("a"), lineage("b")]
    )
    assert [point.share.value for point in trend["a"].points] == [0.3] * 14
    assert trend["a"].share.verdict == "same"
    assert (trend["a"].items, trend["a"].cost_usd, trend[""].title) == (420, 210.0, "Outliers")


def test_what_grew_and_what_broke_more_is_said() -> None:
    trend = found(
        counts("a", [20] * 7 + [60] * 7, [1] * 7 + [20] * 7),
        counts("b", [100] * 14, [20] * 7 + [5] * 7),
        known=[lineage("a"), lineage("b")],
    )
    assert (trend["a"].share.verdict, trend["a"].error_rate.verdict) == ("more", "more")
    assert (trend["b"].share.verdict, trend["b"].error_rate.verdict) == ("less", "less")
    assert trend["a"].error_rate.now.value == pytest.approx(1 / 3)


def test_a_difference_within_chance_is_the_same() -> None:
    trend = found(
        counts("a", [10] * 7 + [11] * 7, [1] * 14), counts("b", [90] * 14), known=[lineage("a"), lineage("b")]
    )
    assert (trend["a"].share.verdict, trend["a"].error_rate.verdict) == ("same", "same")


def test_without_a_week_before_nothing_is_compared() -> None:
    trend = found(counts("a", [10] * 5), known=[lineage("a", last=4)])
    assert trend["a"].share.verdict == "unknown"


def test_new_ones_come_first_then_ended_ones_then_by_size_and_outliers_last() -> None:
    trend = found(
        counts("", [500] * 14),
        counts("small", [5] * 14),
        counts("large", [50] * 14),
        counts("gone", [9] * 6),
        counts("born", [0] * 8 + [7] * 6),
        known=[lineage("small"), lineage("large"), lineage("gone", last=11), lineage("born", first=8)],
    )
    assert [(each.lineage_id, each.state) for each in trend.values()] == [
        ("born", "new"),
        ("gone", "ended"),
        ("large", ""),
        ("small", ""),
        ("", ""),
    ]


def test_a_day_without_items_of_a_lineage_counts_as_none_of_it() -> None:
    trend = found(counts("a", [10, 0, 10]), counts("b", [10, 10, 10]), known=[lineage("a"), lineage("b")])
    assert [point.items for point in trend["a"].points] == [10, 0, 10]
    assert trend["a"].points[1].share.value == 0.0
    assert trend["a"].points[1].error_rate.value is None


def test_merged_lineages_count_together_and_hidden_ones_are_left_out() -> None:
    trend = found(
        counts("a", [10] * 14, [1] * 14),
        counts("b", [20] * 14, [2] * 14),
        counts("c", [70] * 14),
        known=[lineage("a"), lineage("b"), lineage("c")],
        decided={"b": Standing(into="a"), "a": Standing(given="Both"), "c": Standing(hidden=True)},
    )
    assert list(trend) == ["a"]
    assert (trend["a"].title, trend["a"].items, trend["a"].merged_lineage_ids) == ("Both", 420, ("b",))
    assert trend["a"].points[0].share.value == 0.3
    assert trend["a"].error_rate.now.part == 21


def test_items_whose_numbers_are_gone_are_in_sizes_but_not_in_error_rates() -> None:
    day = [DayCount(DAYS[0], "a", 10, 4, 1, 2.0)]
    (trend,) = trends(day, [lineage("a")], {}, run_days=DAYS[:1])
    assert (trend.items, trend.points[0].error_rate.whole, trend.points[0].error_rate.value) == (10, 4, 0.25)


def test_no_counts_are_no_trends() -> None:
    assert trends([], [lineage("a")], {}, run_days=DAYS) == []
