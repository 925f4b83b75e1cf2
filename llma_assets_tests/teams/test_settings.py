"""Team settings: every field alone may be broken, and then its own default holds."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llma_assets.settings import SettingsError
from llma_assets.teams import LOOKBACK_DAYS, TeamOptions, TeamSettings, TeamSettingsError

FULL = """
guaranteed_team_ids = [5, 3]
skip_team_ids = [9]
sample_percentage = 0.25
sample_seed = 4
lookback_days = 14
minimum_traces = 30
quiet_minutes = 10
max_traces_per_hour = 50
max_generations_per_hour = 0
daily_budget_usd = 2
redact = true
redaction_patterns = ["case-\\\\d{4}"]
max_text_tokens = 8000
min_users = 5
below_min_users = "held_back"
injected_tags = ["system-reminder"]
input_transformations = [{pattern = "order \\\\d+", text = "order N"}]

[teams.12]
minimum_traces = 5
daily_budget_usd = inf

[teams.14]
redaction_patterns = []
redact = false
"""


def test_an_empty_mapping_gives_the_defaults_and_no_problem() -> None:
    settings, problems = TeamSettings.from_mapping({})
    assert settings == TeamSettings()
    assert settings.lookback_days == LOOKBACK_DAYS == 7
    assert problems == []


def test_a_team_is_redacted_unless_its_options_say_otherwise() -> None:
    settings, _ = TeamSettings.from_mapping({"teams": {"2": {"redact": False}}})
    assert (settings.options_of(1).redact, settings.options_of(2).redact) == (True, False)


def test_every_field_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "teams.toml"
    path.write_text(FULL)
    settings, problems = TeamSettings.from_file(path)
    assert problems == []
    options = TeamOptions(
        30, 10, 50, 0, 2.0, True, ("case-\\d{4}",), 8000, min_users=5, below_min_users="held_back",
        input_transformations=(("order \\d+", "order N"),), injected_tags=("system-reminder",),
    )  # fmt: skip
    assert settings.options == settings.options_of(13) == options
    assert settings.options_of(12) == replace(options, minimum_traces=5, daily_budget_usd=None)
    assert settings.options_of(14) == replace(options, redact=False, redaction_patterns=())
    assert settings == TeamSettings(
        (5, 3), frozenset({9}), 0.25, 4, 14, options, {team: settings.options_of(team) for team in (12, 14)}
    )
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
        ("quiet_minutes", -1),
        ("quiet_minutes", True),
        ("quiet_minutes", 1441),
        ("max_traces_per_hour", math.nan),
        ("max_traces_per_hour", -1),
        ("max_generations_per_hour", "6"),
        ("redact", 0),
        ("redact", "no"),
        ("max_text_tokens", 0),
        ("max_text_tokens", True),
        ("teams", [12]),
    ],
)
def test_a_broken_field_gets_its_default_is_reported_and_leaves_the_others_alone(field: str, value: Any) -> None:
    others = {"guaranteed_team_ids": [8], "sample_percentage": 0.5, "minimum_traces": 11, "lookback_days": 9}
    expected = {name: good for name, good in others.items() if name != field}
    settings, problems = TeamSettings.from_mapping({**others, field: value})
    assert settings == TeamSettings.from_mapping(expected)[0]
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
    settings, problems = TeamSettings.from_mapping({"teams": {**teams, "12": {"minimum_traces": 5}}})
    assert settings.team_options[12] == TeamOptions(minimum_traces=5)
    assert field in [problem.field for problem in problems]


def test_an_unknown_field_is_reported() -> None:
    settings, problems = TeamSettings.from_mapping({"guaranteed_teams": [1]})
    assert settings == TeamSettings()
    assert [str(problem) for problem in problems] == ["guaranteed_teams: there is no such setting; its default is used"]


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert TeamSettings.load(tmp_path, {}) == (TeamSettings(), [])


def test_the_file_in_the_data_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "teams.toml").write_text("minimum_traces = 3")
    assert TeamSettings.load(tmp_path, {})[0].options.minimum_traces == 3


def test_the_file_that_the_variable_names_wins_over_the_one_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "teams.toml").write_text("minimum_traces = 3")
    (tmp_path / "other.toml").write_text("minimum_traces = 4")
    environ = {"LLMA_TEAMS_FILE": str(tmp_path / "other.toml")}
    assert TeamSettings.load(tmp_path, environ)[0].options.minimum_traces == 4


@pytest.mark.parametrize("content", [b"minimum_traces = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_an_error_and_not_silently_the_defaults(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "teams.toml").write_bytes(content)
    with pytest.raises(TeamSettingsError, match=r"teams\.toml is not valid TOML"):
        TeamSettings.load(tmp_path, {})


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TeamSettingsError, match="absent"):
        TeamSettings.load(tmp_path, {"LLMA_TEAMS_FILE": str(tmp_path / "absent.toml")})


BROKEN_PROTECTION = [
    ("redaction_patterns", ["a", "(?<=a)b"]),
    ("redaction_patterns", ["("]),
    ("redaction_patterns", ["x*"]),
    ("redaction_patterns", "secret"),
    ("redaction_patterns", [7]),
    ("redaction_pattern", ["misspelled"]),
    ("input_transformations", {"a": "b"}),
    ("input_transformations", [{"pattern": "a"}]),
    ("input_transformations", [{"pattern": "(", "text": ""}]),
    ("input_transformations", [{"pattern": "a", "text": "\\1"}]),
    ("input_transformations", [{"pattern": "x*", "text": ""}]),
    ("input_transformations", [{"pattern": "a", "text": 7}]),
    ("input_transformation", [{"pattern": "a", "text": "b"}]),
    ("daily_budget_usd", math.nan),
    ("daily_budget_usd", -1),
    ("daily_budget_usd", True),
    ("daily_budget_usd", "5"),
]


@pytest.mark.parametrize(("field", "value"), BROKEN_PROTECTION)
def test_a_team_whose_protection_is_broken_is_stopped_and_the_other_teams_are_not(field: str, value: Any) -> None:
    settings, problems = TeamSettings.from_mapping({"teams": {"12": {field: value, "minimum_traces": 5}}})
    with pytest.raises(TeamSettingsError, match=rf"teams\.12\.{field}: .*skipped until it is fixed"):
        settings.options_of(12)
    assert [problem.stops for problem in problems] == [True]
    assert settings.minimum_of(12) == 5
    assert settings.options_of(13) == TeamOptions()


@pytest.mark.parametrize(("field", "value"), BROKEN_PROTECTION)
def test_a_broken_protection_of_all_stops_all(field: str, value: Any) -> None:
    settings, _ = TeamSettings.from_mapping({field: value, "teams": {"12": {"minimum_traces": 5}}})
    for team_id in (12, 13):
        with pytest.raises(TeamSettingsError, match=field):
            settings.options_of(team_id)


def test_a_team_that_sets_a_broken_field_of_all_soundly_goes_on() -> None:
    settings, problems = TeamSettings.from_mapping(
        {"redaction_patterns": ["("], "teams": {"12": {"redaction_patterns": ["case"]}}}
    )
    assert settings.options_of(12).redaction_patterns == ("case",)
    assert len(problems) == 1


def test_the_budget_of_the_installation_holds_for_teams_without_one(tmp_path: Path) -> None:
    (tmp_path / "teams.toml").write_text("[teams.1]\ndaily_budget_usd = 7\n[teams.2]\ndaily_budget_usd = inf\n")
    settings, problems = TeamSettings.load(tmp_path, {"LLMA_DAILY_BUDGET_USD": "2.5"})
    assert problems == []
    assert [settings.options_of(team_id).daily_budget_usd for team_id in (1, 2, 3)] == [7.0, None, 2.5]


def test_the_budget_of_the_installation_holds_without_a_file(tmp_path: Path) -> None:
    assert TeamSettings.load(tmp_path, {"LLMA_DAILY_BUDGET_USD": "0"})[0].options_of(1).daily_budget_usd == 0.0
    assert TeamSettings.load(tmp_path, {"LLMA_DAILY_BUDGET_USD": "inf"})[0].options_of(1).daily_budget_usd is None
    assert TeamSettings.load(tmp_path, {})[0].options_of(1).daily_budget_usd is None


@pytest.mark.parametrize("text", ["five", "-1", "nan", "1,50"])
def test_a_broken_budget_of_the_installation_is_an_error_and_not_no_limit(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="LLMA_DAILY_BUDGET_USD must be"):
        TeamSettings.load(tmp_path, {"LLMA_DAILY_BUDGET_USD": text})


@pytest.mark.parametrize(
    "values", [{"min_users": 0}, {"min_users": "5"}, {"below_min_users": "hidden"}, {"min_user": 5}, {"below_min": "x"}]
)
def test_a_broken_privacy_minimum_stops_the_team(values: dict[str, object]) -> None:
    settings, problems = TeamSettings.from_mapping({"teams": {"2": values}})
    assert [problem.stops for problem in problems] == [True]
    assert settings.options_of(1).min_users == 1
    with pytest.raises(TeamSettingsError):
        settings.options_of(2)
