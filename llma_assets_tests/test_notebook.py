"""docs/notebook.ipynb runs on the demo's traffic from its first cell to its last, and shows no machine."""

import re
from pathlib import Path
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Llma, llma
from llma_assets_tests.databases import PlantedOnce
from llma_assets_tests.demo_run import DAY, demo_run

__all__ = ["llma"]  # a fixture

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
MOST_BYTES = 150_000


def kinds(cell: Any) -> list[list[str]]:
    """What each output of a cell is."""
    return [sorted(output.get("data", {"text/plain": ""})) for output in cell.get("outputs", ())]


@pytest.mark.slow(seconds=119)  # next to the demo, whose run it looks at
@pytest.mark.timeout(900)
def test_the_notebook_goes_from_a_team_to_a_picture(
    database: Database, llma: Llma, tmp_path: Path, planted_once: PlantedOnce
) -> None:
    import nbformat  # not while tests are collected: both take their time
    from nbclient import NotebookClient

    planted_once(demo_run, DAY)
    stored, executed = (nbformat.read(NOTEBOOK, as_version=4) for _ in range(2))
    NotebookClient(executed, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    assert len(executed.cells) == 10
    assert [kinds(cell) for cell in executed.cells] == [kinds(cell) for cell in stored.cells]
    assert sum("image/png" in kind for cell in executed.cells for kind in kinds(cell)) == 2


def test_the_notebook_is_small_valid_and_shows_no_machine() -> None:
    import nbformat

    text = NOTEBOOK.read_text()
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert len(text) < MOST_BYTES
    assert not re.search(r"/(home|root|tmp|Users|work|usr)/|0x[0-9a-f]{6,}|localhost:\d|127\.0\.0\.1", text)
