"""Decompresses a source of bytes and decodes it to UTF-8. The first bytes tell format and encoding, never a file name.

Lines and JSON are not known here.
"""

import bz2
import codecs
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

CHUNK = 1 << 20
BOM = codecs.BOM_UTF8
_HEAD = 512
_ZIP = (bytes.fromhex("504b0304"), bytes.fromhex("504b0506"))
_MAX_LAYERS = 3
_XZ_MEMORY = 256 << 20

_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is a prefix of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FORMATS = (
    (0, "50415231", "a Parquet file"),
    (0, "4152524f5731", "an Arrow file"),
    (0, "4f626a01", "an Avro file"),
    (0, "53514c69746520666f726d6174203300", "an SQLite database"),
    (0, "255044462d", "a PDF"),
    (0, "377abcaf271c", "a 7z archive"),
    (0, "526172211a07", "a RAR archive"),
    (0, "d0cf11e0a1b11ae1", "an Office document"),
    (257, "7573746172", "a tar archive"),
)
"""Signatures of other file formats: offset, bytes in hexadecimal, name."""

_READABLE = "use JSON lines, JSON objects or a JSON array, plain or compressed by gzip, bzip2, xz, zstd or zip"


class DamagedSource(Exception):
    """The source is truncated, corrupt, or not text; the lines before the damage have been yielded."""


@dataclass(slots=True)
class ReadPosition:
    """How much has been read: `source_bytes` before and `content_bytes` after decompression."""

    source_bytes: int = 0
    content_bytes: int = 0


def decompressed(source: BinaryIO, position: ReadPosition, *, parquet: bool = False) -> Iterator[bytes]:
    """Yield the content of `source` in chunks of about 1 MB.

    gzip, bzip2, xz, zstd and a zip of one file are decompressed; UTF-16 and UTF-32 with a byte order mark become UTF-8.

    Args:
        source: read from its current position and not closed; must be seekable only for a zip.
        position: updated while reading.
        parquet: whether Parquet is not refused.

    Raises:
        DamagedSource: the source is truncated, corrupt, unreadable or of another file format.
    """
    head, chunks = peeked(_chunks(source, position), _shows_format)
    if head.startswith(_ZIP):
        head, chunks = peeked(_unzipped(source, position), _shows_format)
    for _ in range(_MAX_LAYERS):
        decompress = next(
            (decompress for magic, decompress in _COMPRESSED.items() if head.startswith(bytes.fromhex(magic))), None
        )
        if decompress is None:
            break
        head, chunks = peeked(decompress(chunks), _shows_format)
    for at, magic, what in _OTHER_FORMATS:
        if head.startswith(bytes.fromhex(magic), at) and not (parquet and what == "a Parquet file"):
            raise DamagedSource(f"it is {what}, which is not supported; {_READABLE}")
    for mark, encoding in _ENCODINGS:
        if head.startswith(mark):
            chunks = _as_utf8(chunks, encoding)
            break
    for chunk in chunks:
        position.content_bytes += len(chunk)
        yield chunk


def peeked(chunks: Iterator[bytes], is_enough: Callable[[bytes], bool]) -> tuple[bytes, Iterator[bytes]]:
    """The beginning of the content, and an iterator of all of it, which raises damage after the content before it."""
    head, damage = b"", None
    try:
        for chunk in chunks:
            head += chunk
            if is_enough(head):
                break
    except DamagedSource as error:
        damage = error

    def whole() -> Iterator[bytes]:
        if head:
            yield head
        if damage is not None:
            raise damage
        yield from chunks

    return head, whole()


def _shows_format(head: bytes) -> bool:
    return len(head) >= _HEAD


def _chunks(source: BinaryIO, position: ReadPosition) -> Iterator[bytes]:
    while True:
        try:
            chunk = source.read(CHUNK)
        except OSError as error:
            raise DamagedSource(f"reading failed after {position.source_bytes:,} bytes: {error}") from error
        if not chunk:
            return
        position.source_bytes += len(chunk)
        yield chunk


