"""Team settings: every field alone may be broken, and then its own default holds."""

import math
from pathlib import Path
from typing import Any

import pytest

from llma_assets.discovery import LOOKBACK_DAYS, DiscoverySettings, TeamSettingsError

FULL = """
guaranteed_team_ids = [5, 3]
skip_team_ids = [9]
sample_percentage = 0.25
sample_seed = 4
lookback_days = 14
minimum_traces = 30

[teams.12]
minimum_traces = 5
"""


def test_an_empty_mapping_gives_the_defaults_and_no_problem() -> None:
    settings, problems = DiscoverySettings.from_mapping({})
    assert settings == DiscoverySettings()
    assert settings.lookback_days == LOOKBACK_DAYS == 7
    assert problems == []


def test_every_field_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "teams.toml"
    path.write_text(FULL)
    settings, problems = DiscoverySettings.from_file(path)
    assert problems == []
    assert settings == DiscoverySettings((5, 3), frozenset({9}), 0.25, 4, 14, 30, {12: 5})
    assert (settings.minimum_of(12), settings.minimum_of(13)) == (5, 30)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("guaranteed_team_ids", [1, True]),
        ("guaranteed_team_ids", [1, "2"]),
        ("guaranteed_team_ids", 7),
        ("guaranteed_team_ids", [-1]),
        ("skip_team_ids", "1,2"),
        ("skip_team_ids", [2**63]),
        ("sample_percentage", math.nan),
        ("sample_percentage", math.inf),
        ("sample_percentage", 1.01),
        ("sample_percentage", -0.01),
        ("sample_percentage", True),
        ("sample_percentage", "0.5"),
        ("sample_seed", 1.5),
        ("lookback_days", 0),
        ("lookback_days", True),
        ("lookback_days", 7.0),
        ("lookback_days", 10**9),
        ("minimum_traces", 0),
        ("minimum_traces", None),
        ("teams", [12]),
    ],
)
def test_a_broken_field_gets_its_default_is_reported_and_leaves_the_others_alone(field: str, value: Any) -> None:
    others = {"guaranteed_team_ids": [8], "sample_percentage": 0.5, "minimum_traces": 11, "lookback_days": 9}
    expected = {name: good for name, good in others.items() if name != field}
    settings, problems = DiscoverySettings.from_mapping({**others, field: value})
    assert settings == DiscoverySettings.from_mapping(expected)[0]
    assert [problem.field for problem in problems] == [field]


@pytest.mark.parametrize(
    ("teams", "field"),
    [
        ({"x": {"minimum_traces": 5}}, "teams.x"),
        ({"-1": {"minimum_traces": 5}}, "teams.-1"),
        ({"9" * 5000: {"minimum_traces": 5}}, "teams." + "9" * 5000),
        ({"7": 5}, "teams.7"),
        ({"7": {"minimum_traces": True}}, "teams.7.minimum_traces"),
        ({"7": {"minimum": 5}}, "teams.7.minimum"),
    ],
)
def test_a_broken_team_is_reported_and_leaves_the_other_teams_alone(teams: dict[str, Any], field: str) -> None:
    settings, problems = DiscoverySettings.from_mapping({"teams": {**teams, "12": {"minimum_traces": 5}}})
    assert settings.team_minimum_traces == {12: 5}
    assert field in [problem.field for problem in problems]


def test_an_unknown_field_is_reported() -> None:
    settings, problems = DiscoverySettings.from_mapping({"guaranteed_teams": [1]})
    assert settings == DiscoverySettings()
    assert [str(problem) for problem in problems] == ["guaranteed_teams: there is no such setting; its default holds"]


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert DiscoverySettings.load(tmp_path, {}) == (DiscoverySettings(), [])


def test_the_file_in_the_data_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "teams.toml").write_text("minimum_traces = 3")
    assert DiscoverySettings.load(tmp_path, {})[0].minimum_traces == 3


def test_the_file_that_the_variable_names_wins_over_the_one_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "teams.toml").write_text("minimum_traces = 3")
    (tmp_path / "other.toml").write_text("minimum_traces = 4")
    environ = {"LLMA_TEAMS_FILE": str(tmp_path / "other.toml")}
    assert DiscoverySettings.load(tmp_path, environ)[0].minimum_traces == 4


@pytest.mark.parametrize("content", [b"minimum_traces = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_an_error_and_not_silently_the_defaults(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "teams.toml").write_bytes(content)
    with pytest.raises(TeamSettingsError, match=r"teams\.toml is not valid TOML"):
        DiscoverySettings.load(tmp_path, {})


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TeamSettingsError, match="absent"):
        DiscoverySettings.load(tmp_path, {"LLMA_TEAMS_FILE": str(tmp_path / "absent.toml")})
