"""Ingest against a real database: each event once, each bad line told, whatever happens in between."""

import gzip
import json
import os
import random
import stat
import threading
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pytest

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.ingest import IngestLimits, IngestProgress, IngestReport, SourceError, StrictError, ingest
from llma_assets.ingest.errors import LineError
from llma_assets.ingest.lines import Line
from llma_assets.ingest.parsing import parse_event
from llma_assets.ingest.rejects import RejectsFile
from llma_assets.ingest.store import _by_months
from llma_assets_tests.ingest.events import NOW, clock, compressed, event, lines, stored, stream, without

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
SMALL = IngestLimits(max_line_bytes=10_000, batch_rows=10, batch_bytes=100_000)


def run(source: BytesIO | Path, database: Database, **options: Any) -> IngestReport:
    return ingest(source, database, **{"rejects": None, "limits": SMALL, "clock": clock, **options})


def rejected(report: IngestReport) -> list[dict[str, Any]]:
    assert report.rejects_file is not None
    return [orjson.loads(line) for line in report.rejects_file.read_bytes().splitlines()]


def test_events_are_stored_as_they_were(database: Database) -> None:
    raw = b'{"a" : 1.50,"big":123456789012345678901234567890,"e":"\\u00e9"}'
    line = orjson.dumps(without("properties"))[:-1] + b',"properties":' + raw + b"}"
    run(stream(line), database)
    (row,) = database.rows("SELECT * EXCEPT inserted_at FROM events")
    expected = event()
    assert str(row.pop("uuid")) == expected["uuid"]
    assert row.pop("timestamp").isoformat() == "2026-11-01T10:00:00.123456+00:00"
    assert row.pop("properties") == raw.decode()
    assert row == {"event": "$ai_generation", "team_id": 1, "distinct_id": "user-0"}


def test_an_empty_source_stores_nothing_and_writes_no_rejects_file(database: Database, tmp_path: Path) -> None:
    report = run(stream(), database, rejects=tmp_path / "rejects")
    assert (report.lines, report.inserted, report.rejects_file) == (0, 0, None)
    assert not (tmp_path / "rejects").exists()


def test_blank_lines_are_ignored_but_keep_their_numbers(database: Database, tmp_path: Path) -> None:
    report = run(stream(event(1), b"", b"  \t", b"bad", event(2)), database, rejects=tmp_path)
    assert (report.lines, report.empty, report.inserted) == (5, 2, 2)
    assert [line["line"] for line in rejected(report)] == [4]


def test_a_second_run_changes_nothing(database: Database) -> None:
    content = lines(*(event(number) for number in range(95)))
    first, second = (run(BytesIO(content), database) for _ in range(2))
    assert (first.inserted, first.duplicates) == (95, 0)
    assert (second.inserted, second.duplicates, second.accepted) == (0, 95, 95)
    assert stored(database) == 95


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 1000])
def test_duplicates_in_the_source_are_stored_once_and_the_first_wins(database: Database, batch_rows: int) -> None:
    again = event(1, properties={"second": True}, timestamp="2026-11-05T00:00:00Z", event="$ai_span")
    limits = IngestLimits(batch_rows=batch_rows)
    report = run(stream(event(1), event(2), again, event(1)), database, limits=limits)
    assert (report.accepted, report.inserted, report.duplicates) == (4, 2, 2)
    assert database.value("SELECT countIf(event = '$ai_generation') FROM events") == 2


def test_the_same_uuid_in_two_teams_is_two_events(database: Database) -> None:
    for _ in range(2):
        report = run(stream(event(1, team_id=1), event(1, team_id=2), event(2, team_id=2)), database)
    assert report.duplicates == 3
    rows = database.rows("SELECT team_id, count() AS rows FROM events GROUP BY team_id ORDER BY team_id")
    assert rows == [{"team_id": 1, "rows": 1}, {"team_id": 2, "rows": 2}]


