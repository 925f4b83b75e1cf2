"""Takes spans that are sent to a server: decodes a request, and stores what came before it is acknowledged.

One thread stores for all requests: what waits goes into one insert, so that many small requests make few parts of the
table. HTTP, and who may send what, belong in `llma_assets.web`.
"""

import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from llma_assets.clickhouse import Database
from llma_assets.ingest.converting import Converter, Item
from llma_assets.ingest.decompression import CHUNK, DamagedSource
from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats import otlp, otlp_protobuf
from llma_assets.ingest.lines import Line
from llma_assets.ingest.loading import FUTURE
from llma_assets.ingest.parsing import Event
from llma_assets.ingest.store import store_new

MAX_BODY_BYTES: Final = 20 << 20
"""Of a request as it is sent; the collector's own limit."""

MAX_CONTENT_BYTES: Final = 64 << 20
"""Of a request after decompression."""

MAX_HELD_BYTES: Final = 96 << 20
"""Of all requests that are being read or stored; more are asked to come again."""

_MAX_BATCH_BYTES: Final = 16 << 20


class BadRequest(ValueError):
    """What was sent is no request of OTLP traces; sending it again does not help."""


class TooLarge(BadRequest):
    """A request is over a limit."""


class Busy(Exception):
    """Too much waits to be stored; the request can be sent again."""


@dataclass(frozen=True, slots=True)
class Received:
    """The events of a request, and what was wrong with the spans that are none.

    Attributes:
        events: to be stored.
        rejected: number of spans that are no events.
        first: the first fault; "" for none.
    """

    events: list[Event]
    rejected: int
    first: str


def gunzipped(body: bytes, take: Callable[[int], None]) -> bytes:
    """The content of a gzip body.

    Args:
        take: called with the bytes of each part, as soon as it is unpacked; may raise.

    Raises:
        TooLarge: it is more than `MAX_CONTENT_BYTES`, of which no more is unpacked.
        BadRequest: it is no gzip, or cut.
    """
    unpacker = zlib.decompressobj(wbits=31)
    parts, size, rest = [], 0, body
    try:
        while rest and not unpacker.eof:
            part = unpacker.decompress(rest, CHUNK)
            rest = unpacker.unconsumed_tail
            size += len(part)
            if size > MAX_CONTENT_BYTES:
                raise TooLarge(f"the content has more than {MAX_CONTENT_BYTES >> 20} MiB; send smaller batches")
            take(len(part))
            parts.append(part)
    except zlib.error as error:
        raise BadRequest(f"the body is no gzip: {error}") from None
    if not unpacker.eof:
        raise BadRequest("the gzip body is cut")
    return b"".join(parts)


def read_request(content: bytes, *, is_json: bool, now: datetime, team_id: int) -> Received:
    """The events of an `ExportTraceServiceRequest`.

    Raises:
        BadRequest: it is none.
    """
    converter = Converter(otlp.FORMAT if is_json else otlp_protobuf.FORMAT, True, team_id)
    events: list[Event] = []
    faults: list[LineError] = []
    for item in _items(content, is_json):
        for outcome in converter.read(item, now + FUTURE):
            if isinstance(outcome, Event):
                events.append(outcome)
            elif outcome.error.reason in ("broken_protobuf", "broken_json", "invalid_utf8", "not_an_object"):
                raise BadRequest(f"the body is no ExportTraceServiceRequest: {outcome.error.detail}")
            else:
                faults.append(outcome.error)
    return Received(events, len(faults), str(faults[0]) if faults else "")


def _items(content: bytes, is_json: bool) -> Iterator[Item]:
    if is_json:
        yield Item(1, Line(1, content, len(content)))
        return
    try:
        for number, part in enumerate(otlp_protobuf.resource_spans(iter([content]), MAX_CONTENT_BYTES), start=1):
            yield Item(number, value=part)
    except DamagedSource as error:
        raise BadRequest(str(error)) from None


@dataclass(slots=True)
class Hold:
    """Bytes that a request occupies in memory until it is answered."""

    _inbox: "Inbox"
    size: int = 0

    def add(self, size: int) -> None:
        """Occupy more.

        Raises:
            Busy: all requests together would hold more than the limit.
        """
        self._inbox.occupy(size)
        self.size += size


@dataclass(slots=True)
class Inbox:
    """Stores the events of many requests, and tells each when its own are stored.

    Attributes:
        database: gives the database; called by the thread that stores.
        limit: bytes of all requests that are being read or stored.
    """

    database: Callable[[], Database]
    limit: int = MAX_HELD_BYTES
    _held: int = 0
    _waiting: list[tuple[list[Event], "Future[int]"]] = field(default_factory=list)
    _thread: threading.Thread | None = None
    _closed: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def hold(self) -> Iterator[Hold]:
        """Room for a request, which is given back at the end."""
        held = Hold(self)
        try:
            yield held
        finally:
            with self._changed:
                self._held -= held.size

    def occupy(self, size: int) -> None:
        """Count bytes as held; `hold` gives them back."""
        with self._changed:
            if self._held + size > self.limit:
                raise Busy("too many spans wait to be stored")
            self._held += size

    def put(self, events: list[Event]) -> "Future[int]":
        """Have events stored; the future tells how many were new, or why they are not stored.

        Raises:
            Busy: the server is ending.
        """
        future: Future[int] = Future()
        with self._changed:
            if self._closed:
                raise Busy("the server is ending")
            self._waiting.append((events, future))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="llma-inbox", daemon=True)
                self._thread.start()
            self._changed.notify()
        return future

    def close(self) -> None:
        """Store what waits, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            try:
                new = store_new(self.database(), [event for events, _ in batch for event in events])
            except BaseException as error:  # told to each request, whatever it is: none may wait for ever
                for _, future in batch:
                    if not future.cancelled():
                        future.set_exception(error)
                continue
            keys = {event.key for event in new}
            for events, future in batch:
                if not future.cancelled():
                    future.set_result(sum(event.key in keys for event in events))

    def _next(self) -> list[tuple[list[Event], "Future[int]"]]:
        """The requests of the next insert, as soon as there is one; none at the end."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            size = taken = 0
            for events, _ in self._waiting:
                if taken and size > _MAX_BATCH_BYTES:
                    break
                size += sum(len(event.properties) for event in events)
                taken += 1
            batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
            for _, future in batch:
                future.set_running_or_notify_cancel()  # whoever hangs up from now on is told in vain
            return batch
