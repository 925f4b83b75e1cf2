"""How true and how fast summaries are: `python -m benchmarks.summaries`.

    python -m benchmarks.summaries                                    the offline model, all traces of both files
    python -m benchmarks.summaries --small                            the small real models of `make test-llm`
    python -m benchmarks.summaries --base-url URL --model NAME        any OpenAI-compatible server

A line reference is valid where its lines stand in the text that the model saw. Nothing is stored.
"""

import argparse
import gzip
import os
import statistics
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
from more_itertools import take

from llma_assets.models import ChatModel, OfflineChat, OpenAIChat, RetryPolicy, Usage, probe_chat
from llma_assets.rendering import RenderOptions, render_trace
from llma_assets.summaries import SummaryResult, TextItem, summarise
from llma_assets.testing import SMALL_MODELS, served
from llma_assets.themes import TRACES

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
FILES = ("airline_agent", "service_dialogues")
PATIENT = RetryPolicy(attempts=1, deadline_s=1_800, attempt_timeout_s=1_800)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; 2 if data or a model is not there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the shared files")
    parser.add_argument("--traces", type=int, help="so many of each file; all for the offline model, 3 for others")
    parser.add_argument("--text-tokens", type=int, help="the longest text, in tokens as the renderer counts them")
    parser.add_argument("--small", action="store_true", help="serve and measure the small real models")
    parser.add_argument("--base-url", help="root of an OpenAI-compatible server; the key is OPENAI_API_KEY")
    parser.add_argument("--model", help="the model's name there")
    options = parser.parse_args(arguments)
    if (options.base_url is None) != (options.model is None):
        parser.error("--base-url and --model go together")
    files = [options.data / f"{name}.events.jsonl.gz" for name in FILES]
    if missing := [str(path) for path in files if not path.exists()]:
        print(f"not there: {', '.join(missing)}", file=sys.stderr)
        return 2
    if options.small:
        return _measure_small(files[0], options.traces or 3, options.text_tokens)
    if options.base_url:
        chat = OpenAIChat(
            options.model, api_key=os.environ.get("OPENAI_API_KEY"), base_url=options.base_url, policy=PATIENT
        )
        probe_chat(chat)
        for path in files:
            _measure(path, chat, options.traces or 3, options.text_tokens)
        return 0
    for path in files:
        _measure(path, OfflineChat(), options.traces, options.text_tokens)
    return 0


def _measure_small(path: Path, traces: int, text_tokens: int | None) -> int:
    """Each small model that is installed, beside the offline model on the same texts."""
    installed = [model for model in SMALL_MODELS if model.installed]
    if not installed:
        print("no small model is installed; `make test-llm` installs them", file=sys.stderr)
        return 2
    for model in installed:
        tokens = text_tokens or model.text_tokens
        with tempfile.TemporaryDirectory() as folder, served(model, Path(folder)) as server:
            chat = OpenAIChat(model.name, base_url=server.url, policy=PATIENT)
            probe_chat(chat)  # finds out how structured answers are to be asked for
            _measure(path, chat, traces, tokens)
        _measure(path, OfflineChat(), traces, tokens)
    return 0


def _measure(path: Path, chat: ChatModel, traces: int | None, text_tokens: int | None) -> None:
    options = RenderOptions(max_tokens=text_tokens, model=chat.name)
    items = [
        TextItem(trace_id, render_trace(events, options).text)
        for trace_id, events in (_traces(path) if traces is None else take(traces, _traces(path)))
    ]
    calls: list[Usage] = []
    times: list[float] = []
    results: list[SummaryResult] = []
    started = time.perf_counter()
    for result in summarise(
        items,
        chat,
        theme_id=TRACES.theme_id,
        prompt=TRACES.prompt,
        mode=TRACES.mode,
        concurrency=1,
        record=lambda _item_id, usage: calls.append(usage),
    ):
        results.append(result)
        times.append(time.perf_counter() - started)
        started = time.perf_counter()
    _print(path, chat, items, results, calls, times)


def _traces(path: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Traces of a file in its order, each with its events."""
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path) as lines:
        for line in lines:
            event = orjson.loads(line)
            traces[event["properties"]["$ai_trace_id"]].append(event)
    yield from traces.items()


def _print(
    path: Path,
    chat: ChatModel,
    items: Sequence[TextItem],
    results: Sequence[SummaryResult],
    calls: Sequence[Usage],
    times: Sequence[float],
) -> None:
    good = [result for result in results if result.status == "generated"]
    given = sum(result.refs_total for result in results)
    valid = sum(result.refs_valid for result in results)
    points = [point for result in good for point in (*result.bullets, *result.interesting_notes)]
    shown = sum(1 for point in points if point.line_refs)
    print(
        f"{path.name.removesuffix('.events.jsonl.gz')}: {chat.name}, {len(items):,} texts, "
        f"median {statistics.median(len(item.text) for item in items):,.0f} characters"
    )
    print(
        f"  summaries: {len(good):,} of {len(items):,}; "
        f"otherwise {dict(Counter(result.error.split(':')[0] for result in results if result not in good))}"
    )
    print(
        f"  references: {given:,} given, {valid:,} valid"
        + (f" ({valid / given:.1%})" if given else "")
        + (f"; {shown / len(points):.1%} of {len(points):,} points have one" if points else "")
    )
    if good:
        words = [len(result.title.split()) for result in good]
        lengths = [sum(len(point.text) for point in (*result.bullets, *result.interesting_notes)) for result in good]
        print(
            f"  a summary: {statistics.mean(words):.1f} words of title, "
            f"{statistics.mean(len(result.bullets) for result in good):.1f} bullets, "
            f"{statistics.mean(len(result.interesting_notes) for result in good):.1f} notes, "
            f"{statistics.mean(lengths):,.0f} characters of both"
        )
    print(f"  time: {statistics.mean(times):.3f} s each, slowest {max(times):.3f} s")
    if isinstance(chat, OpenAIChat):
        spoken, said = sum(call.input_tokens for call in calls), sum(call.output_tokens for call in calls)
        took = sum(call.duration_s for call in calls)
        print(
            f"  calls: {len(calls)} ({chat.structured_mode}), {spoken:,} tokens in, {said:,} out, "
            f"{(spoken + said) / took:,.0f} tokens a second, {said / took:,.1f} of the answer"
        )


if __name__ == "__main__":
    sys.exit(main())
