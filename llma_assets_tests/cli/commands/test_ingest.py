"""`llma ingest`: files and stdin, the report, refused lines."""

import bz2
import gzip
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Final

import pytest
from backports import zstd

from llma_assets.clickhouse import Database
from llma_assets.source_catalog import add_source, store_tenants
from llma_assets.sources import Source
from llma_assets_tests.cli.conftest import Answer, Llma

REPORT = [
    "file", "format", "lines", "empty", "accepted", "inserted", "duplicates", "rejected", "repaired", "repairs",
    "reasons", "first_refusal", "rejects_file", "bytes", "duration_s", "teams",
]  # fmt: skip


def line(number: int, team_id: int = 1) -> str:
    return json.dumps(
        {
            "uuid": f"00000000-0000-4000-8000-{number:012d}",
            "event": "$ai_generation",
            "team_id": team_id,
            "distinct_id": "u",
            "timestamp": "2026-11-07T08:00:00Z",
            "properties": {"$ai_trace_id": f"t{number}"},
        }
    )


def test_files_and_stdin_are_stored_once(database: Database, llma_json: Callable[..., Answer], tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl.gz"
    plain.write_text(f"{line(1)}\n{line(2)}\n")
    packed.write_bytes(gzip.compress(f"{line(2)}\n{line(3)}\n".encode()))
    answer = llma_json("ingest", str(plain), str(packed), "-", input=f"{line(3)}\n{line(4, team_id=9)}\n".encode())
    assert answer.code == 0
    assert [(row["inserted"], row["duplicates"]) for row in answer.document["files"]] == [(2, 0), (1, 1), (1, 1)]
    assert list(answer.document["files"][0]) == REPORT
    assert answer.document["files"][2]["teams"][1] == {
        "team": 9,
        "accepted": 1,
        "inserted": 1,
        "first_day": "2026-11-07",
        "last_day": "2026-11-07",
    }
    assert database.value("SELECT count() FROM events") == 4


def test_bad_lines_are_counted_with_reasons_and_kept_in_a_file(llma: Llma, llma_json: Callable[..., Answer]) -> None:
    document = llma_json("ingest", "-", input=f"{line(1)}\nnot json \x1b[2J\n{{}}\n".encode()).document["files"][0]
    assert document["inserted"] == 1
    assert document["reasons"] == {"broken_json": 1, "missing_field": 1}
    refused = [json.loads(each) for each in Path(document["rejects_file"]).read_text().splitlines()]
    assert [each["line"] for each in refused] == [2, 3]
    shown = llma("ingest", "-", input=b"not json \x1b[2J\n")
    assert "rejected, broken_json: 1" in shown.stdout
    assert "\x1b" not in shown.output


@pytest.mark.parametrize(
    ("content", "first"),
    [
        ("uuid,event\n1,2\n", "line 1: broken_json"),
        (
            "\n" + line(1).replace('"team_id": 1', '"team_id": "acme"'),
            "line 2: wrong_type, team_id must be a number, not 'acme'",
        ),
        ("{}\nno json\n", "line 1: missing_field, properties is missing"),
    ],
)
def test_a_file_of_which_every_line_is_refused_is_a_failure(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], tmp_path: Path, content: str, first: str
) -> None:
    good, wrong = tmp_path / "good.jsonl", tmp_path / "wrong.jsonl"
    good.write_text(line(1))
    wrong.write_text(content)
    result = llma("ingest", str(good), str(wrong))
    assert result.exit_code == 1
    refused, said = result.stderr.splitlines()
    assert "lines rejected; see" in refused
    assert said.startswith(f"Error: {wrong}: all lines were rejected; the first, {first}")
    assert database.value("SELECT count() FROM events") == 1
    answer = llma_json("ingest", str(wrong))
    assert answer.code == 1
    assert answer.document["files"][0]["first_refusal"]["line"] == int(first[5])


def test_files_as_people_have_them_are_read(
    database: Database, llma_json: Callable[..., Answer], tmp_path: Path
) -> None:
    two = [json.loads(line(1)), json.loads(line(2, team_id=9))]
    lines = f"{line(1)}\n{line(2, team_id=9)}\n"
    zipped = BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("a.jsonl", lines)
    contents = {
        "array": json.dumps(two).encode(),
        "indented": "\n".join(json.dumps(each, indent=2) for each in two).encode(),
        "marks": "".join(f"\ufeff{each}\n" for each in lines.splitlines()).encode(),
        "utf-16": lines.encode("utf-16"),
        "utf-32": json.dumps(two, indent=4).encode("utf-32"),
        "zip": zipped.getvalue(),
        "bzip2": bz2.compress(lines.encode()),
        "zstd": zstd.compress(json.dumps(two).encode()),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    answer = llma_json("ingest", *(str(tmp_path / name) for name in contents))
    assert answer.code == 0
    assert {(row["lines"], row["accepted"], row["rejected"]) for row in answer.document["files"]} == {(2, 2, 0)}
    assert database.rows("SELECT team_id, count() AS n FROM events GROUP BY team_id ORDER BY team_id") == [
        {"team_id": 1, "n": 1},
        {"team_id": 9, "n": 1},
    ]


def test_a_file_of_another_kind_is_a_failure_in_one_line(llma: Llma, tmp_path: Path) -> None:
    for content, fault in {
        b"SQLite format 3\0": "it is an SQLite database, which is not supported; use JSON lines",
        b"PAR1" + b"\0" * 100: "the Parquet file is broken",
    }.items():
        (tmp_path / "events.jsonl").write_bytes(content)
        result = llma("ingest", str(tmp_path / "events.jsonl"))
        assert result.exit_code == 1
        (said,) = result.stderr.splitlines()
        assert fault in said


FORMATS = Path(__file__).parents[2] / "ingest" / "formats"


SPAN: Final = {"traceId": "a", "spanId": "b", "startTimeUnixNano": "1794042000000000000"}
OF_NOBODY: Final = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [SPAN]}]}]})


