"""One line of JSON: what passes, unchanged, and what does not, with its reason."""

import json
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llma_assets.ingest import LineError
from llma_assets.ingest.parsing import MAX_DEPTH, Event, parse_event
from llma_assets_tests.ingest.events import NOW, event, without

LATEST = NOW + timedelta(days=1)


def parse(line: bytes | dict[str, Any], team_id: int | None = None) -> Event:
    return parse_event(line if isinstance(line, bytes) else orjson.dumps(line), LATEST, team_id)


def refused(line: bytes | dict[str, Any]) -> LineError:
    with pytest.raises(LineError) as caught:
        parse(line)
    return caught.value


def with_properties(text: bytes) -> bytes:
    return orjson.dumps(without("properties"))[:-1] + b',"properties":' + text + b"}"


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


def test_a_valid_event_is_read_field_by_field() -> None:
    assert parse(event(3)) == Event(
        uuid=event(3)["uuid"],
        event="$ai_generation",
        team_id=1,
        distinct_id="user-3",
        timestamp_us=1762250400123456 + 365 * 86_400_000_000,
        properties=b'{"$ai_trace_id":"trace-1","n":3}',
    )


def test_an_event_of_product_analytics_without_a_trace_id_passes() -> None:
    assert parse(event(event="$pageview", properties={})).properties == b"{}"


def test_unknown_fields_are_ignored() -> None:
    assert parse({**event(), "elements_chain": "", "person_id": None}) == parse(event())


@pytest.mark.parametrize("field", ["uuid", "event", "team_id", "timestamp", "properties"])
def test_every_field_but_the_user_is_needed(field: str) -> None:
    error = refused(without(field))
    assert error.reason == "missing_field"
    assert error.detail.startswith(f"{field} is missing")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uuid", 7),
        ("event", None),
        ("event", ""),
        ("team_id", True),
        ("team_id", False),
        ("team_id", "acme"),
        ("team_id", ""),
        ("team_id", "-1"),
        ("team_id", "1.0"),
        ("team_id", "١"),
        ("team_id", "9" * 19),
        ("team_id", "9" * 20),
        ("team_id", 1.0),
        ("team_id", -1),
        ("team_id", 2**63),
        ("distinct_id", True),
        ("distinct_id", ["a"]),
        ("timestamp", 1762250400),
        ("properties", "[]"),
        ("properties", "null"),
        ("properties", []),
        ("properties", None),
    ],
)
def test_a_field_of_a_wrong_type_is_refused(field: str, value: Any) -> None:
    error = refused(event(**{field: value}))
    assert error.reason == "wrong_type"
    assert field in error.detail


@pytest.mark.parametrize("value", ["12", "012", 12])
def test_a_team_may_be_a_number_in_quotes(value: Any) -> None:
    assert parse(event(team_id=value)).team_id == 12


def test_a_team_s_name_is_refused_with_what_to_do() -> None:
    assert refused(event(team_id="acme")).detail.startswith(
        "team_id must be a number, not 'acme'; give each team a number"
    )
    assert "--team" in refused(event(team_id="x" * 5000)).detail
    assert len(refused(event(team_id="x" * 5000)).detail) < 200


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"null", ""),
        (b'""', ""),
        (b"12345", "12345"),
        (b"-5", "-5"),
        (b"12345678901234567890", "12345678901234567890"),
        (b"123456789012345678901234567890", "123456789012345678901234567890"),
        (b"1.50", "1.50"),
        (b"1e3", "1e3"),
        (b'"org:7:user/1 %20"', "org:7:user/1 %20"),
        ('"é🙂 ü"'.encode(), "é🙂 ü"),
        (b'"' + b"x" * 1024 + b'"', "x" * 1024),
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_user_is_any_text_or_number_as_it_was_sent(sent: bytes, kept: str, place: str) -> None:
    rest = orjson.dumps({name: value for name, value in event().items() if name != "distinct_id"})
    member = b'"distinct_id" : ' + sent
    line = b"{" + member + b"," + rest[1:] if place == "before" else rest[:-1] + b"," + member + b"}"
    assert parse(line).distinct_id == kept


