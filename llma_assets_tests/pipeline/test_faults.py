"""Faults in the middle of a run: killed processes, a killed server, a bad model server, monstrous traces."""

import json
import logging
import os
import signal
import traceback
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from llma_assets.clickhouse import Database, connect, status, stop
from llma_assets.clusters.checks import CHECKS as CLUSTER_CHECKS
from llma_assets.defs.jobs import CLUSTERS_STAGES, TEXTS_STAGES
from llma_assets.defs.resources import ChatModelResource
from llma_assets.defs.shard_requests import Wanted, shard_requests
from llma_assets.events.checks import CHECKS as EVENT_CHECKS
from llma_assets.ledger import usage_totals
from llma_assets.models import ChatMessage, ChatModel, ModelError, OpenAIChat, RetryPolicy
from llma_assets.settings import Settings
from llma_assets.stage import silent
from llma_assets.summaries import TraceSummary
from llma_assets.summaries.partition import store_summaries
from llma_assets.summaries.theme_run import RunLimits
from llma_assets.team_day import TeamDay
from llma_assets.testing import (
    INVALID_JSON,
    ChatServer,
    Content,
    Fault,
    Garbage,
    Hang,
    RateLimited,
    Request,
    Reset,
    Status,
    answer_from_schema,
    day_of_traces,
    numbered_texts,
    trace,
    write_events,
    write_texts,
)
from llma_assets.themes import TRACES
from llma_assets_tests import copies
from llma_assets_tests.pipeline.runs import Pipeline

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DAY = date(2026, 11, 7)

KILLED_AT = """
import os, signal, sys
from datetime import date
from llma_assets.clickhouse import Database, connect
from llma_assets.settings import Settings
from llma_assets_tests.pipeline.runs import Pipeline

insert = Database.insert_rows

def insert_or_die(self, table, rows):
    if table == sys.argv[1] and rows:
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, table, rows)

Database.insert_rows = insert_or_die
pipeline = Pipeline(connect(Settings.from_env()))
pipeline.texts(1, date(2026, 11, 7), date(2026, 11, 7))
pipeline.clusters(1, date(2026, 11, 7))
"""


SHARD_KILLED_AT = """
import os, signal, sys
from datetime import date
from llma_assets.clickhouse import Database, connect
from llma_assets.settings import Settings
from llma_assets_tests.pipeline.runs import Pipeline
from llma_assets_tests.pipeline.test_faults import shard_of_three

insert = Database.insert_rows

def insert_or_die(self, table, rows, **options):
    if table == sys.argv[1] and rows and rows[0]["team_id"] == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    insert(self, table, rows, **options)

Database.insert_rows = insert_or_die
Pipeline(connect(Settings.from_env())).run("shard_job", run_config=shard_of_three())
"""

HELD_BY_TEAM = """
SELECT team_id, countIf(event IN ('$ai_trace_clusters', '$ai_generation_clusters')) AS published,
    any(texts.texts) AS texts, any(runs.attempts) AS attempts
FROM events FINAL
LEFT JOIN (
    SELECT team_id, count() AS texts FROM trace_texts FINAL WHERE day = {day:Date} GROUP BY team_id
) AS texts USING team_id
LEFT JOIN (
    SELECT team_id, groupArray(attempt_id) AS attempts FROM clustering_runs FINAL WHERE day = {day:Date}
    GROUP BY team_id
) AS runs USING team_id
GROUP BY team_id
"""

WRITES = (
    "trace_texts",
    "trace_summaries",
    "document_embeddings",
    "cluster_members",
    "clusters",
    "clustering_runs",
    "cluster_labels",
    "events",
)


