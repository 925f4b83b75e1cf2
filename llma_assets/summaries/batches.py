"""Summaries through OpenAI's Batch API: asked today, answered within a day, at half the price.

This module decides which question goes into which batch, so that no question is paid for twice:

- A row is stored before its batch is created, and the batch carries the row's key. The key tells whether a killed
  process created the batch or not.
- A question in an open batch is not asked again, neither by another batch nor by a call.
- A batch is closed after all its answers are stored. Until then it is read again, with the same result.

Prompts and the checks of answers belong in `task`, files and HTTP in `models.openai_batch`, stored summaries in
`theme_run`.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ledger import UsageLedger, release_hold
from llma_assets.models import (
    AnsweredChat,
    BatchAnswer,
    BatchState,
    ModelConfigurationError,
    ModelError,
    ModelHealth,
    ModelUnavailable,
    OpenAIBatches,
    OpenAIChat,
    failed_usage,
)
from llma_assets.summaries.batch_rows import STAGE, BatchRow, BatchRows
from llma_assets.summaries.batch_submission import BatchSubmission, Texts
from llma_assets.summaries.task import SummaryResult, SummaryTask, TextItem
from llma_assets.summaries.triage import FailureTriage
from llma_assets.team_day import TeamDay

Via = Literal["calls", "batch"]
"""How new questions are asked: each by a call, or by batches. Answers of open batches are read in both cases."""

WAITING = "batch_waiting"
"""Reason of questions that are in an open batch and have no answer yet."""

GRACE = timedelta(minutes=2)
"""After this time a batch that is not in the server's list was never created."""

ANSWERS_AT_ONCE = 50
_NOT_PROCESSED = {"batch_expired", "batch_cancelled", "rate_limited"}
"""Errors of requests that the server did not process: they cost nothing, and are asked again."""

_CALLS = uuid.UUID("4f0c7a0e-6f0d-5d0b-9d4e-2f5a8a1f7c55")

Ask = Callable[[Sequence[str]], Iterator[SummaryResult]]
"""Asks about items by ordinary calls, by id."""


class _BatchMissing(Exception):
    """The server has no such batch; the message is the reason that is stored."""