def test_a_user_that_is_missing_is_empty() -> None:
    assert parse(without("distinct_id")).distinct_id == ""


@pytest.mark.parametrize("text", ['{"a": "x"}', ' {"a":1.50}\n', '{"big":123456789012345678901234567890}', "{}"])
def test_properties_may_be_a_string_of_json_whose_text_is_kept(text: str) -> None:
    found = parse(event(properties=text))
    assert found.properties == text.strip().encode()
    assert not found.repairs


@pytest.mark.parametrize(
    ("sent", "kept", "repairs"),
    [
        (rb'{"a":NaN, "b":1.50}', rb'{"a":null, "b":1.50}', {"not_finite": 1}),
        (rb'{"a":[Infinity,-Infinity]}', rb'{"a":[null,null]}', {"not_finite": 2}),
        (rb'{"a":1e999,"b":-1E400,"c":1e-999}', rb'{"a":null,"b":null,"c":1e-999}', {"not_finite": 2}),
        (b'{"a":' + b"9" * 400 + b"}", rb'{"a":null}', {"not_finite": 1}),
        (rb'{"a":"NaN \" Infinity","b":NaN}', rb'{"a":"NaN \" Infinity","b":null}', {"not_finite": 1}),
        (rb'{"a":"cut \ud83d"}', rb'{"a":"cut \ufffd"}', {"lone_surrogate": 1}),
        (rb'{"a":"\uDE00\uD83D"}', rb'{"a":"\ufffd\ufffd"}', {"lone_surrogate": 2}),
        (rb'{"a":"\ud83d\ud83d\ude00"}', rb'{"a":"\ufffd\ud83d\ude00"}', {"lone_surrogate": 1}),
        (rb'{"a":"\\ud83d","b":"\\\ud83d"}', rb'{"a":"\\ud83d","b":"\\\ufffd"}', {"lone_surrogate": 1}),
        (rb'{"\ud800":"key"}', rb'{"\ufffd":"key"}', {"lone_surrogate": 1}),
        (b'{"a":"\xed\xa0\xbd"}', '{"a":"\ufffd"}'.encode(), {"lone_surrogate": 1}),
        (b'{"a":"\xed\xa0\xbd\xed\xb8\x80 \xed\xb0\x80."}', '{"a":"😀 \ufffd."}'.encode(), {"lone_surrogate": 1}),
        (
            '{"a":"was \ufffd before","b":NaN}'.encode(),
            '{"a":"was \ufffd before","b":null}'.encode(),
            {"not_finite": 1},
        ),
        (rb'{"a":NaN,"b":"\ud83d"}', rb'{"a":null,"b":"\ufffd"}', {"not_finite": 1, "lone_surrogate": 1}),
    ],
)
@pytest.mark.parametrize("place", ["last", "first", "a string"])
def test_what_no_reader_takes_is_repaired_and_counted(
    sent: bytes, kept: bytes, repairs: dict[str, int], place: str
) -> None:
    if place == "a string":
        if b"\xed" in sent:
            return  # not text, so no string of JSON
        line = orjson.dumps(event(properties=sent.decode()))
    elif place == "last":
        line = with_properties(sent)
    else:
        line = b'{"properties":' + sent + b"," + orjson.dumps(without("properties"))[1:]
    found = parse(line)
    assert found.repairs == repairs
    assert found.properties == kept
    orjson.loads(found.properties)


def test_ids_with_a_lone_surrogate_are_repaired_too() -> None:
    found = parse(orjson.dumps(event(distinct_id="x?")).replace(b"x?", rb"x\udc00"))
    assert (found.distinct_id, found.repairs) == ("x\ufffd", {"lone_surrogate": 1})


