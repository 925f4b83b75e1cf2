"""Summarises one item: asks the model, checks the answer, and turns it into a result.

Prompts belong in `prompt`, the schema in `schema`, concurrency in `summarise`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from llma_assets.clickhouse import DatabaseError
from llma_assets.isolation import fault_of
from llma_assets.models import ChatMessage, ChatModel, InvalidAnswer, ModelError, Usage, is_responding
from llma_assets.summaries.extractive import extract_summary
from llma_assets.summaries.line_refs import LineNumbers
from llma_assets.summaries.prompt import content_hash, summary_messages
from llma_assets.summaries.schema import JudgedSummary, Mode, Point, TraceSummary, clean_summary

EMPTY_TEXT = "empty text"


@dataclass(frozen=True, slots=True)
class TextItem:
    """The numbered text of a trace or a generation."""

    item_id: str
    text: str


SAMPLE = TextItem(
    "",
    "L1: [1] USER\nL2: \nL3: Which trains go from Oslo to Bergen tomorrow morning?\nL4: \nL5: [2] ASSISTANT\nL6: \n"
    "L7: There are three: at 6:25, at 8:25 and at 11:25. The first one takes 6 hours and 31 minutes.",
)
"""A text that every usable model can summarise."""


@dataclass(frozen=True, slots=True)
class SummaryResult:
    """The result of one item.

    Attributes:
        content_hash: hash of the text and of everything else that the summary depends on.
        status: `generated`; `failed` because of the item; or `deferred`, which is deferred: not asked, or not answered
            because the server was away, so that the next run asks again.
        error: the reason of the latter two; the fields after `mode` are empty then.
        relevant: whether the theme concerns the item; True where the theme does not ask for relevance.
        refs_total: line references that the model gave.
        refs_valid: references that point at lines of the text; others were dropped.
    """

    item_id: str
    content_hash: str
    status: Literal["generated", "failed", "undone"]
    error: str
    model: str
    mode: Mode
    title: str = ""
    flow_diagram: str = ""
    bullets: tuple[Point, ...] = ()
    interesting_notes: tuple[Point, ...] = ()
    refs_total: int = 0
    refs_valid: int = 0
    relevant: bool = True


def unusable(result: SummaryResult, error: str) -> SummaryResult:
    """The failed result of an item whose answer cannot be used."""
    return SummaryResult(result.item_id, result.content_hash, "failed", error, result.model, result.mode)


@dataclass(frozen=True, slots=True)
class SummaryTask:
    """How the items of a theme are summarised; for the fields see `summarise`."""

    chat: ChatModel
    theme_id: str
    prompt: str
    mode: Mode
    record: Callable[[str, Usage], None]
    judged: bool = False
    offline: Callable[[TextItem], TraceSummary] | None = None

    @property
    def schema(self) -> type[TraceSummary]:
        """The schema of an answer."""
        return JudgedSummary if self.judged else TraceSummary

    def attempt(self, item: TextItem) -> SummaryResult:
        """Ask the model; an error that concerns this item alone gives a failed result.

        Raises:
            ModelConfigurationError, ModelUnavailable, DatabaseError: other items would fail too.
        """
        if not item.text.strip():
            return self.failed(item, EMPTY_TEXT)
        try:
            return self._generate(item)
        except InvalidAnswer as error:
            return self.failed(item, reason_of(error))
        except (ModelError, DatabaseError):
            raise
        # Any other error concerns this item alone.
        except Exception as error:
            return self.failed(item, fault_of(error))

    def messages(self, item: TextItem) -> Sequence[ChatMessage]:
        """The messages to the model."""
        fence = self._hash(item)[:20]
        return summary_messages(item.text, prompt=self.prompt, mode=self.mode, fence=fence, judged=self.judged)

    def _generate(self, item: TextItem) -> SummaryResult:
        completion = self.chat.complete(
            self.messages(item),
            self.schema,
            offline=partial(self._offline, item),
            record=partial(self.record, item.item_id),
        )
        summary = clean_summary(completion.value, LineNumbers.of(item.text), self.mode)
        return SummaryResult(
            item.item_id,
            self._hash(item),
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
            summary.relevant,
        )

    def _offline(self, item: TextItem) -> TraceSummary:
        return self.offline(item) if self.offline else extract_summary(item.text, self.mode)

    def failed(self, item: TextItem, error: str) -> SummaryResult:
        """The result of an item that failed."""
        return SummaryResult(item.item_id, self._hash(item), "failed", error, self.chat.name, self.mode)

    def deferred(self, item: TextItem, error: str) -> SummaryResult:
        """The result of an item that a later run asks about."""
        return SummaryResult(item.item_id, self._hash(item), "undone", error, self.chat.name, self.mode)

    def server_answers(self) -> bool:
        """Whether the server answers a minimal question."""
        return is_responding(self.chat, partial(self.record, ""))

    def error_on_sample(self) -> ModelError | None:
        """Ask about `SAMPLE`; the error of its answer, None if the answer is usable.

        Raises:
            ModelConfigurationError, ModelUnavailable: there was no answer.
        """
        try:
            self._generate(SAMPLE)
        except InvalidAnswer as error:
            return error
        except (ModelError, DatabaseError):
            raise
        except Exception as error:
            return InvalidAnswer(fault_of(error), kind="broken")
        return None

    def _hash(self, item: TextItem) -> str:
        return content_hash(
            item.text,
            theme_id=self.theme_id,
            prompt=self.prompt,
            model=self.chat.name,
            mode=self.mode,
            judged=self.judged,
        )


def reason_of(error: ModelError) -> str:
    return f"{error.kind}: {error}"
