"""How fast and how short rendering is: `python -m benchmarks.rendering FILE…` with files of events as JSON lines.

Prints, for each file, CPU seconds on one core with and without redaction and with a limit in tokens, peak memory,
lengths of the texts, what limits cost, and the length of a trace's text against its number of generations, with each
message once and with every history in full. Then the speed and the peak memory for made-up traces of 50 MB. Nothing
is written.
"""

import argparse
import gzip
import random
import statistics
import sys
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from llma_assets.rendering import RenderedTrace, RenderOptions, item_facts, render_trace
from llma_assets.tokens import count_tokens

Events = list[dict[str, Any]]

MODEL = "gpt-6-luna"
WORDS = (
    *("the", "a", "customer", "flight", "refund", "order", "please", "check", "2024-05-15", "EHGLP3", "HAT271", "seat"),
    *("price", "129.50", "total", "payment", "card", "user", "id", "status", "confirmed", "we", "can", "offer", "Oslo"),
)

FULL = {"max_chars": 10**9, "max_value_chars": 10**6, "line_numbers": False}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure each file, then the large traces."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("files", nargs="*", type=Path, help="events as JSON lines, plain or gzip")
    parser.add_argument("--repeat", type=int, default=3, help="take the best of so many runs")
    options = parser.parse_args(arguments)
    for path in options.files:
        traces, megabytes = read(path)
        print(f"{path.name}: {len(traces):,} traces, {megabytes:.1f} MB of properties as JSON text")
        speed(traces, megabytes, options.repeat)
        limits(traces)
        curve(traces)
    large(options.repeat)
    return 0


def read(path: Path) -> tuple[list[Events], float]:
    """The traces of a file, with properties as JSON text, as the database gives them; and their size in MB."""
    traces: dict[str, Events] = defaultdict(list)
    size = 0
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
        for line in lines:
            event = orjson.loads(line)
            identity = str(event["properties"].get("$ai_trace_id"))
            event["properties"] = orjson.dumps(event["properties"]).decode()
            size += len(event["properties"])
            traces[identity].append(event)
    return list(traces.values()), size / 1e6


def speed(traces: list[Events], megabytes: float, repeat: int) -> None:
    """CPU time of all traces, parsing included, and the memory that rendering adds to the events."""
    texts: list[RenderedTrace] = []
    count_tokens("", MODEL)  # the vocabulary is loaded once a process
    for name, options in (
        ("redacted", RenderOptions()),
        ("redacted, 16,000 tokens", RenderOptions(max_tokens=16_000, model=MODEL)),
        ("not redacted", RenderOptions(redact=False)),
    ):
        best = float("inf")
        for _ in range(repeat):
            started = time.process_time()
            made = [render_trace(events, options) for events in traces]
            best = min(best, time.process_time() - started)
        texts = texts or made
        print(f"  {name + ':':<25} {best:.2f} s of CPU, {megabytes / best:.0f} MB/s, {len(traces) / best:.0f} traces/s")
    started = time.process_time()
    for events in traces:
        item_facts(events)
    facts = time.process_time() - started
    tracemalloc.start()
    for events in traces:
        render_trace(events)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    lengths = sorted(len(rendered.text) for rendered in texts)
    rules: dict[str, int] = defaultdict(int)
    for rendered in texts:
        for rule in rendered.loss.rules:
            rules[rule] += 1
    print(f"  facts: {facts:.2f} s of CPU; peak memory beside the events {peak / 1e6:.1f} MB")
    print(
        f"  length: median {lengths[len(lengths) // 2]:,}, 95 % {lengths[int(len(lengths) * 0.95)]:,}, "
        f"longest {lengths[-1]:,} characters; rules {dict(rules)}"
    )


