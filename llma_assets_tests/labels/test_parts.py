"""The parts that decide who names, who tests, which names are alike, and how well names fit. No models."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llma_assets.labels import ClusterEvidence, ClusterLabels, LabelItem, SummaryText
from llma_assets.labels.evidence_choice import members_to_read, nearest_outside, similar_together, split, unit
from llma_assets.labels.held_out import NameTest, accuracy_of, held_out_tests, overall
from llma_assets.labels.label_checks import checked_labels
from llma_assets.labels.name_distances import groups_too_close, nearest_names, too_close_to


def texts(words: str) -> list[SummaryText]:
    return [SummaryText(word) for word in words.split()]


def directions(*angles: float) -> np.ndarray:
    """Unit vectors at angles, degrees."""
    radians = np.deg2rad(angles)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1).astype(np.float32)


def test_borderline_members_are_not_read_unless_there_are_no_others() -> None:
    assert members_to_read([0.9, 0.01, 0.8, 0.7, 0.02], 0.05) == [0, 2, 3]
    assert members_to_read([0.9, 0.01, 0.8, 0.02], 0.05) == [0, 1, 2, 3]
    assert members_to_read([], 0.05) == []


def test_a_large_cluster_is_read_in_all_its_parts() -> None:
    read = members_to_read([1.0] * 1000, 0.05)
    assert len(read) == 80
    assert read[:20] == list(range(20))
    assert read[-1] > 950


def test_representatives_say_different_things_and_nothing_that_is_shown_is_held_out() -> None:
    parts = split(texts("a a b c d e f g h a i j k l m n"))
    assert parts.representatives == [0, 2, 3, 4, 5, 6, 7]
    shown = {"abcdefg"[at] for at in range(7)}
    words = ["a", "a", "b", "c", "d", "e", "f", "g", "h", "a", "i", "j", "k", "l", "m", "n"]
    assert parts.held_out
    assert not shown & {words[at] for at in parts.held_out}


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), max_size=90))
def test_no_text_both_names_and_tests(words: list[str]) -> None:
    parts = split([SummaryText(word) for word in words])
    naming = {words[at] for at in (*parts.representatives, *parts.members)}
    assert not naming & {words[at] for at in parts.held_out}
    assert len(parts.representatives) == min(7, len(set(words)))
    assert len(parts.held_out) <= 20


def test_the_nearest_outside_are_different_and_not_inside() -> None:
    vectors = directions(0, 10, 20, 20, 90)
    found = nearest_outside(directions(0)[0], vectors, np.array([0, 1, 1, 1, 2]), 0, texts("a b c c d"))
    assert [text.title for text in found] == ["b", "c", "d"]


def test_the_nearest_outside_are_of_more_than_one_cluster() -> None:
    vectors = directions(0, 10, 12, 14, 16, 80)
    found = nearest_outside(directions(0)[0], vectors, np.array([0, 1, 1, 1, 1, 2]), 0, texts("a b c d e f"))
    assert [text.title for text in found] == ["b", "c", "f"]


def test_representatives_are_of_different_traces_where_there_are_so_many() -> None:
    said = [SummaryText(f"call {number}", trace_id="one") for number in range(9)]
    said += [SummaryText(f"other {number}", trace_id=f"trace {number}") for number in range(4)]
    parts = split(said)
    assert len(parts.representatives) == 7
    assert {said[at].trace_id for at in parts.representatives} == {"one", "trace 0", "trace 1", "trace 2", "trace 3"}


def test_clusters_that_could_be_mixed_up_are_in_one_batch() -> None:
    centroids = dict(enumerate(directions(0, 90, 5, 95, 10, 100)))
    assert similar_together(centroids, 3) == [[0, 2, 4], [1, 3, 5]]
    assert similar_together({}, 3) == []
    assert similar_together({7: directions(0)[0]}, 3) == [[7]]


def test_vectors_of_zeros_stay() -> None:
    assert unit(np.zeros((1, 3), dtype=np.float32)).tolist() == [[0, 0, 0]]


def test_the_nearest_name_is_told_with_its_distance() -> None:
    first, second, third = nearest_names(directions(0, 30, 90))
    assert (first.index, second.index, third.index) == (1, 0, 1)
    assert first.distance == pytest.approx(1 - np.cos(np.deg2rad(30)))
    assert (first.too_close, third.too_close) == (True, False)
    assert nearest_names(directions(0))[0].distance is None
    assert nearest_names(np.empty((0, 2), dtype=np.float32)) == []


def test_names_that_are_alike_are_made_distinct_together() -> None:
    names = directions(0, 10, 90, 95, 180)
    assert groups_too_close(names, [True] * 5, 8) == [[2, 3], [0, 1]]
    assert groups_too_close(directions(0, 90, 180), [True] * 3, 8) == []


def test_a_name_that_cannot_change_brings_its_neighbour_into_a_group() -> None:
    names = directions(0, 10, 90)
    assert groups_too_close(names, [False, True, True], 8) == [[1]]
    assert too_close_to(names, [1]) == [0]
    assert groups_too_close(names, [False, False, True], 8) == []


def test_groups_are_bounded_and_fall_apart_at_their_widest_pairs() -> None:
    assert groups_too_close(directions(0, 1, 4, 6), [True] * 4, 2) == [[0, 1], [2, 3]]


def test_members_are_assigned_to_the_nearest_name() -> None:
    items = directions(0, 5, 90, 95, 180)
    clusters_of_items = np.array([0, 0, 1, 1, 0])
    names = centroids = directions(0, 90)
    fits = held_out_tests(items, clusters_of_items, names, centroids)
    assert [fit.held_out for fit in fits] == [3, 2]
    assert sum(fit.hits for fit in fits) >= 4
    assert held_out_tests(items, clusters_of_items, names[::-1], centroids)[0].hits <= 1


def test_names_that_lie_to_one_side_are_seen_from_their_own_mean() -> None:
    items = np.eye(3, dtype=np.float32)[:2]
    names = unit(np.array([[1, 0.8, 0], [0.5, 0.7, 3]], dtype=np.float32))
    assert (items @ names.T).argmax(axis=1).tolist() == [0, 0]  # the first is nearer to both
    assert [fit.hits for fit in held_out_tests(items, np.array([0, 1]), names, items)] == [1, 1]


def test_the_overall_figures_count_members_not_clusters() -> None:
    found = overall([NameTest(8, 8, 8), NameTest(2, 0, 1)])
    assert found is not None
    assert (found.held_out, found.accuracy, found.chance, found.by_centroids) == (10, 0.8, 0.5, 0.9)
    assert overall([NameTest(0, 0, 0)]) is None
    assert accuracy_of([]) is None


@pytest.mark.parametrize(("title", "kept"), [("取消订单并申请退款", True), ("退款", False), ("返品" * 30, False)])
def test_titles_without_spaces_are_counted_by_their_characters(title: str, kept: bool) -> None:
    answer = ClusterLabels(items=[LabelItem(cluster_id=0, title=title, description=["一。", "二。"])])
    label = checked_labels([ClusterEvidence(0, 3, tuple(texts("a")))], answer, "m")[0]
    assert (label.status == "generated") is kept
