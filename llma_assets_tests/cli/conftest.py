"""The command line as a person meets it: real commands on the real embedded database of the test."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result

from llma_assets.cli.main import cli
from llma_assets.defs import instance
from llma_assets.settings import Settings


class Llma(Protocol):
    """Runs `llma` with some arguments."""

    def __call__(self, *arguments: str, input: bytes | None = None) -> Result: ...


@pytest.fixture(scope="session")
def opened_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Dagster home that was opened once, so that its SQLite files have their tables: those take Dagster a second."""
    folder = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("DAGSTER_HOME", raising=False)
        with instance.opened_instance(Settings.from_env({"LLMA_DATA_DIR": str(folder)})):
            return folder / "dagster"


@pytest.fixture
def new_homes_have_their_tables(opened_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a home that is about to be opened for the first time the empty tables of one that was."""
    real = instance.prepare_home

    def prepared(settings: Settings) -> Path:
        home = real(settings)
        if not (home / "history").exists() and not (home / "schedules").exists():
            for name in ("history", "schedules"):
                shutil.copytree(opened_home / name, home / name)
        return home

    monkeypatch.setattr(instance, "prepare_home", prepared)


@pytest.fixture
def llma(environment: Settings, new_homes_have_their_tables: None) -> Llma:
    """`llma` on an empty database and an empty data folder, without keys."""

    def invoke(*arguments: str, input: bytes | None = None) -> Result:
        return CliRunner().invoke(cli, list(arguments), prog_name="llma", input=input)

    return invoke


@dataclass(frozen=True, slots=True)
class Answer:
    """The object of a `--json` listing, and the exit code."""

    document: Any
    code: int


@pytest.fixture
def llma_json(llma: Llma) -> Callable[..., Answer]:
    """`llma … --json`, which must write one object on stdout and nothing else."""

    def invoke(*arguments: str, input: bytes | None = None) -> Answer:
        result = llma(*arguments, "--json", input=input)
        assert result.stdout.count("\n") == 1, result.output
        return Answer(json.loads(result.stdout), result.exit_code)

    return invoke