def _as_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Decode to UTF-8; lone surrogates stay, so that parsing reports them for their line."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode(errors="surrogatepass")
        yield decoder.decode(b"", final=True).encode(errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise DamagedSource(f"the text is not {encoding.upper()}: {error.reason}") from error


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress a gzip file of any number of members, at most `CHUNK` bytes at a time at any ratio."""
    decompressor = zlib.decompressobj(wbits=31)
    compressed = next(chunks, b"")
    while True:
        if decompressor.eof:
            compressed = compressed.lstrip(b"\0")  # padding between and after members is allowed
            if compressed:
                decompressor = zlib.decompressobj(wbits=31)
        if not compressed:
            compressed = next(chunks, b"")
            if not compressed:
                break
            continue
        try:
            content = decompressor.decompress(compressed, CHUNK)
        except zlib.error as error:
            raise DamagedSource(f"the gzip data is broken: {error}") from error
        if content:
            yield content
        compressed = decompressor.unconsumed_tail or decompressor.unused_data
    while not decompressor.eof:
        try:
            content = decompressor.decompress(b"", CHUNK)
        except zlib.error as error:
            raise DamagedSource(f"the gzip data is broken: {error}") from error
        if not content:
            raise DamagedSource("the gzip file is truncated")
        yield content


class _Decompressor(Protocol):
    """What the decompressors of bzip2, xz and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _decompressing(name: str, make: Callable[[], _Decompressor]) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """A decompressor for files of any number of streams, at most `CHUNK` bytes at a time at any ratio."""

    def decompress(chunks: Iterator[bytes]) -> Iterator[bytes]:
        decompressor = make()
        for chunk in chunks:
            compressed = chunk
            while compressed or not (decompressor.eof or decompressor.needs_input):
                if decompressor.eof:
                    compressed = compressed.lstrip(b"\0")
                    if not compressed:
                        break
                    decompressor = make()
                try:
                    content = decompressor.decompress(compressed, CHUNK)
                except (OSError, EOFError, lzma.LZMAError, _zstd_error()) as error:
                    raise DamagedSource(f"the {name} data is broken: {error}") from error
                if content:
                    yield content
                compressed = decompressor.unused_data if decompressor.eof else b""
        if not decompressor.eof:
            raise DamagedSource(f"the {name} file is truncated")

    return decompress


def _xz() -> _Decompressor:
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


def _zstd() -> _Decompressor:
    from backports.zstd import ZstdDecompressor

    return ZstdDecompressor()


def _zstd_error() -> type[Exception]:
    from backports.zstd import ZstdError

    return ZstdError


_COMPRESSED: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "1f8b": _gunzipped,
    "425a68": _decompressing("bzip2", bz2.BZ2Decompressor),
    "fd377a585a00": _decompressing("xz", _xz),
    "28b52ffd": _decompressing("zstd", _zstd),
}
"""Decompressors by the first bytes of a format, in hexadecimal."""


def _unzipped(source: BinaryIO, position: ReadPosition) -> Iterator[bytes]:
    """The content of the only file in a zip; folders and files that macOS adds do not count."""
    if not source.seekable():
        raise DamagedSource("a zip cannot be read from a pipe; name the file, or extract it by `unzip -p`")
    try:
        with zipfile.ZipFile(source) as archive:
            files = [each for each in archive.infolist() if not each.is_dir() and not _is_of_macos(each.filename)]
            if len(files) != 1:
                names = ", ".join(each.filename for each in files[:3]) or "none"
                raise DamagedSource(
                    f"the zip holds {len(files):,} files ({names}); extract it, and name the files to read"
                )
            with archive.open(files[0]) as file:
                while chunk := file.read(CHUNK):
                    position.source_bytes = source.tell()
                    yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, lzma.LZMAError) as error:
        raise DamagedSource(f"the zip is broken: {error}") from error
    except (RuntimeError, NotImplementedError) as error:  # a password is needed, or the method is not known
        raise DamagedSource(f"the zip cannot be extracted: {error}") from error


def _is_of_macos(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"
