"""Executes a request: settings, external tables, INSERT data, streaming of results.

The first piece of a response is computed before anything is sent, so that most errors get their HTTP status.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from typing import IO

from llma_assets.clickhouse.server import formats
from llma_assets.clickhouse.server.engine import Counts, Engine, Session, quote_name
from llma_assets.clickhouse.server.errors import QueryError
from llma_assets.clickhouse.server.request import HEAD_BYTES, QueryRequest
from llma_assets.clickhouse.server.running import RunningQueries, kill_target
from llma_assets.clickhouse.server.sessions import DEFAULT_TIMEOUT_S, Sessions
from llma_assets.clickhouse.server.statement import (
    InsertHead,
    first_word,
    insert_head,
    marked,
    output_format,
    reads_input,
)

_STREAMED_STATEMENTS = frozenset(("SELECT", "WITH", "FROM"))  # the engine streams no other
_ANSWERING_STATEMENTS = _STREAMED_STATEMENTS | {
    "SHOW",
    "DESCRIBE",
    "DESC",
    "EXPLAIN",
    "EXISTS",
    "KILL",
    "CHECK",
}
_WITHOUT_DISK_SPACE = frozenset(("DROP", "KILL", "SET", "SYSTEM", "USE"))
_SPOOL_BYTES = 16 << 20
_PIECE = 1 << 20


@dataclass(slots=True)
class Response:
    """What goes back to the client.

    Attributes:
        format: of the pieces; None for a statement that answers nothing.
        pieces: the result, encoded.
        counts: final once `pieces` are exhausted.
    """

    format: str | None
    pieces: Iterable[bytes]
    counts: Counts
    started_ns: int = field(default_factory=time.monotonic_ns)

    def elapsed_ns(self) -> int:
        return time.monotonic_ns() - self.started_ns


class Executor:
    """Runs requests on an engine. Thread-safe."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.sessions = Sessions(engine)
        self.running = RunningQueries(engine)

    @contextmanager
    def execute(self, request: QueryRequest) -> Iterator[Response]:
        """Run a request, in its own session or in the one that it names.

        Raises:
            QueryError: on entering, or from `Response.pieces` after the first piece.
        """
        started_ns = time.monotonic_ns()
        if target := kill_target(request.head):
            self.running.kill(target)
        with self._session(request) as session, _settings(session, request), _external(session, request):
            session.counts = Counts()
            with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
                response = self._run(session, request, spool)
                response.started_ns = started_ns
                try:
                    yield response
                finally:
                    session.cancel_stream()

    def _run(self, session: Session, request: QueryRequest, spool: IO[bytes]) -> Response:
        head = insert_head(request.head)
        if head is not None and _has_data(head, request):
            with self._with_disk_space():
                self._insert(session, request, head)
            return Response(None, (), session.counts)
        statement = request.head + b"".join(request.rest)
        chosen = output_format(statement) or request.transport.get("default_format") or "TabSeparated"
        word = first_word(statement)
        if word not in _ANSWERING_STATEMENTS:
            if request.read_only:
                raise QueryError.of(164, "READONLY", "GET only reads; send this statement by POST")
            if word == "INSERT" and reads_input(statement):  # chDB would silently store nothing
                raise QueryError.of(48, "NOT_IMPLEMENTED", "The embedded server has no table function input()")
            with nullcontext() if word in _WITHOUT_DISK_SPACE else self._with_disk_space():
                result = session.run(statement, chosen, request.parameters)
            return Response(chosen if result else None, (result,), session.counts)
        if word in _STREAMED_STATEMENTS:
            statement = marked(statement, request.query_id)
        if word not in _STREAMED_STATEMENTS or not formats.streams(chosen):
            return Response(chosen, (session.run(statement, chosen, request.parameters),), session.counts)
        return _stream(session, request, statement, chosen, spool)

    def _insert(self, session: Session, request: QueryRequest, head: InsertHead) -> None:
        inline = request.head[head.data_offset :]
        session.insert(
            head,
            head.format or request.transport.get("default_format") or "Values",
            chain((inline,) if inline else (), request.rest),
            parameters=request.parameters,
            query_id=request.query_id,
            abort=lambda: self.running.kill(request.query_id),
        )

    @contextmanager
    def _with_disk_space(self) -> Iterator[None]:
        """For statements that write: require disk space before, and confirm it afterwards."""
        self._engine.disk_space.require_free()
        yield
        self._engine.disk_space.confirm_free()

    def _session(self, request: QueryRequest) -> AbstractContextManager[Session]:
        name = request.transport.get("session_id")
        if not name:
            return self._fresh()
        try:
            timeout_s = float(request.transport.get("session_timeout") or DEFAULT_TIMEOUT_S)
        except ValueError:
            raise QueryError.of(36, "BAD_ARGUMENTS", "session_timeout is not a number of seconds") from None
        return self.sessions.session(name, timeout_s, must_exist=request.flag("session_check"))

    @contextmanager
    def _fresh(self) -> Iterator[Session]:
        session = self._engine.session()
        try:
            yield session
        finally:
            session.close()


@contextmanager
def _settings(session: Session, request: QueryRequest) -> Iterator[None]:
    """Apply the settings of the URL to this request only, even in a named session."""
    shared = bool(request.transport.get("session_id"))
    before = session.values_of(request.settings) if shared and request.settings else {}
    session.apply(request.settings)
    try:
        yield
    finally:
        if shared:
            session.restore(request.settings, before)


@contextmanager
def _external(session: Session, request: QueryRequest) -> Iterator[None]:
    made = []
    try:
        for table in request.external:
            name = quote_name(table.name)
            session.run(f"CREATE TEMPORARY TABLE {name} ({table.structure}) ENGINE = Memory")
            made.append(name)
            head = InsertHead(f"INSERT INTO {name}".encode(), b"", table.format, 0)
            session.insert(head, table.format, iter((table.data,)), abort=lambda: None)
        if request.read_only and not request.transport.get("session_id"):
            session.apply({"readonly": "2"})
        yield
    finally:
        for name in made if request.transport.get("session_id") else ():
            session.run(f"DROP TEMPORARY TABLE IF EXISTS {name}")


def _stream(session: Session, request: QueryRequest, statement: bytes, chosen: str, spool: IO[bytes]) -> Response:
    pieces = session.stream(statement, chosen, request.parameters)
    first = next(pieces, b"")
    if formats.is_arrow_stream(chosen) and not first:  # the engine streams nothing for no rows
        return Response(chosen, (session.run(statement, chosen, request.parameters),), session.counts)
    pieces = chain((first,), pieces)
    if formats.is_arrow_stream(chosen):
        pieces = formats.join_arrow_streams(pieces)
    if request.flag("wait_end_of_query"):
        for piece in pieces:
            spool.write(piece)
        spool.seek(0)
        pieces = iter(lambda: spool.read(_PIECE), b"")
    return Response(chosen, pieces, session.counts)


def _has_data(head: InsertHead, request: QueryRequest) -> bool:
    """Whether to stream the data. Short inline VALUES may hold expressions and go to the engine with the statement."""
    if head.format != "Values" or not request.head[head.data_offset :].strip():
        return True
    return len(request.head) >= HEAD_BYTES and not request.parameters