def test_projects_and_services_become_teams_of_their_own_and_are_told_by_name(
    database: Database, llma: Llma, tmp_path: Path
) -> None:
    rows = [json.loads(row) for row in (FORMATS / "langfuse_blob.jsonl").read_text().splitlines()]
    other = tmp_path / "other.jsonl"
    other.write_text("".join(json.dumps({**row, "project_id": "p2"}) + "\n" for row in rows))
    both = tmp_path / "both.jsonl"
    both.write_text("".join((FORMATS / "langfuse_blob.jsonl").read_text() + other.read_text()))
    said = llma("ingest", str(both)).stdout
    teams = {row["tenant"]: row["team_id"] for row in database.rows("SELECT tenant, team_id FROM source_tenants FINAL")}
    assert set(teams) == {"p1", "p2"}
    assert all(f"{team} ({name})" in said for name, team in teams.items())
    counts = database.rows("SELECT team_id, count() AS n FROM events GROUP BY team_id")
    assert {row["team_id"]: row["n"] for row in counts} == dict.fromkeys(teams.values(), len(rows))
    assert "10 stored already" in llma("ingest", str(both)).stdout, "the numbers stay"


def test_a_file_of_very_many_projects_stops_making_teams(
    database: Database, llma: Llma, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llma_assets.ingest.tenants.MOST_TENANTS", 1)
    row = json.loads((FORMATS / "langfuse_blob.jsonl").read_text().splitlines()[0])
    file = tmp_path / "many.jsonl"
    file.write_text("".join(json.dumps({**row, "project_id": f"p{n}"}) + "\n" for n in range(3)))
    assert "2 rejected" in llma("ingest", str(file)).stdout
    assert database.value("SELECT count() FROM source_tenants") == 1


def test_a_file_has_the_teams_of_the_source_of_its_kind(database: Database, llma: Llma) -> None:
    source = Source("ours", "langfuse", "x.observations")
    add_source(database, source, by="test")
    store_tenants(database, source, ["p1"])
    llma("ingest", str(FORMATS / "langfuse_blob.jsonl"))
    (team,) = database.rows("SELECT DISTINCT team_id FROM events")
    (stored,) = database.rows("SELECT source, team_id FROM source_tenants FINAL")
    assert stored == {"source": "ours", "team_id": team["team_id"]}


def test_messages_in_log_records_are_joined_to_spans_of_another_file(
    database: Database, llma: Llma, tmp_path: Path
) -> None:
    requests = [json.loads(row) for row in (FORMATS / "otlp_logs.jsonl").read_text().splitlines()]
    spans, logs = tmp_path / "spans.jsonl", tmp_path / "logs.jsonl"
    spans.write_text("".join(json.dumps(each) + "\n" for each in requests if "resourceSpans" in each))
    logs.write_text("".join(json.dumps(each) + "\n" for each in requests if "resourceLogs" in each))
    alone = llma("ingest", "--team", "1", str(logs))
    assert alone.exit_code == 1
    assert "name the file of these in the same command" in alone.stderr
    assert llma("ingest", "--team", "1", str(spans), str(logs)).exit_code == 0
    texts = database.rows("SELECT properties FROM events WHERE team_id = 1")
    assert sum("Please refund order 1042." in row["properties"] for row in texts) == 1


def test_files_of_other_tools_are_recognised_and_stored_once(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    names = ("otlp.jsonl", "langfuse_blob.jsonl", "posthog_api.json")
    for team in (1, 2):
        arguments = ("--team", str(team), *(str(FORMATS / name) for name in names))
        assert llma("ingest", *arguments).exit_code == 0
        files = llma_json("ingest", *arguments).document["files"]
        assert [(each["format"], each["inserted"]) for each in files] == [("otlp", 0), ("langfuse", 0), ("posthog", 0)]
    counts = "SELECT team_id, count() AS n, uniqExact(uuid) AS u FROM events GROUP BY team_id ORDER BY team_id"
    assert database.rows(counts) == [{"team_id": 1, "n": 11, "u": 11}, {"team_id": 2, "n": 11, "u": 11}]
    assert "langfuse, 5 lines" in llma("ingest", "--team", "1", str(FORMATS / names[1])).stdout


@pytest.mark.parametrize(
    ("content", "arguments", "said"),
    [
        ('{"traceId": "a", "id": "b", "type": "GENERATION"}', ("--team", "1"), "the nearest is Langfuse (it has id"),
        ('{"traceId": "a", "id": "b", "type": "GENERATION"}', ("--team", "1"), "startTime or start_time is missing"),
        ('{"id": "b", "run_type": "llm"}', ("--team", "1", "--format", "langsmith"), "start_time is missing"),
        ('{"resourceLogs": []}', ("--team", "1"), "it holds no events; it was read as OTLP JSON"),
        (
            '{"id": "b", "info": {}, "data": {"spans": []}}',
            ("--format", "mlflow"),
            "whose records name no team: add --team",
        ),
        (OF_NOBODY, (), "service.name is missing, which says whose it is; add --team N"),
        ("hello", (), "files of JSON, Parquet and OTLP protobuf are read"),
    ],
)
def test_where_no_record_became_an_event_the_way_out_is_told(
    llma: Llma, content: str, arguments: tuple[str, ...], said: str
) -> None:
    result = llma("ingest", "-", *arguments, input=content.encode())
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]


def test_a_format_that_does_not_exist_is_wrong_use(llma: Llma) -> None:
    result = llma("ingest", "-", "--format", "jaeger", input=b"{}")
    assert (result.exit_code, "--format must be one of events, otlp" in result.stderr) == (2, True)


def test_a_file_with_one_good_line_is_no_failure_and_counts_the_others(llma_json: Callable[..., Answer]) -> None:
    answer = llma_json("ingest", "-", input=f"bad\n{line(1)}\nbad\n".encode())
    assert (answer.code, answer.document["files"][0]["rejected"]) == (0, 2)


def test_repairs_are_counted_and_the_events_can_be_read(
    database: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    odd = [
        line(number, team_id=number % 2 + 1).replace('"$ai_trace_id"', f'"x": {value}, "$ai_trace_id"')
        for number, value in enumerate(("NaN", "[-Infinity, NaN]", '"\\ud83d"', '"fine"'))
    ]
    document = llma_json("ingest", "-", input="\n".join(odd).encode()).document["files"][0]
    assert (document["inserted"], document["rejected"], document["repaired"]) == (4, 0, 3)
    assert document["repairs"] == {"lone_surrogate": 1, "not_finite": 3}
    assert database.rows(
        "SELECT team_id, count() AS n, countIf(JSONHas(properties, '$ai_trace_id')) AS readable"
        " FROM events GROUP BY team_id ORDER BY team_id"
    ) == [{"team_id": 1, "n": 2, "readable": 2}, {"team_id": 2, "n": 2, "readable": 2}]
    assert "repaired, not_finite: 3, in 3 events" in llma("ingest", "-", input="\n".join(odd).encode()).stdout


def test_strict_stops_at_the_first_bad_line_and_fails(database: Database, llma: Llma) -> None:
    result = llma("ingest", "-", "--strict", input=f"{line(1)}\nnonsense\n{line(2)}\n".encode())
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: line 2 is rejected (broken_json)")
    assert database.value("SELECT count() FROM events") == 1


def test_a_team_may_be_given_for_all_lines(database: Database, llma: Llma) -> None:
    assert llma("ingest", "-", "--team", "42", input=line(1).encode()).exit_code == 0
    assert database.value("SELECT groupUniqArray(team_id) FROM events") == [42]


def test_nothing_is_stored_where_one_of_the_files_is_missing(database: Database, llma: Llma, tmp_path: Path) -> None:
    good = tmp_path / "good.jsonl"
    good.write_text(line(1))
    assert llma("ingest", str(good), str(tmp_path / "missing")).exit_code == 2
    assert database.value("SELECT count() FROM events") == 0


def test_a_truncated_file_is_a_failure_after_storing_what_came_before(
    database: Database, llma: Llma, tmp_path: Path
) -> None:
    packed = gzip.compress("".join(f"{line(number)}\n" for number in range(2_000)).encode())
    (tmp_path / "cut.gz").write_bytes(packed[: len(packed) // 2])
    result = llma("ingest", str(tmp_path / "cut.gz"))
    assert result.exit_code == 1
    assert "truncated" in result.stderr
    assert database.value("SELECT count() FROM events") > 0


def test_an_empty_file_is_no_failure(llma_json: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    answer = llma_json("ingest", str(tmp_path / "empty"))
    assert (answer.code, answer.document["files"][0]["lines"]) == (0, 0)


def test_what_the_pipeline_will_not_read_is_said(llma: Llma, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMA_EVENTS_TABLE", "analytics.events")
    (tmp_path / "a.jsonl").write_text(f"{line(1)}\n")
    answer = llma("ingest", str(tmp_path / "a.jsonl"))
    assert answer.exit_code == 0
    assert "the pipeline reads analytics.events" in answer.stderr
    refused = llma("demo")
    assert refused.exit_code == 2
    assert "unset it" in refused.stderr
