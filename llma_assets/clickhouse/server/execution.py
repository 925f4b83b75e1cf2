"""From a request to an answer: external tables, settings, INSERT data, which results may stream.

The answer's first piece has been computed before anything is sent, so that most errors get their status.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from typing import IO

from llma_assets.clickhouse.server.engine import Counts, Engine, Session, quote_name
from llma_assets.clickhouse.server.errors import QueryError
from llma_assets.clickhouse.server.request import QueryRequest
from llma_assets.clickhouse.server.statement import InsertHead, first_word, insert_head, output_format

# Formats whose pieces, block by block, make one well-formed whole; every other has a head or a tail.
_STREAMING = frozenset(("native", "tabseparated", "tsv", "tabseparatedraw", "tsvraw", "csv", "rowbinary", "jsoneachrow",
                        "jsonlines", "ndjson", "jsoncompacteachrow", "jsonstringseachrow", "rawblob", "lineasstring"))  # fmt: skip
_STREAMED_STATEMENTS = frozenset(("SELECT", "WITH", "FROM"))  # the engine streams no other
_SPOOL_BYTES = 16 << 20
_PIECE = 1 << 20
_CONTENT_TYPES = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
}


@dataclass(slots=True)
class Answer:
    """What goes back to the client; `counts` are final once `pieces` are exhausted."""

    format: str
    pieces: Iterable[bytes]
    counts: Counts
    started_ns: int = field(default_factory=time.monotonic_ns)

    @property
    def content_type(self) -> str:
        return _CONTENT_TYPES.get(self.format.lower(), "application/octet-stream")

    def elapsed_ns(self) -> int:
        return time.monotonic_ns() - self.started_ns


@contextmanager
def execute(engine: Engine, request: QueryRequest) -> Iterator[Answer]:
    """Run a request in its own session.

    Raises:
        QueryError: on entering, or out of `Answer.pieces` once the result has begun to flow.
    """
    started_ns = time.monotonic_ns()
    session = engine.session()
    try:
        settings = dict(request.settings)
        if request.read_only:
            settings.setdefault("readonly", "2")
        for table in request.external:
            session.run(
                f"CREATE TEMPORARY TABLE {quote_name(table.name)} ({table.structure}) ENGINE = Memory"
            )
            session.insert(f"INSERT INTO {quote_name(table.name)}", table.format, (table.data,))
        session.counts = Counts()
        session.apply(settings)
        with _spool() as spool:
            answer = _run(session, request, spool)
            answer.started_ns = started_ns
            yield answer
    finally:
        session.close()


@contextmanager
def _spool() -> Iterator[IO[bytes]]:
    with tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as spool:
        yield spool  # type: ignore[misc]


def _run(session: Session, request: QueryRequest, spool: IO[bytes]) -> Answer:
    head = insert_head(request.head)
    if head is not None and _has_data(head, request):
        _insert(session, request, head)
        return Answer("TabSeparated", (), session.counts)
    statement = request.head + b"".join(request.rest)
    named = output_format(statement)
    chosen = named or request.transport.get("default_format") or "TabSeparated"
    if first_word(statement) not in _STREAMED_STATEMENTS:
        return Answer(chosen, (session.run(statement, chosen, request.parameters),), session.counts)
    if chosen.lower() not in _STREAMING:
        return Answer(chosen, (session.run(statement, chosen, request.parameters),), session.counts)
    pieces = session.stream(statement, chosen, request.parameters)
    if request.flag("wait_end_of_query"):
        for piece in pieces:
            spool.write(piece)
        spool.seek(0)
        return Answer(chosen, iter(lambda: spool.read(_PIECE), b""), session.counts)
    first = next(pieces, b"")
    return Answer(chosen, chain((first,), pieces), session.counts)


def _has_data(head: InsertHead, request: QueryRequest) -> bool:
    """Inline VALUES may hold expressions and parameters, so the engine gets those as one statement."""
    return head.format != "Values" or (request.is_url_query and not request.head[head.data_offset :].strip())


def _insert(session: Session, request: QueryRequest, head: InsertHead) -> None:
    if request.parameters:
        names = {f"param_{name}": value for name, value in request.parameters.items()}
        session.apply(names)
    chosen = head.format or request.transport.get("default_format") or "Values"
    inline = request.head[head.data_offset :]
    session.insert(head.statement, chosen, chain((inline,) if inline else (), request.rest))


__all__ = ["Answer", "QueryError", "execute"]
