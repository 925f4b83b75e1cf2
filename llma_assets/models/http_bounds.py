"""Bounds of each HTTP call as a whole: its time, and the size of what comes back."""

import time
from collections.abc import Callable, Iterator
from typing import Any

LARGEST_BODY = 64 * 1024 * 1024
LARGEST_FILE = 2 * 1024 * 1024 * 1024


def bounding_hooks() -> dict[str, list[Callable[[Any], None]]]:
    """Hold each HTTP call to its timeout as a whole, and its body to `LARGEST_BODY`, or a file's to `LARGEST_FILE`.

    The library's timeout counts from one read to the next: a server that sends a byte a second never ends.
    """
    import httpx2

    class BoundedStream(httpx2.SyncByteStream):
        def __init__(self, inner: httpx2.SyncByteStream, deadline: float, request: httpx2.Request) -> None:
            self._inner, self._deadline, self._request = inner, deadline, request

        def __iter__(self) -> Iterator[bytes]:
            size = 0
            largest = LARGEST_FILE if self._request.url.path.endswith("/content") else LARGEST_BODY
            for part in self._inner:
                size += len(part)
                if time.monotonic() > self._deadline:
                    raise httpx2.ReadTimeout("the answer took too long", request=self._request)
                if size > largest:
                    raise httpx2.ReadError("the answer is too large", request=self._request)
                yield part

        def close(self) -> None:
            self._inner.close()

    def note_deadline(request: Any) -> None:
        request.extensions["llma_deadline"] = time.monotonic() + request.extensions["timeout"]["read"]

    def bound_body(response: Any) -> None:
        deadline = response.request.extensions["llma_deadline"]
        response.stream = BoundedStream(response.stream, deadline, response.request)

    return {"request": [note_deadline], "response": [bound_body]}
