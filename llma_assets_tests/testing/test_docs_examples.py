"""The examples of docs/testing.md run as they stand there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from llma_assets import testing

PAGE = Path(__file__).resolve().parents[2] / "docs" / "testing.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.slow
def test_the_example_test_passes(tmp_path: Path) -> None:
    (tmp_path / "test_unhappy_users.py").write_text(EXAMPLES[0], "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^4 passed", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_shorter_examples_run(example: str) -> None:
    exec(example, {})


def test_all_that_a_test_calls_is_on_the_page() -> None:
    types_of_values = {"Fault", "Quota", "Served", "ServerCase", "SmallModel"}
    assert set(testing.__all__) - types_of_values <= set(re.findall(r"\w+", PAGE.read_text("utf-8")))