@pytest.mark.parametrize(
    "tables",
    [("trace_summaries", "clustering_runs", "events"), pytest.param(WRITES, marks=pytest.mark.exhaustive)],
    ids=["some", "all"],
)
def test_a_run_killed_at_any_write_shows_nothing_and_is_finished_by_the_next(
    environment: Settings, database: Database, tables: tuple[str, ...]
) -> None:
    write_events(database, day_of_traces(1, DAY, 24))
    write_events(database, day_of_traces(2, DAY, 24))
    pipeline = Pipeline(database)
    for table in tables:
        killed = copies.run(KILLED_AT, table)
        assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
        assert pipeline.published() == []
        if table not in ("cluster_labels", "events"):
            assert pipeline.row_counts()["clustering_runs"] == 0
    pipeline.texts(1, DAY, DAY)
    pipeline.clusters(1, DAY)
    published = [json.loads(row["properties"]) for row in pipeline.published()]
    assert [properties["$ai_total_items_analyzed"] for properties in published] == [24, 24]
    for check in (*CLUSTER_CHECKS, *EVENT_CHECKS):
        findings = check.findings(database, TeamDay(1, DAY))
        assert [finding.passed for finding in findings] == [True, True], check.name


def shard_of_three() -> dict[str, Any]:
    """What a run of a shard is given that makes all of three teams, one after another."""
    wanted = [Wanted(TeamDay(team_id, DAY), str(team_id)) for team_id in (1, 2, 3)]
    (request,) = shard_requests(wanted, [*TEXTS_STAGES, *CLUSTERS_STAGES], Settings.from_env({"LLMA_SHARDS": "1"}))
    return dict(request.run_config)


@pytest.mark.parametrize("table", ["trace_summaries", "clusters", "events"])
def test_a_shard_killed_at_its_second_team_keeps_the_first_and_is_finished_by_the_next_run(
    environment: Settings, database: Database, table: str
) -> None:
    for team_id in (1, 2, 3):
        write_events(database, day_of_traces(team_id, DAY, 24))

    def held() -> dict[int, tuple[int, int, list[str]]]:
        """Of each team: events that are published, texts, and attempts of clusterings."""
        found = {row["team_id"]: row for row in database.rows(HELD_BY_TEAM, day=DAY)}
        return {
            team_id: (row["published"], row["texts"], sorted(map(str, row["attempts"])))
            for team_id, row in found.items()
        }

    killed = copies.run(SHARD_KILLED_AT, table)
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    before = held()
    assert [before[team_id][0] for team_id in (1, 2, 3)] == [2, 0, 0], killed.stderr[-4000:]
    assert before[3][1:] == (0, []), "the third team was not begun"
    Pipeline(database).run("shard_job", run_config=shard_of_three())
    after = held()
    assert {team_id: after[team_id][:2] for team_id in after} == dict.fromkeys((1, 2, 3), before[1][:2])
    assert after[1] == before[1], "the first team was done, and is not made again"
    for check in (*CLUSTER_CHECKS, *EVENT_CHECKS):
        for team_id in (1, 2, 3):
            findings = check.findings(database, TeamDay(team_id, DAY))
            assert [finding.passed for finding in findings] == [True, True], (check.name, team_id)


def test_the_embedded_server_killed_in_the_middle_of_a_run_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CLICKHOUSE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LLMA_DATA_DIR", str(tmp_path))
    killed: list[str] = []

    def kill_once_a_stage(stage: str, team_day: TeamDay, done: int, total: int) -> None:
        if stage in killed:
            return
        killed.append(stage)
        state = status(tmp_path)
        assert state is not None
        os.kill(state.pid, signal.SIGKILL)

    database = connect(Settings.from_env())
    try:
        write_events(database, day_of_traces(1, DAY, 24))
        write_events(database, day_of_traces(2, DAY, 24))
        pipeline = Pipeline(database, progress=kill_once_a_stage)
        pipeline.texts(1, DAY, DAY)
        pipeline.clusters(1, DAY)
        assert killed == [
            "trace_texts",
            "trace_summaries",
            "summary_embeddings",
            "cluster_assignments",
            "cluster_labels",
            "cluster_attributes",
            "cluster_events",
        ]
        assert [json.loads(row["properties"])["$ai_total_items_analyzed"] for row in pipeline.published()] == [24, 24]
    finally:
        database.close()
        stop(tmp_path)


