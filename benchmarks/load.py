"""A deployment under load and faults on one machine: is anything lost, doubled or stuck, and is its memory flat?

    python -m benchmarks.load --minutes 60                   # 50 teams, make load-test
    python -m benchmarks.load --minutes 5 --teams 6

Webserver, daemon, code server and `llma receive` are processes of their own over an embedded database. Each team sends
traces by OTLP on loopback all the time; an exporter sends again what was not acknowledged. A tick of the hourly
schedules (discovery, texts) comes every `--tick-s` seconds, with the shipped schedules' own code. The model server
answers in 50 ms, and 5 of 100 answers are HTTP 500. The daemon is killed twice and the database once, each without a
word.

In the end the stream stops, what is queued is worked off, one more tick comes, and everything is counted.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx2

from llma_assets.clickhouse import Database, DatabaseError, connect, status, stop
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.resources import resources_of
from llma_assets.defs.schedules import texts_hourly
from llma_assets.defs.shard_requests import SHARD_TAG, TEAM_TAG
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer, Request, Status
from llma_assets_tests.postgres.cluster import Part, answers, free_port

ROOT = Path(__file__).resolve().parents[1]
FAULTS, LATENCY_S = 0.05, 0.05
SAMPLE_S = 5.0
LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } }
}
"""  # noqa: E501
TEAMS = "minimum_traces = 1\nquiet_minutes = 0\nmax_traces_per_hour = 100000\n"
ASKS = (
    "My card was charged twice for order", "The export of the report fails with an error for project",
    "How do I reset the password of my account", "Please cancel the subscription", "The app is slow on page",
)  # fmt: skip


