"""Growth within a window: shares of newer days against older ones."""

import numpy as np

from llma_assets.clusters.lineage.growth import Growth, growth_in


def growth(*daily: list[int]) -> Growth:
    """Of clusters with so many items on each day; the last list is noise."""
    days, labels = [], []
    for cluster_id, counts in enumerate(daily):
        home = cluster_id if cluster_id < len(daily) - 1 else -1
        for number, count in enumerate(counts):
            days += [np.datetime64("2026-11-01") + number] * count
            labels += [home] * count
    return growth_in(np.array(days), np.array(labels), len(daily) - 1)


def test_more_of_the_newer_days_has_grown() -> None:
    found = growth([20] * 4 + [50] * 3, [60] * 7, [100] * 7)
    assert found.grown.tolist() == [True, False]
    assert not found.faded.any()


def test_the_day_of_the_change_is_found_wherever_it_is() -> None:
    for day in range(1, 7):
        found = growth([0] * day + [30] * (7 - day), [30] * day + [0] * (7 - day), [200] * 7, [100] * 7)
        assert found.young.tolist() == [True, False, False]
        assert found.fading.tolist() == [False, True, False]


def test_more_traffic_of_everything_is_no_growth() -> None:
    found = growth([20] * 6 + [60], [40] * 6 + [120], [100] * 6 + [300])
    assert not found.grown.any()
    assert not found.faded.any()


def test_chance_is_no_growth() -> None:
    rng = np.random.default_rng(0)
    false = [growth(*rng.poisson(8, size=(40, 7)).tolist(), [50] * 7) for _ in range(20)]
    assert np.mean([found.grown | found.faded for found in false]) < 0.02


def test_one_day_empty_clusters_and_no_items_say_nothing() -> None:
    assert not growth([20], [30], [5]).grown.any()
    assert growth([0] * 7, [5] * 7, [1] * 7).ratio[0] == 1
    assert len(growth_in(np.array([], dtype="datetime64[D]"), np.array([], dtype=int), 0).z) == 0


def test_a_change_that_is_certain_but_small_is_none() -> None:
    found = growth([1000] * 4 + [900] * 3, [1000] * 4 + [1110] * 3, [8000] * 4 + [7990] * 3)
    assert found.z[0] < -3
    assert found.z[1] > 3
    assert not (found.grown | found.faded).any()


def test_a_third_less_has_faded_and_is_not_fading() -> None:
    found = growth([100] * 4 + [60] * 3, [100] * 4 + [160] * 3, [800] * 7)
    assert (found.faded.tolist(), found.fading.tolist()) == ([True, False], [False, False])
    assert (found.grown.tolist(), found.young.tolist()) == ([False, True], [False, False])