def test_a_trace_of_many_megabytes_is_one_trace_among_others(environment: Settings, database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 2))
    long = "The quick brown fox jumps over the lazy dog. " * 8_000
    for number in range(48):
        when = datetime(2026, 11, 7, 9, number, tzinfo=UTC)
        write_events(database, trace(1, "huge", when, request=f"{number} {long}"))
    pipeline = Pipeline(database)
    pipeline.texts(1, DAY, DAY)
    rows = database.rows(
        "SELECT item_id, length(text) AS size, event_count FROM trace_texts FINAL WHERE level = 'trace'"
    )
    assert len(rows) == 3
    (huge,) = [row for row in rows if row["item_id"] == "huge"]
    assert huge["event_count"] == 48 * 3
    assert 1_000 < huge["size"] < 1_000_000
    assert database.value("SELECT count() FROM document_embeddings") >= 6


class ServedChat(ChatModelResource):
    """The chat model of a test server, with short deadlines."""

    url: str
    deadline_s: float = 3.0

    def model(self) -> ChatModel:
        policy = RetryPolicy(
            attempts=3,
            deadline_s=self.deadline_s,
            attempt_timeout_s=self.deadline_s / 2,
            first_delay_s=0.01,
            longest_delay_s=0.1,
        )
        return OpenAIChat("test-model", api_key="sk-test-secret", base_url=self.url, policy=policy)


SUMMARY_STATES = """
SELECT status, count() AS items
FROM trace_summaries FINAL
WHERE team_id = 1 AND theme_id = 'traces'
GROUP BY status
ORDER BY status
"""


@pytest.mark.parametrize("fault", [INVALID_JSON, Hang()], ids=["Content", "Hang"])
def test_a_bad_answer_costs_at_most_its_item_and_the_next_run_mends_it(
    environment: Settings, database: Database, fault: Fault
) -> None:
    write_events(database, day_of_traces(1, DAY, 4))
    write_events(database, day_of_traces(2, DAY, 4))

    def one_item_is_cursed(request: Request) -> Fault:
        return fault if "(case 2)" in str(request.body) else None

    with ChatServer(judge=one_item_is_cursed) as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url, deadline_s=0.5))
        assert pipeline.texts(1, DAY, DAY).success
        assert database.rows(SUMMARY_STATES) == [
            {"status": "failed", "items": 1},
            {"status": "generated", "items": 3},
        ]
        errors = [row["error"] for row in database.rows("SELECT error FROM trace_summaries WHERE status = 'failed'")]
        assert all(errors)
        assert "secret" not in " ".join(errors)
    with ChatServer() as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url))
        assert pipeline.texts(1, DAY, DAY).success
        assert database.rows(SUMMARY_STATES) == [{"status": "generated", "items": 4}]
        assert len(server.calls()) == 2  # the trace and its generation; what was paid for is not asked again


def test_passing_faults_cost_nothing_but_time(environment: Settings, database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 4))
    faults = [RateLimited("0.05"), Status(500), None, Reset(), INVALID_JSON, Status(503)]
    with ChatServer(faults=faults) as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url, deadline_s=20))
        assert pipeline.texts(1, DAY, DAY).success
        assert database.rows(SUMMARY_STATES) == [{"status": "generated", "items": 4}]
        totals = usage_totals(database, TeamDay(1, DAY), stage="trace_summaries")
        assert totals.calls == len(server.calls())


PLANTED = "sk-test-secret"
"""The key that `ServedChat` sends, as a careless provider gives it back."""

SPOKEN = {"X-Debug": PLANTED, "Retry-After": PLANTED, "x-ratelimit-reset-tokens": PLANTED}


CARELESS: list[Fault] = [
    Status(401, f"Incorrect API key provided: {PLANTED}", code=PLANTED, param=PLANTED, headers=SPOKEN),
    Content(json.dumps({PLANTED: 1, "title": {PLANTED: 2}})),
    Status(400, f"bad request: Authorization: Bearer {PLANTED}", code=PLANTED, headers=SPOKEN),
    Status(429, f"{PLANTED} has no turn", headers=SPOKEN),
    Status(500, f"crashed with {PLANTED}", headers=SPOKEN),
    Garbage(f"<pre>{PLANTED}</pre>".encode()),
    Garbage(json.dumps({"error": {"code": PLANTED, "message": PLANTED}}).encode(), "application/json"),
    Content(f"oops {PLANTED}", headers=SPOKEN),
    Content(None, finish_reason=PLANTED, refusal=f"no {PLANTED}"),
]