def test_an_event_that_needs_no_repair_has_none() -> None:
    pair = with_properties(rb'{"a":"\ud83d\ude00 NaN"}')
    assert parse(pair).properties == rb'{"a":"\ud83d\ude00 NaN"}'
    assert not parse(pair).repairs


@pytest.mark.parametrize(
    "uuid",
    [
        "",
        "x",
        "c81f5c1d65655c38-9abf-c39404cdf6f3",
        "{c81f5c1d-6565-5c38-9abf-c39404cdf6f3}",
        "g81f5c1d-6565-5c38-9abf-c39404cdf6f3",
        "c81f5c1d-6565-5c38-9abf-c39404cdf6f3\n",
        "c81f5c1d-6565-5c38-9abf-c39404cdf6f٣",
    ],
)
def test_a_uuid_that_is_none_is_refused(uuid: str) -> None:
    assert refused(event(uuid=uuid)).reason == "invalid_uuid"


def test_a_uuid_in_upper_case_is_the_same_event() -> None:
    assert parse(event(uuid=event()["uuid"].upper())).key == parse(event()).key


@pytest.mark.parametrize(
    "timestamp", ["", "yesterday", "2026-13-01T00:00:00Z", "2026-11-07T25:00:00Z", "1762250400", "+10000-01-01"]
)
def test_a_timestamp_that_is_none_is_refused(timestamp: str) -> None:
    assert refused(event(timestamp=timestamp)).reason == "invalid_timestamp"


@pytest.mark.parametrize(
    "timestamp",
    [
        "1999-12-31T23:59:59.999999Z",
        "2026-11-09T00:00:00.000001Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-11-08T23:00:00-02:00",
    ],
)
def test_a_timestamp_out_of_the_sane_range_is_refused(timestamp: str) -> None:
    assert refused(event(timestamp=timestamp)).reason == "timestamp_out_of_range"


@pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_timestamp_that_leaves_the_calendar_is_refused(timestamp: str) -> None:
    assert refused(event(timestamp=timestamp)).reason == "invalid_timestamp"


@pytest.mark.parametrize(
    "timestamp",
    [
        "2026-11-07T10:00:00.500000Z",
        "2026-11-07T10:00:00.5+00:00",
        "2026-11-07 10:00:00.500",
        "2026-11-07T12:00:00.500+02:00",
        "2026-11-07T10:00:00.500000999Z",
    ],
)
def test_ways_to_write_one_moment_are_one_moment(timestamp: str) -> None:
    assert parse(event(timestamp=timestamp)).timestamp_us == 1794045600500000


def test_the_limits_of_the_sane_range_are_within_it() -> None:
    assert parse(event(timestamp="2000-01-01T00:00:00Z"))
    assert parse(event(timestamp="2026-11-09T00:00:00Z"))


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b'{"uuid": ',
        b"{} {}",
        with_properties(b'{"a":nan}'),
        with_properties(b'{"a":-NaN}'),
        with_properties(b'{"a":"\\ud8"}'),
        with_properties(b'{"a":NaN'),
        orjson.dumps(event(properties="no json")),
        orjson.dumps(event(properties="")),
        with_properties(b'{"a":"\t"}'),
        with_properties(b"{'a':1}"),
        with_properties(b"{}}"),
        with_properties(b'{},"uuid":'),
        b'{"properties":{}',
    ],
)
def test_what_is_no_json_is_refused(line: bytes) -> None:
    assert refused(line).reason == "broken_json"


@pytest.mark.parametrize("line", [b"[]", b"1", b"null", b'"text"', b'[{"properties":{}}]'])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    assert refused(line).reason == "not_an_object"


@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80\xff", b"\xf8\x88\x80\x80\x80"])
def test_bytes_that_are_not_utf_8_are_refused(bad: bytes) -> None:
    assert refused(with_properties(b'{"a":"' + bad + b'"}')).reason == "invalid_utf8"


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 1000, 1023, 1025, 100_000])
def test_deep_nesting_is_refused_wherever_the_properties_stand(depth: int) -> None:
    assert refused(with_properties(nested(depth))).reason == "too_deep"
    first = b'{"properties":' + nested(depth) + b"," + orjson.dumps(without("properties"))[1:]
    assert refused(first).reason == "too_deep"


