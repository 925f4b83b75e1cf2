"""What people's decisions come to, and which are refused."""

from datetime import UTC, date, datetime, timedelta

import pytest

from llma_assets.clusters.edits.decisions import (
    ACTIONS,
    NOTHING,
    Action,
    Edit,
    EditError,
    Lineage,
    Standing,
    after,
    counted_as,
    decide,
    standings,
)

NOW = datetime(2026, 11, 7, 12, tzinfo=UTC)


def edit(action: Action, lineage_id: str = "a", *, title: str = "", into: str = "", minute: int = 0) -> Edit:
    return Edit("traces", lineage_id, action, title, into, "ada", NOW + timedelta(minutes=minute))


def lineage(lineage_id: str, title: str = "Model's words", theme_id: str = "traces") -> Lineage:
    return Lineage(theme_id, lineage_id, date(2026, 11, 1), date(2026, 11, 7), 10, title)


def test_the_last_title_counts() -> None:
    found = standings([edit("rename", title="One"), edit("rename", "b", title="B"), edit("rename", title="Two")])
    assert {key: each.title for key, each in found.items()} == {"a": "Two", "b": "B"}


def test_a_title_beats_a_lock_and_a_lock_outlives_a_title_that_is_taken_back() -> None:
    (found,) = standings([edit("lock", title="Locked"), edit("rename", title="Mine")]).values()
    assert (found.title, found.renamed, found.locked) == ("Mine", True, True)
    assert after(found, edit("unname")).title == "Locked"
    assert after(after(found, edit("unlock")), edit("unname")) == NOTHING


def test_every_decision_can_be_undone() -> None:
    undone: dict[Action, Action] = {
        "rename": "unname",
        "lock": "unlock",
        "merge": "unmerge",
        "hide": "unhide",
        "take_out": "put_back",
    }
    assert {*undone, *undone.values()} == set(ACTIONS)
    for action, undo in undone.items():
        decided = after(NOTHING, edit(action, title="T", into="b"))
        assert decided != NOTHING
        assert after(decided, edit(undo)) == NOTHING


def test_merges_are_followed_to_the_end() -> None:
    found = {"a": Standing(into="b"), "b": Standing(into="c")}
    assert [counted_as(each, found) for each in "abcd"] == ["c", "c", "c", "d"]


def test_a_circle_of_merges_counts_all_in_it_together() -> None:
    found = {"b": Standing(into="c"), "c": Standing(into="b"), "x": Standing(into="c")}
    assert [counted_as(each, found) for each in "bcx"] == ["b", "b", "b"]


def test_merging_with_a_merged_one_goes_to_its_main_one() -> None:
    decided = decide("merge", lineage("a"), {"b": Standing(into="c")}, author="ada", at=NOW, into=lineage("b"))
    assert decided is not None
    assert decided.into_lineage_id == "c"


def test_clusters_of_two_themes_are_not_counted_together() -> None:
    other = lineage("b", theme_id="generations")
    with pytest.raises(EditError, match="two themes, traces and generations"):
        decide("merge", lineage("a"), {}, author="ada", at=NOW, into=other)


def test_a_name_that_is_not_there_cannot_be_locked() -> None:
    with pytest.raises(EditError, match="rename it instead"):
        decide("lock", lineage("a", title=""), {}, author="ada", at=NOW)


def test_what_is_so_already_is_no_decision() -> None:
    for action in ("unname", "unlock", "unmerge", "unhide"):
        assert decide(action, lineage("a"), {}, author="ada", at=NOW) is None
    assert decide("rename", lineage("a"), {"a": Standing(given="Mine")}, author="ada", at=NOW, title=" Mine ") is None
