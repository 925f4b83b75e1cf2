"""Reads Parquet as rows, a few megabytes at a time. What a row means belongs in `parsing` and `formats`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from uuid import UUID

from llma_assets.ingest.decompression import DamagedSource, ReadPosition

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SIGNATURE: Final = b"PAR1"
_PROPERTIES: Final = "properties"
_OWN: Final = ("uuid", "event", "timestamp", _PROPERTIES)
_BATCH_BYTES: Final = 4 << 20
_MOST_ROWS: Final = 8_192
_BUFFER: Final = 1 << 20
_LARGE_GROUP: Final = 32 << 20
"""Compressed bytes of a row group from which on it is read through a buffer, which costs half as much again."""


def read_rows(source: BinaryIO | Path, position: ReadPosition) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file as objects.

    Row groups are read one after another, each in batches of about 4 MB; a batch is the most that memory holds, beside
    a page of each column.

    Args:
        source: a path, or an open file that is seekable.
        position: updated while reading; content counts as it is in memory, after decompression.

    Raises:
        DamagedSource: the file is truncated or corrupt; the rows before the damage have been yielded.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(source, pre_buffer=False, buffer_size=_buffer(pq.read_metadata(source))) as file:
            columns = _columns(file.schema_arrow.names)
            size = os.stat(source).st_size if isinstance(source, Path) else 0
            total, done = file.metadata.num_rows, 0
            for number in range(file.num_row_groups):
                group = file.metadata.row_group(number)
                a_row = group.total_byte_size // max(1, group.num_rows) + 1
                rows = max(1, min(_MOST_ROWS, _BATCH_BYTES // a_row))
                for batch in file.iter_batches(
                    batch_size=rows, row_groups=[number], columns=columns, use_threads=False
                ):
                    done += batch.num_rows
                    position.content_bytes += batch.nbytes
                    position.source_bytes = size * done // max(1, total)
                    yield from _readable(batch).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DamagedSource(f"the Parquet file is broken: {' '.join(str(error).split())[:200]}") from error


def _buffer(metadata: "pq.FileMetaData") -> int:
    """0 to read columns of a row group whole, where they are small."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    largest = max(
        (sum(group.column(n).total_compressed_size for n in range(group.num_columns)) for group in groups), default=0
    )
    return _BUFFER if largest > _LARGE_GROUP else 0


def _columns(names: list[str]) -> list[str] | None:
    """The columns that are read: of events in our form those alone that we store, else all (None)."""
    if not set(_OWN) <= set(names) or "trace_id" in names:
        return None
    return [name for name in (*_OWN, "team_id", "distinct_id") if name in names]


def _readable(batch: "pa.RecordBatch") -> "pa.RecordBatch":
    """The batch with bytes as text where they are UTF-8, 16 bytes as uuids, and times as microseconds since 1970.

    The column of properties is given as bytes.
    """
    import pyarrow as pa

    columns = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        kind = column.type
        if name == _PROPERTIES and pa.types.is_string(kind):
            column = column.view(pa.binary())  # noqa: PLW2901 - stored as it is, so no text is made of it
        elif name != _PROPERTIES and (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
            column = _text(column)  # noqa: PLW2901
        elif pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16:
            column = pa.array([None if each is None else str(UUID(bytes=each)) for each in column.to_pylist()])  # noqa: PLW2901
        elif pa.types.is_timestamp(kind):  # as numbers: for datetimes pyarrow would load pandas
            column = column.cast(pa.timestamp("us", kind.tz), safe=False).view(pa.int64())  # noqa: PLW2901
        columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _text(column: "pa.Array") -> "pa.Array":
    import pyarrow as pa

    try:
        return column.cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8: such a value is shown as far as it can be read
        return pa.array([None if each is None else each.decode(errors="replace") for each in column.to_pylist()])
