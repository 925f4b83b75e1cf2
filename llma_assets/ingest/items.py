"""Opens a source and yields its records as items: lines and JSON values, rows of Parquet, or spans of OTLP protobuf.

The first bytes tell which, never a file name.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from llma_assets.ingest import frames
from llma_assets.ingest.converting import Item
from llma_assets.ingest.decompression import DamagedSource, ReadPosition, decompressed, peeked
from llma_assets.ingest.formats import otlp_protobuf
from llma_assets.ingest.lines import Line
from llma_assets.ingest.parquet import SIGNATURE, read_rows
from llma_assets.ingest.records import records_of

_HEAD = 4096


def read_items(source: BinaryIO | Path, max_record_bytes: int, position: ReadPosition) -> Iterator[Item]:
    """Yield the records of a source, numbered from 1.

    Args:
        source: a path, or an open stream, which is read from its current position and not closed.
        max_record_bytes: a longer line, or span of protobuf, is an item marked as too long.
        position: updated while reading.

    Raises:
        DamagedSource: it cannot be opened, or not read to its end; the records before the damage have been yielded.
    """
    if not isinstance(source, Path):
        yield from _of_stream(source, max_record_bytes, position)
        return
    try:
        stream = source.open("rb", buffering=0)
    except OSError as error:
        raise DamagedSource(f"it cannot be opened: {error.strerror}") from error
    with stream:
        if stream.seekable():
            begins_as_parquet = stream.read(len(SIGNATURE)) == SIGNATURE
            stream.seek(0)
            if begins_as_parquet:
                yield from _rows(source, position)
                return
        yield from _of_stream(stream, max_record_bytes, position)


def _of_stream(source: BinaryIO, max_record_bytes: int, position: ReadPosition) -> Iterator[Item]:
    head, chunks = peeked(decompressed(source, position, parquet=True), lambda head: len(head) >= _HEAD)
    if head.startswith(SIGNATURE):
        yield from _rows_of_stream(chunks, position)
    elif frames.begins(head):
        yield from _requests(frames.read_frames(chunks, max_record_bytes), max_record_bytes)
    elif otlp_protobuf.begins(head):
        for number, part in enumerate(otlp_protobuf.resource_spans(chunks, max_record_bytes), start=1):
            yield Item(number, value=part)
    else:
        for line in records_of(chunks, max_record_bytes):
            yield Item(line.number, line)


def _requests(contents: Iterator[bytes], max_record_bytes: int) -> Iterator[Item]:
    """Requests of OTLP, each in JSON or in protobuf."""
    number = 0
    for content in contents:
        if content.startswith(b"{"):
            number += 1
            yield Item(number, Line(number, content, len(content)))
            continue
        for part in otlp_protobuf.resource_spans(iter([content]), max_record_bytes):
            number += 1
            yield Item(number, value=part)


def _rows_of_stream(chunks: Iterator[bytes], position: ReadPosition) -> Iterator[Item]:
    """The rows of a file that came compressed or through a pipe: its end is needed first, so it waits on disk."""
    with tempfile.TemporaryFile() as file:
        for chunk in chunks:
            file.write(chunk)
        file.seek(0)
        read = position.source_bytes
        position.content_bytes = 0
        for item in _rows(file, position):
            position.source_bytes = read
            yield item


def _rows(source: BinaryIO | Path, position: ReadPosition) -> Iterator[Item]:
    for number, row in enumerate(read_rows(source, position), start=1):
        yield Item(number, value=row)
