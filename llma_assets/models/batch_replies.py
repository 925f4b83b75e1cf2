"""What a server says about files and batches, as far as it is read."""

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from llma_assets.models.batch_files import provider_word
from llma_assets.models.errors import InvalidAnswer

KEY = "llma_batch"
"""Under this name a batch carries our key in its metadata."""

_ENDED = {"completed", "failed", "expired", "cancelled"}


@dataclass(frozen=True, slots=True)
class BatchState:
    """What a server says about a batch.

    Attributes:
        batch_id: the server's name for it.
        key: ours, "" for a batch that others made.
        status: the server's word; `ended` is what matters.
        input_file_id, output_file_id, error_file_id: "" where there is none.
        requests, completed, failed: the server's counts, 0 while it does not say.
        errors: codes of what was wrong with the batch as a whole, such as `token_limit_exceeded`.
    """

    batch_id: str
    key: str
    status: str
    input_file_id: str
    output_file_id: str
    error_file_id: str
    requests: int = 0
    completed: int = 0
    failed: int = 0
    errors: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in _ENDED


class FileReply(BaseModel):
    """An uploaded file."""

    id: str = Field(min_length=1)


class _Problem(BaseModel):
    code: str | None = None


class _Problems(BaseModel):
    data: list[_Problem] | None = None


class _Counts(BaseModel):
    total: int = 0
    completed: int = 0
    failed: int = 0


class BatchReply(BaseModel):
    """The part of a batch that is read."""

    id: str = Field(min_length=1)
    status: str
    input_file_id: str | None = None
    output_file_id: str | None = None
    error_file_id: str | None = None
    metadata: dict[str, Any] | None = None
    request_counts: _Counts | None = None
    errors: _Problems | None = None

    @property
    def key(self) -> str:
        """Our key, "" for a batch that others made."""
        return str((self.metadata or {}).get(KEY, ""))

    def state(self) -> BatchState:
        """The same in our words."""
        counts = self.request_counts or _Counts()
        problems = (self.errors and self.errors.data) or []
        return BatchState(
            batch_id=self.id,
            key=self.key,
            status=self.status,
            input_file_id=self.input_file_id or "",
            output_file_id=self.output_file_id or "",
            error_file_id=self.error_file_id or "",
            requests=counts.total,
            completed=counts.completed,
            failed=counts.failed,
            errors=tuple(dict.fromkeys(provider_word(problem.code) for problem in problems)),
        )


class BatchPage(BaseModel):
    """A part of the list of batches."""

    data: list[BatchReply]
    has_more: bool = False


P = TypeVar("P", bound=BaseModel)


def parsed(body: bytes, model: type[P]) -> P:
    """A body as `model`.

    Raises:
        InvalidAnswer: it is not one.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise InvalidAnswer(f"the server's answer is not a {model.__name__}", kind="garbage") from None
