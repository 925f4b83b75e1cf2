"""What a model answers to the built-in themes: `python -m benchmarks.theme_prompts`.

    python -m benchmarks.theme_prompts --small                        a small real model of `make test-llm`
    python -m benchmarks.theme_prompts --base-url URL --model NAME    any OpenAI-compatible server

Each theme is asked as the pipeline asks, about traces of the airline file that its rule takes and some that it leaves.
Answers are printed as they come; nothing is stored. Small models show that the question can be answered in the form
that is asked for, and not how well.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.summaries import PATIENT, SHARED
from benchmarks.theme_rules import judged, read_items
from llma_assets.models import ChatModel, OpenAIChat, Usage, probe_chat
from llma_assets.rendering import RenderOptions
from llma_assets.summaries import TextItem, summarise
from llma_assets.testing import SMALL_MODELS, served
from llma_assets.themes import OPTIONAL, Theme


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask what the command line says; 2 if data or a model is not there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the shared files")
    parser.add_argument("--small", choices=[model.name for model in SMALL_MODELS], help="serve a small real model")
    parser.add_argument("--base-url", help="root of an OpenAI-compatible server; the key is OPENAI_API_KEY")
    parser.add_argument("--model", help="the model's name there")
    parser.add_argument("--text-tokens", type=int, help="the longest text, in tokens as the renderer counts them")
    parser.add_argument("--taken", type=int, default=3, help="traces of each theme that its rule takes")
    parser.add_argument("--left", type=int, default=2, help="traces of each theme that its rule leaves")
    parser.add_argument("--minutes", type=float, default=600.0, help="no question is begun after so many minutes")
    options = parser.parse_args(arguments)
    path = options.data / "airline_agent.events.jsonl.gz"
    if not path.exists():
        print(f"not there: {path}", file=sys.stderr)
        return 2
    if options.base_url and options.model:
        key = os.environ.get("OPENAI_API_KEY")
        _ask(path, OpenAIChat(options.model, api_key=key, base_url=options.base_url, policy=PATIENT), options)
        return 0
    model = next((model for model in SMALL_MODELS if model.name == options.small), None)
    if model is None or not model.installed:
        print("say --small NAME of an installed model, or --base-url and --model", file=sys.stderr)
        return 2
    options.text_tokens = options.text_tokens or model.text_tokens
    with tempfile.TemporaryDirectory() as folder, served(model, Path(folder)) as server:
        _ask(path, OpenAIChat(model.name, base_url=server.url, policy=PATIENT), options)
    return 0


def _ask(path: Path, chat: ChatModel, options: argparse.Namespace) -> None:
    probe_chat(chat)
    items = list(read_items(path))
    short = {item.trace_id: item.text for item in read_items(path, RenderOptions(max_tokens=options.text_tokens))}
    verdicts = judged(items)
    ends = time.monotonic() + 60 * options.minutes
    for theme in OPTIONAL:
        if theme.rule is None:
            continue
        by_rule = {item.trace_id: verdicts[item.trace_id, theme.rule].relevant for item in items}
        taken = [trace_id for trace_id, is_taken in by_rule.items() if is_taken][: options.taken]
        left = [trace_id for trace_id, is_taken in by_rule.items() if not is_taken][: options.left]
        _ask_theme(theme, chat, {trace_id: short[trace_id] for trace_id in (*taken, *left)}, by_rule, ends)


def _ask_theme(theme: Theme, chat: ChatModel, texts: dict[str, str], by_rule: dict[str, bool], ends: float) -> None:
    print(f"\n{theme.theme_id}", flush=True)
    used: list[Usage] = []
    started = time.monotonic()
    for result in summarise(
        [TextItem(trace_id, text) for trace_id, text in texts.items()],
        chat,
        theme_id=theme.theme_id,
        prompt=theme.prompt,
        mode=theme.mode,
        judged=theme.judged,
        concurrency=1,
        record=lambda _item_id, usage: used.append(usage),
        time_is_up=lambda: time.monotonic() > ends,
    ):
        said = f"relevant: {result.title}" if result.relevant else "not relevant"
        refs = f"; {len(result.bullets)} bullets, {result.refs_valid} of {result.refs_total} references true"
        told = said + (refs if result.relevant else "") if result.status == "generated" else result.error
        rule = "taken" if by_rule[result.item_id] else "left"
        print(
            f"  {result.item_id}, {rule} by the rule: {result.status}, {told} "
            f"({time.monotonic() - started:.0f} s, {len(used)} calls)",
            flush=True,
        )
        started = time.monotonic()
        used.clear()


if __name__ == "__main__":
    sys.exit(main())
