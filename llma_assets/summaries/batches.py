"""Summaries through OpenAI's Batch API: asked today, answered within a day, at half the price.

What is asked, and how an answer is judged, is as in `summarise`; files and batches are `models.openai_batch`'s; whose
rows the results become is said in `storing`. Here stands which question is in which batch, so that none is paid twice:

- a row is stored before its batch is made, and the batch carries the row's key: what a killed process left behind is
  found by it, or found not to be there;
- a question in an open batch is not asked again, neither by another batch nor by a call;
- a batch is closed after all that it brought is stored; until then it is read again, with the same result.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ledger import DailyBudget, UsageLedger, release_hold
from llma_assets.models import (
    BUDGET,
    AnsweredChat,
    BatchAnswer,
    BatchState,
    BudgetExhausted,
    ModelConfigurationError,
    ModelError,
    ModelHealth,
    ModelUnavailable,
    OpenAIBatches,
    OpenAIChat,
    RequestFile,
    failed_usage,
    most_usd_of_chat,
    request_files,
)
from llma_assets.summaries.batch_rows import BatchRow, BatchRows
from llma_assets.summaries.task import SummaryResult, SummaryTask, TextItem
from llma_assets.summaries.triage import FailureTriage
from llma_assets.team_day import TeamDay

Via = Literal["calls", "batch"]
"""How new questions are asked: each by a call, or by batches. What open batches bring is taken in any case."""

WAITING = "batch_waiting"
"""Why a question has no answer yet that is in an open batch."""

STAGE = "trace_summaries"
GRACE = timedelta(minutes=2)
"""So long after it was asked for, a batch may still turn up in the server's list."""

ANSWERS_AT_ONCE = 50
_NOT_PROCESSED = {"batch_expired", "batch_cancelled", "rate_limited"}
"""Why a request was not made, through no fault of its own and for no money."""

_CALLS = uuid.UUID("4f0c7a0e-6f0d-5d0b-9d4e-2f5a8a1f7c55")

Texts = Callable[[Iterable[str]], Iterator[TextItem]]
"""The stored texts of items, by id; those that are gone are left out."""

Ask = Callable[[Sequence[str]], Iterator[SummaryResult]]
"""Asks about items by ordinary calls, by id."""


class _BatchMissing(Exception):
    """There is no such batch at the server; the message is the reason that is stored."""