def test_a_known_event_of_one_team_does_not_hide_another_team_s_in_a_mixed_batch(database: Database) -> None:
    run(stream(event(1, team_id=1), event(2, team_id=2)), database)
    report = run(stream(event(1, team_id=2), event(2, team_id=1), event(1, team_id=1)), database)
    assert (report.inserted, report.duplicates) == (2, 1)


def odd_value(chance: random.Random, depth: int = 0) -> Any:
    """A value as Python and JavaScript write it, now and then with what JSON does not have."""
    kinds = ["text", "number", "odd text", "odd number"] + ["list", "object"] * (depth < 3)
    match chance.choice(kinds):
        case "text":
            return chance.choice(["", "fine", "NaN", 'a "quoted\\ud83d" one', "😀", "\\", "\0", "\ufffd"])
        case "number":
            return chance.choice([0, -1, 1.5, 2**63, -(2**70), 1e308, 10**300])
        case "odd text":
            return "".join(chance.choice(["\ud83d", "\ude00", "x", "\\", '"', "😀", "\udfff"]) for _ in range(5))
        case "odd number":
            return chance.choice([float("nan"), float("inf"), -float("inf"), 10**400])
        case "list":
            return [odd_value(chance, depth + 1) for _ in range(3)]
        case _:
            return {str(odd_value(chance, 3)): odd_value(chance, depth + 1) for _ in range(3)}


@pytest.mark.parametrize("form", ["escaped", "raw", "string"])
def test_whatever_is_accepted_can_be_read_in_the_database(database: Database, form: str) -> None:
    chance = random.Random(5)
    odd = []
    for number in range(300):
        properties = {"x": odd_value(chance), "$ai_trace_id": f"t{number}"}
        whole = event(number, team_id=1 + number % 2, properties=properties)
        if form == "string":
            whole["properties"] = json.dumps(properties)
        odd.append(json.dumps(whole, ensure_ascii=form != "raw").encode(errors="surrogatepass"))
    report = run(stream(*odd), database, limits=IngestLimits())
    assert (report.accepted, report.rejected) == (300, 0)
    assert report.repaired > 50
    assert set(report.repairs) == {"lone_surrogate", "not_finite"}
    rows = database.rows(
        "SELECT team_id, uniqExact(JSONExtractString(properties, '$ai_trace_id')) AS traces FROM events"
        " WHERE JSONType(properties) = 'Object' GROUP BY team_id ORDER BY team_id"
    )
    assert rows == [{"team_id": 1, "traces": 150}, {"team_id": 2, "traces": 150}]


def monthly(number: int, **fields: Any) -> dict[str, Any]:
    """One event a month, from January 2010 on."""
    return event(number, timestamp=f"{2010 + number // 12}-{1 + number % 12:02}-02T00:00:00Z", **fields)


@pytest.mark.parametrize("order", ["sorted", "shuffled"])
def test_years_of_history_load_in_one_batch(database: Database, order: str) -> None:
    numbers = list(range(190))
    if order == "shuffled":
        random.Random(3).shuffle(numbers)
    content = lines(*(monthly(number, team_id=1 + number % 2) for number in numbers))
    limits = IngestLimits()
    first, second = (run(BytesIO(content), database, limits=limits) for _ in range(2))
    assert (first.inserted, second.inserted, second.duplicates) == (190, 0, 190)
    by_team = database.rows("SELECT team_id, count() AS events FROM events GROUP BY team_id ORDER BY team_id")
    assert by_team == [{"team_id": 1, "events": 95}, {"team_id": 2, "events": 95}]


def test_no_insert_has_more_months_than_a_server_takes_that_keeps_its_guard() -> None:
    events = [parse_event(orjson.dumps(monthly(number % 190)), NOW) for number in range(400)]
    inserts = list(_by_months(events))
    months = [
        {datetime.fromtimestamp(each.timestamp_us / 1e6, UTC).strftime("%Y%m") for each in some} for some in inserts
    ]
    assert [len(some) for some in months] == [100, 90]
    assert not months[0] & months[1]
    assert sorted(each.uuid for some in inserts for each in some) == sorted(each.uuid for each in events)


