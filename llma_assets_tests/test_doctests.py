"""The examples in docstrings are right, in every module of the package."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import llma_assets

ROOT = Path(llma_assets.__file__).parent


def modules_with_examples() -> list[str]:
    """Dotted names of the modules that have a prompt of an example in them."""
    files = (file for file in sorted(ROOT.rglob("*.py")) if ">>> " in file.read_text("utf-8"))
    return [".".join(file.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__") for file in files]


@pytest.mark.parametrize("name", modules_with_examples())
def test_examples_give_what_they_show(name: str) -> None:
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_examples_are_found() -> None:
    assert len(modules_with_examples()) > 20
