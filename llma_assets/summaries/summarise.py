"""Summarises many items with bounded concurrency, and finds out whether a failure is the item's or the server's.

One item belongs in `task`; retries, pauses and the circuit breaker in `models`; storing in `result_writer`.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import chain
from queue import SimpleQueue

from llma_assets.models import (
    CallNotMade,
    ChatModel,
    ModelConfigurationError,
    ModelHealth,
    ModelUnavailable,
    Usage,
)
from llma_assets.summaries.schema import Mode, TraceSummary
from llma_assets.summaries.task import SummaryResult, SummaryTask, TextItem, reason_of
from llma_assets.summaries.triage import TIME_IS_UP, FailureTriage

CIRCUIT_OPEN = "circuit_open"
FIRST_CALLS = 5
"""Concurrent calls at most, until the first usable answer."""

GRACE_S = 5.0
"""An interrupted run waits this long for the answers of calls under way, because they are paid for."""

_SERVER_BUSY = {"rate_limited", "busy"}
"""Kinds of `ModelUnavailable` that say nothing about the item."""


def _never() -> bool:
    return False


def summarise(
    items: Iterable[TextItem],
    chat: ChatModel,
    *,
    theme_id: str,
    prompt: str,
    mode: Mode = "detailed",
    concurrency: int = 5,
    record: Callable[[str, Usage], None],
    time_is_up: Callable[[], bool] = _never,
    judged: bool = False,
    offline: Callable[[TextItem], TraceSummary] | None = None,
    health: ModelHealth | None = None,
) -> Generator[SummaryResult]:
    """Summarise each item, and yield each result as soon as it is final.

    Items are read from `items` in the caller's thread, at most `concurrency` ahead. Once time is up, or a call is not
    made, no more items are read; they have no result and are deferred, too.

    If an error or an interrupt ends the work early, results that come within `GRACE_S` are yielded first; see
    `remaining_results` for a caller that is interrupted itself.

    Args:
        concurrency: concurrent calls at most; the offline model works in the caller's thread.
        record: gets the item's id and the usage of each call, from several threads; the id is "" for a health check.
        time_is_up: whether the run's deadline has passed; checked before each item.
        judged: ask for the item's relevance first.
        offline: gives the offline answer, a `JudgedSummary` if `judged`; None for `extract_summary`.
        health: what the model has answered so far in the run; None for nothing yet.

    Raises:
        NothingUsable: no answer of the model is usable, for the sample neither; no item counts as failed.
        ModelConfigurationError: no call can succeed; the results of calls under way are yielded first.
    """
    if concurrency < 1:
        raise ValueError(f"concurrency must be at least 1, got {concurrency}")
    task = SummaryTask(chat, theme_id, prompt, mode, record, judged, offline)
    if chat.name.startswith("offline/"):
        return _one_by_one(items, task, time_is_up)
    return _several_at_once(items, task, concurrency, time_is_up, health or ModelHealth())


def _one_by_one(
    items: Iterable[TextItem], task: SummaryTask, time_is_up: Callable[[], bool]
) -> Generator[SummaryResult]:
    for item in items:
        if time_is_up():
            yield task.deferred(item, TIME_IS_UP)
            return
        yield task.attempt(item)


def _several_at_once(
    items: Iterable[TextItem],
    task: SummaryTask,
    concurrency: int,
    time_is_up: Callable[[], bool],
    health: ModelHealth,
) -> Generator[SummaryResult]:
    """Keep calls under way until there are no more items, time is up, or the model makes no further calls."""
    health.raise_known_fault(task.chat.name, task.theme_id)
    calls = _Calls(iter(items), task, concurrency, time_is_up, health)
    try:
        while True:
            yield from calls.begin()
            if not calls.running:
                yield from calls.when_idle()
                if not calls.may_begin:
                    break
                continue
            yield from calls.results(calls.ended.get())
    except GeneratorExit:
        raise
    except BaseException:
        yield from calls.remaining()
        raise
    finally:
        calls.pool.shutdown(wait=False, cancel_futures=True)


def remaining_results(results: Generator[SummaryResult], error: BaseException) -> Iterator[SummaryResult]:
    """The results that `results` still yields after `error` interrupted its consumer."""
    try:
        yield results.throw(error)
        yield from results
    except StopIteration:
        return
    except BaseException as raised:
        if raised is not error:
            raise


class _Calls:
    """The calls under way, and the items whose failure has no known cause yet.

    When a call fails, the cause may be the server or the prompt. The item is asked about again after all others, if the
    server answers a health check by then. If the second call fails, too, while the server answers others, the cause is
    the prompt and the item fails.

    Until the first usable answer all failures are held back; see `triage`.
    """

    def __init__(
        self,
        waiting: Iterator[TextItem],
        task: SummaryTask,
        concurrency: int,
        time_is_up: Callable[[], bool],
        health: ModelHealth,
    ) -> None:
        self.pool = ThreadPoolExecutor(concurrency, thread_name_prefix="summaries")
        self.running: dict[Future[SummaryResult], TextItem] = {}
        self.ended: SimpleQueue[Future[SummaryResult]] = SimpleQueue()
        self.may_begin = True
        self._waiting = waiting
        self._task = task
        self._concurrency = concurrency
        self._time_is_up = time_is_up
        self._stop: ModelConfigurationError | None = None
        self._to_retry: dict[str, tuple[TextItem, str]] = {}
        self._asked_again: set[str] = set()
        self._doubts: list[tuple[TextItem, str]] = []
        self._triage = FailureTriage(task, health)

    def begin(self) -> Iterator[SummaryResult]:
        """Start as many calls as allowed; an item after the deadline is deferred."""
        most = self._concurrency if self._triage.is_trusted else min(self._concurrency, FIRST_CALLS)
        while self.may_begin and len(self.running) < most:
            item = next(self._waiting, None)
            if item is None:
                self.may_begin = False
            elif self._time_is_up():
                self.may_begin = False
                yield self._task.deferred(item, TIME_IS_UP)
            else:
                future = self.pool.submit(self._task.attempt, item)
                self.running[future] = item
                future.add_done_callback(self.ended.put)

    def results(self, future: Future[SummaryResult]) -> Iterator[SummaryResult]:
        """The results that are final once this call has ended."""
        item = self.running.pop(future)
        try:
            result = future.result()
        except ModelConfigurationError as error:
            self.may_begin, self._stop = False, error
        except CallNotMade as error:
            self.may_begin = False
            if error.kind == CIRCUIT_OPEN:
                self._to_retry[item.item_id] = (item, CIRCUIT_OPEN)
            else:
                yield self._task.deferred(item, error.kind)
        except ModelUnavailable as error:
            if error.kind in _SERVER_BUSY:
                yield self._task.deferred(item, error.kind)
            elif item.item_id in self._asked_again:
                self._doubts.append((item, reason_of(error)))
            else:
                self._to_retry[item.item_id] = (item, reason_of(error))
                self._asked_again.add(item.item_id)
        else:
            yield from self._triage.admit(result)
            yield from self._settle_doubts(self._task.failed)
            self.may_begin = self.may_begin and not self._triage.needs_sample

    def remaining(self) -> Iterator[SummaryResult]:
        """The results of calls under way that end within `GRACE_S`; no further call is started."""
        self.may_begin = False
        for future in wait(self.running, timeout=GRACE_S).done:
            if not future.cancelled() and future.exception() is None:
                yield from self._triage.admit(future.result())

    def when_idle(self) -> Iterator[SummaryResult]:
        """The results that are final once no call is under way.

        Raises:
            ModelConfigurationError: a call found that no call can succeed.
        """
        if self._stop is not None:
            raise self._stop
        if self._triage.needs_sample:
            self.may_begin = yield from self._triage.resolve(self._time_is_up)
            return
        tried = self._doubts or any(item_id in self._asked_again for item_id in self._to_retry)
        if tried and not self._time_is_up() and self._task.server_answers():
            yield from self._settle_doubts(self._task.failed)
            self._waiting = chain([item for item, _ in self._to_retry.values()], self._waiting)
            self._to_retry, self.may_begin = {}, True
            return
        yield from self._triage.resolve(self._time_is_up)
        self._doubts += self._to_retry.values()
        yield from self._settle_doubts(self._task.deferred)

    def _settle_doubts(self, resolve: Callable[[TextItem, str], SummaryResult]) -> Iterator[SummaryResult]:
        doubts, self._doubts = self._doubts, []
        for item, reason in doubts:
            yield from self._triage.admit(resolve(item, reason))
