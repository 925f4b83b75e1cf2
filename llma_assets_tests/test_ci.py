"""`.ci/run` runs all suites, whatever becomes of the first, and shows at its end what each has found."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / ".ci" / "run"
MAKEFILE = """
install:
	@echo installed
test:
	@echo 'FAILED tests/test_a.py::test_a'
	@echo '==== 1 failed, 5 passed in 3.21s ===='
	@exit {test}
test-slow:
	@echo '==== 7 passed in 65.43s (0:01:05) ===='
	@exit {slow}
test-web:
	@echo '==== 3 passed, 2 skipped in 9.87s ===='
	@exit {web}
"""


@pytest.mark.process
@pytest.mark.parametrize(("test", "slow", "web", "code"), [(0, 0, 0, 0), (1, 0, 0, 1), (0, 1, 0, 1), (0, 0, 1, 1)])
def test_all_are_run_and_one_failure_fails_all(tmp_path: Path, test: int, slow: int, web: int, code: int) -> None:
    script = tmp_path / ".ci" / "run"
    script.parent.mkdir()
    shutil.copy(SCRIPT, script)
    (tmp_path / "Makefile").write_text(MAKEFILE.format(test=test, slow=slow, web=web))
    done = subprocess.run([script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    end = done.stdout.partition("make test:\n")[2]
    assert "FAILED tests/test_a.py::test_a" in end
    assert "==== 1 failed, 5 passed in 3.21s ====" in end
    assert "==== 7 passed in 65.43s (0:01:05) ====" in end.partition("make test-slow:\n")[2]
    assert "==== 3 passed, 2 skipped in 9.87s ====" in end.partition("make test-web:\n")[2]


@pytest.mark.process
def test_a_failed_installation_runs_no_suite(tmp_path: Path) -> None:
    script = tmp_path / ".ci" / "run"
    script.parent.mkdir()
    shutil.copy(SCRIPT, script)
    (tmp_path / "Makefile").write_text(MAKEFILE.format(test=0, slow=0, web=0).replace("@echo installed", "@exit 3"))
    done = subprocess.run([script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "passed" not in done.stdout
