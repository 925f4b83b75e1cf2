"""docs/notebook.ipynb is small, valid, and shows no machine; `cli/commands/test_demo.py` runs it."""

import re
from pathlib import Path

NOTEBOOK = Path(__file__).parent.parent / "docs" / "notebook.ipynb"
MOST_BYTES = 150_000


def test_the_notebook_is_small_valid_and_shows_no_machine() -> None:
    import nbformat

    text = NOTEBOOK.read_text()
    nbformat.validate(nbformat.reads(text, as_version=4))
    assert len(text) < MOST_BYTES
    assert not re.search(r"/(home|root|tmp|Users|work|usr)/|0x[0-9a-f]{6,}|localhost:\d|127\.0\.0\.1", text)
