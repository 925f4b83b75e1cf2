"""Lines about a team say its name, where one is known, also after the database is closed."""

import pytest

from llma_assets.cli.render.teams import team_named
from llma_assets.settings import Settings
from llma_assets_tests.cli.conftest import Llma


@pytest.mark.database
def test_lines_about_a_team_say_its_name(llma: Llma, environment: Settings) -> None:
    environment.data_dir.mkdir(parents=True, exist_ok=True)
    (environment.data_dir / "teams.toml").write_text('[teams.7]\nname = "shop"\n')
    for command in ("run --dry-run --date 2026-11-07", "tasks list", "trends", "releases list", "alerts incidents"):
        named = llma(*command.split(), "--team", "7").output
        assert "eam 7 (shop)" in named, named
        assert "--team 7 (" not in named
    other = llma("tasks", "list", "--team", "8").output
    assert "Team 8 has no tasks" in other


def test_outside_of_a_command_a_team_is_its_number() -> None:
    assert team_named(7) == "7"
