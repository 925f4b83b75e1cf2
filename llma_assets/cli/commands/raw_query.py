"""Streams the result of a statement as bytes in ClickHouse's own format, for `llma db query`."""

import re
from collections.abc import Iterator

from llma_assets.clickhouse import DatabaseError, SharedClient, database_errors, database_name, error_summary
from llma_assets.settings import Settings

PIECE = 1 << 16
_TAIL = 1 << 17
_FAILURE = re.compile(rb"\r\n__exception__\r\n[^\r\n]+\r\n(.*)\n\d+ [^\r\n]+\r\n__exception__\r\n\Z", re.DOTALL)
_CODE = re.compile(r"Code: (\d+)")


def raw_pieces(settings: Settings, statement: str, *, header: bool) -> Iterator[bytes]:
    """Run a statement and yield its result in pieces, tab-separated unless it names a FORMAT.

    Raises:
        DatabaseError: ClickHouse refused, or failed in the middle of the result; the pieces before were yielded.
        DatabaseUnavailable: the connection could not be made or broke.
    """
    tail = b""
    for piece in _pieces(settings, statement, "TabSeparatedWithNames" if header else "TabSeparated"):
        tail += piece
        # ClickHouse writes a failure in mid-stream at the very end, so the end is held back until the stream is over.
        if len(tail) > 2 * _TAIL:
            yield tail[:-_TAIL]
            tail = tail[-_TAIL:]
    failure = _FAILURE.search(tail)
    yield tail[: failure.start()] if failure else tail
    if failure:
        message = failure.group(1).decode(errors="replace").strip()
        code = _CODE.search(message)
        raise DatabaseError(error_summary(message), int(code.group(1)) if code else 0)


def _pieces(settings: Settings, statement: str, default_format: str) -> Iterator[bytes]:
    link = SharedClient(settings)
    options = {
        "settings": {"database": database_name(settings)},
        "transport_settings": {"X-ClickHouse-Format": default_format},
    }
    try:
        answer = link.call(lambda client: client.raw_stream(statement, **options), repeatable=False)
        with database_errors(), answer:
            while piece := answer.read(PIECE):
                yield piece
    finally:
        link.close()
