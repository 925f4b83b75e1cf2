"""`llma web`: who may be let in where, tokens, and a server that answers and ends."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from llma_assets.cli.commands.web import _operations
from llma_assets.cli.main import cli
from llma_assets.settings import Settings
from llma_assets.web import Access, Site, token_hash


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LLMA_UI_HOSTS", "LLMA_WEB_TOKENS", "LLMA_WEB_TOKENS_FILE", "LLMA_WEB_PROXY", "LLMA_DAGSTER_URL"):
        monkeypatch.delenv(name, raising=False)


def refused(*arguments: str) -> str:
    """What a call that must not start a server says."""
    result = CliRunner().invoke(cli, ["web", *arguments], prog_name="llma")
    assert result.exit_code == 2, result.output
    return result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "web.example.com"])
def test_other_machines_are_let_in_with_tokens_only(host: str) -> None:
    said = refused("--host", host)
    assert host in said
    assert "llma web --new-token" in said


def test_a_name_for_others_needs_tokens_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_UI_HOSTS", "llma.example.com")
    assert "llma.example.com" in refused()


def test_wrong_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--dagster-url" in refused("--dagster-url", "javascript:alert(1)")
    monkeypatch.setenv("LLMA_WEB_TOKENS", "[[visitors]]\nname = 'x'")
    assert "LLMA_WEB_TOKENS, visitor 1" in refused()
    monkeypatch.setenv("LLMA_WEB_TOKENS_FILE", "/nowhere/tokens.toml")
    assert "LLMA_WEB_TOKENS_FILE" in refused()


def test_a_new_token_comes_with_its_entry() -> None:
    result = CliRunner().invoke(cli, ["web", "--new-token", 'Ana "A"'], prog_name="llma")
    assert result.exit_code == 0
    token = re.search(r"token: (\S+)", result.stdout)
    assert token is not None
    entry = result.stdout[result.stdout.index("[[visitors]]") :]
    assert token[1] not in entry
    assert token_hash(token[1]) in entry
    visitor = Access.from_env({"LLMA_WEB_TOKENS": entry}).visitor(token[1])
    assert visitor is not None
    assert (visitor.name, visitor.may_change) == ('Ana "A"', False)


@pytest.mark.slow
def test_the_server_answers_on_a_free_port_and_ctrl_c_ends_it(environment: Settings, database: object) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "llma_assets.cli.main", "web", "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert process.stderr is not None
        address = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert address is not None
        with urllib.request.urlopen(f"{address[0]}/", timeout=60) as answer:
            assert b"No team has been looked at yet" in answer.read()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) in (0, 130, -signal.SIGINT)


def test_dagster_is_opened_before_the_first_scrape_where_its_counts_are_asked_for(
    environment: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_homes_have_their_tables: None
) -> None:
    monkeypatch.setenv("LLMA_METRICS_DAGSTER", "1")
    for rule, loads in (("off", False), ("open", True)):
        monkeypatch.setenv("LLMA_METRICS", rule)
        settings = replace(environment, data_dir=tmp_path / rule)
        operations = _operations(Site(settings, Access.from_env({})))
        loading = [thread for thread in threading.enumerate() if thread.name == "dagster"]
        assert bool(loading) is loads
        for thread in loading:
            thread.join()
        assert (settings.data_dir / "dagster").is_dir() is loads
    assert operations.dagster is not None
    counts, _ = operations.dagster()
    assert set(counts.values()) == {0}
