"""Linking the clusters of consecutive runs, on planted clusters whose story is known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from llma_assets.clusters.lineage.links import Link, Links, link
from llma_assets.clusters.lineage.snapshot import Snapshot, Space
from llma_assets.clusters.lineage_ids import first_lineage_id

DAY = date(2026, 11, 7)
SPACE = Space("offline/test", "graph", "v1")
D = 48
CENTRES = dict(zip("ABCDEFGHXYZ", np.linalg.qr(np.random.default_rng(0).normal(size=(D, D)))[0], strict=False))
CENTRES["a"] = CENTRES["A"] + 0.4 * CENTRES["X"]
CENTRES["b"] = 0.5 * CENTRES["B"] + CENTRES["Y"]
"""Topics, at right angles; `a` is near to A, and `b` not far from B."""

Counts = Mapping[int, Mapping[str, int]]
"""Items by day (0 is the oldest) and topic."""


def snapshot(
    day: int,
    counts: Counts,
    groups: Sequence[str],
    *,
    lookback: int = 7,
    ids: Sequence[str] = (),
    space: Space = SPACE,
) -> Snapshot:
    """A run of day number `day` whose clusters are these groups of topics; other topics are noise."""
    item_ids, item_days, labels, points = [], [], [], []
    for item_day in range(day - lookback + 1, day + 1):
        for topic, count in counts.get(item_day, {}).items():
            home = next((n for n, group in enumerate(groups) if topic in group), -1)
            for number in range(count):
                item_ids.append(f"{topic}-{item_day}-{number}")
                item_days.append(np.datetime64(DAY + timedelta(days=item_day)))
                labels.append(home)
                rng = np.random.default_rng([ord(topic), item_day + 100, number])
                points.append(CENTRES[topic] + rng.normal(scale=0.08, size=D))
    vectors, homes = np.array(points), np.array(labels)
    return Snapshot(
        day=DAY + timedelta(days=day),
        space=space,
        item_ids=np.array(item_ids),
        item_days=np.array(item_days, dtype="datetime64[D]"),
        labels=homes,
        centroids=np.array([vectors[homes == n].mean(axis=0) for n in range(len(groups))], dtype=np.float32),
        lineage_ids=tuple(ids) or tuple(f"{group}@{day}" for group in groups),
    )


def steady(topics: str, days: int = 12, each: int = 10) -> dict[int, dict[str, int]]:
    return {day: dict.fromkeys(topics, each) for day in range(days)}


def by_group(links: Links, groups: Sequence[str]) -> dict[str, Link]:
    return dict(zip(groups, links.clusters, strict=True))


def linked(*runs: Snapshot) -> list[Links]:
    """Link runs one after the other, as the pipeline does."""
    done: list[Snapshot] = []
    found = []
    for run in runs:
        links = link(done[-1] if done else None, run, done[-2::-1])
        found.append(links)
        ids, statuses = zip(*((each.lineage_id, each.status) for each in links.clusters), strict=True)
        done.append(replace(run, lineage_ids=ids, statuses=statuses))
    return found


def test_the_first_run_begins_all_lineages() -> None:
    links = link(None, snapshot(6, steady("ABC"), "ABC"))
    assert [(each.lineage_id, each.status) for each in links.clusters] == [
        ("A@6", "new"),
        ("B@6", "new"),
        ("C@6", "new"),
    ]
    assert (links.previous_day, links.note, links.ended) == (None, "no run before it", ())


def test_clusters_go_on_whatever_their_numbers() -> None:
    counts = steady("ABC")
    links = link(snapshot(6, counts, "ABC"), snapshot(7, counts, "CAB"))
    assert [(each.lineage_id, each.status) for each in links.clusters] == [
        ("C@6", "continued"),
        ("A@6", "continued"),
        ("B@6", "continued"),
    ]
    assert all(each.confidence > 0.9 for each in links.clusters)
    assert links.ended == ()


def test_a_new_topic_begins_a_lineage_and_one_that_left_ends() -> None:
    counts = steady("AB") | {day: {"A": 10, "X": 10} for day in range(7, 14)}
    _, links, after = linked(snapshot(12, counts, "ABX"), snapshot(13, counts, "AX"), snapshot(14, counts, "AX"))
    assert [(each.lineage_id, each.status) for each in links.clusters] == [("A@12", "continued"), ("X@12", "continued")]
    assert ([(each.lineage_id, each.into) for each in links.missing], links.ended) == ([("B@12", ())], ())
    assert ([(each.lineage_id, each.into) for each in after.ended], after.missing) == ([("B@12", ())], ())
    links = link(snapshot(6, counts, "AB"), snapshot(7, counts, "ABX"))
    begun = by_group(links, "ABX")["X"]
    assert (begun.lineage_id, begun.status, begun.parents) == ("X@7", "new", ())
    assert begun.confidence > 0.8


def test_a_topic_that_doubles_has_grown_and_one_that_halves_has_shrunk() -> None:
    counts = steady("ABCD", each=20)
    counts[7] = {"A": 50, "B": 20, "C": 5, "D": 20}
    found = by_group(link(snapshot(6, counts, "ABCD"), snapshot(7, counts, "ABCD")), "ABCD")
    assert {name: each.status for name, each in found.items()} == {
        "A": "grown",
        "B": "continued",
        "C": "shrunk",
        "D": "continued",
    }


def test_a_day_with_twice_the_traffic_grows_nothing() -> None:
    counts = steady("ABCD", each=20)
    counts[7] = dict.fromkeys("ABCD", 40)
    found = link(snapshot(6, counts, "ABCD"), snapshot(7, counts, "ABCD"))
    assert {each.status for each in found.clusters} == {"continued"}


def test_two_clusters_that_merge_leave_the_id_of_the_larger() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(12)}
    _, first, links = linked(*(snapshot(n, counts, ["A", "B", "C"] if n == 6 else ["AB", "C"]) for n in (6, 7, 8)))
    assert (first.clusters[0].lineage_id, first.clusters[0].status) == ("A@6", "continued")
    assert [(each.lineage_id, each.into) for each in first.missing] == [("B@6", ("A@6",))]
    assert first.ended == ()
    merged = links.clusters[0]
    assert (merged.lineage_id, merged.status, merged.parents) == ("A@6", "merged", ("A@6", "B@6"))
    assert [(each.lineage_id, each.into) for each in links.ended] == [("B@6", ("A@6",))]


def test_many_equal_clusters_that_merge_begin_a_lineage_with_all_as_parents() -> None:
    counts = steady("ABCDEFGH")
    runs = (snapshot(n, counts, list("ABCDEFGH") if n == 6 else ["ABCDEFGH"]) for n in (6, 7, 8))
    _, first, links = linked(*runs)
    assert (first.clusters[0].lineage_id, first.clusters[0].status) == ("ABCDEFGH@7", "tentative")
    (merged,) = links.clusters
    assert (merged.lineage_id, merged.status) == ("ABCDEFGH@7", "merged")
    assert merged.parents == tuple(f"{name}@6" for name in "ABCDEFGH")
    assert [(each.lineage_id, each.into) for each in links.ended] == [
        (f"{name}@6", ("ABCDEFGH@7",)) for name in "ABCDEFGH"
    ]


def test_a_cluster_that_splits_keeps_its_id_in_the_larger_part() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(12)}
    runs = (snapshot(n, counts, ["AB", "C"] if n == 6 else ["A", "B", "C"]) for n in (6, 7, 8))
    _, first, links = linked(*runs)
    assert [each.status for each in first.clusters] == ["continued", "tentative", "continued"]
    assert first.clusters[1].parents == ("AB@6",)
    found = by_group(links, "ABC")
    assert (found["A"].lineage_id, found["A"].status, found["A"].parents) == ("AB@6", "split", ("AB@6",))
    assert (found["B"].lineage_id, found["B"].status, found["B"].parents) == ("B@7", "split", ("AB@6",))
    assert found["C"].status == "continued"
    assert links.ended == ()


def test_members_that_become_noise_do_not_end_a_lineage() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(12)}
    links = link(snapshot(6, counts, ["AB", "C"]), snapshot(7, counts, ["A", "C"]))
    assert [each.lineage_id for each in links.clusters] == ["AB@6", "C@6"]


def test_without_shared_items_centroids_decide() -> None:
    counts = steady("ABCD", days=40)
    links = link(snapshot(6, counts, "ABCD"), snapshot(20, counts, "DCBX".replace("X", "A")))
    assert [each.lineage_id for each in links.clusters] == ["D@6", "C@6", "B@6", "A@6"]
    counts = {day: {"A": 10, "B": 10, "X": 10} if day > 10 else {"A": 10, "B": 10, "C": 10} for day in range(40)}
    _, links, after = linked(snapshot(6, counts, "ABC"), snapshot(20, counts, "ABX"), snapshot(34, counts, "ABX"))
    assert [(each.lineage_id, each.status) for each in links.clusters][2] == ("X@20", "new")
    assert [each.lineage_id for each in links.missing] == ["C@6"]
    assert [each.lineage_id for each in after.ended] == ["C@6"]


def test_what_the_space_changes_begins_all_lineages_and_says_so() -> None:
    counts = steady("AB")
    before = snapshot(6, counts, "AB")
    for space, said in (
        (Space("openai/other", "graph", "v1"), "embedding model: offline/test before, openai/other now"),
        (Space("offline/test", "kmeans", "v1"), "method: graph before, kmeans now"),
        (Space("offline/test", "graph", "v2"), "theme version: v1 before, v2 now"),
    ):
        links = link(before, snapshot(7, counts, "AB", space=space))
        assert [(each.lineage_id, each.status) for each in links.clusters] == [("A@7", "new"), ("B@7", "new")]
        assert links.note == said
        assert [each.lineage_id for each in links.ended] == ["A@6", "B@6"]


def test_a_theme_version_that_is_not_known_breaks_nothing() -> None:
    counts = steady("AB")
    before = snapshot(6, counts, "AB", space=Space("offline/test", "graph"))
    assert {each.status for each in link(before, snapshot(7, counts, "AB")).clusters} == {"continued"}


def test_a_cluster_that_was_lost_for_a_day_comes_back_as_itself() -> None:
    counts = steady("ABC")
    older = snapshot(6, counts, "ABC")
    gap = snapshot(7, counts, "AB", ids=["A@6", "B@6"])
    found = by_group(link(gap, snapshot(8, counts, "ABC"), [older]), "ABC")["C"]
    assert (found.lineage_id, found.status, found.parents) == ("C@6", "continued", ("C@6",))


def test_a_cluster_that_was_merged_for_a_day_comes_back_under_its_own_id() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(12)}
    older = snapshot(6, counts, ["A", "B", "C"])
    merged = snapshot(7, counts, ["AB", "C"], ids=["A@6", "C@6"])
    found = by_group(link(merged, snapshot(8, counts, ["A", "B", "C"]), [older]), "ABC")
    assert {name: each.lineage_id for name, each in found.items()} == {"A": "A@6", "B": "B@6", "C": "C@6"}
    assert (found["B"].status, found["B"].parents) == ("continued", ("B@6",))


def test_what_one_night_cuts_otherwise_and_the_next_puts_back_is_not_said() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(12)}
    for usual, once in ((["A", "B", "C"], ["AB", "C"]), (["AB", "C"], ["A", "B", "C"])):
        found = linked(*(snapshot(n, counts, once if n == 7 else usual) for n in (6, 7, 8, 9)))
        assert {each.status for links in found[1:] for each in links.clusters} <= {"continued", "tentative"}
        assert {each.status for each in found[2].clusters} == {"continued"}
        assert [links.ended for links in found] == [(), (), (), ()]
        assert [each.lineage_id for each in found[3].clusters] == [each.lineage_id for each in found[0].clusters]


def test_what_has_held_for_two_runs_is_said_once() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(12)}
    for before, after, said in ((["A", "B", "C"], ["AB", "C"], "merged"), (["AB", "C"], ["A", "B", "C"], "split")):
        found = linked(*(snapshot(n, counts, before if n == 6 else after) for n in (6, 7, 8, 9, 10)))
        assert [any(each.status == said for each in links.clusters) for links in found] == [False, False, True] + [
            False
        ] * 2


def test_an_attempt_that_is_replaced_leaves_its_ids_to_the_next() -> None:
    counts = steady("ABC")
    before = snapshot(6, counts, "AB")
    first = snapshot(7, counts, "ABC", ids=["A@6", "B@6", "C@first"])
    again = link(before, snapshot(7, counts, "CBA"), [first])
    assert [(each.lineage_id, each.status) for each in again.clusters] == [
        ("C@first", "new"),
        ("B@6", "continued"),
        ("A@6", "continued"),
    ]


@pytest.mark.heavy
def test_an_id_is_never_given_twice() -> None:
    rng = np.random.default_rng(7)
    counts = steady("ABCDEFGH")
    for _ in range(30):
        before, after = ([group for group in _partition(rng, "ABCDEFGH") if group] for _ in range(2))
        older = snapshot(5, counts, _partition(rng, "ABCDEFGH"))
        links = link(snapshot(6, counts, before), snapshot(7, counts, after), [older])
        ids = [each.lineage_id for each in links.clusters]
        assert len(set(ids)) == len(ids)
        assert not set(ids) & {each.lineage_id for each in links.ended}
        assert all(0 <= each.confidence <= 1 for each in links.clusters)
        known = {f"{group}@6" for group in before} | {f"{group}@5" for group in ["".join(g) for g in older.lineage_ids]}
        assert {parent for each in links.clusters for parent in each.parents} <= known | set(older.lineage_ids)


def _partition(rng: np.random.Generator, topics: str) -> list[str]:
    homes = rng.integers(0, 4, size=len(topics))
    return [group for n in range(4) if (group := "".join(t for t, h in zip(topics, homes, strict=True) if h == n))]


def test_the_order_of_the_items_does_not_count() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(12)}
    before, after = snapshot(6, counts, ["AB", "C"]), snapshot(7, counts, ["A", "B", "C"])
    order = np.random.default_rng(3).permutation(len(after.item_ids))
    shuffled = Snapshot(
        after.day,
        after.space,
        after.item_ids[order],
        after.item_days[order],
        after.labels[order],
        after.centroids,
        after.lineage_ids,
    )
    assert link(before, shuffled) == link(before, after)


def test_first_ids_follow_from_the_attempt() -> None:
    from uuid import UUID

    same = first_lineage_id(1, "traces", UUID(int=1), 0)
    assert same == first_lineage_id(1, "traces", UUID(int=1), 0)
    others = {
        first_lineage_id(2, "traces", UUID(int=1), 0),
        first_lineage_id(1, "generations", UUID(int=1), 0),
        first_lineage_id(1, "traces", UUID(int=2), 0),
        first_lineage_id(1, "traces", UUID(int=1), 1),
    }
    assert len(others | {same}) == 5


def test_a_topic_whose_first_items_were_held_by_another_is_new_all_the_same() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 10} for day in range(7)} | {
        day: {"A": 20, "B": 12, "C": 10, "X": 12} for day in (7, 8)
    }
    links = link(snapshot(7, counts, ["AX", "B", "C"]), snapshot(8, counts, ["A", "B", "C", "X"]))
    found = by_group(links, "ABCX")
    assert (found["X"].lineage_id, found["X"].status, found["X"].parents) == ("X@8", "new", ())
    assert found["A"].lineage_id == "AX@7"
    assert found["A"].status != "split"


def test_a_young_topic_that_goes_back_to_where_it_came_from_is_no_merge() -> None:
    new, old = steady("ABC"), steady("ABC")
    for day in range(8, 12):
        new[day]["a"] = old[day]["a"] = 10
    for day in range(8):
        old[day]["a"] = 10
    groups = [["Aa", "B", "C"], ["A", "a", "B", "C"], ["A", "a", "B", "C"], ["Aa", "B", "C"], ["Aa", "B", "C"]]
    for counts, said in ((new, False), (old, True)):
        found = linked(*(snapshot(7 + number, counts, each) for number, each in enumerate(groups)))
        last = by_group(found[-1], groups[-1])
        assert (last["Aa"].status == "merged") is said
        assert [each.into for each in found[-1].ended] == [(last["Aa"].lineage_id,)]


def test_a_topic_that_fades_ends_though_its_last_items_fall_to_a_neighbour() -> None:
    counts = {day: {"A": 20, "B": 12, "C": 20} for day in range(7)} | {day: {"A": 20, "B": 12} for day in range(7, 12)}
    _, first, links = linked(*(snapshot(n, counts, "ABC" if n == 10 else ["AC", "B"]) for n in (10, 11, 12)))
    assert links.clusters[0].lineage_id == "A@10"
    assert "merged" not in {first.clusters[0].status, links.clusters[0].status}
    assert [(each.lineage_id, each.into) for each in links.ended] == [("C@10", ())]


def test_a_near_topic_that_takes_over_from_one_that_fades_is_split_from_it() -> None:
    counts = {day: {"A": 20, "B": 20, "C": 20} for day in range(7)} | {
        day: {"B": 20, "C": 20, "a": 10} for day in range(7, 10)
    }
    _, first, after = linked(*(snapshot(n, counts, "ABC" if n == 8 else "ABCa") for n in (8, 9, 10)))
    assert first.clusters[3].status == "tentative"
    taken = after.clusters[3]
    assert (taken.lineage_id, taken.status, taken.parents) == ("a@9", "split", ("A@8",))


def test_runs_that_are_all_noise_link_to_nothing_and_break_nothing() -> None:
    counts = steady("AB")
    nothing = replace(
        snapshot(6, counts, "AB"), labels=np.full(140, -1), centroids=np.empty((0, 0), np.float32), lineage_ids=()
    )
    begun = link(nothing, snapshot(7, counts, "AB"))
    assert [(each.lineage_id, each.status) for each in begun.clusters] == [("A@7", "new"), ("B@7", "new")]
    before = snapshot(5, counts, "AB")
    missing = link(before, nothing)
    assert (missing.clusters, [each.lineage_id for each in missing.missing]) == ((), ["A@5", "B@5"])
    after = link(nothing, replace(nothing, day=DAY + timedelta(days=7)), [before])
    assert after.ended == (), "their items are noise, and still come in"
    assert link(nothing, nothing).clusters == ()


def test_what_happened_is_said_in_words() -> None:
    counts = steady("AB") | {day: {"A": 10, "X": 10} for day in range(7, 14)}
    links = link(snapshot(12, counts, "ABX"), snapshot(13, counts, "AX"))
    assert links.in_words() == "2 continued, 1 missing"
    assert link(None, snapshot(13, counts, "AX")).in_words() == "2 new (no run before it)"


def said_ended(found: Sequence[Links]) -> list[tuple[int, str]]:
    """What was said to have ended, and in which run."""
    return [(number, each.lineage_id) for number, links in enumerate(found) for each in links.ended]


def test_a_topic_of_which_nothing_comes_in_has_ended_though_the_window_holds_older_items() -> None:
    last = 9
    counts = {day: {"A": 10, "B": 10} | ({"C": 10} if day <= last else {}) for day in range(20)}
    found = linked(*(snapshot(n, counts, "ABC" if n < last + 7 else "AB") for n in range(last - 1, last + 10)))
    assert said_ended(found) == [(1 + 3, f"C@{last - 1}")], "on the third day without an item, and once"
    assert [by_group(each, "ABC")["C"].status for each in found[1:8]] == ["continued", *["shrunk"] * 2, *["ended"] * 4]
    assert [each.missing for each in found] == [()] * len(found)


def test_a_free_weekend_ends_nothing() -> None:
    counts = {day: {"A": 10, "B": 10} | ({"C": 10} if day % 7 < 5 else {}) for day in range(22)}
    found = linked(*(snapshot(n, counts, "ABC") for n in range(7, 22)))
    assert said_ended(found) == []
    assert "ended" not in {each.status for links in found for each in links.clusters}


def test_a_day_on_which_nothing_at_all_comes_in_ends_nothing() -> None:
    counts = {day: {"A": 30, "B": 12} for day in range(8)} | {day: {"A": 1} for day in range(8, 12)}
    assert said_ended(linked(*(snapshot(n, counts, "AB") for n in range(7, 12)))) == []


def test_what_came_in_one_burst_ends_when_the_window_has_lost_it() -> None:
    counts = {day: {"A": 10, "B": 10} | ({"C": 40} if day == 9 else {}) for day in range(20)}
    found = linked(*(snapshot(n, counts, "ABC" if 9 <= n < 16 else "AB") for n in range(8, 19)))
    assert said_ended(found) == [(18 - 8 - 1, "C@9")]


def test_what_ended_goes_on_under_its_id_when_items_of_it_come_again_and_may_end_once_more() -> None:
    some = {*range(10), *range(14, 20)}
    counts = {day: {"A": 10, "B": 10} | ({"C": 10} if day in some else {}) for day in range(30)}
    found = linked(*(snapshot(n, counts, "ABC") for n in range(8, 24)))
    assert said_ended(found) == [(12 - 8, "C@8"), (22 - 8, "C@8")]
    assert by_group(found[15 - 8], "ABC")["C"].status in ("continued", "grown")


def test_what_is_scattered_while_its_items_come_in_did_not_end() -> None:
    counts = steady("ABC", days=20)
    found = linked(*(snapshot(n, counts, "ABC" if n < 9 else "AB") for n in range(7, 13)))
    assert [[each.lineage_id for each in links.missing] for links in found] == [[], [], ["C@7"], [], [], []]
    assert said_ended(found) == []


def test_a_part_that_is_set_apart_because_it_is_over_has_ended_and_was_not_split_off() -> None:
    counts = {day: {"A": 10, "B": 10} | ({"a": 10} if day <= 9 else {}) for day in range(20)}
    found = linked(*(snapshot(n, counts, ["Aa", "B"] if n < 11 else ["A", "a", "B"]) for n in range(8, 16)))
    assert [by_group(links, ["A", "a", "B"])["a"].status for links in found[3:]] == ["tentative", *["ended"] * 4]
    assert said_ended(found) == [(12 - 8, "a@11")]
    assert {each.status for links in found for each in links.clusters if each.lineage_id != "a@11"} == {
        "new",
        "continued",
    }


@pytest.mark.parametrize(("each", "status"), [(5, "split"), (20, "merged")])
def test_what_begins_near_a_topic_when_it_ends_takes_over_from_it(each: int, status: str) -> None:
    """`b` is too far from B for its place alone to tell."""
    counts = {day: dict.fromkeys("ACEFGH", 10) | ({"B": 10} if day <= 9 else {"b": each}) for day in range(20)}
    groups = {n: "ABCEFGH" if n < 10 else "ABCEFGHb" for n in range(8, 15)}
    found = linked(*(snapshot(n, counts, groups[n]) for n in groups))
    taken = [by_group(links, "ABCEFGHb")["b"] for links in found[2:]]
    assert [link_.status for link_ in taken].count(status) == 1
    said = next(link_ for link_ in taken if link_.status == status)
    assert (said.lineage_id, said.parents) == ("b@10", ("B@8",))
    assert said_ended(found) == [(12 - 8, "B@8")]


def test_what_begins_near_a_topic_on_another_day_or_far_from_it_does_not_take_over_from_it() -> None:
    for name, begins in (("b", 7), ("D", 10)):
        counts = {
            day: dict.fromkeys("ACEFGH", 10) | ({"B": 10} if day <= 9 else {}) | ({name: 10} if day >= begins else {})
            for day in range(20)
        }
        found = linked(*(snapshot(n, counts, "ABCEFGH" if n < begins else "ABCEFGH" + name) for n in range(6, 15)))
        assert not {"merged", "split"} & {each.status for links in found for each in links.clusters}
        assert said_ended(found) == [(12 - 6, "B@6")]
