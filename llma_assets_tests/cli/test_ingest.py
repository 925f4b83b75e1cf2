"""`llma ingest`: files and stdin, the report, refused lines."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from llma_assets.clickhouse import Database
from llma_assets_tests.cli.conftest import Answer, Llma

REPORT = [
    "file", "lines", "empty", "accepted", "inserted", "duplicates", "rejected", "reasons", "rejects_file", "bytes",
    "duration_s", "teams",
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
    assert "refused, broken_json: 1" in shown.stdout
    assert "\x1b" not in shown.output


def test_strict_stops_at_the_first_bad_line_and_fails(database: Database, llma: Llma) -> None:
    result = llma("ingest", "-", "--strict", input=f"{line(1)}\nnonsense\n{line(2)}\n".encode())
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: Line 2 is refused, broken_json")
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
