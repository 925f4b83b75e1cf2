"""Changing a team's themes: what is stored, what is refused, and that a second time changes nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llma_assets.clickhouse import Database
from llma_assets.themes import (
    SHIPPED,
    Changes,
    Document,
    Filter,
    InvalidThemesError,
    Theme,
    ThemeError,
    apply,
    delete,
    document_of,
    export,
    past_changes,
    read_document,
    set_enabled,
    themes_at,
    themes_of,
    themes_with,
    write_document,
)
from llma_assets_tests.fuzzing import example_count

TEAM, OTHER_TEAM = 1, 2
MINE = Theme(theme_id="mine", level="trace", prompt="Look.")
STORED_ROWS = "SELECT count() FROM themes FINAL WHERE team_id = {team_id:Int64}"


def of(*themes: Mapping[str, Any], base_filters: Any = None) -> Document:
    return Document(themes, base_filters)


def applied(database: Database, *themes: Mapping[str, Any], team_id: int = TEAM, **how: Any) -> Changes:
    return apply(database, team_id, of(*themes, base_filters=how.pop("base_filters", None)), "ann", **how)


def done(changes: Changes) -> list[tuple[str, str]]:
    return [(each.theme_id, each.action) for each in changes.changes]


def refused(database: Database, *themes: Mapping[str, Any], **how: Any) -> list[str]:
    with pytest.raises(InvalidThemesError) as caught:
        applied(database, *themes, **how)
    return [str(each) for each in caught.value.problems]


def rows(database: Database, team_id: int = TEAM) -> int:
    return int(database.value(STORED_ROWS, team_id=team_id))


def test_a_file_creates_own_themes_and_changes_shipped_ones_by_the_fields_it_names(database: Database) -> None:
    changes = applied(
        database,
        {"theme_id": "mine", "prompt": "Look.", "sample_rate": 0.5},
        {"theme_id": "ux_issues", "enabled": True},
    )
    assert done(changes) == [("mine", "created"), ("ux_issues", "enabled")]
    team = themes_of(database, TEAM)
    assert (team.get("mine").sample_rate, team.get("mine").enabled) == (0.5, True)
    assert team.get("ux_issues").prompt == SHIPPED["ux_issues"].prompt
    assert team.get("ux_issues").enabled


def test_applying_a_second_time_stores_nothing(database: Database) -> None:
    wanted = {"theme_id": "mine", "prompt": "Look.", "filters": [{"key": "a", "operator": "in", "value": [1, "b"]}]}
    assert applied(database, wanted, base_filters=[{"key": "a", "value": 1}]).stored
    before = rows(database)
    again = applied(database, wanted, base_filters=[{"key": "a", "value": 1}])
    assert (done(again), again.stored, rows(database)) == ([], False, before)


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), (1, "1"), (0, False)])
def test_values_that_python_holds_for_equal_are_a_change(database: Database, old: object, new: object) -> None:
    for value in (old, new):
        changes = applied(database, {"theme_id": "mine", "prompt": "Look.", "filters": [{"key": "a", "value": value}]})
        assert changes.stored
    (found,) = themes_of(database, TEAM).get("mine").theme_filters
    assert repr(found.value) == repr(new)


def test_a_dry_run_says_the_same_and_stores_nothing(database: Database) -> None:
    changes = applied(database, {"theme_id": "mine", "prompt": "Look."}, dry_run=True)
    assert (done(changes), changes.stored, rows(database)) == ([("mine", "created")], False, 0)


def test_a_field_that_the_file_no_longer_names_goes_back_to_its_default(database: Database) -> None:
    applied(database, {"theme_id": "mine", "prompt": "Look.", "sample_rate": 0.5})
    (change,) = applied(database, {"theme_id": "mine", "prompt": "Look."}).changes
    assert [(each.field, each.before, each.after) for each in change.fields] == [("sample_rate", 0.5, None)]
    applied(database, {"theme_id": "traces", "mode": "minimal"})
    assert done(applied(database, {"theme_id": "traces"})) == [("traces", "reset")]


def test_a_shipped_theme_that_is_only_switched_on_and_off_again_is_called_so(database: Database) -> None:
    assert done(applied(database, {"theme_id": "ux_issues", "enabled": True})) == [("ux_issues", "enabled")]
    assert done(applied(database, {"theme_id": "ux_issues"})) == [("ux_issues", "disabled")]


def test_what_the_file_does_not_name_stays(database: Database) -> None:
    applied(database, {"theme_id": "mine", "prompt": "Look."}, base_filters=[{"key": "a", "value": 1}])
    applied(database, {"theme_id": "other", "prompt": "Look."})
    team = themes_of(database, TEAM)
    assert team.get("mine").enabled
    assert team.base_filters == (Filter("a", "exact", 1),)


def test_pruning_deletes_own_themes_and_resets_shipped_ones_that_the_file_does_not_name(database: Database) -> None:
    applied(
        database,
        {"theme_id": "mine", "prompt": "Look."},
        {"theme_id": "kept", "prompt": "Look."},
        {"theme_id": "ux_issues", "enabled": True, "mode": "minimal"},
        base_filters=[{"key": "a", "value": 1}],
    )
    changes = applied(database, {"theme_id": "kept", "prompt": "Look."}, prune=True)
    assert sorted(done(changes)) == [("", "changed"), ("mine", "deleted"), ("ux_issues", "reset")]
    team = themes_of(database, TEAM)
    assert [theme.theme_id for theme in team.themes] == [*SHIPPED, "kept"]
    assert (team.base_filters, team.get("ux_issues").enabled) == ((), False)


def test_another_team_keeps_its_themes(database: Database) -> None:
    for team_id in (TEAM, OTHER_TEAM):
        applied(database, {"theme_id": "mine", "prompt": "Look."}, team_id=team_id)
    applied(database, {"theme_id": "mine", "prompt": "Look closer."})
    applied(database, prune=True)
    assert themes_of(database, OTHER_TEAM).get("mine").prompt == "Look."
    assert [each.action for each in past_changes(database, OTHER_TEAM)] == ["created"]


def test_nothing_is_stored_if_one_theme_of_the_file_is_wrong_and_all_mistakes_are_named(database: Database) -> None:
    found = refused(
        database,
        {"theme_id": "good", "prompt": "Look."},
        {"theme_id": "bad", "prompt": "Look.", "mode": "long"},
        {"theme_id": "Bad"},
        {"theme_id": "all", "prompt": "Look."},
        {"prompt": "Look."},
        "mine",  # type: ignore[arg-type]
        {"theme_id": "good", "prompt": "Look."},
        base_filters=[{"key": "a", "operator": "like"}],
    )
    assert [each.split(": ")[0] for each in found] == [
        "base_filters[0].operator",
        "themes[1].mode",
        "themes[2].theme_id",
        "themes[3].theme_id",
        "themes[4].theme_id",
        "themes[5]",
        "themes[6].theme_id",
    ]
    assert rows(database) == 0


@pytest.mark.parametrize("base_filters", [False, 0, "", {}, "env"])
def test_base_filters_that_are_no_list_are_refused_and_take_none_out(database: Database, base_filters: object) -> None:
    applied(database, base_filters=[{"key": "a", "value": 1}])
    (found,) = refused(database, base_filters=base_filters)
    assert found == f"base_filters: must be a list, not {base_filters!r}"
    assert themes_of(database, TEAM).base_filters == (Filter("a", "exact", 1),)


def test_a_circle_of_dependencies_is_refused_and_shown(database: Database) -> None:
    found = refused(
        database,
        {"theme_id": "a", "prompt": "Look.", "after": "b"},
        {"theme_id": "b", "prompt": "Look.", "after": "c"},
        {"theme_id": "c", "prompt": "Look.", "after": "a"},
        {"theme_id": "d", "prompt": "Look.", "after": "d"},
    )
    assert found[0] == "themes[0].after: goes in a circle: a after b after c after a; take one of them out"
    assert found[3] == "themes[3].after: goes in a circle: d after d; take one of them out"


def test_a_circle_through_a_theme_that_is_stored_already_is_refused(database: Database) -> None:
    applied(database, {"theme_id": "a", "prompt": "Look.", "after": "ux_issues"})
    assert refused(database, {"theme_id": "ux_issues", "after": "a"})[0].startswith("themes[0].after: goes in a circle")
    assert themes_of(database, TEAM).problems == ()


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ("ux_isues", "themes[0].after: there is no theme 'ux_isues'; did you mean 'ux_issues'?"),
        ("generations", "themes[0].after: generations is about generations, this theme about traces"),
    ],
)
def test_a_theme_runs_only_after_one_that_there_is_and_that_has_its_level(
    database: Database, after: str, said: str
) -> None:
    assert refused(database, {"theme_id": "a", "prompt": "Look.", "after": after})[0].startswith(said)


def test_a_name_stays_with_its_level_also_after_the_theme_is_deleted(database: Database) -> None:
    applied(database, {"theme_id": "mine", "prompt": "Look."})
    wanted = {"theme_id": "mine", "prompt": "Look.", "level": "generation"}
    said = "themes[0].level: 'mine' has been about traces so far; take another theme_id for one about generations"
    assert refused(database, wanted) == [said]
    delete(database, TEAM, "mine", "ann")
    assert refused(database, wanted) == [said]


def test_filters_that_are_too_many_together_with_the_teams_are_refused(database: Database) -> None:
    many = [{"key": f"{number:03}" + "k" * 390, "operator": "is_set"} for number in range(45)]
    applied(database, base_filters=many)
    found = refused(
        database,
        {"theme_id": "mine", "prompt": "Look.", "filters": [{**each, "key": f"x{each['key']}"} for each in many]},
    )
    assert found[0].startswith("themes[0]: with the team's base filters: the keys have")


def test_a_change_of_the_prompt_is_said_to_begin_anew_and_one_of_the_sample_is_not(database: Database) -> None:
    applied(database, {"theme_id": "mine", "prompt": "Look."})
    changes = applied(database, {"theme_id": "mine", "prompt": "Look closer."})
    assert changes.changes[0].version_before != changes.changes[0].version_after
    assert "clusters begin anew" in changes.notes[0]
    assert "llma themes preview --team 1 --theme mine" in changes.notes[0]
    changes = applied(database, {"theme_id": "mine", "prompt": "Look closer.", "sample_rate": 0.5})
    assert changes.changes[0].version_before == changes.changes[0].version_after
    assert changes.notes == ()


def test_new_base_filters_are_said_to_concern_every_theme_that_is_on(database: Database) -> None:
    notes = applied(database, base_filters=[{"key": "env", "value": "prod"}]).notes
    assert [note.split()[0] for note in notes] == ["traces", "generations"]


def test_a_theme_after_one_that_is_off_is_warned_of(database: Database) -> None:
    notes = applied(database, {"theme_id": "ux_issues", "enabled": True, "after": "error_analysis"}).notes
    assert notes[-1] == "ux_issues runs after error_analysis, which is off; it will find nothing new"


def test_what_was_agreed_to_is_not_applied_after_somebody_else_changed_the_themes(database: Database) -> None:
    document = document_of([MINE])
    shown = apply(database, TEAM, document, "ann", dry_run=True)
    applied(database, {"theme_id": "ux_issues", "enabled": True})
    with pytest.raises(ThemeError, match="changed by somebody else meanwhile"):
        apply(database, TEAM, document, "ann", based_on=shown)
    assert [theme.theme_id for theme in themes_of(database, TEAM).themes] == list(SHIPPED)


def test_themes_may_be_given_as_objects_which_are_checked_like_a_file(database: Database) -> None:
    theme = Theme(theme_id="mine", level="trace", prompt="Look.", theme_filters=(Filter("a", "in", ("x", "y")),))
    apply(database, TEAM, document_of([theme], [Filter("env", "exact", "prod")]), "ann")
    team = themes_of(database, TEAM)
    assert team.settings_alone(team.get("mine")) == theme
    wrong = Theme(theme_id="mine", level="trace", prompt="Look.", theme_filters=(Filter("a", "regex", "(("),))
    with pytest.raises(InvalidThemesError, match=r"themes\[0\]\.filters\[0\]\.value"):
        apply(database, TEAM, document_of([wrong]), "ann")


def test_the_last_change_counts_also_where_the_clock_goes_back(database: Database) -> None:
    applied(database, {"theme_id": "mine", "prompt": "First."}, now=datetime(2026, 11, 7, tzinfo=UTC))
    applied(database, {"theme_id": "mine", "prompt": "Second."}, now=datetime(2020, 1, 1, tzinfo=UTC))
    assert themes_of(database, TEAM).get("mine").prompt == "Second."
    assert [each.action for each in past_changes(database, TEAM)] == ["created", "changed"]


def test_a_change_without_a_name_is_refused(database: Database) -> None:
    with pytest.raises(ThemeError, match="not known who"):
        apply(database, TEAM, document_of([MINE]), "  ")
    assert rows(database) == 0


def test_switching_off_and_on_keeps_all_other_settings(database: Database) -> None:
    applied(
        database, {"theme_id": "mine", "prompt": "Look.", "sample_rate": 0.5}, base_filters=[{"key": "a", "value": 1}]
    )
    before = themes_of(database, TEAM).get("mine")
    assert done(set_enabled(database, TEAM, "mine", False, "bob")) == [("mine", "disabled")]
    assert not themes_of(database, TEAM).get("mine").enabled
    assert not set_enabled(database, TEAM, "mine", False, "bob").stored
    assert done(set_enabled(database, TEAM, "mine", True, "bob")) == [("mine", "enabled")]
    assert themes_of(database, TEAM).get("mine") == before


def test_a_deleted_theme_is_gone_and_its_history_stays(database: Database) -> None:
    applied(database, {"theme_id": "mine", "prompt": "Look."})
    delete(database, TEAM, "mine", "bob")
    assert "mine" not in [theme.theme_id for theme in themes_of(database, TEAM).themes]
    assert [(each.action, each.author) for each in past_changes(database, TEAM, "mine")] == [
        ("created", "ann"),
        ("deleted", "bob"),
    ]
    assert done(applied(database, {"theme_id": "mine", "prompt": "Again."})) == [("mine", "created")]


def test_a_shipped_theme_cannot_be_deleted(database: Database) -> None:
    with pytest.raises(ThemeError, match="llma themes disable ux_issues --team 1"):
        delete(database, TEAM, "ux_issues", "ann")


def test_a_theme_that_another_runs_after_cannot_be_deleted(database: Database) -> None:
    applied(
        database, {"theme_id": "first", "prompt": "Look."}, {"theme_id": "then", "prompt": "Look.", "after": "first"}
    )
    with pytest.raises(ThemeError, match="then runs after 'first'"):
        delete(database, TEAM, "first", "ann")
    assert refused(database, {"theme_id": "then", "prompt": "Look.", "after": "first"}, prune=True) == [
        "themes[0].after: there is no theme 'first'"
    ]


def test_a_theme_whose_stored_settings_are_not_valid_is_mended_or_deleted_and_hinders_no_other(
    database: Database,
) -> None:
    for theme_id in ("bad", "worse"):
        database.insert_rows(
            "themes",
            [
                {
                    "team_id": TEAM,
                    "theme_id": theme_id,
                    "changed_at": datetime(2026, 11, 7, tzinfo=UTC),
                    "change_id": "00000000-0000-0000-0000-000000000001",
                    "action": "created",
                    "author": "ann",
                    "settings": '{"prompt": "Look.", "mode": "long"}',
                    "version": "",
                }
            ],
        )
    with pytest.raises(ThemeError, match=r"what is stored of 'bad' is not valid: bad\.mode"):
        set_enabled(database, TEAM, "bad", True, "ann")
    assert applied(database, {"theme_id": "ux_issues", "enabled": True}).stored
    (change,) = applied(database, {"theme_id": "bad", "prompt": "Look."}).changes
    assert [(each.field, each.before, each.after) for each in change.fields] == [("mode", "long", "detailed")]
    delete(database, TEAM, "worse", "ann")
    assert themes_of(database, TEAM).problems == ()


def test_history_names_each_changed_field_with_who_and_when(database: Database) -> None:
    at = datetime(2026, 11, 7, 12, 30, tzinfo=UTC)
    applied(database, {"theme_id": "ux_issues", "enabled": True, "clustering": {"min_items": 50}}, now=at)
    applied(database, base_filters=[{"key": "env", "value": "prod"}])
    first, second = past_changes(database, TEAM)
    assert (first.theme_id, first.changed_at, first.author, first.action) == ("ux_issues", at, "ann", "changed")
    assert [(each.field, each.before, each.after) for each in first.fields] == [
        ("clustering.min_items", SHIPPED["ux_issues"].clustering.min_items, 50),
        ("enabled", False, True),
    ]
    assert second.theme_id == ""
    assert second.fields[0].after == [{"key": "env", "operator": "exact", "value": "prod"}]
    assert past_changes(database, TEAM, "mine") == []


def test_themes_can_be_seen_as_they_were_and_put_back(database: Database) -> None:
    noon, one = datetime(2026, 11, 7, 12, tzinfo=UTC), datetime(2026, 11, 7, 13, tzinfo=UTC)
    applied(database, {"theme_id": "mine", "prompt": "First."}, now=noon)
    applied(database, {"theme_id": "mine", "prompt": "Second."}, now=one)
    applied(database, {"theme_id": "mine", "prompt": "Other team."}, team_id=OTHER_TEAM, now=noon)
    then = themes_at(database, TEAM, noon)
    assert (then.get("mine").prompt, themes_at(database, TEAM, one).get("mine").prompt) == ("First.", "Second.")
    apply(database, TEAM, export(then, ["mine"]), "ann")
    assert themes_of(database, TEAM).get("mine") == then.get("mine")
    assert [each.action for each in past_changes(database, TEAM)] == ["created", "changed", "changed"]


def test_themes_with_a_document_are_seen_before_it_is_stored(database: Database) -> None:
    applied(database, base_filters=[{"key": "env", "value": "prod"}])
    seen = themes_with(database, TEAM, of({"theme_id": "mine", "prompt": "Look."}))
    assert seen["mine"].filters == (Filter("env", "exact", "prod"),)
    assert list(seen) == [*SHIPPED, "mine"]
    assert "mine" not in [theme.theme_id for theme in themes_of(database, TEAM).themes]
    with pytest.raises(InvalidThemesError, match=r"themes\[0\]\.prompt"):
        themes_with(database, TEAM, of({"theme_id": "mine"}))


def test_a_stored_version_is_that_of_the_theme_with_the_teams_filters(database: Database) -> None:
    applied(database, {"theme_id": "mine", "prompt": "Look."}, base_filters=[{"key": "env", "value": "prod"}])
    (change,) = past_changes(database, TEAM, "mine")
    assert change.version == themes_of(database, TEAM).get("mine").version != MINE.version


def test_an_export_of_a_team_that_changed_nothing_is_empty(database: Database) -> None:
    assert write_document(export(themes_of(database, TEAM))) == "themes: []\n"


def test_an_export_of_named_themes_has_shipped_ones_too_and_no_filters_of_the_team(database: Database) -> None:
    applied(database, base_filters=[{"key": "env", "value": "prod"}])
    team = themes_of(database, TEAM)
    assert export(team, ["ux_issues"]) == Document(({"theme_id": "ux_issues"},))
    (full,) = export(team, ["ux_issues"], full=True).themes
    assert (full["prompt"], full["base_filters"]) == (SHIPPED["ux_issues"].prompt, [])
    with pytest.raises(ThemeError, match="no theme 'mine'"):
        export(team, ["mine"])


teams = count(1_000, 2)
entries = st.fixed_dictionaries(
    {"prompt": st.text("aé'\n: -#|>", min_size=1, max_size=40).filter(str.strip)},
    optional={
        "name": st.sampled_from(["no", "12:30", "Grüße \U0001f600", "- a", "null", "1.5"]),
        "enabled": st.booleans(),
        "mode": st.sampled_from(["minimal", "detailed"]),
        "level": st.sampled_from(["trace", "generation"]),
        "sample_rate": st.sampled_from([None, 0.25, 1]),
        "daily_budget_usd": st.sampled_from([None, 0, 2.5]),
        "date_range": st.sampled_from([{}, {"from": "2026-11-01"}, {"to": "2026-11-07"}]),
        "clustering": st.sampled_from([{}, {"method": "kmeans"}, {"min_k": 4, "max_k": 9}]),
        "filters": st.lists(
            st.sampled_from(
                [
                    {"key": "no", "value": "yes"},
                    {"key": "$ai_cost", "operator": "between", "value": [1, 2.5]},
                    {"key": "a b", "operator": "in", "value": ["1", 1, True]},
                    {"key": "e", "operator": "is_not_set"},
                ]
            ),
            max_size=3,
        ),
    },
)


@settings(max_examples=example_count(15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(own=st.lists(entries, max_size=3), enabled=st.booleans(), has_filters=st.booleans())
def test_an_export_applies_to_no_change_and_makes_another_team_the_same(
    database: Database, own: list[dict[str, Any]], enabled: bool, has_filters: bool
) -> None:
    team_id = next(teams)
    apply(
        database,
        team_id,
        Document(
            (
                *({"theme_id": f"own_{number}", **each} for number, each in enumerate(own)),
                {"theme_id": "success_patterns", "enabled": enabled, "sample_rate": 0.5},
            ),
            [{"key": "env", "operator": "is_not", "value": ["dev", "test"]}] if has_filters else None,
        ),
        "ann",
    )
    team = themes_of(database, team_id)
    document = read_document(write_document(export(team)))
    assert apply(database, team_id, document, "ann", prune=True).changes == ()
    apply(database, team_id + 1, document, "ann")
    copied = themes_of(database, team_id + 1)
    assert (copied.base_filters, copied.themes) == (team.base_filters, team.themes)
