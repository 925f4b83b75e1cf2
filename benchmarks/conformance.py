"""Runs clickhouse-connect's own integration tests against a fresh embedded server and prints the counts.

    python benchmarks/conformance.py --tests DIR

DIR is the folder `tests` of github.com/ClickHouse/clickhouse-connect, at the tag of the installed package where
possible: `git clone https://github.com/ClickHouse/clickhouse-connect` somewhere outside this repository, and
name `clickhouse-connect/tests`. What the tests import is this project's extra `conformance`.

The synchronous tests count, without TLS, proxy, JWT and SQLAlchemy: those are about other things than the
server. The exit code is 1 if fewer than 315 pass, or if one fails whose reason docs/conformance.md does not give.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

from llma_assets.clickhouse import start, stop
from llma_assets.clickhouse.lifecycle import address

REQUIRED = 315
REASONS = Path(__file__).resolve().parents[1] / "docs" / "conformance.md"
LEFT_OUT = ("test_sqlalchemy", "test_tls.py", "test_proxy.py", "test_jwt_auth.py", "test_async_features.py")
NEEDED = ("pytest_asyncio", "pytest_mock", "aiohttp", "polars")


def run(tests: Path, folder: Path) -> ET.Element:
    """Run the suite against a server in `folder`; its report as JUnit XML."""
    state = start(folder)
    try:
        host, port, user, password = address(folder, state)
        report = folder / "report.xml"
        ignored = [f"--ignore={tests / 'integration_tests' / name}" for name in LEFT_OUT]
        command = [sys.executable, "-m", "pytest", str(tests / "integration_tests"), *ignored, "-k", "not async"]
        command += ["-c", os.devnull, f"--rootdir={tests.parent}", "-p", "no:cacheprovider", "-q", "--tb=native"]
        command += ["-o", "asyncio_default_fixture_loop_scope=session", f"--junit-xml={report}"]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(tests.parent), *filter(None, (os.environ.get("PYTHONPATH"),)))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CLICKHOUSE_CONNECT_TEST_HOST": host,
            "CLICKHOUSE_CONNECT_TEST_PORT": str(port),
            "CLICKHOUSE_CONNECT_TEST_USER": user,
            "CLICKHOUSE_CONNECT_TEST_PASSWORD": password,
        }
        finished = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
        if not report.exists():
            sys.exit(f"the tests did not run:\n{finished.stdout[-3000:]}{finished.stderr[-3000:]}")
        return ET.parse(report).getroot()
    finally:
        stop(folder)


def outcome(case: ET.Element) -> str:
    """passed, failed or skipped."""
    tags = {child.tag for child in case}
    if tags & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in tags else "passed"


def main() -> int:
    """Run, print, and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tests", type=Path, required=True, help="clickhouse-connect's folder `tests`")
    tests: Path = parser.parse_args().tests.resolve()
    if not (tests / "integration_tests").is_dir():
        parser.error(f"{tests} holds no integration_tests")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        parser.error(f"the tests need {' and '.join(missing)}: install the extra `conformance`")
    with tempfile.TemporaryDirectory(prefix="llma-conformance-") as folder:
        cases = list(run(tests, Path(folder)).iter("testcase"))
    counts = Counter(outcome(case) for case in cases)
    explained = REASONS.read_text("utf-8")
    failed = sorted(case.get("name", "").split("[")[0] for case in cases if outcome(case) == "failed")
    unexplained = [name for name in failed if f"`{name}`" not in explained]
    print(f"passed {counts['passed']}, failed {counts['failed']}, skipped {counts['skipped']} (required: {REQUIRED})")
    for name in failed:
        print(f"  failed: {name}{'' if name not in unexplained else '  <- no reason in docs/conformance.md'}")
    return 0 if counts["passed"] >= REQUIRED and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
