"""A short form of `python -m benchmarks.kills`: killed at any moment, a run loses and doubles nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow(seconds=60)

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "benchmarks.kills", "--run", "1", "--server", "1", "--traces", "12", "--seed", "7")


def test_what_was_killed_and_run_again_equals_an_undisturbed_run_row_by_row(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if line[:1] == "|"]
    found = sorted((row[0], *row[-2:]) for row in cells[2:])
    assert found == [("run", "0", "0"), ("server", "0", "0")]
    assert [row[3] for row in cells[2:] if row[0] == "run"] == ["-9"], "the kill came after the end of the run"
