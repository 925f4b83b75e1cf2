"""Content encodings of requests and answers: lz4 frames, zstd, gzip, deflate and, where installed, br."""

import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, Protocol

from llma_assets.clickhouse.server.errors import QueryError

UNKNOWN_COMPRESSION_METHOD = 89
CANNOT_DECOMPRESS = 271


class Compressor(Protocol):
    """Incremental compression; the bytes that `flush` returns end the stream."""

    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self) -> bytes: ...


class _Lz4:
    def __init__(self) -> None:
        self._frame = import_module("lz4.frame").LZ4FrameCompressor()
        self._begun = False

    def compress(self, data: bytes, /) -> bytes:
        begin = b"" if self._begun else bytes(self._frame.begin())
        self._begun = True
        return begin + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        return self.compress(b"") + bytes(self._frame.flush())


class _Brotli:
    def __init__(self) -> None:
        self._stream = import_module("brotli").Compressor(quality=1)

    def compress(self, data: bytes, /) -> bytes:
        return bytes(self._stream.process(data))

    def flush(self) -> bytes:
        return bytes(self._stream.finish())


def _zstd() -> Any:
    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _lz4_decompressor() -> Any:
    return import_module("lz4.frame").LZ4FrameDecompressor()


def _brotli_decompress() -> Callable[[bytes], bytes]:
    stream = import_module("brotli").Decompressor()
    return lambda data: bytes(stream.process(data))


_COMPRESSORS: dict[str, Callable[[], Compressor]] = {
    "lz4": _Lz4,
    "zstd": lambda: _zstd().ZstdCompressor(level=1),
    "gzip": lambda: zlib.compressobj(1, zlib.DEFLATED, 31),
    "deflate": lambda: zlib.compressobj(1),
    "br": _Brotli,
}


def compressor(accept_encoding: str) -> tuple[str, Compressor] | None:
    """The first available encoding of an Accept-Encoding header, or None."""
    for offered in accept_encoding.split(","):
        name = offered.split(";")[0].strip().lower()
        if name in _COMPRESSORS:
            try:
                return name, _COMPRESSORS[name]()
            except ImportError:
                continue
    return None


def decompress(encoding: str, data: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress a request body piece by piece.

    Raises:
        QueryError: the encoding is unknown, or the data is corrupt or truncated.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        yield from data
        return
    if name == "br":
        try:
            process = _brotli_decompress()
        except ImportError:
            raise _unknown(encoding) from None
        for piece in data:
            if plain := process(piece):
                yield plain
        return
    yield from _decompress_frames(name, encoding, data)


def _decompress_frames(name: str, encoding: str, data: Iterable[bytes]) -> Iterator[bytes]:
    """Decompress one or more concatenated frames."""
    make: dict[str, Callable[[], Any]] = {
        "lz4": _lz4_decompressor,
        "zstd": lambda: _zstd().ZstdDecompressor(),
        "gzip": lambda: zlib.decompressobj(31),
        "deflate": zlib.decompressobj,
    }
    if name not in make:
        raise _unknown(encoding)
    stream, started = make[name](), False
    for piece in data:
        rest = piece
        while rest:
            try:
                plain = stream.decompress(rest)
            except Exception as error:  # each codec has its own class for damaged data
                raise QueryError.of(
                    CANNOT_DECOMPRESS, "CANNOT_DECOMPRESS", f"The request's {name} data is damaged: {error}"
                ) from error
            started = True
            rest = (getattr(stream, "unused_data", b"") or b"") if stream.eof else b""
            if stream.eof:
                stream, started = make[name](), False
            if plain:
                yield plain
    if started:
        raise QueryError.of(CANNOT_DECOMPRESS, "CANNOT_DECOMPRESS", f"The request's {name} data is cut off")


def _unknown(encoding: str) -> QueryError:
    return QueryError.of(
        UNKNOWN_COMPRESSION_METHOD,
        "UNKNOWN_COMPRESSION_METHOD",
        f"Content-Encoding {encoding!r} is not one of {', '.join(_COMPRESSORS)}",
    )
