"""Records of other tools in which anything stands where something else was: each costs itself, nothing is raised."""

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llma_assets.ingest.converting import Rejected
from llma_assets.ingest.formats import FORMATS
from llma_assets.ingest.lines import DamagedSource
from llma_assets.ingest.parsing import Event
from llma_assets_tests.fuzzing import example_count
from llma_assets_tests.ingest.test_containers import requests
from llma_assets_tests.ingest.test_formats import FILES, converted

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(["0", "-1", "9" * 40, "2026-11-07", "nan", "[", "{}", '"\\"', "tr-", "=", "AAAA====", "\x00"]),
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
NAMES = [each.name for each in FORMATS]


def records_of(path: Path) -> list[Any]:
    """The records of a fixture."""
    text = path.read_text()
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    found, at = [], 0
    while text[at:].strip():
        record, end = json.JSONDecoder().raw_decode(text[at:].lstrip())
        at += len(text[at:]) - len(text[at:].lstrip()) + end
        found.append(record)
    return found


RECORDS = [(path.stem, record) for path in FILES for record in records_of(path)]


def places_of(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places inside a value."""
    yield place
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in pairs:
        yield from places_of(held, (*place, key))


def changed(value: Any, place: tuple[Any, ...], other: Any) -> Any:
    """The value with another one at a place."""
    if not place:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = changed(value[place[0]], place[1:], other)
    return copy


@pytest.mark.heavy
@settings(max_examples=example_count(1_500), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_stands_anywhere_in_a_record_is_an_event_or_is_refused(data: st.DataObject) -> None:
    name, record = data.draw(st.sampled_from(RECORDS))
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(places_of(record))
        record = changed(record, data.draw(st.sampled_from(places)), data.draw(ANYTHING))
    content = json.dumps(record).encode("utf-8", "surrogatepass")
    for chosen in (None, data.draw(st.sampled_from(NAMES))):
        try:
            _, found = converted(BytesIO(content), chosen)
        except DamagedSource:
            continue  # the record is a bare string or number, or looks like another kind of file
        assert all(isinstance(each, Event | Rejected) for each in found), name


@settings(max_examples=example_count(1_000), deadline=None)
@given(st.data())
def test_whatever_bytes_a_request_has_it_is_read_refused_or_damaged(data: st.DataObject) -> None:
    content = bytearray(b"".join(requests()))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        _, found = converted(BytesIO(bytes(content)), "otlp-protobuf")
    except DamagedSource:
        return
    assert all(isinstance(each, Event | Rejected) for each in found)


@pytest.mark.parametrize("name", [each for each in NAMES if each != "otlp-protobuf"])
def test_what_is_nested_too_deeply_costs_itself(name: str) -> None:
    deep = "[" * 900 + "]" * 900
    nested = '{"arrayValue": {"values": [' * 300 + '{"stringValue": "x"}' + "]}}" * 300
    runs = '{"id": "a", "run_type": "llm", "inputs": {}, "start_time": 1, "child_runs": [' * 400 + "]}" * 400
    good = json.dumps(next(record for path, record in RECORDS if path.startswith(name.replace("-", "_"))))
    span = '{"traceId": "a", "spanId": "b", "startTimeUnixNano": "1794042000000000000", "attributes": '
    span += '[{"key": "k", "value": '
    lines = [
        good,
        f'{{"input": {deep}, "id": "a", "trace_id": "t"}}',
        f'{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{span}{nested}}}]}}]}}]}}]}}',
        runs,
        good,
    ]
    _, found = converted(BytesIO("\n".join(lines).encode()), name)
    assert [each for each in found if isinstance(each, Rejected)]
    wanted = [each for each in converted(BytesIO(good.encode()), name)[1] if isinstance(each, Event)]
    kept = [each for each in found if isinstance(each, Event)]
    assert wanted
    assert all(kept.count(each) >= 2 for each in wanted)
