"""A chat model whose answer is there already, because it came in a batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llma_assets.models.batch_files import BatchAnswer
from llma_assets.models.errors import InvalidAnswer, ModelError
from llma_assets.models.openai_chat import OpenAIChat
from llma_assets.models.protocols import ChatMessage, Completion, Record, T, ignore_usage


@dataclass(frozen=True, slots=True)
class AnsweredChat:
    """A `ChatModel` for one question, whose answer is there already: it is read as the answer of a call is.

    What went wrong with the request is the question's fault here: ask whose it is before.
    """

    chat: OpenAIChat
    answer: BatchAnswer

    @property
    def name(self) -> str:
        """The model's name as results carry it."""
        return self.chat.name

    def complete(
        self,
        messages: Sequence[ChatMessage],  # noqa: ARG002 - they were sent with the batch
        schema: type[T],
        *,
        offline: Callable[[], T],  # noqa: ARG002 - the protocol's
        record: Record = ignore_usage,
    ) -> Completion[T]:
        """The answer, read; `record` gets what it cost.

        Raises:
            InvalidAnswer: there is none, or it cannot be used.
        """
        try:
            if self.answer.error is not None:
                raise self.answer.error
            return Completion(self.chat.read_batched(self.answer.body, schema, record=record), self.chat.name)
        except InvalidAnswer:
            raise
        except ModelError as error:
            raise InvalidAnswer(str(error), kind=error.kind) from None