@pytest.mark.parametrize(("months", "batches"), [(1, 4), (190, 1)])
def test_a_batch_grows_where_its_events_spread_over_years(database: Database, months: int, batches: int) -> None:
    seen: list[IngestProgress] = []
    limits = IngestLimits(batch_rows=50)
    source = stream(*({**monthly(number % months), "uuid": event(number)["uuid"]} for number in range(200)))
    run(source, database, limits=limits, progress=seen.append)
    assert len(seen) - 1 == batches
    assert stored(database) == 200


@pytest.mark.parametrize("members", [1, 3])
def test_a_gzip_file_of_any_name_is_read(database: Database, tmp_path: Path, members: int) -> None:
    path = tmp_path / "events.txt"
    path.write_bytes(compressed(lines(*(event(number) for number in range(50))), members))
    assert run(path, database).inserted == 50


def test_a_pipe_is_read(database: Database) -> None:
    reader, writer = os.pipe()

    def feed() -> None:
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(compressed(lines(*(event(number) for number in range(500)))))

    thread = threading.Thread(target=feed)
    thread.start()
    with os.fdopen(reader, "rb") as pipe:
        report = ingest(pipe, database, rejects=None, clock=clock)
    thread.join()
    assert report.inserted == 500


def test_bad_lines_stop_nothing_and_are_told_with_number_reason_and_content(database: Database, tmp_path: Path) -> None:
    bad = {
        2: (b"{broken", "broken_json"),
        3: (b"[1]", "not_an_object"),
        4: (orjson.dumps(without("uuid")), "missing_field"),
        5: (orjson.dumps(event(team_id=True)), "wrong_type"),
        6: (orjson.dumps(event(uuid="?")), "invalid_uuid"),
        7: (orjson.dumps(event(timestamp="soon")), "invalid_timestamp"),
        8: (orjson.dumps(event(timestamp="1970-01-01T00:00:00Z")), "timestamp_out_of_range"),
        9: (b'{"a":"\xff"}', "invalid_utf8"),
        10: (b'{"a":' + b"[" * 5000, "too_deep"),
        11: (b"x" * 10_001, "too_long"),
    }
    report = run(stream(event(1), *(line for line, _ in bad.values()), event(2)), database, rejects=tmp_path)
    assert (report.lines, report.inserted, report.rejected) == (12, 2, 10)
    assert report.reasons == {reason: 1 for _, reason in bad.values()}
    written = rejected(report)
    assert [(line["line"], line["reason"]) for line in written] == [
        (number, reason) for number, (_, reason) in bad.items()
    ]
    assert [line["bytes"] for line in written] == [len(line) for line, _ in bad.values()]
    assert written[0]["content"] == "{broken"
    assert (len(written[9]["content"]), written[9]["cut"], written[0]["cut"]) == (1000, True, False)
    assert stored(database) == 2


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("older", [False, True])
def test_the_rejects_file_is_private_whole_and_one_for_each_ingest(
    database: Database, tmp_path: Path, older: bool
) -> None:
    folder = tmp_path / "rejects"
    if older:
        folder.mkdir(mode=0o755)
        folder.chmod(0o755)
    reports = [run(stream(b"bad"), database, rejects=folder) for _ in range(2)]
    files = sorted(folder.iterdir())
    assert files == sorted(report.rejects_file for report in reports if report.rejects_file)
    assert len(files) == 2
    assert (mode(folder), mode(files[0])) == (0o700, 0o600)


def test_what_a_killed_ingest_left_of_its_rejects_is_removed_and_what_a_living_one_writes_stays(
    database: Database, tmp_path: Path
) -> None:
    killed = tmp_path / ".20260101T000000-0.jsonl.part"
    killed.write_bytes(b"{}")
    with RejectsFile(tmp_path) as living:
        living.add(Line(1, b"bad", 3), LineError("broken_json", "?"))
        assert not killed.exists()
        report = run(stream(b"worse"), database, rejects=tmp_path)
        assert report.rejects_file is not None
        assert len(list(tmp_path.glob(".*.part"))) == 1
    assert living.path is not None
    assert sorted(tmp_path.iterdir()) == sorted([living.path, report.rejects_file])


