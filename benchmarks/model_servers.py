"""Model servers as they really answer: `python -m benchmarks.model_servers [SERVER ...]`.

Each case of `llma_assets_tests/model_servers.yaml` is played on a local server that answers with the bodies of the real
one, and what becomes of the questions is printed beside what should. Exit code 1 if something else does.
"""

import sys
import time
from collections.abc import Sequence

from llma_assets.testing import outcome_of, server_cases


def main(servers: Sequence[str] = ()) -> int:
    """Print the table."""
    chosen = [case for case in server_cases() if not servers or case.server in servers]
    print(f"{'server':<15}{'fault':<46}{'asked for':<12}{'expected':<42}seen")
    differ, started = 0, time.perf_counter()
    for case in chosen:
        found = outcome_of(case)
        differ += found != case.becomes
        mark = "" if found == case.becomes else "   <--"
        print(f"{case.server:<15}{case.fault:<46}{case.asks:<12}{case.becomes:<42}{found}{mark}")
    took_s = time.perf_counter() - started
    print(f"{len(chosen)} cases of {len({case.server for case in chosen})} servers, {differ} differ, {took_s:.1f} s")
    return 1 if differ or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
