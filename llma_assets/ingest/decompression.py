"""From a source of bytes to its content: unpacked, and as UTF-8, whatever it was. Format and encoding are known by the
first bytes, never by a name. Knows no lines and no JSON.
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
_MOST_LAYERS = 3
_XZ_MEMORY = 256 << 20

_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHERS = (
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
"""Where in a file which bytes, in hexadecimal, tell what it is."""

_READABLE = "JSON lines, JSON objects or a JSON array are read, plain or packed by gzip, bzip2, xz, zstd or zip"


class DamagedSource(Exception):
    """The source ends too early, is packed wrongly or is no text; the lines before the damage have been given out."""


@dataclass(slots=True)
class ReadPosition:
    """How much has been read: `source_bytes` before and `content_bytes` after unpacking."""

    source_bytes: int = 0
    content_bytes: int = 0


def unpacked(source: BinaryIO, position: ReadPosition) -> Iterator[bytes]:
    """The content of `source` in chunks of about 1 MB: gzip, bzip2, xz, zstd or a zip of one file unpacked, UTF-16 and
    UTF-32 with a byte order mark as UTF-8.

    Args:
        source: read from where it stands, never closed; only a zip is sought in.
        position: updated while reading.

    Raises:
        DamagedSource: the source is cut or broken, cannot be read, or is a file of another kind.
    """
    head, chunks = peeked(_chunks(source, position), _shows_format)
    if head.startswith(_ZIP):
        head, chunks = peeked(_unzipped(source, position), _shows_format)
    for _ in range(_MOST_LAYERS):
        unpack = next((unpack for magic, unpack in _PACKED.items() if head.startswith(bytes.fromhex(magic))), None)
        if unpack is None:
            break
        head, chunks = peeked(unpack(chunks), _shows_format)
    for at, magic, what in _OTHERS:
        if head.startswith(bytes.fromhex(magic), at):
            raise DamagedSource(f"it is {what}; {_READABLE}")
    for mark, encoding in _ENCODINGS:
        if head.startswith(mark):
            chunks = _as_utf8(chunks, encoding)
            break
    for chunk in chunks:
        position.content_bytes += len(chunk)
        yield chunk


def peeked(chunks: Iterator[bytes], is_enough: Callable[[bytes], bool]) -> tuple[bytes, Iterator[bytes]]:
    """What the content begins with, and all of it; damage is told after what came before it."""
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
    """Lone surrogates stay what they are: each line tells of its own."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode(errors="surrogatepass")
        yield decoder.decode(b"", final=True).encode(errors="surrogatepass")
    except UnicodeDecodeError as error:
        raise DamagedSource(f"the text is not {encoding.upper()}: {error.reason}") from error


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack a gzip file of any number of members, at most `CHUNK` bytes at a time whatever the ratio."""
    unpacker = zlib.decompressobj(wbits=31)
    packed = next(chunks, b"")
    while True:
        if unpacker.eof:
            packed = packed.lstrip(b"\0")  # padding between and after members is allowed
            if packed:
                unpacker = zlib.decompressobj(wbits=31)
        if not packed:
            packed = next(chunks, b"")
            if not packed:
                break
            continue
        try:
            content = unpacker.decompress(packed, CHUNK)
        except zlib.error as error:
            raise DamagedSource(f"the gzip data is broken: {error}") from error
        if content:
            yield content
        packed = unpacker.unconsumed_tail or unpacker.unused_data
    while not unpacker.eof:
        try:
            content = unpacker.decompress(b"", CHUNK)
        except zlib.error as error:
            raise DamagedSource(f"the gzip data is broken: {error}") from error
        if not content:
            raise DamagedSource("the gzip file is truncated")
        yield content


class _Unpacker(Protocol):
    """What the unpackers of bzip2, xz and zstd have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _unpacking(name: str, make: Callable[[], _Unpacker]) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """What unpacks a file of any number of streams of a format, at most `CHUNK` bytes at a time whatever the ratio."""

    def unpack(chunks: Iterator[bytes]) -> Iterator[bytes]:
        unpacker = make()
        for chunk in chunks:
            packed = chunk
            while packed or not (unpacker.eof or unpacker.needs_input):
                if unpacker.eof:
                    packed = packed.lstrip(b"\0")
                    if not packed:
                        break
                    unpacker = make()
                try:
                    content = unpacker.decompress(packed, CHUNK)
                except (OSError, EOFError, lzma.LZMAError, _zstd_error()) as error:
                    raise DamagedSource(f"the {name} data is broken: {error}") from error
                if content:
                    yield content
                packed = unpacker.unused_data if unpacker.eof else b""
        if not unpacker.eof:
            raise DamagedSource(f"the {name} file is truncated")

    return unpack


def _xz() -> _Unpacker:
    return lzma.LZMADecompressor(memlimit=_XZ_MEMORY)


def _zstd() -> _Unpacker:
    from backports.zstd import ZstdDecompressor

    return ZstdDecompressor()


def _zstd_error() -> type[Exception]:
    from backports.zstd import ZstdError

    return ZstdError


_PACKED: dict[str, Callable[[Iterator[bytes]], Iterator[bytes]]] = {
    "1f8b": _gunzipped,
    "425a68": _unpacking("bzip2", bz2.BZ2Decompressor),
    "fd377a585a00": _unpacking("xz", _xz),
    "28b52ffd": _unpacking("zstd", _zstd),
}
"""What unpacks a format, by its first bytes in hexadecimal."""


def _unzipped(source: BinaryIO, position: ReadPosition) -> Iterator[bytes]:
    """The one file of a zip, beside folders and what macOS adds."""
    if not source.seekable():
        raise DamagedSource("a zip cannot be read from a pipe; name the file, or unpack it by `unzip -p`")
    try:
        with zipfile.ZipFile(source) as archive:
            files = [each for each in archive.infolist() if not each.is_dir() and not _is_of_macos(each.filename)]
            if len(files) != 1:
                names = ", ".join(each.filename for each in files[:3]) or "none"
                raise DamagedSource(f"the zip holds {len(files):,} files ({names}); unpack it, and name those to read")
            with archive.open(files[0]) as file:
                while chunk := file.read(CHUNK):
                    position.source_bytes = source.tell()
                    yield chunk
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, lzma.LZMAError) as error:
        raise DamagedSource(f"the zip is broken: {error}") from error
    except (RuntimeError, NotImplementedError) as error:  # a password is needed, or the method is not known
        raise DamagedSource(f"the zip cannot be unpacked: {error}") from error


def _is_of_macos(name: str) -> bool:
    return name.startswith("__MACOSX/") or name.rpartition("/")[2] == ".DS_Store"
