"""How many private values leak, and what is taken for one: `python -m benchmarks.redaction`.

Ten thousand generated values of each kind stand inside made-up traces: in a user's message, in arguments of a tool
call, in a tool's result as JSON inside JSON, in a span's state, in an error. A value leaks when it, or its digits or
letters without separators, stands in the text. Then ten thousand values that only look private. `--held-out` measures
the set of `redaction_held_out.py`, which was written after the finders. Seeded; writes nothing.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import starmap
from typing import Any

from benchmarks.redaction_held_out import HELD_OUT, HELD_OUT_LOOK_ALIKES
from llma_assets.rendering import RenderOptions, render_trace
from llma_assets.testing import HARMLESS_VALUES, IMPERSONAL_SENTENCES, PERSONAL_VALUES, PRIVATE_VALUES
from llma_assets.testing.personal_values import MakeSentence
from llma_assets.testing.private_values import AROUND, Make

_OPTIONS = RenderOptions(max_chars=10**7, max_value_chars=10**5, line_numbers=False)
_A_TRACE = 100
_SENTENCES = (
    "Please change my booking, {} is what you need, thanks!",
    "{}",
    "My details ({}), as asked.",
    "Found 3 rows:\n- {}\n- nothing else",
    "user={};status=ok",
    "It is {}.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--values", type=int, default=10_000, help="of each kind")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--held-out", action="store_true", help="the set that was written afterwards")
    options = parser.parse_args(arguments)
    personal, impersonal = (
        (HELD_OUT, HELD_OUT_LOOK_ALIKES) if options.held_out else (PERSONAL_VALUES, IMPERSONAL_SENTENCES)
    )
    print(f"seed {options.seed}, {options.values:,} values of each kind")
    print(f"{'kind':<26}{'hidden':>10}{'leaked':>8}{'recall':>10}  placeholders")
    makers: dict[str, MakeSentence] = {} if options.held_out else dict(starmap(_around, PRIVATE_VALUES.items()))
    for kind, make in (makers | personal).items():
        leaked, counts = _measure(make, options.values, options.seed)
        shown = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        recall = 1 - len(leaked) / options.values
        print(f"{kind:<26}{options.values - len(leaked):>10,}{len(leaked):>8,}{recall:>10.2%}  {shown}")
        for value in leaked[:3]:
            print(f"    leaked: {value[:80]!r}")
    print(f"\n{'harmless':<26}{'kept':>10}{'taken':>8}{'false':>10}  placeholders")
    harmless = {} if options.held_out else HARMLESS_VALUES
    for kind, look_alike in (harmless | impersonal).items():
        _, counts = _measure(lambda rng, make=look_alike: (make(rng), ""), options.values, options.seed)  # type: ignore[misc]
        taken = sum(counts.values())
        shown = ", ".join(f"{name} {count}" for name, count in counts.most_common())
        print(f"{kind:<26}{options.values - taken:>10,}{taken:>8,}{taken / options.values:>10.2%}  {shown}")
    return 0


def _around(kind: str, make: Make) -> tuple[str, MakeSentence]:
    """A kind, and its values in the words without which they are not private."""

    def sentence(rng: random.Random) -> tuple[str, str]:
        value = make(rng)
        return AROUND.get(kind, "{}").format(value), value

    return kind, sentence


def _measure(make: MakeSentence, total: int, seed: int) -> tuple[list[str], Counter[str]]:
    """Values that stand in the text, and placeholders by kind."""
    rng = random.Random(seed)
    leaked: list[str] = []
    counts: Counter[str] = Counter()
    for _ in range(0, total, _A_TRACE):
        made = [make(rng) for _ in range(min(_A_TRACE, total))]
        rendered = render_trace(_trace([sentence for sentence, _ in made], rng), _OPTIONS)
        counts.update(rendered.loss.redactions)
        flat = _flat(rendered.text)
        leaked += [value for _, value in made if value and (_escaped(value, rendered.text) or _stands_in(value, flat))]
    return leaked, counts


def _escaped(value: str, text: str) -> bool:
    """Whether a value stands in the text, plain or as JSON writes it, up to JSON in JSON in JSON."""
    for _ in range(4):
        if value in text:
            return True
        value = json.dumps(value)[1:-1]
    return False


def _stands_in(value: str, flat: str) -> bool:
    """Whether a value is there without its separators; a short one is looked for as it is only."""
    return len(value) > 8 and _flat(value) in flat


def _flat(text: str) -> str:
    return "".join(c for c in text if c not in " -.()\n")


def _trace(values: list[str], rng: random.Random) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    for number, value in enumerate(values):
        said = rng.choice(_SENTENCES).format(value)
        name, properties = _places(said)[number % 5]
        properties |= {"$ai_trace_id": "t", "$ai_span_id": f"s{number}"}
        events.append(
            {
                "uuid": f"00000000-0000-0000-0000-{number:012d}",
                "event": name,
                "timestamp": 1_767_225_600 + number,
                "properties": json.dumps(properties),
            }
        )
    return events


def _places(said: str) -> list[tuple[str, dict[str, Any]]]:
    arguments = json.dumps({"note": said, "limit": 3})
    call = {"id": "c1", "type": "function", "function": {"name": "save", "arguments": arguments}}
    result = json.dumps({"ok": True, "payload": json.dumps({"text": said})})
    return [
        ("$ai_generation", {"$ai_input": [{"role": "user", "content": said}], "$ai_output": "Done."}),
        ("$ai_generation", {"$ai_output_choices": [{"role": "assistant", "content": None, "tool_calls": [call]}]}),
        ("$ai_generation", {"$ai_input": [{"role": "tool", "tool_call_id": "c1", "content": result}]}),
        ("$ai_span", {"$ai_span_name": "store", "$ai_output_state": {"rows": [{"text": said}]}}),
        ("$ai_span", {"$ai_span_name": "fail", "$ai_is_error": True, "$ai_error": {"message": f"no: {said}"}}),
    ]


if __name__ == "__main__":
    sys.exit(main())
