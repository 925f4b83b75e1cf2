"""Puts questions into new batches, within the budget, so that no question is in two batches.

Reading the answers belongs in `batches`, the rows of batches in `batch_rows`.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.ledger import DailyBudget, release_hold
from llma_assets.models import (
    BUDGET,
    BudgetExhausted,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    OpenAIBatches,
    OpenAIChat,
    RequestFile,
    most_usd_of_chat,
    request_files,
)
from llma_assets.summaries.batch_rows import STAGE, BatchRow, BatchRows
from llma_assets.summaries.task import SummaryResult, SummaryTask, TextItem
from llma_assets.team_day import TeamDay

Texts = Callable[[Iterable[str]], Iterator[TextItem]]
"""Gives the stored texts of items by id; deleted ones are left out."""


@dataclass(slots=True)
class BatchSubmission:
    """Submits the questions of one theme in a partition. Not thread-safe.

    Attributes:
        task: the prompt, and the checks of an answer.
        questions: ids of the items that need an answer, by question hash.
        open: the open batches by key, shared with `ThemeBatches`.
        limit_usd: the team's budget for a day, None for no limit.
        theme_limit_usd: the theme's own budget, within the team's.
        known: keys of the batches that this process knows; others belong to another process.
        when_idle: questions with a result.
        submitted: number of batches that were submitted.
        blocked_by: why no more batches can be submitted, "" if they can.
    """

    database: Database
    team_day: TeamDay
    task: SummaryTask
    chat: OpenAIChat
    questions: Mapping[str, Sequence[str]]
    texts: Texts
    batches: OpenAIBatches
    rows: BatchRows
    open: dict[uuid.UUID, BatchRow]
    clock: Callable[[], datetime]
    limit_usd: float | None
    theme_limit_usd: float | None
    known: set[uuid.UUID]
    when_idle: set[str] = field(default_factory=set)
    submitted: int = 0
    blocked_by: str = ""

    def submit(self, questions: Sequence[str]) -> Iterator[SummaryResult]:
        """Put the questions into batches, as far as the budget allows; items without text fail at once."""
        group_id = uuid.uuid4()
        budget = None
        if self.limit_usd is not None or self.theme_limit_usd is not None:
            budget = DailyBudget(
                self.database,
                self.team_day,
                stage=STAGE,
                limit_usd=self.limit_usd,
                theme_id=self.task.theme_id,
                theme_limit_usd=self.theme_limit_usd,
                new_id=lambda: group_id,
                max_wait_s=0.0,
                is_of_batch=True,
            )
        blank: list[SummaryResult] = []
        try:
            for file in request_files(self._requests(questions, budget, blank)):
                if not self._submit_file(file, group_id):
                    break
                self.submitted += 1
        finally:
            if budget is not None:
                budget.close()
            if not any(row.group_id == group_id for row in self.open.values()):
                release_hold(self.database, self.team_day, group_id)
        yield from blank

    def _requests(
        self, questions: Sequence[str], budget: DailyBudget | None, blank: list[SummaryResult]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        question_of = {self.questions[question][0]: question for question in questions}
        for item in self.texts(question_of):
            question = question_of[item.item_id]
            if not item.text.strip():
                self.when_idle.add(question)
                blank.append(self.task.attempt(item))
                continue
            body = self.chat.request(self.task.messages(item), self.task.schema)
            if budget is not None:
                try:
                    budget.hold(self.chat.name, most_usd_of_chat(self.chat.name, body, batch=True))
                except BudgetExhausted:
                    self.blocked_by = BUDGET
                    return
            yield question, body

    def _submit_file(self, file: RequestFile, group_id: uuid.UUID) -> bool:
        """Create one batch; False if no more should be created in this run."""
        row = BatchRow(uuid.uuid4(), group_id, "", self.chat.name, tuple(file.custom_ids), self.clock())
        self.rows.write(row, "intended", "")
        self.known.add(row.batch_key)
        wanted = set(row.questions)
        if any(wanted & set(other.questions) for other in self.rows.open() if other.batch_key not in self.known):
            # Another process is asking the same. It may have seen this batch and withdraw, too.
            self.rows.write(row, "closed", "overtaken")
            self.blocked_by = "batch_overtaken"
            return False
        self.open[row.batch_key] = row
        try:
            state = self.batches.submit(file, str(row.batch_key))
        except ModelUnavailable as error:
            self.blocked_by = error.kind  # the batch may exist nevertheless: the row stays "intended"
            return False
        except ModelError as error:
            del self.open[row.batch_key]
            self.rows.write(row, "closed", error.kind)
            self.blocked_by = f"batch_{error.kind}"
            if error.kind == "not_found":
                raise ModelConfigurationError(
                    "the server has no Batch API (no /v1/files or no /v1/batches); use via: calls", kind="no_batches"
                ) from None
            if isinstance(error, ModelConfigurationError):
                raise
            return False
        self.open[row.batch_key] = replace(row, batch_id=state.batch_id)
        self.rows.write(self.open[row.batch_key], "submitted", "")
        return True
