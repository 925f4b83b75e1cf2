"""ClickHouse's output formats: which can be streamed, and their content types."""

from collections.abc import Iterable, Iterator

# Formats whose encoded blocks form a valid result when concatenated; the others have a header or a footer.
_STREAMING = frozenset(
    (
        "native",
        "tabseparated",
        "tsv",
        "tabseparatedraw",
        "tsvraw",
        "csv",
        "rowbinary",
        "rawblob",
        "lineasstring",
        "jsoneachrow",
        "jsonlines",
        "ndjson",
        "jsoncompacteachrow",
        "jsonstringseachrow",
    )
)
_CONTENT_TYPES = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
}
_CONTINUATION = b"\xff\xff\xff\xff"
_END_OF_STREAM = _CONTINUATION + bytes(4)


def streams(name: str) -> bool:
    """Whether the blocks of a result can be sent one by one."""
    return name.lower() in _STREAMING or is_arrow_stream(name)


def is_arrow_stream(name: str) -> bool:
    return name.lower() == "arrowstream"


def content_type(name: str) -> str:
    return _CONTENT_TYPES.get(name.lower(), "application/octet-stream")


def join_arrow_streams(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join Arrow IPC streams to one: the schema, all batches, one end marker.

    The engine encodes each block as a stream of its own with schema message, batches and end marker.
    """
    empty = True
    for piece in pieces:
        batches = piece.removesuffix(_END_OF_STREAM)
        if not empty:
            prefix = 8 if batches.startswith(_CONTINUATION) else 4
            batches = batches[prefix + int.from_bytes(batches[prefix - 4 : prefix], "little") :]
        empty = False
        yield batches
    if not empty:
        yield _END_OF_STREAM