def limits(traces: list[Events]) -> None:
    """What limits in tokens cost: share of characters kept, rules used, and protected pieces without room."""
    print(f"  limit in tokens of {MODEL}   tokens used   characters kept   sampled   protected missing")
    for tokens in (16_000, 8_000, 4_000, 2_000, 1_000):
        made = [render_trace(events, RenderOptions(max_tokens=tokens, model=MODEL)) for events in traces]
        most = max(count_tokens(rendered.text, MODEL) for rendered in made)
        kept = sum(r.loss.characters_after for r in made) / sum(r.loss.characters_before for r in made)
        sampled = sum("sampling" in rendered.loss.rules for rendered in made)
        missing = sum(sum(rendered.loss.protected_missing.values()) for rendered in made)
        print(f"  {tokens:>31,} {most:>13,} {kept:>17.0%} {sampled:>9,} {missing:>19,}")


def curve(traces: list[Events]) -> None:
    """Length of the text against the number of generations, values in full, before and after history-once."""
    rows: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for events in traces:
        generations = sum(event["event"] == "$ai_generation" for event in events)
        lengths = [len(render_trace(events, RenderOptions(**FULL, history_once=once)).text) for once in (False, True)]
        rows[(generations + 2) // 3 * 3].append((lengths[0], lengths[1]))
    print("  generations   traces   every history in full   each message once   per generation")
    for turns, pairs in sorted(rows.items()):
        before, after = (statistics.mean(pair[side] for pair in pairs) for side in (0, 1))
        print(
            f"  {turns - 2:>4} to {turns:<3} {len(pairs):>9,} {before:>23,.0f} {after:>19,.0f} {after / turns:>16,.0f}"
        )


def large(repeat: int) -> None:
    """Traces of 50 MB of the kinds that are worst in different ways."""
    history: list[dict[str, str]] = []
    turns: Events = []
    for turn in range(500):
        history = [*history, {"role": "user", "content": f"question {turn} " + "q" * 180}]
        answer = {"role": "assistant", "content": f"answer {turn} " + "a" * 180}
        turns.append(event("$ai_generation", turn, {"$ai_input": history, "$ai_output_choices": [answer]}))
        history = [*history, answer]
    rng = random.Random(1)
    pages = [" ".join(rng.choices(WORDS, k=700)) for _ in range(500)]
    answers = [event("$ai_span", n, {"$ai_span_id": str(n), "$ai_output_state": f"{n} {pages[n % 500]}"})
               for n in range(10_000)]  # fmt: skip
    said = [{"role": "user" if n % 2 else "assistant", "content": f"{n} {pages[n % 500][:1_000]}"}
            for n in range(45_000)]  # fmt: skip
    rows = [{"id": number, "name": f"row {number}", "tags": ["a", "b"]} for number in range(1_000_000)]
    spans = [event("$ai_span", n, {"$ai_parent_id": str(n - 1), "$ai_span_id": str(n)}) for n in range(10_000)]
    for name, events in (
        ("one value of text", [event("$ai_span", 0, {"$ai_output_state": "word " * 10_000_000})]),
        ("one value of a million objects", [event("$ai_span", 0, {"$ai_output_state": rows})]),
        ("500 generations with history", turns),
        ("10,000 spans of 5 KB of text", answers),
        ("45,000 messages of 1 KB", [event("$ai_generation", 0, {"$ai_input": said})]),
        ("a chain of 10,000 spans", spans),
    ):
        size = sum(len(made["properties"]) for made in events) / 1e6
        best = float("inf")
        for _ in range(repeat):
            started = time.process_time()
            text = render_trace(events).text
            best = min(best, time.process_time() - started)
        tracemalloc.start()
        render_trace(events)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(
            f"{name}: {size:.0f} MB, {best:.2f} s of CPU, {len(text):,} characters,"
            f" peak memory beside the events {peak / 1e6:.0f} MB"
        )


def event(name: str, number: int, properties: dict[str, Any]) -> dict[str, Any]:
    """An event `number` seconds after the start of 2026, properties as JSON text."""
    return {
        "uuid": f"00000000-0000-0000-0000-{number:012d}",
        "event": name,
        "timestamp": 1_767_225_600 + number,
        "properties": orjson.dumps(properties).decode(),
    }


if __name__ == "__main__":
    sys.exit(main())
