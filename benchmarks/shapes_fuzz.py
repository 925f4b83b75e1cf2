"""Known message shapes with things wrong with them, as many as fit into a time: `python -m benchmarks.shapes_fuzz`.

Prints how many inputs were tried, how many failed, and the first of each kind with the seed that makes it again
(`--seed N --count 1`). Failed is what raises, takes too long for its size, or leaves something hidden in a text; see
`llma_assets_tests/rendering/mutated_messages.py`.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.mutated_messages import Failure, failure_of

SHOWN = 12


def main(arguments: Sequence[str] | None = None) -> int:
    """Try seed after seed; 1 where some failed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seconds", type=float, default=75, help="of CPU")
    parser.add_argument("--seed", type=int, default=1, help="the first one; each next input has the next one")
    parser.add_argument("--count", type=int, default=10**9, help="inputs at most")
    options = parser.parse_args(arguments)
    began = time.process_time()
    kinds: Counter[str] = Counter()
    first: dict[str, Failure] = {}
    slowest, tried = (0.0, 0), 0
    while tried < options.count and time.process_time() - began < options.seconds:
        seed = options.seed + tried
        started = time.process_time()
        failure = failure_of(seed)
        slowest = max(slowest, (time.process_time() - started, seed))
        tried += 1
        if failure is not None:
            kind = f"{failure.why.split(':', 1)[0][:40]} at {failure.where or failure.what}"
            kinds[kind] += 1
            first.setdefault(kind, failure)
    took = time.process_time() - began
    print(f"{tried:,} inputs in {took:.0f} s of CPU, {sum(kinds.values()):,} failures of {len(kinds)} kinds")
    print(f"slowest: {slowest[0]:.2f} s of CPU, seed {slowest[1]}")
    for kind, count in kinds.most_common(SHOWN):
        failure = first[kind]
        print(f"\n{count} × {kind}\n  {failure.why}\n  seed {failure.seed}, {failure.what}: {failure.value}")
    return 1 if kinds else 0


if __name__ == "__main__":
    raise SystemExit(main())
