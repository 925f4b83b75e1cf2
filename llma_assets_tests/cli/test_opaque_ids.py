"""Ids of traces, users and teams are opaque: whatever is sent comes out of every command as it went in."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.testing.traffic import TOPICS
from llma_assets_tests.cli.conftest import Answer, Llma

pytestmark = pytest.mark.slow

IDS: list[str | int | float] = [
    12345, 1.5, -3, 12345678901234567890, "0", "null", "[1]", "-1", "*", "..", "~",
    "org:7:trace/1", "2026-11-07T10:00:00Z", "ünïcode 🙂 id", "١٢٣", "\u202ertl", "with space", 'a"b\\c',
    "%20{team_id:Int64}", "'; DROP TABLE events; --", "a/b?c#d", "tab\tid", "new\nline", "x" * 1024,
]  # fmt: skip
USERS: list[Any] = [None, 5, "u:1", "é" * 500]


def lines() -> bytes:
    events = [
        {
            "uuid": f"00000000-0000-4000-800{team_id}-{number:012d}",
            "event": "$ai_generation",
            "team_id": str(team_id),
            "distinct_id": USERS[number % len(USERS)],
            "timestamp": f"2026-11-07T{8 + number % 10:02}:00:{number:02}Z",
            "properties": {
                "$ai_trace_id": trace_id,
                "$ai_session_id": [number, f"s:{number}", None][number % 3],
                "$ai_input": [{"role": "user", "content": f"{list(TOPICS.values())[number % 4]} {number}"}],
                "$ai_output_choices": [{"role": "assistant", "content": "I will look into it."}],
            },
        }
        for team_id in (1, 2)
        for number, trace_id in enumerate(IDS)
    ]
    return b"\n".join(json.dumps(event).encode() for event in events)


def test_traces_of_any_id_are_rendered_clustered_and_found(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_OLDEST_DAY", "2026-11-07")
    assert llma_json("ingest", "-", input=lines()).document["files"][0]["inserted"] == 2 * len(IDS)
    assert llma("run", "--team", "1", "--date", "2026-11-07").exit_code == 0
    runs = llma_json("clusters", "--team", "1", "--date", "2026-11-07").document["runs"]
    (clusters,) = (run["clusters"] for run in runs if run["theme"] == "traces")
    assert sorted(each for cluster in clusters for each in cluster["item_ids"]) == sorted(map(str, IDS))
    for trace_id in map(str, IDS):
        found = llma("trace", "--team", "1", "--json", "--", trace_id)
        assert json.loads(found.stdout)["trace_id"] == trace_id
    users = database.rows("SELECT DISTINCT distinct_id FROM events WHERE team_id = 1 AND event = '$ai_generation'")
    assert {row["distinct_id"] for row in users} == {"", "5", "u:1", "é" * 500}
    assert database.value("SELECT count() FROM trace_texts WHERE team_id = 2") == 0