def test_bad_lines_are_counted_also_when_nobody_wants_the_file(database: Database) -> None:
    report = run(stream(b"bad", event(1)), database)
    assert (report.reasons, report.rejects_file, report.inserted) == ({"broken_json": 1}, None, 1)


def test_strict_stops_at_the_first_bad_line_and_keeps_what_came_before(database: Database, tmp_path: Path) -> None:
    source = stream(*(event(number) for number in range(25)), b"bad", event(99))
    with pytest.raises(StrictError, match=r"^line 26 is rejected \(broken_json\): .* Stored so far: 25 new") as caught:
        run(source, database, strict=True, rejects=tmp_path)
    assert (caught.value.line, caught.value.reason) == (26, "broken_json")
    assert caught.value.report.inserted == stored(database) == 25
    assert [line["line"] for line in rejected(caught.value.report)] == [26]


def test_a_failing_database_is_told_as_such_and_the_rejects_are_kept(database: Database, tmp_path: Path) -> None:
    database.execute("DROP TABLE events")
    with pytest.raises(DatabaseError):
        run(stream(b"bad", event(1)), database, rejects=tmp_path)
    (file,) = tmp_path.iterdir()
    assert [orjson.loads(line)["line"] for line in file.read_bytes().splitlines()] == [1]


def test_strict_takes_a_clean_source(database: Database) -> None:
    assert run(stream(event(1)), database, strict=True).inserted == 1


