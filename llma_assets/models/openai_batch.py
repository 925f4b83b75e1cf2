"""OpenAI's Batch API: many requests in a file, answered within a day at half the price. Batches and their state.

Any OpenAI-compatible server with `/v1/files` and `/v1/batches` will do. What the requests ask, and which batch belongs
to whom, is the caller's; nothing here stores anything.

A batch is made twice if it is asked for twice, and then paid twice: so each carries a key of the caller's in its
metadata, and after an answer that never came `submit` looks for it before it asks again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from llma_assets.models.batch_files import (
    ENDPOINT,
    BatchAnswer,
    RequestFile,
    provider_word,
    read_answers,
    temporary_file,
)
from llma_assets.models.errors import InvalidAnswer, ModelConfigurationError, ModelError, ModelUnavailable
from llma_assets.models.openai_chat import OpenAIChat
from llma_assets.models.openai_server import OpenAIServer
from llma_assets.models.protocols import ChatMessage, Completion, Record, T, ignore_usage

if TYPE_CHECKING:
    import openai

KEY = "llma_batch"
_PAGE = 100
_FILE_TIMEOUT_S = 900.0

_ENDED = {"completed", "failed", "expired", "cancelled"}


@dataclass(frozen=True, slots=True)
class BatchState:
    """What a server says about a batch.

    Attributes:
        batch_id: the server's name for it.
        key: ours, "" for a batch of somebody else.
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


