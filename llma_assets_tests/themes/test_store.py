"""Which themes a team has, from what ships and what is stored."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from llma_assets.clickhouse import Database
from llma_assets.themes import Filter, ThemeError, active_themes, themes_of

TEAM, OTHER_TEAM = 1, 2
START = datetime(2026, 11, 7, 12, tzinfo=UTC)


def stored(
    database: Database, theme_id: str, settings: Any, *, team_id: int = TEAM, minute: int = 0, action: str = "changed"
) -> None:
    database.insert_rows(
        "themes",
        [
            {
                "team_id": team_id,
                "theme_id": theme_id,
                "changed_at": START + timedelta(minutes=minute),
                "change_id": uuid4(),
                "action": action,
                "author": "ann",
                "settings": settings if isinstance(settings, str) else json.dumps(settings),
                "version": "",
            }
        ],
    )


def active_ids(database: Database, only: tuple[str, ...] = (), team_id: int = TEAM) -> list[str]:
    return [theme.theme_id for theme in active_themes(database, team_id, only)]


def test_a_team_without_rows_runs_the_general_themes_and_has_the_optional_ones_off(database: Database) -> None:
    assert active_ids(database) == ["traces", "generations"]
    off = [theme.theme_id for theme in themes_of(database, TEAM).themes if not theme.enabled]
    assert off == ["error_analysis", "ux_issues", "feature_requests", "performance_issues", "success_patterns"]


def test_of_a_shipped_theme_only_the_given_fields_differ(database: Database) -> None:
    before = themes_of(database, TEAM).get("error_analysis")
    stored(database, "error_analysis", {"enabled": True, "sample_rate": 0.2})
    after = themes_of(database, TEAM).get("error_analysis")
    assert (after.enabled, after.sample_rate) == (True, 0.2)
    assert after.version == before.version
    assert active_ids(database) == ["traces", "generations", "error_analysis"]


def test_the_newest_row_of_a_theme_counts(database: Database) -> None:
    stored(database, "mine", {"prompt": "New."}, minute=5)
    stored(database, "mine", {"prompt": "Old."}, minute=1)
    assert themes_of(database, TEAM).get("mine").prompt == "New."


def test_a_deleted_theme_is_gone(database: Database) -> None:
    stored(database, "mine", {"prompt": "Look."})
    stored(database, "mine", {"prompt": "Look."}, minute=1, action="deleted")
    with pytest.raises(ThemeError, match="no theme 'mine'"):
        themes_of(database, TEAM).get("mine")


def test_another_team_sees_nothing_of_it(database: Database) -> None:
    stored(database, "mine", {"prompt": "Look."})
    stored(database, "traces", {"enabled": False})
    stored(database, "", {"base_filters": [{"key": "plan", "operator": "exact", "value": "paid"}]})
    assert active_ids(database, team_id=OTHER_TEAM) == ["traces", "generations"]
    assert themes_of(database, OTHER_TEAM).base_filters == ()


def test_base_filters_of_the_team_come_before_those_of_the_theme(database: Database) -> None:
    mine = {"prompt": "Look.", "base_filters": [{"key": "b", "operator": "is_set"}]}
    stored(database, "mine", mine)
    stored(database, "", {"base_filters": [{"key": "a", "operator": "is_set"}]})
    team = themes_of(database, TEAM)
    assert team.base_filters == (Filter("a", "is_set"),)
    assert team.get("mine").base_filters == (Filter("a", "is_set"), Filter("b", "is_set"))
    assert team.get("traces").base_filters == (Filter("a", "is_set"),)
    assert team.settings_alone(team.get("mine")).base_filters == (Filter("b", "is_set"),)


def test_a_row_that_is_no_longer_valid_switches_its_theme_off_and_leaves_the_others(database: Database) -> None:
    stored(database, "bad", {"prompt": "Look.", "shedule": "daily"})
    stored(database, "worse", "no json")
    stored(database, "traces", {"mode": "long"})
    stored(database, "good", {"prompt": "Look."})
    team = themes_of(database, TEAM)
    assert [each.where for each in team.problems] == ["bad.shedule", "traces.mode", "worse.settings"]
    assert active_ids(database) == ["generations", "good"]
    with pytest.raises(ThemeError, match=r"bad\.shedule"):
        active_themes(database, TEAM, ["bad"])


def test_no_theme_runs_while_the_base_filters_of_the_team_are_not_valid(database: Database) -> None:
    stored(database, "", {"base_filters": [{"key": "a", "operator": "contains"}]})
    with pytest.raises(
        ThemeError, match=r"no themes until its base filters are valid: team\.base_filters\[0\]\.operator"
    ):
        active_themes(database, TEAM)
    assert not any(theme.enabled for theme in themes_of(database, TEAM).themes)


def test_a_theme_comes_after_the_one_it_depends_on(database: Database) -> None:
    stored(database, "a_last", {"prompt": "Look.", "after": "b_middle"})
    stored(database, "b_middle", {"prompt": "Look.", "after": "error_analysis"})
    stored(database, "error_analysis", {"enabled": True})
    assert active_ids(database) == ["traces", "generations", "error_analysis", "b_middle", "a_last"]
    assert active_ids(database, ("a_last", "b_middle")) == ["b_middle", "a_last"]


def test_stored_themes_that_go_in_a_circle_are_off_and_said_so(database: Database) -> None:
    stored(database, "a", {"prompt": "Look.", "after": "b"})
    stored(database, "b", {"prompt": "Look.", "after": "a"})
    stored(database, "c", {"prompt": "Look.", "after": "gone"})
    team = themes_of(database, TEAM)
    assert [str(each) for each in team.problems] == [
        "a.after: goes in a circle: a after b after a; take one of them out",
        "b.after: goes in a circle: b after a after b; take one of them out",
        "c.after: there is no theme 'gone'",
    ]
    assert active_ids(database) == ["traces", "generations"]


def test_asking_for_a_theme_that_is_off_or_unknown_says_the_way_out(database: Database) -> None:
    with pytest.raises(ThemeError, match="llma themes enable ux_issues --team 1"):
        active_themes(database, TEAM, ["ux_issues"])
    with pytest.raises(ThemeError, match="did you mean 'ux_issues'"):
        active_themes(database, TEAM, ["ux_isues"])
