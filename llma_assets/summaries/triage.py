"""Holds failures back while the model has given no usable answer, until a sample tells the cause.

The model's record over a run belongs in `models.health`, the checks of an answer in `task`.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from llma_assets.models import FAILURES_IN_A_ROW, ModelHealth, ModelUnavailable
from llma_assets.summaries.task import EMPTY_TEXT, SummaryResult, SummaryTask

TIME_IS_UP = "run_deadline"


class FailureTriage:
    """Passes on the results of one theme, or holds them back. Not thread-safe."""

    def __init__(self, task: SummaryTask, health: ModelHealth) -> None:
        self._task = task
        self._health = health
        self._held_back: list[SummaryResult] = []

    @property
    def is_trusted(self) -> bool:
        """Whether the model has given something usable for the theme."""
        return self._health.is_trusted(self._task.chat.name, self._task.theme_id)

    @property
    def needs_sample(self) -> bool:
        """Whether so many items have failed that the sample must be asked first."""
        return len(self._held_back) >= FAILURES_IN_A_ROW

    def admit(self, result: SummaryResult) -> Iterator[SummaryResult]:
        """The result; a failure that may be the model's is held back, and passed on with the first success."""
        key = (self._task.chat.name, self._task.theme_id)
        if result.status == "generated":
            self._health.accept(*key)
            yield from self._release()
        elif result.status == "failed" and result.error != EMPTY_TEXT and not self.is_trusted:
            self._held_back.append(result)
            return
        yield result

    def resolve(self, time_is_up: Callable[[], bool]) -> Generator[SummaryResult, None, bool]:
        """Ask the sample, and pass on what was held back: as failures of the items if the sample's answer is usable.

        Returns:
            whether further items should be asked about.

        Raises:
            NothingUsable: the answer about the sample is not usable either.
        """
        if not self._held_back:
            return True
        if time_is_up():
            yield from self._deferred(TIME_IS_UP)
            return False
        try:
            flaw = self._task.error_on_sample()
        except ModelUnavailable as error:
            yield from self._deferred(error.kind)
            return False
        name, theme_id = self._task.chat.name, self._task.theme_id
        if flaw is not None:
            raise self._health.fault(name, theme_id, len(self._held_back), flaw)
        self._health.accept(name, theme_id)
        yield from self._release()
        return True

    def _release(self) -> Iterator[SummaryResult]:
        held_back, self._held_back = self._held_back, []
        yield from held_back

    def _deferred(self, reason: str) -> Iterator[SummaryResult]:
        yield from (replace(result, status="undone", error=reason) for result in self._release())
