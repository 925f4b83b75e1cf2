"""The one file of a day: complete, and without anything that runs or is fetched."""

from pathlib import Path

from click.testing import CliRunner
from starlette.testclient import TestClient

from llma_assets.cli.main import cli
from llma_assets.clickhouse import Database
from llma_assets.settings import Settings
from llma_assets_tests.reports.stored_runs import DAY
from llma_assets_tests.web.planted import SECRET
from llma_assets_tests.web.test_pages import Seen


def llma(*arguments: str) -> tuple[int, str]:
    """Exit code and what was said."""
    result = CliRunner().invoke(cli, ["report", *arguments], prog_name="llma")
    return result.exit_code, result.output


def test_the_file_shows_clusters_and_maps_and_asks_nobody(client: TestClient) -> None:
    answer = client.get(f"/teams/1/report.html?date={DAY}")
    assert "attachment" in answer.headers["content-disposition"]
    text = answer.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "data:image/png;base64," in text
    assert SECRET not in text
    seen = Seen()
    seen.feed(text)
    assert [each for each in seen.bad if not each.startswith(("meta", "style", "img src=data:image/png;base64,"))] == []
    assert "default-src 'none'" in text


def test_the_command_writes_the_latest_day(environment: Settings, planted: Database, tmp_path: Path) -> None:
    file = tmp_path / "day.html"
    code, said = llma("--team", "1", "-o", str(file))
    assert code == 0, said
    assert f"Team 1, {DAY}" in file.read_text("utf-8")
    code, text = llma("--team", "1", "-o", "-")
    assert "<!doctype html>" in text


def test_a_day_or_team_without_results_is_said(environment: Settings, planted: Database, tmp_path: Path) -> None:
    code, said = llma("--team", "7", "-o", str(tmp_path / "x.html"))
    assert code == 1
    assert "no clusters" in said or "no trace events" in said.lower() or "events" in said
    assert not (tmp_path / "x.html").exists()
    code, said = llma("--team", "1", "-o", str(tmp_path / "none" / "x.html"))
    assert code == 2
    assert "cannot be written" in said
