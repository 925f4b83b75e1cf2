"""Places of what is drawn: the flow of lineages and the treemap."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llma_assets.reports import FlowCluster, FlowDay, LineageFlow
from llma_assets.reports.trends import DayCount, trends
from llma_assets.web.drawings import SHOWN_LINEAGES, flow_picture, stacked_days, treemap

FIRST = date(2026, 11, 1)


def flow(*days: dict[str, tuple[int, tuple[str, ...]]]) -> LineageFlow:
    """Clusters by lineage with size and parents, a day each; 100 items a day."""
    return LineageFlow(
        1,
        "traces",
        tuple(
            FlowDay(
                FIRST + timedelta(days=number),
                100,
                tuple(
                    FlowCluster(name, f"Title {name}", size, size / 100, "continued", parents)
                    for name, (size, parents) in day.items()
                ),
            )
            for number, day in enumerate(days)
        ),
    )


def test_a_split_is_a_second_ribbon_and_stands_below_where_it_came_from() -> None:
    picture = flow_picture(
        flow(
            {"a": (60, ()), "b": (40, ())},
            {"a": (30, ("a",)), "b": (40, ("b",)), "c": (30, ("a",))},
        )
    )
    last = {band.cluster.lineage_id: band for band in picture.bands if band.day > FIRST}
    assert [band.cluster.lineage_id for band, _ in picture.names] == ["a", "c", "b"]
    assert last["a"].y < last["c"].y < last["b"].y
    assert [(join.is_other, join.words) for join in picture.joins if join.is_other] == [(True, "Title a → Title c")]
    assert len(picture.joins) == 3


def test_a_merge_is_two_ribbons_into_one() -> None:
    picture = flow_picture(flow({"a": (60, ()), "b": (40, ())}, {"a": (100, ("a", "b"))}))
    assert sorted(join.is_other for join in picture.joins) == [False, True]


def test_small_clusters_are_counted_and_not_drawn() -> None:
    many = {f"l{number:02}": (100 - number, ()) for number in range(SHOWN_LINEAGES + 3)}
    picture = flow_picture(flow(many, many))
    assert picture.left_out == 3
    assert len(picture.bands) == 2 * SHOWN_LINEAGES
    heights = [y for _, y in picture.names]
    assert all(after - before >= 17 for before, after in pairwise(heights))


def test_parents_that_name_one_another_do_no_harm() -> None:
    picture = flow_picture(flow({"a": (50, ("b",)), "b": (50, ("a",))}, {"a": (50, ("b",)), "b": (50, ("a",))}))
    assert len(picture.bands) == 4
    assert flow_picture(flow()).bands == ()


@given(st.lists(st.integers(1, 1_000), max_size=60).map(lambda values: sorted(values, reverse=True)))
def test_areas_are_as_the_values_and_fill_the_whole(values: list[int]) -> None:
    tiles = treemap(values, 1_000, 360)
    assert [tile.number for tile in tiles] == list(range(len(values)))
    for value, tile in zip(values, tiles, strict=True):
        assert abs(tile.width * tile.height - value / sum(values) * 360_000) < 150
        assert tile.x >= -0.2
        assert tile.x + tile.width <= 1_000.2
        assert tile.y >= -0.2
        assert tile.y + tile.height <= 360.2


def test_bars_of_days_add_up_and_shares_fill_the_chart() -> None:
    counts = [
        DayCount(FIRST + timedelta(days=day), name, items, items, 0, 0.0)
        for name, by_day in {"a": (8, 2), "b": (2, 2), "": (10, 0)}.items()
        for day, items in enumerate(by_day)
        if items
    ]
    found = trends(counts, [], {}, run_days=[FIRST, FIRST + timedelta(days=1)])
    bars = stacked_days(found, as_shares=False)
    tall = {day: sum(bar.height for bar in bars if bar.day == day) for day in (bar.day for bar in bars)}
    assert list(tall.values()) == [220, 44]
    shares = stacked_days(found, as_shares=True)
    assert sum(bar.height for bar in shares if bar.day == FIRST) == 220
    assert sum(bar.value for bar in shares if bar.number is None) == 10
    assert stacked_days([], as_shares=True) == []
