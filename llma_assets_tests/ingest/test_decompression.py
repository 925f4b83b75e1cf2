"""Files as people have them: compressed in many ways, in other encodings, and files that are something else."""

import bz2
import gzip
import lzma
import os
import sqlite3
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from backports import zstd

from llma_assets.ingest.lines import DamagedSource, read_lines
from llma_assets_tests.ingest.test_records import Dripping

CONTENT = b"".join(b'{"n":%d,"x":"%d"}\n' % (number, number * 7919 % 10007) for number in range(5000))
LIMIT = 1000


def zipped(content: bytes, *names: str, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    compressed = BytesIO()
    with zipfile.ZipFile(compressed, "w", method) as archive:
        for name in names or ("events.jsonl",):
            archive.writestr(name, content)
    return compressed.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd.compress,
}


def read(content: bytes, step: int = 0) -> bytes:
    source = Dripping(content, step) if step else BytesIO(content)
    return b"".join(line.content + b"\n" for line in read_lines(source, LIMIT))


def until_damage(content: bytes) -> tuple[list[bytes], str]:
    found: list[bytes] = []
    try:
        for line in read_lines(BytesIO(content), LIMIT):
            found.append(line.content)  # noqa: PERF401 (what was given out before the damage is what counts)
    except DamagedSource as damage:
        return found, str(damage)
    return found, ""


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("name", PACKERS)
def test_packed_content_is_known_by_its_first_bytes(name: str, step: int) -> None:
    assert read(PACKERS[name](CONTENT), step) == CONTENT


@pytest.mark.parametrize("name", PACKERS)
def test_several_streams_in_one_file_are_read_one_after_another(name: str) -> None:
    pack = PACKERS[name]
    assert read(pack(CONTENT[:5000]) + pack(b"") + pack(CONTENT[5000:])) == CONTENT


@pytest.mark.parametrize("cut", [1, 8, 200])
@pytest.mark.parametrize("name", PACKERS)
def test_of_a_truncated_file_the_complete_lines_are_given_and_then_it_is_damaged(name: str, cut: int) -> None:
    found, damage = until_damage(PACKERS[name](CONTENT)[:-cut])
    assert damage == f"the {name} file is truncated"
    assert found == CONTENT.split(b"\n")[: len(found)]


@pytest.mark.parametrize("name", PACKERS)
def test_garbage_after_a_stream_is_damage_after_its_lines(name: str) -> None:
    found, damage = until_damage(PACKERS[name](b"a\nb\n") + b"garbage")
    assert (found, damage.startswith(f"the {name} data is broken")) == ([b"a", b"b"], True)


@pytest.mark.heavy
@pytest.mark.parametrize("name", ["bzip2", "xz", "zstd"])
def test_a_bomb_of_one_line_needs_only_a_few_megabytes(name: str) -> None:
    bomb = PACKERS[name](b"x" * (50 << 20))
    tracemalloc.start()
    (line,) = read_lines(BytesIO(bomb), LIMIT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (line.too_long, line.size) == (True, 50 << 20)
    assert peak < 20 << 20


def test_layers_are_decompressed_and_a_file_that_decompresses_to_itself_is_not_followed_for_ever() -> None:
    assert read(zipped(gzip.compress(CONTENT), "events.jsonl.gz")) == CONTENT
    deep = CONTENT
    for _ in range(10):
        deep = gzip.compress(deep)
    assert read(deep) != CONTENT


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_one_file_is_read(tmp_path: Path, method: int) -> None:
    path = tmp_path / "export"
    path.write_bytes(zipped(CONTENT, method=method))
    with path.open("rb", buffering=0) as source:
        assert b"".join(line.content + b"\n" for line in read_lines(source, LIMIT)) == CONTENT


def test_folders_and_what_macos_adds_to_a_zip_do_not_count() -> None:
    compressed = BytesIO()
    with zipfile.ZipFile(compressed, "w") as archive:
        archive.mkdir("export")
        archive.writestr("export/events.jsonl", CONTENT)
        archive.writestr("__MACOSX/export/._events.jsonl", b"\0\5\x16\7")
        archive.writestr("export/.DS_Store", b"\0\0\0\1")
    assert read(compressed.getvalue()) == CONTENT


@pytest.mark.parametrize(
    ("compressed", "said"),
    [
        (zipped(b"a\n", "a.jsonl", "b.jsonl"), r"the zip holds 2 files \(a.jsonl, b.jsonl\); extract it"),
        (BytesIO(b"PK\x05\x06" + b"\0" * 18).getvalue(), r"the zip holds 0 files \(none\)"),
        (zipped(CONTENT)[:-300], "the zip is broken"),
        (zipped(CONTENT).replace(zipped(CONTENT)[2000:2100], b"\1" * 100), "the zip is broken"),
    ],
)
def test_a_zip_that_cannot_be_read_says_why(compressed: bytes, said: str) -> None:
    with pytest.raises(DamagedSource, match=said):
        list(read_lines(BytesIO(compressed), LIMIT))


def test_a_zip_with_a_password_says_so() -> None:
    compressed = bytearray(zipped(b"a\n"))
    compressed[6] |= 1
    compressed[compressed.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(DamagedSource, match=r"cannot be extracted: .*password"):
        list(read_lines(BytesIO(bytes(compressed)), LIMIT))


def test_a_zip_in_a_pipe_says_what_to_do() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as pipe:
        pipe.write(zipped(b"a\n"))
    with os.fdopen(reader, "rb") as pipe, pytest.raises(DamagedSource, match="name the file"):
        list(read_lines(pipe, LIMIT))


TEXT = "ümlaut 🙂\nzweite Zeile\n"


@pytest.mark.parametrize("step", [0, 1, 3])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_byte_order_mark_tells_the_encoding(encoding: str, step: int) -> None:
    content = (("\ufeff" if encoding.endswith("-be") else "") + TEXT).encode(encoding)
    assert read(content, step).decode() == TEXT
    assert read(gzip.compress(content), step).decode() == TEXT


def test_byte_order_marks_inside_concatenated_files_are_removed() -> None:
    assert read(b"\xef\xbb\xbf\xef\xbb\xbfa\n\xef\xbb\xbfb\n") == b"a\nb\n"
    assert read("a\n".encode("utf-16") + "b\n".encode("utf-16")) == b"a\nb\n"


def test_a_lone_surrogate_in_utf_16_is_left_to_its_line() -> None:
    content = b"\xff\xfe" + "a\ud83d\nb\n".encode("utf-16-le", "surrogatepass")
    assert read(content) == b"a\xed\xa0\xbd\nb\n"


def test_text_that_is_cut_within_a_character_is_damaged() -> None:
    found, damage = until_damage("a\nb".encode("utf-16")[:-1])
    assert found == [b"a"]
    assert damage.startswith("the text is not UTF-16")


def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with sqlite3.connect(tmp_path / "a.sqlite") as database:
        database.execute("CREATE TABLE a (b INT)")
    database.close()
    (tmp_path / "events.jsonl").write_bytes(CONTENT)
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "events.jsonl", "events.jsonl")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7\n")
    for name, said in {
        "a.parquet": "a Parquet file",
        "a.sqlite": "an SQLite database",
        "a.tar.gz": "a tar archive",
        "a.pdf": "a PDF",
    }.items():
        found, damage = until_damage((tmp_path / name).read_bytes())
        assert (found, damage.split(";")[0]) == ([], f"it is {said}, which is not supported")
        assert "JSON lines" in damage