class OpenAIBatches:
    """The batches of one server and key. Safe to use from several threads."""

    def __init__(self, server: OpenAIServer) -> None:
        policy = server.policy
        self._server = server
        self._once = server.with_policy(replace(policy, attempts=1))
        self._files = server.with_policy(
            replace(policy, deadline_s=2 * _FILE_TIMEOUT_S, attempt_timeout_s=_FILE_TIMEOUT_S)
        )

    def submit(self, requests: RequestFile, key: str) -> BatchState:
        """Upload the file and make a batch of it that carries `key`; safe against answers that get lost on the way.

        Raises:
            ModelError: as for a call. After `ModelUnavailable` there may be a batch with this key all the same.
        """
        file_id = self._upload(requests, key)
        policy = self._server.policy
        deadline = policy.clock() + policy.deadline_s
        for failures in range(1, policy.attempts + 1):
            try:
                return self._create(file_id, key)
            except ModelUnavailable as error:
                delay = policy.delay_s(failures, error.retry_after_s)
                if failures == policy.attempts or policy.clock() + delay >= deadline:
                    raise
                policy.sleep(delay)
                if found := self.find(key):
                    return found
        raise AssertionError("unreachable: the last attempt returns or raises")

    def find(self, key: str) -> BatchState | None:
        """The batch that carries `key`, None if there is none; reads the list of batches to its end.

        Raises:
            ModelError: the list cannot be had.
        """
        last = ""
        while True:
            page = self._page(_PAGE, last)
            for batch in page.data:
                if batch.key == key:
                    return batch.state()
            if not page.has_more or not page.data or page.data[-1].id == last:
                return None
            last = page.data[-1].id

    def state(self, batch_id: str) -> BatchState | None:
        """How a batch stands; None if the server knows batches, but not this one.

        Raises:
            ModelError: as for a call.
        """

        def send(client: "openai.OpenAI", timeout_s: float) -> Any:
            return client.batches.with_raw_response.retrieve(batch_id, timeout=timeout_s)

        try:
            return _parsed(_ask(self._server, send), _Batch).state()
        except ModelConfigurationError as error:
            if error.kind != "not_found":
                raise
        self._page(1)
        return None

    def cancel(self, batch_id: str) -> None:
        """Ask the server to stop; what is answered by then is paid, and in the output.

        Raises:
            ModelError: as for a call.
        """

        def send(client: "openai.OpenAI", timeout_s: float) -> Any:
            return client.batches.with_raw_response.cancel(batch_id, timeout=timeout_s)

        _ask(self._server, send)

    def answers(self, state: BatchState) -> Iterator[BatchAnswer | None]:
        """The lines of both of its files, as they stand there: in any order, perhaps twice. None: an unreadable line.

        Raises:
            ModelError: a file cannot be had.
        """
        for file_id in filter(None, (state.output_file_id, state.error_file_id)):
            with temporary_file() as file:
                self._download(file_id, file)
                file.seek(0)
                yield from read_answers(file)

    def delete_files(self, state: BatchState) -> None:
        """Remove what the server keeps of requests and answers; a file that is not there is no error.

        Raises:
            ModelError: as for a call.
        """
        for file_id in filter(None, (state.input_file_id, state.output_file_id, state.error_file_id)):

            def send(client: "openai.OpenAI", timeout_s: float, file_id: str = file_id) -> Any:
                return client.files.with_raw_response.delete(file_id, timeout=timeout_s)

            try:
                _ask(self._server, send)
            except ModelConfigurationError as error:
                if error.kind != "not_found":
                    raise

    def close(self) -> None:
        """Close the connections, but for those of the server that this was made from."""
        self._once.close()
        self._files.close()

    def _upload(self, requests: RequestFile, key: str) -> str:
        def send(client: "openai.OpenAI", timeout_s: float) -> Any:
            requests.file.seek(0)
            file = (f"{key}.jsonl", requests.file, "application/jsonl")
            return client.files.with_raw_response.create(file=file, purpose="batch", timeout=timeout_s)

        return _parsed(_ask(self._files, send), _File).id

    def _create(self, file_id: str, key: str) -> BatchState:
        """One call, made once: what is not answered may have been done."""

        def send(client: "openai.OpenAI", timeout_s: float) -> Any:
            return client.batches.with_raw_response.create(
                input_file_id=file_id,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={KEY: key},
                timeout=timeout_s,
            )

        return _parsed(_ask(self._once, send), _Batch).state()

    def _page(self, limit: int, after: str = "") -> "_Page":
        from openai import omit

        def send(client: "openai.OpenAI", timeout_s: float) -> Any:
            return client.batches.with_raw_response.list(limit=limit, after=after or omit, timeout=timeout_s)

        return _parsed(_ask(self._server, send), _Page)

    def _download(self, file_id: str, into: IO[bytes]) -> None:
        import httpx2
        import openai

        def send(client: "openai.OpenAI", timeout_s: float) -> Any:
            into.seek(0)
            into.truncate()
            try:
                with client.files.with_streaming_response.content(file_id, timeout=timeout_s) as answer:
                    for part in answer.iter_bytes():
                        into.write(part)
            except httpx2.TransportError as error:
                # While the body is read, the library does not translate.
                raise openai.APIConnectionError(request=error.request) from error
            return _Saved(answer.headers)

        _ask(self._files, send)


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


@dataclass(frozen=True, slots=True)
class _Saved:
    """A body that is in a file already."""

    headers: Mapping[str, str]
    content: bytes = b""


def _ask(server: OpenAIServer, send: Callable[["openai.OpenAI", float], Any]) -> bytes:
    """A call about batches, which costs nothing by itself and so leaves no usage."""
    return server.call(send, deadline=server.deadline(), on_failure=lambda _kind, _duration_s: None).body


class _File(BaseModel):
    id: str = Field(min_length=1)


class _Problem(BaseModel):
    code: str | None = None


class _Problems(BaseModel):
    data: list[_Problem] | None = None


class _Counts(BaseModel):
    total: int = 0
    completed: int = 0
    failed: int = 0


class _Batch(BaseModel):
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
        return str((self.metadata or {}).get(KEY, ""))

    def state(self) -> BatchState:
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


class _Page(BaseModel):
    data: list[_Batch]
    has_more: bool = False


P = TypeVar("P", bound=BaseModel)


def _parsed(body: bytes, model: type[P]) -> P:
    try:
        return model.model_validate_json(body)
    except ValidationError:
        raise InvalidAnswer(f"the server's answer is no {model.__name__.strip('_').lower()}", kind="garbage") from None