def test_a_truncated_gzip_is_an_error_after_its_complete_lines_are_stored(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "cut.gz"
    path.write_bytes(compressed(lines(*(event(number) for number in range(2000))))[:-200])
    with pytest.raises(SourceError, match="truncated") as caught:
        run(path, database)
    report = caught.value.report
    assert 1000 < report.inserted == report.lines == stored(database) < 2000
    assert report.rejected == 0
    path.write_bytes(compressed(lines(*(event(number) for number in range(2000)))))
    assert run(path, database).inserted == 2000 - report.inserted


def test_a_missing_file_and_a_folder_are_errors_that_name_it(database: Database, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"absent\.jsonl.*cannot be opened"):
        run(tmp_path / "absent.jsonl", database)
    with pytest.raises(SourceError, match=str(tmp_path)):
        run(tmp_path, database)


def test_a_given_team_gets_all_events(database: Database) -> None:
    report = run(stream(event(1, team_id=3), without("team_id")), database, team_id=8)
    assert list(report.teams) == [8]
    assert database.value("SELECT groupUniqArray(team_id) FROM events") == [8]


@pytest.mark.parametrize("team_id", [-1, 2**63])
def test_a_given_team_that_cannot_be_one_is_refused_before_reading(database: Database, team_id: int) -> None:
    with pytest.raises(ValueError, match="team_id"):
        run(stream(event()), database, team_id=team_id)


def test_the_report_tells_for_each_team_how_many_and_from_when_to_when(database: Database) -> None:
    run(stream(event(0, team_id=5)), database)
    report = run(stream(*(event(number, team_id=5) for number in (3, 0, 6)), event(1, team_id=4)), database)
    assert list(report.teams) == [4, 5]
    team = report.teams[5]
    assert (team.accepted, team.inserted) == (3, 2)
    assert (team.first_day, team.last_day) == (date(2026, 11, 1), date(2026, 11, 7))


def test_more_keys_than_a_parameter_holds_are_found_again(database: Database) -> None:
    content = lines(*(event(number, team_id=2**62 + number) for number in range(8_000)))
    ours, theirs = event(1, team_id=1), event(1, team_id=2)
    run(stream(ours), database)
    for expected in (8_001, 0):
        report = run(BytesIO(content + lines(ours, theirs)), database, limits=IngestLimits())
        assert (report.inserted, report.duplicates) == (expected, 8_002 - expected)
    assert stored(database) == 8_002


def test_the_next_batch_is_read_while_one_is_stored(database: Database) -> None:
    class Source(BytesIO):
        """Gives its second half only while the first is being stored."""

        def read(self, _: int | None = -1) -> bytes:
            if self.tell():
                assert begun.wait(20), "nothing is being stored"
                read.set()
            return super().read(half)

    class Slow(Database):
        """Stores nothing until more is read."""

        def insert_arrow(self, table: str, data: Any) -> None:
            begun.set()
            assert read.wait(20), "nothing is read meanwhile"
            super().insert_arrow(table, data)

    content = lines(*(event(number, properties={"text": "x" * 1_000}) for number in range(20)))
    half = content.index(b"\n", len(content) // 2) + 1
    begun, read = threading.Event(), threading.Event()
    slow = Slow(database._client, database.name, database._events_table)
    report = run(Source(content), slow)
    assert (report.inserted, stored(database)) == (20, 20)


def test_progress_grows_to_the_end(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(lines(*(event(number) for number in range(35)), b"bad"))
    seen: list[IngestProgress] = []
    run(path, database, progress=seen.append)
    assert [progress.inserted for progress in seen] == [10, 20, 30, 35]
    last = seen[-1]
    assert (last.lines, last.rejected) == (36, 1)
    assert last.source_bytes == last.source_size == path.stat().st_size


HOSTILE = [
    "'; DROP TABLE events; --",
    '"quoted" \\ back\\\\slash',
    "100 % {team_id:Int64} %(x)s",
    "🧨 emoji \U0001f469‍\U0001f680 and ümlaut",
    "tab\tnew\nline\0nul",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_are_stored_as_they_are_and_once(database: Database, text: str) -> None:
    hostile = event(1, distinct_id=text, event=text or "x", properties={"$ai_trace_id": text, text: text})
    for _ in range(2):
        run(stream(hostile), database)
    (row,) = database.rows(
        "SELECT event, distinct_id, JSONExtractString(properties, '$ai_trace_id') AS trace_id FROM events"
    )
    assert row == {"event": text or "x", "distinct_id": text, "trace_id": text}


def test_many_large_lines_and_batches_larger_than_a_query_of_uuids(database: Database) -> None:
    content = lines(*(event(number, properties={"text": "x" * (number % 50 * 100)}) for number in range(5000)))
    limits = IngestLimits(batch_bytes=4 << 20)
    first, second = (run(BytesIO(content), database, limits=limits) for _ in range(2))
    assert (first.inserted, second.inserted, second.duplicates) == (5000, 0, 5000)
    assert stored(database) == 5000


def test_a_trace_of_fifty_megabytes_passes_the_default_limit(database: Database) -> None:
    huge = event(1, properties={"$ai_trace_id": "t", "$ai_input": "wörd " * ((50 << 20) // 6)})
    report = ingest(stream(huge, event(2)), database, rejects=None, clock=clock)
    assert report.inserted == 2
    assert database.value("SELECT max(length(properties)) FROM events") > 50 << 20


@pytest.mark.parametrize("field", ["max_line_bytes", "batch_rows", "batch_bytes"])
def test_limits_below_one_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        IngestLimits(**{field: 0})


@pytest.mark.skipif(not DATA.exists(), reason="the shared data is not here")
def test_the_real_airline_runs_are_stored_whole_and_once(database: Database) -> None:
    path = DATA / "airline_agent.events.jsonl.gz"
    first, second = (ingest(path, database, rejects=None, clock=clock) for _ in range(2))
    assert (first.inserted, first.rejected, second.inserted) == (3818, 0, 0)
    assert stored(database) == 3818
    with gzip.open(path) as decompressed:
        sent = orjson.loads(next(decompressed))
    properties = database.value("SELECT properties FROM events WHERE uuid = {uuid:UUID}", uuid=sent["uuid"])
    assert orjson.loads(properties) == sent["properties"]