class ThemeBatches:
    """The batches of one theme of a partition at one server. Not thread-safe."""

    def __init__(
        self,
        database: Database,
        team_day: TeamDay,
        task: SummaryTask,
        chat: OpenAIChat,
        questions: Mapping[str, Sequence[str]],
        texts: Texts,
        *,
        limit_usd: float | None = None,
        theme_limit_usd: float | None = None,
        health: ModelHealth | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """
        Args:
            task: the prompt, and the checks of an answer.
            questions: ids of the items that need an answer, by question hash.
            limit_usd: the team's budget for a day, None for no limit.
            theme_limit_usd: the theme's own budget, within the team's.
            health: what the model has answered so far in the run; None for nothing yet.
        """
        self._database = database
        self._team_day = team_day
        self._task = task
        self._chat = chat
        self._questions = questions
        self._texts = texts
        self._clock = clock
        self._health = health or ModelHealth()
        self._batches = OpenAIBatches(chat.server)
        self._rows = BatchRows(database, team_day, task.theme_id, chat.server.host)
        self._open = {row.batch_key: row for row in self._rows.open()}
        self._submission = BatchSubmission(
            database,
            team_day,
            task,
            chat,
            questions,
            texts,
            self._batches,
            self._rows,
            self._open,
            clock,
            limit_usd,
            theme_limit_usd,
            known=set(self._open),
        )
        self._settled: set[str] = set()
        self._read: list[tuple[BatchRow, BatchState | None, str]] = []
        self._blocked_by = ""
        self.counts: Counter[str] = Counter()

    @property
    def in_flight(self) -> set[str]:
        """Questions that are in an open batch."""
        return {question for row in self._open.values() for question in row.questions} & self._questions.keys()

    def results(
        self, by_calls: Callable[[Sequence[str]], Iterator[SummaryResult]], via: Via
    ) -> Generator[SummaryResult]:
        """Read the answers of open batches, and ask the questions that are in none.

        One question of each submission is asked by a call, so that a wrong key, model or format costs one call and not
        a batch.

        Raises:
            NothingUsable: no answer is usable. If the answers came from batches, these stay open.
            ModelConfigurationError: see `summarise`; or the server does not support batches.
        """
        triage = FailureTriage(self._task, self._health)
        for result in self._collect():
            yield from triage.admit(result)
        yield from triage.resolve(lambda: False)
        free = self._unasked()
        if via == "calls":
            yield from by_calls([self._questions[question][0] for question in free])
        else:
            if free and not self._blocked_by:
                yield from self._ask_one(by_calls, free[0])
                if len(free) > 1 and not self._blocked_by:
                    yield from self._submit(free[1:])
            for question in self._unasked():
                yield self._deferred(question, self._blocked_by or "not_in_a_batch")
        for question in self.in_flight:
            yield self._deferred(question, WAITING)

    def close(self) -> None:
        """Close the batches that have ended; call it after all their results are stored."""
        for row, state, reason in self._read:
            self._rows.write(row, "closed", reason)
            if not any(other.group_id == row.group_id for other in self._open.values()):
                release_hold(self._database, self._team_day, row.group_id)
            if state is not None:
                try:
                    self._batches.delete_files(state)
                except ModelError:
                    self.counts["batch_files_left"] += 1  # the server deletes them later
        self._read.clear()
        self._batches.close()

    def _unasked(self) -> list[str]:
        when_idle = self._settled | self.in_flight
        return [question for question in self._questions if question not in when_idle]

    def _ask_one(self, by_calls: Ask, question: str) -> Iterator[SummaryResult]:
        for result in by_calls([self._questions[question][0]]):
            self._settled.add(question)
            if result.status == "undone":
                self._blocked_by = result.error
            yield result

    def _collect(self) -> Iterator[SummaryResult]:
        """The results of batches that have ended. While the server does not answer they are deferred."""
        for row in list(self._open.values()):
            try:
                state = self._state_of(row)
                if state is None or not state.ended:
                    continue
                yield from self._answers(row, state)
            except _BatchMissing as gone:
                state, reason = None, str(gone)
            except ModelUnavailable as error:
                self._blocked_by = error.kind
                continue
            else:
                reason = state.status
                if state.status == "failed":
                    reason = self._blocked_by = f"batch_{state.errors[0] if state.errors else 'failed'}"
            del self._open[row.batch_key]
            self._read.append((row, state, reason))

    def _state_of(self, row: BatchRow) -> BatchState | None:
        """The state of a row's batch; None while it is not certain that the batch exists."""
        if row.batch_id:
            state = self._batches.state(row.batch_id)
            if state is None:
                raise _BatchMissing("not_found")
            return state
        state = self._batches.find(str(row.batch_key))
        if state is not None:
            self._open[row.batch_key] = replace(row, batch_id=state.batch_id)
            self._rows.write(self._open[row.batch_key], "submitted", "found")
        elif self._clock() - row.intended_at > GRACE:
            raise _BatchMissing("never_made")
        return state

    def _answers(self, row: BatchRow, state: BatchState) -> Iterator[SummaryResult]:
        """One result for each answered question, even if the files hold an answer twice or foreign lines."""
        expected, seen = set(row.questions), set[str]()
        with UsageLedger(self._database, self._team_day, stage=STAGE, theme_id=self._task.theme_id) as ledger:
            for lines in chunked(self._batches.answers(state), ANSWERS_AT_ONCE):
                answers: dict[str, BatchAnswer] = {}
                for line in lines:
                    if line is None or line.custom_id not in expected or line.custom_id in seen:
                        self.counts["batch_lines_ignored"] += 1
                    else:
                        seen.add(line.custom_id)
                        answers[line.custom_id] = line
                yield from self._results_of(row, state, answers, ledger)
                ledger.flush()
        if state.status == "completed":
            lost = {question: BatchAnswer(question, error=_missing_answer()) for question in expected - seen}
            for some in chunked(lost, ANSWERS_AT_ONCE):
                yield from self._results_of(row, state, {question: lost[question] for question in some}, None)

    def _results_of(
        self, row: BatchRow, state: BatchState, answers: Mapping[str, BatchAnswer], ledger: UsageLedger | None
    ) -> Iterator[SummaryResult]:
        made = {question: answer for question, answer in answers.items() if not _was_not_processed(answer.error)}
        wanted = {self._questions[question][0]: question for question in made if question in self._questions}
        items = {wanted[item.item_id]: item for item in self._texts(wanted)}
        # The price is that of the model that was asked, which may differ from the present one.
        asked = self._chat if row.model == self._chat.name else OpenAIChat(row.model, server=self._chat.server)
        for question, answer in made.items():
            # The text has changed or was deleted: the answer was paid for, and cannot be used.
            item = items.get(question, TextItem("", "L1: gone"))

            def record(item_id: str, usage: Any, question: str = question) -> None:
                if ledger is not None:
                    call_id = uuid.uuid5(_CALLS, f"{state.batch_id}/{question}")
                    usage = replace(usage, at=row.intended_at, asked_model=row.model)
                    ledger.record(item_id, usage, call_id=call_id)

            task = replace(self._task, chat=AnsweredChat(asked, answer), record=record)
            if answer.error is not None:
                record(item.item_id, failed_usage(asked.name, answer.error.kind, 0.0))
            result = task.attempt(item)
            if question in items and question not in self._settled:
                self._settled.add(question)
                yield result

    def _submit(self, questions: Sequence[str]) -> Iterator[SummaryResult]:
        """Submit the questions; yields results of items without text."""
        yield from self._submission.submit(questions)
        self.counts["batches_submitted"] += self._submission.submitted
        self._settled |= self._submission.when_idle
        self._blocked_by = self._submission.blocked_by or self._blocked_by

    def _deferred(self, question: str, reason: str) -> SummaryResult:
        return self._task.deferred(TextItem(self._questions[question][0], ""), reason)


def _missing_answer() -> ModelUnavailable:
    return ModelUnavailable("the batch is complete, but has no answer to this question", kind="no_answer")


def _was_not_processed(error: ModelError | None) -> bool:
    """Whether the request can be made again without cost; an error that all requests share is no fault of one item."""
    return error is not None and (error.kind in _NOT_PROCESSED or isinstance(error, ModelConfigurationError))