def main() -> int:
    """Run it; 1 if anything was lost, doubled or stuck."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--teams", type=int, default=50)
    parser.add_argument("--tick-s", type=float, default=60)
    parser.add_argument(
        "--every-s", type=float, default=2, help="of a team: a trace each so many seconds, half to three halves"
    )
    parser.add_argument(
        "--drain-minutes", type=float, default=60, help="how long to wait for an empty queue, each time"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # whatever ends this ends what it has started
        signal.signal(number, lambda *_: sys.exit(130))
    folder = Path(tempfile.mkdtemp(prefix="llma-load-"))
    try:
        return Load(folder, options).run()
    finally:
        stop(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)


class Load:
    """One run of the test."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder, self.options = folder, options
        self.random = random.Random(options.seed)
        self.teams = range(1, options.teams + 1)
        self.accepted: dict[int, set[str]] = {team: set() for team in self.teams}
        self.sent_again = 0
        self.ended = threading.Event()
        self.memory: dict[str, list[float]] = {}
        self.launched: list[str] = []
        self.said: list[str] = []
        self.begun = time.monotonic()

    def run(self) -> int:
        """Start everything, let time pass, stop the stream, count."""
        os.environ["LLMA_IDLE_MINUTES"] = "600"
        data, home = self.folder / "data", self.folder / "dagster"
        data.mkdir()
        home.mkdir()
        (data / "teams.toml").write_text(TEAMS)
        shutil.copy(ROOT / "dagster.yaml", home)
        with ChatServer(latency_s=LATENCY_S, judge=self._fault) as server:
            ours = {
                "LLMA_DATA_DIR": str(data),
                "DAGSTER_HOME": str(home),
                "OPENAI_BASE_URL": server.url,
                "LLMA_CHAT_MODEL": "test-model",
                "LLMA_EMBEDDING_MODEL": "offline",
                "DAGSTER_GRPC_TIMEOUT_SECONDS": "600",  # a busy machine is no fault
            }
            for name in [each for each in os.environ if each.startswith(("LLMA_", "OPENAI_", "CLICKHOUSE_"))]:
                del os.environ[name]
            os.environ.update(ours, PYTHONPATH=str(ROOT), LLMA_IDLE_MINUTES="600")
            self.settings = Settings.from_env()
            with connect(self.settings) as database:
                self.database = database
                parts = self._parts()
                try:
                    self._let_time_pass(parts)
                    self._drain(parts["daemon"])
                    return self._report(server)
                finally:
                    self.ended.set()
                    for part in parts.values():
                        part.end()

    def _parts(self) -> dict[str, Part]:
        """Start the processes; each is ready when this returns."""
        self.web_port, code_port, self.receive_port = free_port(), free_port(), free_port()
        os.environ |= {"LLMA_CODE_HOST": "127.0.0.1", "LLMA_CODE_PORT": str(code_port)}
        workspace = str(ROOT / "deploy" / "workspace.yaml")
        code = ["dagster", "api", "grpc", "-m", "llma_assets.definitions", "-h", "127.0.0.1", "-p", str(code_port)]
        lines = {
            "receive": ["llma_assets.cli.main", "receive", "--port", str(self.receive_port)],
            "code": [*code, "--use-python-environment-entry-point"],
            "web": ["llma_assets.webserver", "-w", workspace, "-h", "127.0.0.1", "-p", str(self.web_port)],
            "daemon": ["dagster._daemon", "run", "-w", workspace],
        }
        ports = {"receive": self.receive_port, "code": code_port, "web": self.web_port}
        found = {name: Part(name, line, dict(os.environ), self.folder) for name, line in lines.items()}
        for name, part in found.items():
            part.start()
            if name in ports:
                self._until(lambda port=ports[name]: answers(port), f"{name} to answer", 1800)
        return found

    def _let_time_pass(self, parts: dict[str, Part]) -> None:
        streams = [threading.Thread(target=self._stream, args=(team,), daemon=True) for team in self.teams]
        threading.Thread(target=self._measure, args=(parts,), daemon=True).start()
        self.begun = time.monotonic()
        seconds = self.options.minutes * 60
        faults: list[tuple[float, Callable[[], None]]] = [
            (0.25, lambda: self._kill_daemon(parts["daemon"])),
            (0.5, self._kill_database),
            (0.7, lambda: self._kill_daemon(parts["daemon"])),
        ]
        for stream in streams:
            stream.start()
        tick = 0.0
        while (at := time.monotonic() - self.begun) < seconds:
            if faults and at > faults[0][0] * seconds:
                faults.pop(0)[1]()
            if at >= tick:
                self._tick()
                tick = at + self.options.tick_s
            time.sleep(0.5)
        self.ended.set()
        for stream in streams:
            stream.join(600)

    def _tick(self) -> None:
        """What the two hourly schedules ask for now, into the queue. What waits or is on is left to that run."""
        now = datetime.now(UTC)
        try:
            with opened_instance(self.settings) as instance:
                open_runs = instance.get_runs(dg.RunsFilter(statuses=[*OPEN]))
                busy = {_place(run.tags) for run in open_runs}
                tags = {"dagster/partition": f"{now:%Y-%m-%d}"}
                if _place(tags) not in busy:
                    self._launch("discovery_job", tags, {})
                with dg.build_schedule_context(
                    instance=instance, scheduled_execution_time=now, resources=resources_of(os.environ)
                ) as context:
                    asked = [each for each in texts_hourly(context) if isinstance(each, dg.RunRequest)]
                for request in asked:
                    if _place(request.tags) not in busy:
                        self._launch("shard_job", dict(request.tags), dict(request.run_config or {}))
        # The database or the web server may be away at the moment: so may they be at an hour's tick.
        except (DatabaseError, httpx2.HTTPError, dg.DagsterError) as error:
            self._say(f"a tick was lost: {type(error).__name__}")

    def _launch(self, job: str, tags: dict[str, str], config: dict[str, Any]) -> None:
        selector = {"repositoryLocationName": "llma_assets", "repositoryName": "__repository__", "jobName": job}
        metadata = {"tags": [{"key": key, "value": value} for key, value in tags.items()]}
        params = {"selector": selector, "mode": "default", "executionMetadata": metadata}
        params["runConfigData"] = json.dumps(config)
        answer = httpx2.post(
            f"http://127.0.0.1:{self.web_port}/graphql",
            json={"query": LAUNCH, "variables": {"params": params}},
            timeout=300,
        ).json()
        found = (answer.get("data") or {}).get("launchRun", {})
        if found.get("__typename") != "LaunchRunSuccess":
            self._say(f"a run was refused: {json.dumps(answer)[:300]}")
            return
        self.launched.append(found["run"]["runId"])

    def _stream(self, team: int) -> None:
        """Send a trace every `--every-s` seconds, more or less; again until it is acknowledged."""
        address = f"http://127.0.0.1:{self.receive_port}/v1/traces"
        choice, number = random.Random(f"{self.options.seed}-{team}"), 0
        with httpx2.Client(timeout=60) as client:
            while not self.ended.is_set():
                trace_id = f"{team:08x}{number:024x}"
                body = _otlp(trace_id, f"{choice.choice(ASKS)} {number}")
                while True:
                    try:
                        answer = client.post(address, json=body, headers={"x-llma-team": str(team)})
                        if answer.status_code == 200:
                            self.accepted[team].add(trace_id)
                            break
                    except httpx2.HTTPError:
                        pass
                    self.sent_again += 1
                    time.sleep(1)
                number += 1
                self.ended.wait(self.options.every_s * choice.uniform(0.5, 1.5))

    def _measure(self, parts: dict[str, Part]) -> None:
        while not self.ended.wait(SAMPLE_S):
            state = status(self.settings.data_dir)
            pids = {name: part.process.pid for name, part in parts.items() if part.process}
            for name, pid in {**pids, **({"database": state.pid} if state else {})}.items():
                if (size := _resident_mb(pid)) is not None:
                    self.memory.setdefault(name, []).append(size)

    def _kill_daemon(self, daemon: Part) -> None:
        self._say("the daemon is killed")
        daemon.kill()
        time.sleep(2)
        daemon.start()

    def _kill_database(self) -> None:
        if (state := status(self.settings.data_dir)) is not None:
            self._say("the database is killed")
            os.kill(state.pid, signal.SIGKILL)

    def _drain(self, daemon: Part) -> None:
        """Let the queue empty, then one more tick of what is left, twice: the first may end before its last rows."""
        assert daemon.process is not None
        seconds = self.options.drain_minutes * 60
        for _ in range(2):
            self._until(lambda: not self._open_runs(), "the queue to be empty", seconds)
            self._tick()
        self._until(lambda: not self._open_runs(), "the queue to be empty", seconds)

    def _open_runs(self) -> int:
        with opened_instance(self.settings) as instance:
            return int(instance.get_runs_count(dg.RunsFilter(statuses=[*OPEN])))

    def _report(self, server: ChatServer) -> int:
        sent = {team: len(ids) for team, ids in self.accepted.items()}
        lost = doubled = unsummarised = missing_texts = 0
        for team, ids in self.accepted.items():
            stored = _ids(self.database, "SELECT toString(JSONExtractString(properties, '$ai_trace_id')) AS id, "
                          "uniqExact(uuid) AS n FROM events WHERE team_id = {team:Int64} AND event = '$ai_generation' "
                          "GROUP BY id", team)  # fmt: skip
            texts = _ids(self.database, "SELECT trace_id AS id, count() AS n FROM trace_texts FINAL WHERE "
                         "team_id = {team:Int64} AND level = 'trace' GROUP BY id", team)  # fmt: skip
            done = _ids(self.database, "SELECT trace_id AS id, count() AS n FROM trace_summaries FINAL WHERE "
                        "team_id = {team:Int64} AND theme_id = 'traces' AND status = 'generated' GROUP BY id",
                        team)  # fmt: skip
            lost += len(ids - stored.keys())
            doubled += sum(each > 1 for found in (stored, texts, done) for each in found.values())
            missing_texts += len(ids - texts.keys())
            unsummarised += len(ids - done.keys())
        stuck = self._open_runs()
        statuses = self._statuses()
        with_error = statuses.get("FAILURE", 0)
        wrong = bool(lost or doubled or stuck or missing_texts or unsummarised)
        print(json.dumps({
            "minutes": self.options.minutes, "teams": self.options.teams, "traces": sum(sent.values()),
            "sent_again": self.sent_again, "runs": statuses, "failed_runs": with_error, "calls": len(server.calls()),
            "lost": lost, "doubled": doubled, "without_text": missing_texts, "without_summary": unsummarised,
            "stuck_runs": stuck, "memory_mb": self._memory(), "said": self.said,
        }, indent=2))  # fmt: skip
        return int(wrong)

    def _statuses(self) -> dict[str, int]:
        with opened_instance(self.settings) as instance:
            found: dict[str, int] = {}
            for run in instance.get_runs():
                found[run.status.value] = found.get(run.status.value, 0) + 1
            return found

    def _memory(self) -> dict[str, dict[str, Any]]:
        """Medians of the second and the last quarter of the time and of each tenth, and the most."""
        found: dict[str, dict[str, Any]] = {}
        for name, sizes in self.memory.items():
            quarter, tenth = max(1, len(sizes) // 4), max(1, -(-len(sizes) // 10))
            found[name] = {
                "second_quarter": round(statistics.median(sizes[quarter : 2 * quarter] or sizes)),
                "last_quarter": round(statistics.median(sizes[-quarter:])),
                "tenths": [round(statistics.median(sizes[at : at + tenth])) for at in range(0, len(sizes), tenth)],
                "most": round(max(sizes)),
            }
        return found

    def _fault(self, _: Request) -> Status | None:
        return Status(500) if self.random.random() < FAULTS else None

    def _say(self, text: str) -> None:
        line = f"{time.monotonic() - self.begun:7.1f} s  {text}"
        self.said.append(line)
        print(line, file=sys.stderr, flush=True)

    def _until(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self._say(f"waited in vain for {what}")
                return
            time.sleep(1)


OPEN = (
    dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING,
)  # fmt: skip


def _place(tags: Mapping[str, str]) -> tuple[str | None, ...]:
    """What a run works on: a day, or a shard, of which it may be one team alone."""
    return tuple(tags.get(name) for name in ("dagster/partition", SHARD_TAG, TEAM_TAG))


def _ids(database: Database, sql: str, team: int) -> dict[str, int]:
    return {str(row["id"]): int(row["n"]) for row in database.rows(sql, team=team)}


def _otlp(trace_id: str, asked: str) -> dict[str, Any]:
    """A request of an exporter: one model call of a trace, in OTLP's JSON."""
    # Some minutes ago, but today: whoever waits for a trace to be quiet waits no longer.
    at = max(datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC).replace(hour=0, minute=0, second=0))
    begun = int(at.timestamp() * 1e9)
    said = [{"role": "user", "parts": [{"type": "text", "content": asked}]}]
    answered = [{"role": "assistant", "parts": [{"type": "text", "content": "I look into it."}]}]
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai",
        "gen_ai.input.messages": json.dumps(said), "gen_ai.output.messages": json.dumps(answered),
    }  # fmt: skip
    span = {
        "traceId": trace_id, "spanId": trace_id[-16:], "name": "chat gpt-4o", "kind": 3,
        "startTimeUnixNano": str(begun), "endTimeUnixNano": str(begun + 10**9),
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }  # fmt: skip
    return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {}, "spans": [span]}]}]}


def _resident_mb(pid: int) -> float | None:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
