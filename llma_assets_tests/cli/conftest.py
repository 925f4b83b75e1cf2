"""The command line as a person meets it: real commands on the real embedded database of the test."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result

from llma_assets.cli.main import cli
from llma_assets.settings import Settings


class Llma(Protocol):
    """Runs `llma` with some arguments."""

    def __call__(self, *arguments: str, input: bytes | None = None) -> Result: ...


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
