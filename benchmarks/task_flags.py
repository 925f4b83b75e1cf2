"""How good are the keyword flags, and a model's judgement instead? `python -m benchmarks.task_flags`.

Measures the given keywords on the sentences of `benchmarks.replays.sentences`, flag by flag: precision (of the
sentences that have the flag, how many should) and recall (of those that should, how many have it). With `--base-url`
and `--model` the label call judges each sentence, too: is there something that the makers could fix or ease? That
judgement has no flags, so it is measured on all sentences as problem or harmless, beside "any keyword". The offline
model judges nothing: without a server the keywords are all there is. Prints Markdown.
"""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks.replays import sentences, sentences_unseen
from llma_assets.models import ChatModel, OpenAIChat
from llma_assets.tasks import flags_of, is_problem, model_opinion

Verdict = Callable[[str], bool]
WIDTH = 5
"""Questions at once."""


def main(argv: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", help="an OpenAI-compatible server; its key is read from OPENAI_API_KEY")
    parser.add_argument("--model", help="the model to ask")
    parser.add_argument("--unseen", action="store_true", help="sentences that the rules of wording were not made by")
    options = parser.parse_args(argv)
    flagged = (sentences_unseen if options.unseen else sentences).FLAGGED
    print("| flag | sentences, true | not | precision | recall | wrongly flagged | missed |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for flag, (true, false) in flagged.items():
        print(_row(flag, true, false, partial(_has, flag)))
    problems = [text for true, _ in flagged.values() for text in true]
    harmless = [text for _, false in flagged.values() for text in false]
    print(_row("any", problems, harmless, lambda text: flags_of(text).impact > 0))
    print(_row("told in any words", problems, harmless, is_problem))
    if not (options.base_url and options.model):
        print("\nNo model was asked: give --base-url and --model. The offline model does not judge.")
        return
    chat = OpenAIChat(options.model, base_url=options.base_url, api_key=os.environ.get("OPENAI_API_KEY"))
    verdicts = _ask_model(chat, [*problems, *harmless])
    print(_row(f"judged by {options.model}", problems, harmless, lambda text: verdicts[text]))


def _has(flag: str, text: str) -> bool:
    return bool(getattr(flags_of(text), flag))


def _ask_model(chat: ChatModel, texts: Sequence[str]) -> dict[str, bool]:
    with ThreadPoolExecutor(WIDTH) as pool:
        return dict(zip(texts, pool.map(lambda text: model_opinion(chat, [text]).actionable, texts), strict=True))


def _row(name: str, true: Iterable[str], false: Iterable[str], verdict: Verdict) -> str:
    hits, misses = _counts(map(verdict, true))
    alarms, passes = _counts(map(verdict, false))
    precision = f"{hits / (hits + alarms):.2f}" if hits + alarms else "-"
    return (
        f"| {name} | {hits + misses} | {alarms + passes} | {precision} | {hits / (hits + misses):.2f} | {alarms} "
        f"| {misses} |"
    )


def _counts(verdicts: Iterable[bool]) -> tuple[int, int]:
    found = list(verdicts)
    return sum(found), len(found) - sum(found)


if __name__ == "__main__":
    main()