class ThemeBatches:
    """The batches of one theme of a team's day at one server. For one thread."""

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
            task: what is asked of each item, and how an answer is judged.
            questions: ids of the items by question, for those that wait for an answer.
            limit_usd: the team's budget for a day, None for no limit.
            theme_limit_usd: the theme's own, within it.
            evidence: what the model has given so far in the run; None for nothing yet.
        """
        self._database = database
        self._team_day = team_day
        self._task = task
        self._chat = chat
        self._questions = questions
        self._texts = texts
        self._limit_usd = limit_usd
        self._theme_limit_usd = theme_limit_usd
        self._clock = clock
        self._health = health or ModelHealth()
        self._batches = OpenAIBatches(chat.server)
        self._rows = BatchRows(database, team_day, task.theme_id, chat.server.host)
        self._open = {row.batch_key: row for row in self._rows.open()}
        self._known = set(self._open)
        self._settled: set[str] = set()
        self._read: list[tuple[BatchRow, BatchState | None, str]] = []
        self._blocked_by = ""
        self.counts: Counter[str] = Counter()

    @property
    def in_flight(self) -> set[str]:
        """Questions whose answer an open batch may bring."""
        return {question for row in self._open.values() for question in row.questions} & self._questions.keys()

    def results(
        self, by_calls: Callable[[Sequence[str]], Iterator[SummaryResult]], via: Via
    ) -> Generator[SummaryResult]:
        """Take what open batches brought, and ask what is in none.

        One question of each submission is asked by a call: a key, a model or a format that is wrong then costs a
        call, and not a batch.

        Raises:
            NothingUsable: of what batches brought, too; they stay open then.
            ModelConfigurationError: as `summarise` does, or the server takes no batches.
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
        """Say that all results are stored: the batches that they came from are not read again."""
        for row, state, reason in self._read:
            self._rows.write(row, "closed", reason)
            if not any(other.group_id == row.group_id for other in self._open.values()):
                release_hold(self._database, self._team_day, row.group_id)
            if state is not None:
                try:
                    self._batches.delete_files(state)
                except ModelError:
                    self.counts["batch_files_left"] += 1  # they go by themselves, later
        self._read.clear()
        self._batches.close()

    def _unasked(self) -> list[str]:
        taken = self._settled | self.in_flight
        return [question for question in self._questions if question not in taken]

    def _ask_one(self, by_calls: Ask, question: str) -> Iterator[SummaryResult]:
        for result in by_calls([self._questions[question][0]]):
            self._settled.add(question)
            if result.status == "undone":
                self._blocked_by = result.error
            yield result

    def _collect(self) -> Iterator[SummaryResult]:
        """The results of batches that have ended. A server that does not answer leaves them for later."""
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
        """How the batch of a row stands; None while it is not certain that there is one."""
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
        """The result of each question that the batch has an answer to, once, whatever its files hold."""
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
        # Paid at the price of the model that was asked, which need not be the one that is asked now.
        asked = self._chat if row.model == self._chat.name else OpenAIChat(row.model, server=self._chat.server)
        for question, answer in made.items():
            # A text that has changed since, or is gone: the answer was paid for, and is of no use.
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
        """Put the questions into batches, as far as money goes; items without text get their result here."""
        group_id = uuid.uuid4()
        budget = None
        if self._limit_usd is not None or self._theme_limit_usd is not None:
            budget = DailyBudget(
                self._database,
                self._team_day,
                stage=STAGE,
                limit_usd=self._limit_usd,
                theme_id=self._task.theme_id,
                theme_limit_usd=self._theme_limit_usd,
                new_id=lambda: group_id,
                max_wait_s=0.0,
                is_of_batch=True,
            )
        blank: list[SummaryResult] = []
        submitted = 0
        try:
            for file in request_files(self._requests(questions, budget, blank)):
                if not self._submit_file(file, group_id):
                    break
                submitted += 1
        finally:
            if budget is not None:
                budget.close()
            if not any(row.group_id == group_id for row in self._open.values()):
                release_hold(self._database, self._team_day, group_id)
        self.counts["batches_submitted"] += submitted
        yield from blank

    def _requests(
        self, questions: Sequence[str], budget: DailyBudget | None, blank: list[SummaryResult]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        question_of = {self._questions[question][0]: question for question in questions}
        for item in self._texts(question_of):
            question = question_of[item.item_id]
            if not item.text.strip():
                self._settled.add(question)
                blank.append(self._task.attempt(item))
                continue
            body = self._chat.request(self._task.messages(item), self._task.schema)
            if budget is not None:
                try:
                    budget.hold(self._chat.name, most_usd_of_chat(self._chat.name, body, batch=True))
                except BudgetExhausted:
                    self._blocked_by = BUDGET
                    return
            yield question, body

    def _submit_file(self, file: RequestFile, group_id: uuid.UUID) -> bool:
        """Make one batch; False where no more should be made now."""
        row = BatchRow(uuid.uuid4(), group_id, "", self._chat.name, tuple(file.custom_ids), self._clock())
        self._rows.write(row, "intended", "")
        self._known.add(row.batch_key)
        wanted = set(row.questions)
        if any(wanted & set(other.questions) for other in self._rows.open() if other.batch_key not in self._known):
            # Another process asks the same at this moment. Perhaps it has seen this one and withdraws, too.
            self._rows.write(row, "closed", "overtaken")
            self._blocked_by = "batch_overtaken"
            return False
        self._open[row.batch_key] = row
        try:
            state = self._batches.submit(file, str(row.batch_key))
        except ModelUnavailable as error:
            self._blocked_by = error.kind  # and the batch may be there all the same: it stays intended
            return False
        except ModelError as error:
            del self._open[row.batch_key]
            self._rows.write(row, "closed", error.kind)
            self._blocked_by = f"batch_{error.kind}"
            if error.kind == "not_found":
                raise ModelConfigurationError(
                    "the server takes no batches (no /v1/files or no /v1/batches); ask it by calls", kind="no_batches"
                ) from None
            if isinstance(error, ModelConfigurationError):
                raise
            return False
        self._open[row.batch_key] = replace(row, batch_id=state.batch_id)
        self._rows.write(self._open[row.batch_key], "submitted", "")
        return True

    def _deferred(self, question: str, reason: str) -> SummaryResult:
        return self._task.deferred(TextItem(self._questions[question][0], ""), reason)


def _missing_answer() -> ModelUnavailable:
    return ModelUnavailable("the batch is complete, but has no answer to this question", kind="no_answer")


def _was_not_processed(error: ModelError | None) -> bool:
    """Whether a request may be made again as if nothing had happened; what all requests share is no fault of one."""
    return error is not None and (error.kind in _NOT_PROCESSED or isinstance(error, ModelConfigurationError))
