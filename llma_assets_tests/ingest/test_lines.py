"""Lines out of bytes: plain or gzip, whole or broken, short or without end."""

import gzip
import tracemalloc
import zlib
from collections.abc import Iterator
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.ingest.decompression import _COMPRESSED, _ENCODINGS, _OTHER_FORMATS, _ZIP, BOM
from llma_assets.ingest.lines import CHUNK, DamagedSource, Line, ReadPosition, read_lines
from llma_assets_tests.ingest.events import compressed

LIMIT = 1000


def read(content: bytes, limit: int = LIMIT) -> list[Line]:
    return list(read_lines(BytesIO(content), limit))


def read_until_damage(content: bytes) -> tuple[list[bytes], str]:
    found = []
    try:
        for line in read_lines(BytesIO(content), LIMIT):
            found.append(line.content)  # noqa: PERF401 (what was given out before the damage is what counts)
    except DamagedSource as damage:
        return found, str(damage)
    return found, ""


KNOWN_BEGINNINGS = (
    *(bytes.fromhex(magic) for magic in _COMPRESSED),
    *(bytes.fromhex(magic) for _, magic, _ in _OTHER_FORMATS),
    *(mark for mark, _ in _ENCODINGS),
    *_ZIP,
    BOM,
)
"""What makes a source something else than lines, or is taken off."""


class Dripping(BytesIO):
    """A pipe that gives one byte at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(0 if size == 0 else 1)


@given(st.lists(st.binary(max_size=20).filter(lambda line: b"\n" not in line and not line.endswith(b"\r"))))
def test_lines_come_back_as_they_were_joined(contents: list[bytes]) -> None:
    contents = [content for content in contents if not content.startswith(KNOWN_BEGINNINGS)]
    found = read(b"".join(content + b"\n" for content in contents))
    assert [line.content for line in found] == contents
    assert [line.number for line in found] == list(range(1, len(contents) + 1))


def test_an_empty_source_has_no_line() -> None:
    assert read(b"") == []


def test_the_last_line_needs_no_newline() -> None:
    assert [line.content for line in read(b"a\nb")] == [b"a", b"b"]


def test_carriage_returns_and_a_byte_order_mark_are_removed() -> None:
    assert [line.content for line in read(b"\xef\xbb\xbfa\r\nb\r\n")] == [b"a", b"b"]


@pytest.mark.parametrize("members", [1, 2, 7])
def test_gzip_of_any_number_of_members_is_decompressed_whatever_the_file_is_called(members: int) -> None:
    content = b"\n".join(b"line %d" % number for number in range(10_000))
    assert [line.content for line in read(compressed(content, members))] == content.split(b"\n")


def test_gzip_is_known_also_when_bytes_come_one_by_one() -> None:
    assert [line.content for line in read_lines(Dripping(compressed(b"a\nb\n", 2)), LIMIT)] == [b"a", b"b"]


def test_zero_padding_after_a_member_is_ignored() -> None:
    assert [line.content for line in read(compressed(b"a\n") + b"\0" * 100)] == [b"a"]


@pytest.mark.parametrize("cut", [1, 4, 8, 100])
def test_of_a_truncated_gzip_the_complete_lines_are_given_and_then_it_is_damaged(cut: int) -> None:
    content = b"".join(b"%d\n" % (number * 7919 % 10007) for number in range(1000))
    found, damage = read_until_damage(compressed(content)[:-cut])
    assert damage == "the gzip file is truncated"
    assert found == content.split(b"\n")[: len(found)]
    assert len(found) > 500


def test_garbage_after_a_gzip_member_is_damage_after_its_lines() -> None:
    found, damage = read_until_damage(compressed(b"a\nb\n") + b"garbage")
    assert found == [b"a", b"b"]
    assert damage.startswith("the gzip data is broken")


def test_a_flipped_byte_is_noticed_by_the_check_sum() -> None:
    whole = bytearray(compressed(b"a\nb\n"))
    whole[-6] ^= 1
    assert "broken" in read_until_damage(bytes(whole))[1]


def test_a_source_that_fails_to_read_is_damaged() -> None:
    class Failing(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(f"the disk is gone before {size} bytes")

    with pytest.raises(DamagedSource, match="the disk is gone"):
        list(read_lines(Failing(), LIMIT))


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
def test_a_line_of_exactly_the_limit_passes_and_one_more_byte_is_too_long(ending: bytes) -> None:
    (passes,) = read(b"x" * LIMIT + ending)
    (refused,) = read(b"x" * (LIMIT + 1) + ending)
    assert (passes.too_long, passes.size, len(passes.content)) == (False, LIMIT, LIMIT)
    assert (refused.too_long, refused.content[:3]) == (True, b"xxx")


def test_a_line_over_several_chunks_is_whole() -> None:
    long = bytes(range(32, 127)) * 40_000
    found = read(b"a\n" + long + b"\nb\n", limit=len(long))
    assert [line.content for line in found] == [b"a", long, b"b"]
    assert len(long) > 3 * CHUNK


def test_the_lines_after_a_too_long_one_are_read() -> None:
    found = read(b"a\n" + b"x" * (3 * CHUNK) + b"\nb\n")
    assert [(line.number, line.too_long) for line in found] == [(1, False), (2, True), (3, False)]
    assert found[1].size == 3 * CHUNK


@pytest.mark.heavy
def test_a_gzip_bomb_of_one_line_needs_only_a_few_megabytes() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"x" * (1 << 20)) for _ in range(300)) + packer.flush()
    tracemalloc.start()
    (line,) = read(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (line.too_long, line.size) == (True, 300 << 20)
    assert peak < 10 << 20


def test_the_position_counts_compressed_and_decompressed_bytes() -> None:
    content = b"a\n" * 1000
    position = ReadPosition()
    lines: Iterator[Line] = read_lines(BytesIO(gzip.compress(content)), LIMIT, position)
    assert len(list(lines)) == 1000
    assert position.content_bytes == len(content)
    assert 0 < position.source_bytes < 200
