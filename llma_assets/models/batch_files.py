"""The files of OpenAI's Batch API: requests as JSON lines out, answers as JSON lines in.

Which server they go to and come from is `openai_batch`'s.
"""

import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, Literal

from pydantic import BaseModel, ValidationError

from llma_assets.models.errors import ModelError, ModelUnavailable
from llma_assets.models.failures import classify_answer

MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
_LONGEST_LINE = 8 << 20

_NOT_RUN = {
    "batch_expired": "the batch ended before this request was made",
    "batch_cancelled": "the batch was cancelled before this request was made",
    "request_timeout": "the model did not answer in time",
}


def temporary_file() -> IO[bytes]:
    """A file without a name that goes when it is closed; batches may be larger than memory."""
    return tempfile.TemporaryFile(prefix="llma-batch-")


@dataclass(frozen=True, slots=True)
class BatchAnswer:
    """What became of one request of a batch: the body of a chat completion, or why there is none.

    `error` is `ModelUnavailable` where the request was not to blame and may be made again.
    """

    custom_id: str
    body: bytes = b""
    error: ModelError | None = None


@dataclass(slots=True)
class RequestFile:
    """Requests as a server takes them, one JSON object a line, in a temporary file that goes when it is closed."""

    file: IO[bytes] = field(default_factory=temporary_file)
    custom_ids: list[str] = field(default_factory=list)
    size: int = 0

    def close(self) -> None:
        """Remove it."""
        self.file.close()


def request_files(
    requests: Iterable[tuple[str, dict[str, Any]]],
    *,
    most_requests: int = MOST_REQUESTS,
    most_bytes: int = MOST_BYTES,
) -> Iterator[RequestFile]:
    """Write requests into as many files as their number and size ask for; each is closed when the next is asked for.

    Args:
        requests: pairs of an id that is unique among them, at most 64 characters, and the body of the call.

    Raises:
        ValueError: one request alone is too large.
    """
    current: RequestFile | None = None
    try:
        for custom_id, body in requests:
            request = {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}
            line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
            if len(line) > most_bytes:
                raise ValueError(f"a request has {len(line):,} bytes; a batch file takes {most_bytes:,}")
            if current and (len(current.custom_ids) == most_requests or current.size + len(line) > most_bytes):
                yield current
                current.close()
                current = None
            if current is None:
                current = RequestFile()
            current.file.write(line)
            current.custom_ids.append(custom_id)
            current.size += len(line)
        if current:
            yield current
    finally:
        if current:
            current.close()


class _Response(BaseModel):
    status_code: int
    body: Any = None


class _LineError(BaseModel):
    code: str | None = None


class _Line(BaseModel):
    custom_id: str
    response: _Response | None = None
    error: _LineError | None = None


def read_answers(file: IO[bytes]) -> Iterator[BatchAnswer | None]:
    """The lines of an output or error file, as they stand there. None: a line that cannot be read."""
    return map(_answer, _lines(file))


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file; of one that is too long, a part that cannot be read."""
    while line := file.readline(_LONGEST_LINE):
        if not line.endswith(b"\n") and len(line) == _LONGEST_LINE:
            while (rest := file.readline(_LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass
            yield b""
        elif line.strip():
            yield line


def _answer(line: bytes) -> BatchAnswer | None:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError:
        return None
    if read.error is not None or read.response is None:
        code = provider_word(read.error.code if read.error else None)
        why = _NOT_RUN.get(code, "the server gave no answer to this request")
        return BatchAnswer(read.custom_id, error=ModelUnavailable(why, kind=code))
    if read.response.status_code < 300:
        return BatchAnswer(read.custom_id, body=json.dumps(read.response.body).encode())
    error = classify_answer(read.response.status_code, json.dumps(read.response.body).encode())
    return BatchAnswer(read.custom_id, error=error)


def provider_word(code: str | None) -> str:
    """A provider's code, if it is one: it is stored and shown."""
    return code if code and re.fullmatch(r"[a-z_]{1,40}", code) else "no_answer"
