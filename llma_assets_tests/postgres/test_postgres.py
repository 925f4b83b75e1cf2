"""The demo's traffic through webserver, daemon and code server as processes of their own, with Dagster's tables in
Postgres: each is killed while runs are on, and everything is done once."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from llma_assets.clickhouse import Database, connect, stop
from llma_assets.ingest import ingest
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer
from llma_assets_tests.postgres.cluster import Part, answers, free_port, postgres, programs, wait_for

pytest.importorskip("dagster_postgres", reason="pip install 'llma-assets[postgres]'")
BINARIES = programs()
pytestmark = [
    pytest.mark.postgres,
    pytest.mark.slow(seconds=200),
    pytest.mark.timeout(4000),
    pytest.mark.skipif(BINARIES is None, reason="PostgreSQL is not installed: apt install postgresql"),
]

ROOT = Path(__file__).resolve().parents[2]
TEAM = 102
DAYS = ("2026-11-04", "2026-11-07")
LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  }
}
"""
STATE = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
MATERIALIZED = """
query { assetNodes { assetKey { path } assetMaterializations { partition runId } } }
"""
PUBLISHED = """
SELECT event, toDate(timestamp) AS day, count() AS n FROM events
WHERE team_id = 102 AND event IN ('$ai_trace_clusters', '$ai_generation_clusters') GROUP BY event, day
"""


class Deployment:
    """The three parts, and how to ask them."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.port, code_port = free_port(), free_port()
        environment |= {"LLMA_CODE_HOST": "127.0.0.1", "LLMA_CODE_PORT": str(code_port)}
        workspace = str(ROOT / "deploy" / "workspace.yaml")
        code = ["dagster", "api", "grpc", "-m", "llma_assets.definitions", "-h", "127.0.0.1", "-p", str(code_port)]
        web = ["llma_assets.webserver", "-w", workspace, "-h", "127.0.0.1", "-p", str(self.port)]
        self.code = Part("code", [*code, "--use-python-environment-entry-point"], environment, folder)
        self.web = Part("web", web, environment, folder)
        self.daemon = Part("daemon", ["dagster._daemon", "run", "-w", workspace], environment, folder)
        self.code_port = code_port

    def start(self) -> None:
        self.code.start()
        wait_for(lambda: answers(self.code_port), "the code server")
        self.web.start()
        self.daemon.start()
        self.wait_for_web()

    def wait_for_web(self) -> None:
        wait_for(lambda: answers(self.port), "the web server")

    def ask(self, query: str, **variables: Any) -> Any:
        answer = httpx2.post(
            f"http://127.0.0.1:{self.port}/graphql", json={"query": query, "variables": variables}, timeout=600
        )
        document = answer.json()
        assert "errors" not in document, document
        return document["data"]

    def launch(self, job: str, partition: str, **tags: str) -> str:
        """Put a run into the queue; returns its id."""
        selector = {
            "repositoryLocationName": "llma_assets",
            "repositoryName": "__repository__",
            "jobName": job,
        }
        given = {"dagster/partition": partition, **tags}
        metadata = {"tags": [{"key": key, "value": value} for key, value in given.items()]}
        params = {"selector": selector, "mode": "default", "executionMetadata": metadata}
        answer = self.ask(LAUNCH, params=params)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def status(self, run: str) -> str:
        return str(self.ask(STATE, id=run)["runOrError"]["status"])

    def wait(self, run: str, *statuses: str, seconds: float = 1200) -> None:
        def reached() -> bool:
            found = self.status(run)
            assert found in statuses or found not in ("FAILURE", "CANCELED"), f"run {run} is {found}"
            return found in statuses

        wait_for(reached, f"run {run}: {statuses}", seconds)

    def end(self) -> None:
        for part in (self.daemon, self.web, self.code):
            part.end()


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[tuple[Deployment, Database, ChatServer]]:
    """The parts over an empty Postgres, the sample's traffic, and a model server on loopback."""
    assert BINARIES is not None
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(ROOT / "deploy" / "dagster.yaml", home)
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("LLMA_", "OPENAI_", "CLICKHOUSE_", "DAGSTER_"))}
    settings = Settings.from_env({"LLMA_DATA_DIR": str(tmp_path / "data")})
    with ChatServer(latency_s=0.05) as server, postgres(BINARIES) as variables, connect(settings) as database:
        ingest(ROOT / "llma_assets" / "demo" / "sample.jsonl", database, rejects=None)
        environment = {
            **kept,
            **variables,
            "PYTHONPATH": str(ROOT),
            "DAGSTER_HOME": str(home),
            "LLMA_DATA_DIR": str(settings.data_dir),
            "OPENAI_BASE_URL": server.url,
            "LLMA_CHAT_MODEL": "test-model",
            "LLMA_EMBEDDING_MODEL": "offline",
            "LLMA_LOG": "json",
            "DAGSTER_GRPC_TIMEOUT_SECONDS": "600",
        }
        deployment = Deployment(tmp_path, environment)
        try:
            deployment.start()
            yield deployment, database, server
        finally:
            deployment.end()
            stop(settings.data_dir)


def test_each_part_is_killed_while_runs_are_on_and_everything_is_done_once(
    deployed: tuple[Deployment, Database, ChatServer],
) -> None:
    parts, database, server = deployed
    for day in DAYS:
        parts.wait(parts.launch("discovery_job", day), "SUCCESS")

    first, second = (
        parts.launch(
            "team_day_job", f"{day}|{TEAM}", **{"dagster/partition/team": str(TEAM), "dagster/partition/date": day}
        )
        for day in DAYS
    )
    parts.wait(first, "STARTED", "SUCCESS")
    parts.daemon.kill()
    parts.web.kill()
    parts.web.start()
    parts.wait_for_web()
    parts.daemon.start()
    parts.wait(first, "SUCCESS")
    parts.wait(second, "STARTED", "SUCCESS")
    parts.code.kill()
    parts.code.start()
    parts.wait(second, "SUCCESS")

    again = parts.launch(
        "team_day_job", f"{DAYS[1]}|{TEAM}", **{"dagster/partition/team": str(TEAM), "dagster/partition/date": DAYS[1]}
    )
    asked = len(server.calls())
    parts.wait(again, "SUCCESS")
    # Names that were too alike are asked for again by each run; summaries are not.
    repeated = [call.prompt for call in server.calls()[asked:] if "interesting_notes" in str(call.schema)]
    assert repeated == [], "a run of finished work asks for no summary"

    published = database.rows(PUBLISHED)
    assert published
    assert all(row["n"] == 1 for row in published), published
    questions = [call.prompt for call in server.calls() if "interesting_notes" in str(call.schema)]
    assert len(questions) == len(set(questions)), "a summary was paid for twice"
    assert database.value("SELECT count() FROM trace_summaries FINAL WHERE status != 'generated'") == 0
    for table in ("trace_texts", "trace_summaries"):
        stored = database.rows(
            f"SELECT count() AS rows, uniqExact(day, item_id, {_theme(table)}) AS items FROM {table}"
        )
        assert stored[0]["rows"] == stored[0]["items"] > 0, (table, stored)
    done = {
        ".".join(node["assetKey"]["path"]): {each["partition"] for each in node["assetMaterializations"]}
        for node in parts.ask(MATERIALIZED)["assetNodes"]
    }
    wanted = {f"{day}|{TEAM}" for day in DAYS}
    for asset in ("trace_texts", "trace_summaries", "summary_embeddings", "cluster_assignments", "cluster_events"):
        assert done[asset] == wanted, (asset, done[asset])


def _theme(table: str) -> str:
    return "level" if table == "trace_texts" else "theme_id"
