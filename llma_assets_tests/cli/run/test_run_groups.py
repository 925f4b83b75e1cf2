"""Worker processes of run groups: one that dies costs its group alone."""

import os
import signal
from datetime import date

import pytest

from llma_assets.cli.run.run_groups import WorkerProcesses, _Worker
from llma_assets.defs.run_group import RunGroup, RunGroupResult
from llma_assets.stage import silent
from llma_assets.team_day import TeamDay

DAY = date(2026, 11, 7)


def group(theme_id: str, after: str | None = None) -> RunGroup:
    return RunGroup(TeamDay(1, DAY), (theme_id,), DAY, after=after)


@pytest.mark.slow
def test_a_process_that_dies_fails_its_group_and_the_next_group_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []

    def send(self: _Worker, _: RunGroup) -> None:
        assert self._process.pid is not None
        pids.append(self._process.pid)
        os.kill(self._process.pid, signal.SIGKILL)

    monkeypatch.setattr(_Worker, "send", send)
    workers = WorkerProcesses(1, silent, verbose=False)
    try:
        results = workers.run_all([group("first"), group("second"), group("third", after="first")])
    finally:
        workers.close()
    died = RunGroupResult("failed", "failed", "the process of this run group died (exit code -9)")
    assert (results["first"], results["second"]) == (died, died)
    assert (results["third"].status, results["third"].detail) == ("waiting", "runs after first, which is failed")
    assert len(set(pids)) == 2
