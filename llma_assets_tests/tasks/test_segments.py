import json
from datetime import UTC, datetime
from typing import Any

import pytest

from llma_assets.tasks.segments import Segment, SegmentError, metadata_of, parse_segment, stored_segment

NOW = datetime(2026, 11, 20, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "team_id": 7,
    "session_id": "s1",
    "start": "2026-11-02T09:00:00Z",
    "end": "2026-11-02T09:00:30Z",
    "distinct_id": "anna",
    "description": "The page shows an error",
}


def parsed(**changes: Any) -> Segment:
    return parse_segment(json.dumps({**GOOD, **changes}).encode(), latest=NOW)


def test_a_line_becomes_a_segment() -> None:
    found = parsed(embedding=[1, 0.5])
    assert found.start == datetime(2026, 11, 2, 9, tzinfo=UTC)
    assert found.embedding == (1.0, 0.5)
    assert found.document_id == "s1:20261102T090000.000000Z:20261102T090030.000000Z"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-02T10:00:00+01:00", "2026-11-02T10:00:30+01:00"),
        ("2026-11-02 09:00:00", "2026-11-02 09:00:30"),
        (1793610000, 1793610030),
    ],
)
def test_times_may_be_written_in_several_ways(start: Any, end: Any) -> None:
    assert parsed(start=start, end=end) == parsed()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"team_id": True}, "wrong_type"),
        ({"team_id": -1}, "wrong_type"),
        ({"team_id": None}, "missing_field"),
        ({"session_id": ""}, "missing_field"),
        ({"session_id": " "}, "missing_field"),
        ({"session_id": 5.5}, "wrong_type"),
        ({"session_id": ["a"]}, "wrong_type"),
        ({"session_id": "x" * 501}, "too_long"),
        ({"team_id": "one"}, "wrong_type"),
        ({"team_id": "9" * 30}, "wrong_type"),
        ({"start": "yesterday"}, "invalid_time"),
        ({"start": True}, "invalid_time"),
        ({"start": 1e300}, "invalid_time"),
        ({"start": "1999-01-01"}, "invalid_time"),
        ({"end": "2099-01-01"}, "invalid_time"),
        ({"end": "2026-11-02T08:00:00Z"}, "times_reversed"),
        ({"distinct_id": None}, "missing_field"),
        ({"description": None}, "no_description"),
        ({"description": "  "}, "no_description"),
        ({"description": 3}, "wrong_type"),
        ({"description": "x" * 20_001}, "too_long"),
        ({"embedding": []}, "invalid_vector"),
        ({"embedding": "1,2"}, "invalid_vector"),
        ({"embedding": [0, 0]}, "invalid_vector"),
        ({"embedding": [1, None]}, "invalid_vector"),
        ({"embedding": [1, True]}, "invalid_vector"),
        ({"embedding": [1e300]}, "invalid_vector"),
    ],
)
def test_a_bad_field_is_refused_with_its_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(SegmentError) as refused:
        parsed(**changes)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("line", "reason"), [(b"{", "broken_json"), (b"[]", "not_an_object"), (b'{"embedding": [NaN]}', "broken_json")]
)
def test_what_is_no_object_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(SegmentError) as refused:
        parse_segment(line, latest=NOW)
    assert refused.value.reason == reason


def test_the_message_of_a_refusal_quotes_nothing_of_the_segment() -> None:
    with pytest.raises(SegmentError) as refused:
        parsed(session_id="secret" * 100)
    assert "secret" not in str(refused.value)


def test_what_is_stored_of_a_segment_gives_it_back() -> None:
    found = parsed()
    assert stored_segment(7, found.document_id, found.description, metadata_of(found), latest=NOW) == found


def test_rows_of_other_pipelines_are_read_by_either_name_of_the_times() -> None:
    metadata = json.dumps({"distinct_id": "anna", "start_time": GOOD["start"], "end_time": GOOD["end"]})
    assert stored_segment(7, "s1:0:30", GOOD["description"], metadata, latest=NOW) == parsed()


SESSIONS = (
    "s1",
    "org:s1",
    "urn:session:0:30",
    "::",
    ":s1",
    "s1:",
    "2026-11-02T09:00:00Z",
    "s1:2026-11-02T09:00:00Z",
    "s1:20261102T090000.000000Z",
    "s1:12:00:05",
    "with a space/and\\a slash",
    "100%s %d _ ' \" `",
    "сессия/会话 🙂 é",
    "line\nbreak",
    "{team_id:Int64}",
)
"""Ids as other tools make them, and worse."""


@pytest.mark.parametrize("session_id", SESSIONS)
def test_a_session_id_is_an_opaque_string(session_id: str) -> None:
    found = parsed(session_id=session_id)
    assert found.session_id == session_id
    assert stored_segment(7, found.document_id, found.description, metadata_of(found), latest=NOW) == found


@pytest.mark.parametrize("session_id", SESSIONS)
@pytest.mark.parametrize(
    "times",
    [
        "0:30",
        "1793610000.5:1793610030",
        "2026-11-02T09:00:00Z:2026-11-02T09:00:30Z",
        "2026-11-02 09:00:00.000+01:00:2026-11-02 09:00:30.000+01:00",
        "20261102T090000.000000Z:20261102T090030.000000Z",
    ],
)
def test_where_metadata_name_no_session_the_times_are_cut_from_the_right(session_id: str, times: str) -> None:
    metadata = metadata_of(parsed()).replace('"session_id":"s1",', "")
    assert stored_segment(7, f"{session_id}:{times}", "text", metadata, latest=NOW).session_id == session_id


@pytest.mark.parametrize("document_id", ["s1", "s1:0", ":0:30", ""])
def test_a_stored_id_without_session_and_times_is_refused(document_id: str) -> None:
    metadata = metadata_of(parsed()).replace('"session_id":"s1",', "")
    with pytest.raises(SegmentError) as refused:
        stored_segment(7, document_id, "text", metadata, latest=NOW)
    assert refused.value.reason == "invalid_session_id"


def test_ids_that_are_whole_numbers_and_teams_that_are_strings_are_taken() -> None:
    found = parsed(session_id=5, distinct_id=77, team_id="7")
    assert (found.session_id, found.distinct_id, found.team_id) == ("5", "77", 7)


def test_a_row_whose_metadata_names_another_session_is_refused() -> None:
    metadata = json.dumps({**GOOD, "session_id": "s2"})
    with pytest.raises(SegmentError, match="with the session_id of metadata"):
        stored_segment(7, "s1:0:30", "text", metadata, latest=NOW)
