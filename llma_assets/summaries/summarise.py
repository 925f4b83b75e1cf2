"""Summaries of many texts: bounded concurrency, one failure costs one item, a dead server is not asked on.

What is asked stands in `prompt`, what an answer must be in `schema`; storing belongs to `assets`.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Literal

from llma_assets.models import (
    ChatModel,
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    Usage,
)
from llma_assets.summaries.extractive import extract_summary
from llma_assets.summaries.line_refs import LineNumbers
from llma_assets.summaries.prompt import content_hash, summary_messages
from llma_assets.summaries.schema import Mode, Point, TraceSummary, mend

SERVER_DOWN = "server unavailable"


@dataclass(frozen=True, slots=True)
class TextItem:
    """The numbered text of a trace or a generation."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class SummaryResult:
    """What became of one item.

    Attributes:
        content_hash: of the text and everything else that the summary depends on.
        status: `generated`, or `failed` with the reason in `error` and nothing in the fields after `mode`.
        refs_total: line references that the model gave.
        refs_valid: those of them that point at lines of the text; the others were dropped.
    """

    item_id: str
    content_hash: str
    status: Literal["generated", "failed"]
    error: str
    model: str
    mode: Mode
    title: str = ""
    flow_diagram: str = ""
    bullets: tuple[Point, ...] = ()
    interesting_notes: tuple[Point, ...] = ()
    refs_total: int = 0
    refs_valid: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    """How each item is summarised: the arguments that are the same for all."""

    chat: ChatModel
    theme_id: str
    prompt: str
    mode: Mode
    record: Callable[[str, Usage], None]

    def attempt(self, item: TextItem) -> SummaryResult:
        """Ask the model; what is wrong with this item alone gives a failed result.

        Raises:
            ModelConfigurationError, ModelUnavailable: other items would fail too.
        """
        if not item.text.strip():
            return self.failed(item, "empty text")
        try:
            return self._generate(item)
        except InvalidAnswer as error:
            return self.failed(item, _reason(error))

    def _generate(self, item: TextItem) -> SummaryResult:
        fingerprint = self._hash(item)
        completion = self.chat.complete(
            summary_messages(item.text, prompt=self.prompt, mode=self.mode, fence=fingerprint[:20]),
            TraceSummary,
            offline=partial(extract_summary, item.text, self.mode),
            record=partial(self.record, item.item_id),
        )
        summary = mend(completion.value, LineNumbers.of(item.text), self.mode)
        return SummaryResult(
            item.item_id,
            fingerprint,
            "generated",
            "",
            completion.model,
            self.mode,
            summary.title,
            summary.flow_diagram,
            summary.bullets,
            summary.interesting_notes,
            summary.refs_total,
            summary.refs_valid,
        )

    def failed(self, item: TextItem, error: str) -> SummaryResult:
        """The result of an item that has no summary."""
        return SummaryResult(item.item_id, self._hash(item), "failed", error, self.chat.name, self.mode)

    def _hash(self, item: TextItem) -> str:
        return content_hash(item.text, theme_id=self.theme_id, prompt=self.prompt, model=self.chat.name, mode=self.mode)


def summarise(
    items: Iterable[TextItem],
    chat: ChatModel,
    *,
    theme_id: str,
    prompt: str,
    mode: Mode = "detailed",
    concurrency: int = 5,
    record: Callable[[str, Usage], None],
) -> Iterator[SummaryResult]:
    """Summarise each item, and yield each result as soon as it is there, so that it can be stored.

    Items are drawn from `items` in the caller's thread, `concurrency` ahead at most.

    Args:
        concurrency: calls under way at once; the offline model works in the caller's thread.
        record: gets the item's id and the usage of each call; from several threads.

    Raises:
        ModelConfigurationError: after the results of the calls that were under way.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency is {concurrency}; at least 1 is needed")
    task = _Task(chat, theme_id, prompt, mode, record)
    if chat.name.startswith("offline/"):
        return _one_by_one(items, task)
    return _several_at_once(items, task, concurrency)


def _one_by_one(items: Iterable[TextItem], task: _Task) -> Iterator[SummaryResult]:
    for item in items:
        yield task.attempt(item)


def _several_at_once(items: Iterable[TextItem], task: _Task, concurrency: int) -> Iterator[SummaryResult]:
    """Keep calls under way; each failure in a row allows one call less, and as many as the limit end it all.

    So a server that is down is found out by one round of calls, not by one a trace.
    """
    waiting = iter(items)
    limit = max(concurrency, 3)  # a single caller gives up after three in a row
    in_a_row = 0
    running: list[tuple[TextItem, Future[SummaryResult]]] = []
    stop: ModelConfigurationError | None = None
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="summaries")
    try:
        while True:
            free = 0 if stop or in_a_row >= limit else max(1, concurrency - in_a_row) - len(running)
            running += [(item, pool.submit(task.attempt, item)) for item in islice(waiting, max(0, free))]
            if not running:
                break
            wait([future for _, future in running], return_when=FIRST_COMPLETED)
            for item, future in [pair for pair in running if pair[1].done()]:
                running.remove((item, future))
                try:
                    result = future.result()
                    in_a_row = 0
                except ModelConfigurationError as error:
                    stop = error
                    continue
                except ModelUnavailable as error:
                    result = task.failed(item, _reason(error))
                    in_a_row += 1
                yield result
        if stop is not None:
            raise stop
        for item in waiting:
            yield task.failed(item, SERVER_DOWN)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _reason(error: ModelError) -> str:
    return f"{error.kind}: {error}"
