"""How a chat model fares with a busy or a dead server: `python -m benchmarks.busy_server`.

A real local server answers so many requests a second, counted as OpenAI counts them, and refuses the others. The same
number of questions is asked by callers that share one model object, and by callers with one each, which learn nothing
from each other. Then a server that never answers, and one that is away for some seconds. Writes nothing.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from pydantic import BaseModel

from llma_assets.models import ChatMessage, ModelError, OpenAIChat, RetryPolicy
from llma_assets.summaries import TextItem, summarise
from llma_assets.testing import ChatServer, Fault, Hang, Quota, Request, Status

PATIENT = RetryPolicy(attempts=8, deadline_s=60.0, first_delay_s=0.05)
REQUESTS_A_SECOND = 20


class Ready(BaseModel):
    """What is asked for."""

    ready: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args(arguments)
    print(f"{options.questions} questions, {REQUESTS_A_SECOND} answers a second at most")
    best_s = max(0.0, options.questions / REQUESTS_A_SECOND - 1)
    print(f"{'callers':<8}{'latency':>8}  {'the server tells':<35}{'learn':<12}{'answered':>8}{'refused':>8}{'s':>6}")
    for (callers, latency_s), tells, retry_after in product(((8, 0.0), (16, 0.2)), (True, False), (True, False)):
        for together in (True, False):
            quota = Quota(REQUESTS_A_SECOND, 1.0, tells=tells, retry_after=retry_after)
            answered, took_s = _ask(quota, options.questions, callers, latency_s, together)
            told = " and ".join(["what is left"] * tells + ["how long to wait"] * retry_after) or "nothing"
            learn = "together" if together else "each alone"
            print(f"{callers:<8}{latency_s:>8.1f}  {told:<35}{learn:<12}{answered:>8}{quota.refused:>8}{took_s:>6.1f}")
    print(f"(no client can be faster than {best_s:.1f} s)\n")
    print(f"{'1,000 items, 5 at once':<46}{'requests':>9}{'done':>7}{'failed':>7}{'undone':>7}{'seconds':>9}")
    _outages()
    return 0


def _ask(quota: Quota, questions: int, callers: int, latency_s: float, together: bool) -> tuple[int, float]:
    """Questions answered, and wall time in seconds."""
    with ChatServer(quota=quota, latency_s=latency_s) as server:
        chats = [OpenAIChat("m", base_url=server.url, policy=PATIENT) for _ in range(1 if together else callers)]
        for chat in chats:
            chat.server.client()  # loading the library is not what is measured
        started = time.perf_counter()
        with ThreadPoolExecutor(callers) as pool:
            answered = sum(pool.map(lambda number: _is_answered(chats[number % len(chats)]), range(questions)))
        return answered, time.perf_counter() - started


def _is_answered(chat: OpenAIChat) -> bool:
    prompt = (ChatMessage("user", "Is it ready?"),)
    try:
        chat.complete(prompt, Ready, offline=lambda: Ready(ready=True))
    except ModelError:
        return False
    return True


def _outages() -> None:
    """Summaries while the server is away: for good, silently, for three seconds, or for some prompts alone."""
    policy = RetryPolicy(attempts=4, deadline_s=4.0, attempt_timeout_s=1.0, first_delay_s=0.1, cool_down_s=5.0)
    began = time.perf_counter()

    def away_for_a_while(_: Request) -> Fault:
        return Status(503) if time.perf_counter() - began < 3.0 else None

    def one_in_a_hundred(request: Request) -> Fault:
        return Status(500) if "00 of" in request.prompt else None

    for name, server in (
        ("answers 500 to everything", ChatServer(always=Status(500))),
        ("takes every request and never answers", ChatServer(always=Hang())),
        ("is away for the first three seconds", ChatServer(judge=away_for_a_while)),
        ("fails on one prompt in a hundred", ChatServer(judge=one_in_a_hundred)),
    ):
        with server:
            chat = OpenAIChat("m", base_url=server.url, policy=policy)
            chat.server.client()
            began = time.perf_counter()
            counts = Counter(
                result.status for result in summarise(_items(1_000), chat, theme_id="t", prompt="p", record=_ignore)
            )
            took_s = time.perf_counter() - began
            undone = 1_000 - counts["generated"] - counts["failed"]
            print(
                f"{name:<46}{len(server.calls()):>9,}{counts['generated']:>7}{counts['failed']:>7}{undone:>7}{took_s:>9.1f}"
            )


def _items(count: int) -> Iterator[TextItem]:
    for number in range(count):
        yield TextItem(str(number), f"L1: [1] USER\nL2: \nL3: question {number:04d} of a thousand about flights")


def _ignore(item_id: str, usage: object) -> None:
    """Nobody looks at what these calls cost."""


if __name__ == "__main__":
    sys.exit(main())
