"""How one item is summarised: what the model is asked, and what became of it.

What is asked stands in `prompt`, what an answer must be in `schema`; many items at once belong to `summarise`.
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
"""A text that any model that can be used at all summarises."""


@dataclass(frozen=True, slots=True)
class SummaryResult:
    """What became of one item.

    Attributes:
        content_hash: of the text and everything else that the summary depends on.
        status: `generated`; or `failed` through a fault of the item; or `deferred`: not asked, or asked in vain while
            the server was away, so that the next run takes it up. The reason of the latter two is in `error`, and
            nothing in the fields after `mode`.
        relevant: whether the theme concerns the item; always, where nobody asked.
        refs_total: line references that the model gave.
        refs_valid: those of them that point at lines of the text; the others were dropped.
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
    """The result of an item whose answer turned out to be of no use after all."""
    return SummaryResult(result.item_id, result.content_hash, "failed", error, result.model, result.mode)


@dataclass(frozen=True, slots=True)
class SummaryTask:
    """How each item is summarised: the arguments that are the same for all; see `summarise`."""

    chat: ChatModel
    theme_id: str
    prompt: str
    mode: Mode
    record: Callable[[str, Usage], None]
    judged: bool = False
    offline: Callable[[TextItem], TraceSummary] | None = None

    @property
    def schema(self) -> type[TraceSummary]:
        """What an answer must be."""
        return JudgedSummary if self.judged else TraceSummary

    def attempt(self, item: TextItem) -> SummaryResult:
        """Ask the model; what is wrong with this item alone gives a failed result.

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
        # Whatever else went wrong, it went wrong with this item.
        except Exception as error:
            return self.failed(item, fault_of(error))

    def messages(self, item: TextItem) -> Sequence[ChatMessage]:
        """What the model is asked."""
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
        """The result of an item that has no summary through a fault of its own."""
        return SummaryResult(item.item_id, self._hash(item), "failed", error, self.chat.name, self.mode)

    def deferred(self, item: TextItem, error: str) -> SummaryResult:
        """The result of an item that is still to be asked about."""
        return SummaryResult(item.item_id, self._hash(item), "undone", error, self.chat.name, self.mode)

    def server_answers(self) -> bool:
        """Whether the model answers at all now."""
        return is_responding(self.chat, partial(self.record, ""))

    def error_on_sample(self) -> ModelError | None:
        """What is wrong with the answer about a text that nobody can blame; None where it is usable.

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
