"""Clusters of two themes: what they share against chance, many pairs at once, what stands in the database."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from random import Random
from uuid import uuid4

import pytest

from llma_assets.clickhouse import Database
from llma_assets.reports.overlap import Crossing, cross
from llma_assets.reports.overlap_queries import NotClusteredError, cross_themes
from llma_assets.team_day import TeamDay
from llma_assets_tests.reports.stored_runs import DAY, ids, store_run

TEAM = TeamDay(1, DAY)


def test_the_p_value_is_that_of_fishers_exact_test() -> None:
    # R. A. Fisher's lady tasting tea (1935), with ten cups: five are told from five in 252 ways, one of them right.
    (pair,) = cross({"said to be milk first": ids(0, 5)}, {"milk first": ids(0, 5)}, ids(0, 10)).pairs
    assert pair.p_value == pytest.approx(1 / 252)
    assert (pair.shared, pair.expected, pair.lift) == (5, 2.5, 2.0)


def test_a_pair_that_goes_together_is_found_and_others_are_not() -> None:
    crossing = cross(
        {"timeouts": ids(0, 40), "refusals": ids(40, 80)},
        {"angry": ids(0, 30) + ids(100, 120), "lost": ids(200, 250)},
        ids(0, 400),
    )
    assert [(pair.first, pair.second) for pair in crossing.pairs if pair.more] == [("timeouts", "angry")]
    best = crossing.pairs[0]
    assert (best.shared, best.first_traces, best.second_traces) == (30, 40, 50)
    assert best.expected == pytest.approx(5.0)
    assert best.lift == pytest.approx(6.0)
    assert best.lift_low < 6.0 < best.lift_high
    assert (crossing.traces, crossing.in_first, crossing.in_second, crossing.in_both) == (400, 80, 100, 30)
    assert len(crossing.pairs) == 4


def test_q_values_are_those_of_benjamini_and_hochberg() -> None:
    random = Random(3)
    traces = ids(0, 300)
    pairs = cross(_split(traces, 4, random), _split(traces, 5, random), traces).pairs
    ordered = sorted(pair.p_value for pair in pairs)
    expected = [min(p * len(ordered) / rank for rank, p in enumerate(ordered, 1) if p >= own) for own in ordered]
    assert sorted(pair.q_value for pair in pairs) == pytest.approx([min(1.0, q) for q in expected])


def _split(traces: Sequence[str], parts: int, random: Random) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {f"c{number}": [] for number in range(parts)}
    for trace_id in traces:
        found[f"c{random.randrange(parts)}"].append(trace_id)
    return found


def test_clusters_that_know_nothing_of_each_other_are_seldom_called_more() -> None:
    random = Random(7)
    traces = ids(0, 400)
    seen = [
        any(pair.more for pair in cross(_split(traces, 8, random), _split(traces, 8, random), traces).pairs)
        for _ in range(100)
    ]
    assert sum(seen) <= 10  # 5 % of a hundred, and some luck


def test_few_shared_traces_are_not_called_more_whatever_their_lift() -> None:
    crossing = cross({"a": ids(0, 5)}, {"b": ["t0", "t1", *ids(1_000, 1_003)]}, ids(0, 20_000))
    (pair,) = crossing.pairs
    assert (pair.shared, pair.more) == (2, False)
    assert pair.q_value < 0.001


def test_small_clusters_are_counted_and_not_tested() -> None:
    crossing = cross({"a": ids(0, 4), "b": ids(10, 30)}, {"c": ids(10, 30)}, ids(0, 100))
    assert [(pair.first, pair.second) for pair in crossing.pairs] == [("b", "c")]
    assert (crossing.too_small, crossing.in_first) == (1, 24)


def test_traces_that_only_one_theme_looked_at_do_not_count() -> None:
    (pair,) = cross({"a": ids(0, 50)}, {"b": ids(0, 10)}, ids(0, 30)).pairs
    assert (pair.first_traces, pair.second_traces, pair.shared) == (30, 10, 10)


@pytest.mark.parametrize("traces", [[], ids(0, 100)])
def test_nothing_in_common_is_no_pair_and_no_error(traces: list[str]) -> None:
    assert cross({}, {"b": ids(0, 10)}, traces).pairs == ()
    assert cross({"a": []}, {}, traces) == Crossing(len(traces), 0, 0, 0, 1, ())


Store = Callable[..., None]


@pytest.fixture
def store(database: Database) -> Store:
    """Stores a committed run of a theme, and the answers that it follows from."""
    return partial(store_run, database)


def test_all_traces_that_both_looked_at_are_compared_the_irrelevant_too(database: Database, store: Store) -> None:
    store("errors", {0: ids(0, 30), -1: ids(30, 32)}, looked_at=ids(32, 100))
    store("ux", {0: ids(0, 20)}, looked_at=ids(20, 90))
    found = cross_themes(database, TEAM, "errors", "ux")
    (pair,) = found.crossing.pairs
    assert (found.crossing.traces, pair.first_traces, pair.second_traces, pair.shared) == (88, 30, 20, 20)
    assert (pair.first, pair.second, pair.more) == ("errors-0", "ux-0", True)


def test_among_traces_that_are_in_both_only_those_count(database: Database, store: Store) -> None:
    store("errors", {0: ids(0, 30), 1: ids(30, 60)}, looked_at=ids(60, 100))
    store("ux", {0: ids(0, 20), 1: ids(40, 60)}, looked_at=ids(60, 100))
    found = cross_themes(database, TEAM, "errors", "ux", among="in_both")
    assert found.crossing.traces == 40
    assert {(pair.first, pair.second, pair.shared) for pair in found.crossing.pairs if pair.more} == {
        ("errors-0", "ux-0", 20),
        ("errors-1", "ux-1", 20),
    }


def test_what_the_rule_left_out_was_looked_at_and_what_is_no_longer_selected_was_not(
    database: Database, store: Store
) -> None:
    store("errors", {0: ids(0, 10)}, looked_at=ids(10, 20))
    store("ux", {0: ids(0, 10)}, looked_at=ids(10, 40))
    text = {
        "text": "",
        "text_hash": "",
        "generation_id": "",
        "loss": "{}",
        "line_count": 1,
        "event_count": 1,
        "trace_timestamp": datetime.combine(DAY, time(8), UTC),
        "cost_usd": 0.0,
        "latency_s": 0.0,
        "tokens": 0,
        "error_count": 0,
        "renderer": "",
    }
    database.insert_rows(
        "trace_texts",
        [
            {"team_id": 1, "day": DAY, "level": "trace", "item_id": each, "trace_id": each, **text}
            for each in ids(20, 40)
        ],
    )
    database.insert_rows(
        "theme_items",
        [
            {
                "team_id": team_id,
                "day": DAY,
                "theme_id": "errors",
                "item_id": each,
                "version": "v",
                "inclusion_probability": 1.0,
                "taken": taken,
                "screened": False,
            }
            for team_id, taken, of in ((1, True, ids(20, 30)), (1, False, ids(15, 20)), (2, True, ids(30, 40)))
            for each in of
        ],
    )
    assert cross_themes(database, TEAM, "errors", "ux").crossing.traces == 25  # 0 to 14, and 20 to 29


def test_generations_are_compared_by_their_traces(database: Database, store: Store) -> None:
    generations = [f"t{number}.{call}" for number in range(20) for call in range(3)]
    store("errors", {0: ids(0, 20)}, looked_at=ids(20, 60))
    store(
        "calls",
        {0: generations},
        level="generation",
        looked_at=[f"t{number}.0" for number in range(20, 50)],
        trace_of=lambda item_id: item_id.partition(".")[0],
    )
    found = cross_themes(database, TEAM, "errors", "calls")
    (pair,) = found.crossing.pairs
    assert (found.crossing.traces, pair.second_traces, pair.shared) == (50, 20, 20)


def test_days_that_only_one_of_them_read_are_left_out(database: Database, store: Store) -> None:
    store("errors", {0: ids(0, 10)}, item_day=DAY - timedelta(days=3))
    store("ux", {0: ids(0, 10)}, item_day=DAY - timedelta(days=3), lookback_days=2)
    found = cross_themes(database, TEAM, "errors", "ux")
    assert (found.first_day, found.crossing.traces) == (DAY - timedelta(days=1), 0)


def test_another_teams_clusters_and_answers_do_not_count(database: Database, store: Store) -> None:
    store("errors", {0: ids(0, 10)}, looked_at=ids(10, 20))
    store("ux", {0: ids(0, 10)}, looked_at=ids(10, 20))
    store("errors", {0: ids(0, 300)}, looked_at=ids(300, 400), team_id=2)
    store("ux", {0: ids(0, 300)}, looked_at=ids(300, 400), team_id=2)
    crossing = cross_themes(database, TEAM, "errors", "ux").crossing
    assert (crossing.traces, crossing.in_first) == (20, 10)


def test_what_people_merged_is_one_cluster_and_what_they_hid_is_none(database: Database, store: Store) -> None:
    store("errors", {0: ids(0, 10), 1: ids(10, 20), 2: ids(20, 30)})
    store("ux", {0: ids(0, 20)}, looked_at=ids(20, 60))
    when = datetime.combine(DAY, time(9), UTC)
    edit = {"team_id": 1, "theme_id": "errors", "title": "", "author": "a", "edited_at": when}
    database.insert_rows(
        "cluster_edits",
        [
            {**edit, "edit_id": uuid4(), "lineage_id": "errors-1", "action": "merge", "into_lineage_id": "errors-0"},
            {**edit, "edit_id": uuid4(), "lineage_id": "errors-2", "action": "hide", "into_lineage_id": ""},
        ],
    )
    crossing = cross_themes(database, TEAM, "errors", "ux").crossing
    assert [(pair.first, pair.first_traces) for pair in crossing.pairs] == [("errors-0", 20)]


def test_a_theme_without_clusters_is_named(database: Database, store: Store) -> None:
    store("errors", {0: ids(0, 10)})
    with pytest.raises(NotClusteredError, match=r"'ux' has no clusters of team 1 on 2026-11-07"):
        cross_themes(database, TEAM, "errors", "ux")