@pytest.mark.parametrize("fault", CARELESS[:2], ids=["key", "content"])
def test_no_log_metadata_row_or_exception_of_a_failed_run_shows_the_key(
    environment: Settings, database: Database, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.INFO)
    write_events(database, day_of_traces(1, DAY, 2))
    with ChatServer(always=fault) as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url, deadline_s=0.5))
        result = pipeline.texts(1, DAY, DAY, raise_on_error=False)
    logged = [dg.serialize_value(entry) for entry in pipeline.instance.all_logs(result.run_id)]
    assert any("trace_summaries" in entry for entry in logged)
    assert PLANTED not in "\n".join([caplog.text, *logged, *_stored(database)])


@pytest.mark.parametrize("fault", CARELESS, ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'status', '')}")
def test_no_log_row_or_exception_of_a_failed_stage_shows_the_key(
    database: Database, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.INFO)
    team_day = TeamDay(1, DAY)
    write_texts(database, team_day, numbered_texts(2))
    raised: list[str] = []
    with ChatServer(always=fault) as server:
        chat = ServedChat(url=server.url, deadline_s=0.5).model()
        try:
            limits = RunLimits("run")
            store_summaries(database, team_day, lambda _: chat, themes=(TRACES,), limits=limits, progress=silent)
        except Exception:
            raised.append(traceback.format_exc())
        raised += _chain_of_the_failure(server.url)
    assert "Traceback" in "".join(raised)
    assert PLANTED not in "\n".join([*raised, caplog.text, *_stored(database)])


def _stored(database: Database) -> list[str]:
    """All rows of all tables."""
    names = [row["name"] for row in database.rows("SHOW TABLES")]
    assert {"trace_summaries", "model_usage", "summary_failures", "skips"} <= set(names)
    return [str(database.rows("SELECT * FROM {name:Identifier}", name=name)) for name in names]


def _chain_of_the_failure(url: str) -> list[str]:
    """What a traceback and a repr show of the exception that one call of the model ends with, and of its causes."""
    chat = ServedChat(url=url, deadline_s=0.5).model()
    try:
        answer = TraceSummary(title="t", bullets=[])
        chat.complete([ChatMessage("user", "say it")], TraceSummary, offline=lambda: answer)
    except ModelError as error:
        shown = traceback.format_exception(error)
        cause: BaseException | None = error
        while cause is not None:
            shown.append(f"{cause!r} {cause.args}")
            cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
        return shown
    raise AssertionError("the call did not fail")


def test_a_refused_key_stops_the_run(environment: Settings, database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 4))
    with ChatServer(always=Status(401)) as server:
        pipeline = Pipeline(database, chat=ServedChat(url=server.url))
        assert not pipeline.texts(1, DAY, DAY, raise_on_error=False).success
        assert len(server.calls()) <= 5


def test_one_bad_label_costs_one_label_and_is_asked_for_again(environment: Settings, database: Database) -> None:
    write_events(database, day_of_traces(1, DAY, 24))
    write_events(database, day_of_traces(2, DAY, 24))
    Pipeline(database).texts(1, DAY, DAY)

    def spoiled(request: Request) -> str:
        answer = json.loads(answer_from_schema(request))
        answer["items"][0]["title"] = ""
        return json.dumps(answer)

    titles = "SELECT title, status FROM cluster_labels FINAL WHERE theme_id = 'traces' ORDER BY cluster_id"
    with ChatServer(spoiled) as server:
        assert Pipeline(database, chat=ServedChat(url=server.url)).clusters(1, DAY).success
    states = [row["status"] for row in database.rows(titles)]
    assert states.count("failed") == 1
    assert len(states) >= 3
    with ChatServer() as server:
        assert Pipeline(database, chat=ServedChat(url=server.url)).clusters(1, DAY).success
    assert {row["status"] for row in database.rows(titles)} == {"generated"}
