"""`llma run` with themes beyond the general ones: which are run, by themselves, several at once, and what is said."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from llma_assets.clickhouse import Database
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.jobs import CONCURRENCY_TAG
from llma_assets.settings import Settings
from llma_assets.testing import ChatServer, day_of_traces, write_events
from llma_assets_tests.cli.conftest import Answer, Llma

pytestmark = pytest.mark.slow(seconds=20)

DAY = date(2026, 11, 7)
RUN = ("run", "--team", "1", "--date", str(DAY))
THEMES_FILE = """
themes:
  - theme_id: requests
    prompt: Say what the user asks for.
    judged: false
  - theme_id: answers
    prompt: Say what was answered.
    judged: false
    schedule: manual
"""


@pytest.fixture
def traffic(database: Database, llma: Llma, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    """A day of two teams with the same ids; team 1 has two themes of its own, one of them a manual one."""
    monkeypatch.setenv("LLMA_OLDEST_DAY", str(DAY))
    for team_id in (1, 2):
        write_events(database, day_of_traces(team_id, DAY, 24))
    (tmp_path / "themes.yaml").write_text(THEMES_FILE)
    applied = llma("themes", "apply", str(tmp_path / "themes.yaml"), "--team", "1", "--yes", "--by", "ann")
    assert applied.exit_code == 0, applied.output
    return database


def told(answer: Answer) -> dict[str, str]:
    """What became of each theme of the first team."""
    return {row["theme"]: row["reason"] or row["status"] for row in answer.document["teams"][0]["themes"]}


def clustered(database: Database) -> dict[tuple[int, str], int]:
    rows = database.rows("SELECT team_id, theme_id, items FROM clustering_runs FINAL ORDER BY team_id, theme_id")
    return {(row["team_id"], row["theme_id"]): row["items"] for row in rows}


def test_the_enabled_themes_are_run_by_themselves_and_the_manual_one_by_its_name(
    traffic: Database, llma: Llma, llma_json: Callable[..., Answer], settings: Settings
) -> None:
    answer = llma_json(*RUN)
    assert answer.code == 0, answer.document
    assert told(answer) == {"traces": "done", "generations": "done", "requests": "done", "answers": "manual"}
    assert clustered(traffic) == {(1, "generations"): 24, (1, "requests"): 24, (1, "traces"): 24}
    with opened_instance(settings) as instance:
        keys = [run.tags.get(CONCURRENCY_TAG) for run in instance.get_runs()]
        texts = [run for run in instance.get_runs() if run.asset_selection == {dg.AssetKey("trace_texts")}]
    assert (keys.count("1/requests"), len(texts)) == (2, 1)

    named = llma(*RUN, "--theme", "answers")
    assert (named.exit_code, "answers: 24 items" in named.stdout, "requests: " in named.stdout) == (0, True, False)
    assert clustered(traffic)[1, "answers"] == 24


def test_a_theme_that_is_unknown_or_off_is_refused_before_anything_is_run(traffic: Database, llma: Llma) -> None:
    unknown = llma(*RUN, "--theme", "request")
    assert (unknown.exit_code, "did you mean 'requests'?" in unknown.stderr) == (2, True)
    off = llma(*RUN, "--theme", "ux_issues")
    assert (off.exit_code, "llma themes enable ux_issues --team 1" in off.stderr) == (2, True)
    of_others = llma("run", "--team", "2", "--date", str(DAY), "--theme", "requests")
    assert of_others.exit_code == 2
    assert traffic.value("SELECT count() FROM eligible_teams") == 0


def test_of_all_teams_those_without_the_theme_are_left_out(
    traffic: Database, llma: Llma, llma_json: Callable[..., Answer]
) -> None:
    answer = llma_json("run", "--all", "--date", str(DAY), "--theme", "requests")
    assert [(team["team"], team["status"]) for team in answer.document["teams"]] == [(1, "done")]
    nobody = llma("run", "--all", "--date", str(DAY), "--theme", "nothing")
    assert (nobody.exit_code, "no eligible team has nothing switched on" in nobody.stderr) == (2, True)


def test_a_theme_that_fails_leaves_the_others_standing_and_is_retried_alone(
    traffic: Database, llma: Llma, llma_json: Callable[..., Answer], tmp_path: Path
) -> None:
    broken = THEMES_FILE.replace("schedule: manual", "model: gpt-4.1-nano\n    after: requests")
    (tmp_path / "broken.yaml").write_text(broken)
    assert llma("themes", "apply", str(tmp_path / "broken.yaml"), "--team", "1", "--yes", "--by", "ann").exit_code == 0
    result = llma(*RUN)
    assert result.exit_code == 1
    assert "team 1, 2026-11-07 failed: answers: " in result.stderr
    assert "`llma run --team 1 --date 2026-11-07 --theme answers` tries only these again" in result.stderr
    assert "team 1, 2026-11-07, requests: 24 items in" in result.stdout
    assert set(clustered(traffic)) == {(1, "generations"), (1, "requests"), (1, "traces")}
    alone = llma_json(*RUN, "--theme", "answers")
    assert (alone.code, told(alone)) == (1, {"answers": "failed"})


def test_one_theme_at_a_time_gives_the_same_as_several(traffic: Database, llma_json: Callable[..., Answer]) -> None:
    answer = llma_json(*RUN, "--themes-at-once", "1")
    assert told(answer) == {"traces": "done", "generations": "done", "requests": "done", "answers": "manual"}
    again = llma_json(*RUN, "--themes-at-once", "3")
    assert again.document["teams"][0]["runs"] == answer.document["teams"][0]["runs"]


def test_ctrl_c_ends_all_processes_and_running_it_again_finishes(
    traffic: Database, llma_json: Callable[..., Answer], settings: Settings
) -> None:
    with ChatServer(latency_s=10) as server:
        environment = dict(os.environ, OPENAI_BASE_URL=server.url, LLMA_CHAT_MODEL="gpt-4.1-nano")
        environment["LLMA_EMBEDDING_MODEL"] = "offline"
        command = [sys.executable, "-m", "llma_assets.cli.main", *RUN]
        started = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True)
        wait_until(lambda: len(server.requests) >= 2)
        processes = descendants_of(started.pid)
        os.killpg(started.pid, signal.SIGINT)
        _, stderr = started.communicate(timeout=60)
    assert started.returncode == 130
    assert "interrupted; stored results are kept" in stderr
    assert len(processes) >= 4
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes))
    with opened_instance(settings) as instance:
        assert [run.status.value for run in instance.get_runs() if not run.is_finished] == []
    assert told(llma_json(*RUN))["requests"] == "done"


def test_a_run_that_is_killed_takes_its_processes_with_it_and_asks_nothing_more(traffic: Database) -> None:
    with ChatServer(latency_s=0.3) as server:
        environment = dict(os.environ, OPENAI_BASE_URL=server.url, LLMA_CHAT_MODEL="gpt-4.1-nano")
        environment["LLMA_EMBEDDING_MODEL"] = "offline"
        command = [sys.executable, "-m", "llma_assets.cli.main", *RUN]
        started = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: len(server.requests) >= 2)
        processes = descendants_of(started.pid)
        assert len(processes) >= 4
        started.kill()
        started.wait()
        wait_until(lambda: not any(is_alive(pid) for pid in processes))
        assert len(server.requests) < 72


def is_alive(pid: int) -> bool:
    """Whether a process is there, and no corpse that nobody has taken notice of."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 240
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.1)


def descendants_of(pid: int) -> list[int]:
    """Workers are copies of a process that the command has started."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [each for child in children for each in descendants_of(child)]
