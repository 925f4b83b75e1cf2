"""What docs/themes.md shows does what it says."""

import re
from pathlib import Path
from typing import get_args

import pytest

from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets.themes import SHIPPED, Filter, apply, examples, read_document, themes_of
from llma_assets.themes.filter import Operator
from llma_assets.themes.serialization import THEME_FIELDS
from llma_assets.themes.validation import RESERVED_IDS

DOCS = Path(__file__).parents[2] / "docs" / "themes.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", DOCS.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def test_the_python_example_runs(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert settings.clickhouse_url is not None
    monkeypatch.setenv("CLICKHOUSE_URL", settings.clickhouse_url)
    monkeypatch.setenv("LLMA_DATA_DIR", str(settings.data_dir))
    (example,) = blocks("python")
    exec(compile(example, "docs/themes.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "[('refunds', 'created')]",
        "['traces', 'generations', 'ux_issues', 'refunds']",
    ]


def test_the_file_that_is_shown_can_be_applied(database: Database) -> None:
    apply(database, 1, read_document(blocks("yaml")[0]), "ann")
    team = themes_of(database, 1)
    assert team.base_filters == (Filter("environment", "exact", "production"),)
    assert (team.get("error_analysis").enabled, team.get("error_analysis").sample_rate) == (True, 0.2)
    assert team.get("unhappy_users").theme_filters == (Filter("$ai_span_name", "exact", "airline_support"),)


def test_the_example_for_one_agent_is_the_one_that_ships() -> None:
    assert blocks("yaml")[-1] == examples()["unhappy_users"]


def test_every_field_operator_and_shipped_theme_is_explained() -> None:
    text = DOCS.read_text("utf-8")
    named = set(re.findall(r"`([a-z_]+)`", "\n".join(line for line in text.splitlines() if line.startswith("| `"))))
    assert named >= {*THEME_FIELDS, *SHIPPED, *RESERVED_IDS, *get_args(Operator)}
