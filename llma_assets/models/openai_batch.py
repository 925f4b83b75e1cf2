"""OpenAI's Batch API: many requests in a file, answered within a day at half the price. Batches and their state.

Any OpenAI-compatible server with `/v1/files` and `/v1/batches` will do. What the requests ask, and which batch belongs
to whom, is the caller's; nothing here stores anything.

A batch is made twice if it is asked for twice, and then paid twice: so each carries a key of the caller's in its
metadata, and after an answer that never came `submit` looks for it before it asks again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from llma_assets.models.batch_files import ENDPOINT, BatchAnswer, RequestFile, read_answers, temporary_file
from llma_assets.models.batch_replies import KEY, BatchPage, BatchReply, BatchState, FileReply, parsed
from llma_assets.models.errors import ModelConfigurationError, ModelUnavailable
from llma_assets.models.openai_server import OpenAIServer

if TYPE_CHECKING:
    import openai

_PAGE = 100
_FILE_TIMEOUT_S = 900.0


class OpenAIBatches:
    """The batches of one server and key. Safe to use from several threads."""

    def __init__(self, server: OpenAIServer) -> None:
        self._server = server
        self._once = server.with_policy(attempts=1)
        self._files = server.with_policy(deadline_s=2 * _FILE_TIMEOUT_S, attempt_timeout_s=_FILE_TIMEOUT_S)

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
            return parsed(self._server.ask(send), BatchReply).state()
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

        self._server.ask(send)

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
                self._server.ask(send)
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

        return parsed(self._files.ask(send), FileReply).id

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

        return parsed(self._once.ask(send), BatchReply).state()

    def _page(self, limit: int, after: str = "") -> "BatchPage":
        from openai import omit

        def send(client: "openai.OpenAI", timeout_s: float) -> Any:
            return client.batches.with_raw_response.list(limit=limit, after=after or omit, timeout=timeout_s)

        return parsed(self._server.ask(send), BatchPage)

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

        self._files.ask(send)


@dataclass(frozen=True, slots=True)
class _Saved:
    """A body that is in a file already."""

    headers: Mapping[str, str]
    content: bytes = b""
