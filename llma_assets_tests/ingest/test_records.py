"""Records out of files that are not made of lines: arrays, indented objects, and what of them is broken."""

import json
import time
import tracemalloc
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.ingest.lines import CHUNK, DamagedSource, Line
from llma_assets.ingest.records import read_records

LIMIT = 10_000


class Dripping(BytesIO):
    """A pipe that gives `step` bytes at a time."""

    def __init__(self, content: bytes, step: int = 1) -> None:
        super().__init__(content)
        self._step = step

    def read(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002 (less than asked for, as pipes do)
        return super().read(self._step)


def read(content: bytes, limit: int = LIMIT, step: int = CHUNK) -> list[Line]:
    return list(read_records(Dripping(content, step), limit))


def contents(content: bytes, step: int = CHUNK) -> list[bytes]:
    return [line.content for line in read(content, step=step)]


def until_damage(content: bytes, step: int = CHUNK) -> tuple[list[bytes], str]:
    found: list[bytes] = []
    try:
        for line in read_records(Dripping(content, step), LIMIT):
            found.append(line.content)  # noqa: PERF401 (what was given out before the damage is what counts)
    except DamagedSource as damage:
        return found, str(damage)
    return found, ""


texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\{}[],:'), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(values, max_size=5), st.sampled_from([None, 0, 2]), st.booleans(), st.integers(1, 9))
def test_an_array_gives_its_elements_however_it_is_written_and_read(
    elements: list[Any], indent: int | None, ascii_only: bool, step: int
) -> None:
    content = json.dumps(elements, indent=indent, ensure_ascii=ascii_only).encode()
    found = read(content, step=step)
    assert [json.loads(line.content) for line in found] == elements
    assert [line.number for line in found] == list(range(1, len(elements) + 1))


@pytest.mark.heavy
@given(st.lists(st.dictionaries(texts, values, min_size=1, max_size=3), min_size=1, max_size=4), st.integers(1, 9))
def test_indented_objects_one_after_another_are_records(objects: list[dict[str, Any]], step: int) -> None:
    content = "\n".join(json.dumps(each, indent=2) for each in objects).encode()
    assert [json.loads(found) for found in contents(content, step)] == objects


@pytest.mark.parametrize("step", [1, 2, 3, 7, CHUNK])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"[]", []),
        (b" \r\n[ ]\n", []),
        (b'[{"a":1},{"a":2}]', [b'{"a":1}', b'{"a":2}']),
        (b'\xef\xbb\xbf[\n{"a":1}\n,\n{"a":2}\n]\n', [b'{"a":1}', b'{"a":2}']),
        (b'[{"a":1}]\n[{"a":2}] \xef\xbb\xbf[{"a":3}]', [b'{"a":1}', b'{"a":2}', b'{"a":3}']),
        (b'[{"a":"]}\\"{"},"x",12,null,[1,[2]]]', [b'{"a":"]}\\"{"}', b'"x"', b"12", b"null", b"[1,[2]]"]),
        (b'[{"a":"\\\\"},{"b":"\\\\\\""}]', [b'{"a":"\\\\"}', b'{"b":"\\\\\\""}']),
        (b'{ "a": 1,\n "b": 2 }\n{"c":3}', [b'{ "a": 1,\n "b": 2 }', b'{"c":3}']),
        (b'{\r\n"a": [\r\n]}', [b'{\r\n"a": [\r\n]}']),
        (b'[1] oops } ] "x"', [b"1", b"oops", b"}", b"]", b'"x"']),
        (b'[{"a":1},]', [b'{"a":1}']),
    ],
)
def test_what_stands_between_the_records_is_left_out(content: bytes, found: list[bytes], step: int) -> None:
    assert contents(content, step) == found


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1}\n{"a":\n{"b":2}\n',
        b'{"a":1\n{"b":2}\n',
        b'bad\n[{"a":1}]\n',
        b'{"a":1}\n[{"b":2}]',
        b"",
        b"\n\n",
        b'{"a":1}',
    ],
)
def test_any_other_file_is_one_of_lines_and_a_cut_line_costs_no_other(content: bytes) -> None:
    assert contents(content) == content.splitlines()


@pytest.mark.parametrize("step", [1, 5, CHUNK])
@pytest.mark.parametrize("end", range(1, 38))
def test_an_array_that_is_cut_gives_what_was_complete_and_is_damaged(end: int, step: int) -> None:
    whole = b'[{"a":"x\\n"}, {"b":[1,"\\\\"]}, {"c":3}]'
    found, damage = until_damage(whole[:end], step)
    assert damage.startswith("the file is truncated")
    assert found == [b'{"a":"x\\n"}', b'{"b":[1,"\\\\"]}', b'{"c":3}'][: len(found)]
    assert len(found) == sum(end >= at for at in (12, 28, 37))


def test_an_indented_object_that_is_cut_is_damaged_after_the_whole_ones() -> None:
    assert until_damage(b'{\n "a": 1\n}\n{\n "b": 2')[0] == [b'{\n "a": 1\n}']
    assert "not closed" in until_damage(b'{\n "a": 1\n}\n{\n "b": 2')[1]


@pytest.mark.parametrize("step", [100, CHUNK])
def test_a_record_over_the_limit_is_skimmed_and_the_next_ones_are_read(step: int) -> None:
    long = b'{"a":"' + b"x{" * LIMIT + b'"}'
    found = read(b'[{"a":1},' + long + b',{"a":2}]', step=step)
    assert [(line.too_long, line.size) for line in found] == [(False, 7), (True, len(long)), (False, 7)]
    assert len(found[1].content) < LIMIT


class Endless(BytesIO):
    """An array of `records` objects of about a megabyte, made while it is read."""

    def __init__(self, records: int) -> None:
        super().__init__()
        self._left = iter([b"[", *[b'{"a":"' + b"x" * CHUNK + b'"},'] * records, b"{}]"])

    def read(self, size: int | None = -1, /) -> bytes:  # noqa: ARG002
        return next(self._left, b"")


@pytest.mark.heavy
def test_an_array_of_a_hundred_megabytes_needs_only_a_few() -> None:
    tracemalloc.start()
    count = sum(1 for _ in read_records(Endless(100), 2 * CHUNK))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 101
    assert peak < 10 << 20


def test_many_strings_in_a_chunk_are_gone_over_once() -> None:
    element = b'["' + b'","'.join([b"abc"] * 400_000) + b'"]'
    started = time.process_time()
    (line,) = read(b"[" + element + b"]", limit=10 << 20, step=1 << 16)
    assert line.content == element
    assert time.process_time() - started < 2  # 0.02 s; once for each string would be hours