def test_the_deepest_nesting_allowed_passes_wherever_the_properties_stand() -> None:
    assert parse(with_properties(nested(MAX_DEPTH))).properties == nested(MAX_DEPTH)
    first = b'{"properties":' + nested(MAX_DEPTH) + b"," + orjson.dumps(without("properties"))[1:]
    assert parse(first).properties == nested(MAX_DEPTH)


def test_many_brackets_side_by_side_are_not_deep() -> None:
    text = b'{"a":[' + b",".join([b"[]"] * 1000) + b"]}"
    assert parse(with_properties(text)).properties == text


@pytest.mark.parametrize("text", [b'{ "a" : 1.0e2, "b": 123456789012345678901234567890 }', b'{"a":1,"a":2}'])
@pytest.mark.parametrize("place", ["first", "last", "middle", "spaced", "escaped name"])
def test_the_text_of_the_properties_stays_what_it_was_wherever_they_stand(text: bytes, place: str) -> None:
    rest = orjson.dumps(without("properties"))[1:-1]
    line = {
        "first": b'{"properties":' + text + b"," + rest + b"}",
        "last": b"{" + rest + b',"properties":' + text + b"}",
        "middle": b'{"properties_size":1,"properties":' + text + b"," + rest + b',"z":{"properties":{}}}',
        "spaced": b' {\t"properties" : ' + text + b" , " + rest + b" } ",
        "escaped name": b"{" + rest + b',"prop\\u0065rties":' + text + b"}",
    }[place]
    assert parse(line).properties == text


def test_of_repeated_properties_the_last_count_as_everywhere_in_json() -> None:
    rest = orjson.dumps(without("properties"))[:-1]
    assert parse(rest + b',"properties":{"a":1},"properties":{"b":2}}').properties == b'{"b":2}'
    assert refused(rest + b',"properties":{"a":1},"properties":3}').reason == "wrong_type"


def test_a_nested_field_does_not_stand_for_a_missing_one() -> None:
    line = {**without("properties"), "extra": {"properties": {"a": 1}}}
    assert refused(line).reason == "missing_field"
    line = {"extra": {**event(), "properties": {}}}
    assert refused(line).reason == "missing_field"


def test_a_given_team_replaces_the_line_s_own_whatever_it_is() -> None:
    assert parse(event(team_id=2), team_id=7).team_id == 7
    assert parse(event(team_id=True), team_id=7).team_id == 7
    assert parse(without("team_id"), team_id=7).team_id == 7


names = st.text(st.characters(exclude_categories=["Cs"]), max_size=10) | st.just("properties")
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.heavy
@given(st.dictionaries(names, values, max_size=4), st.permutations(list(event())), st.booleans(), values)
def test_any_properties_in_any_order_of_fields_come_out_as_the_same_json(
    properties: dict[str, Any], order: list[str], ascii_only: bool, extra: Any
) -> None:
    whole = {**event(), "properties": properties}
    record = {"extra": extra, **{name: whole[name] for name in order}}
    found = parse(json.dumps(record, ensure_ascii=ascii_only).encode())
    assert found.properties == json.dumps(properties, ensure_ascii=ascii_only).encode()


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_line_whatever_raises_anything_else(line: bytes) -> None:
    with pytest.raises(LineError):
        parse(line)


@given(st.data())
def test_a_line_with_damage_anywhere_is_either_refused_or_still_json(data: st.DataObject) -> None:
    line = bytearray(orjson.dumps(event(properties={"a": [1, {"properties": "}"}], "b": "x"})))
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] = data.draw(st.sampled_from(b'"{}[],:\\ 0a\xff'))
    try:
        found = parse(bytes(line))
    except LineError:
        return
    whole = json.loads(bytes(line))
    assert json.loads(found.properties) == whole["properties"]
