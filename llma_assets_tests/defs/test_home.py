"""Counts of Dagster's runs for metrics, and what becomes of runs that were on when a backup was made."""

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from llma_assets.defs.home_copy import back_up_home, end_interrupted_runs, restore_home
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.run_counts import RunCounts
from llma_assets.settings import Settings

STATUSES = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS)


def test_runs_are_counted_and_those_that_were_on_have_failed_after_a_restore(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, new_homes_have_their_tables: None
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    before, after = (Settings.from_env({"LLMA_DATA_DIR": str(tmp_path / name)}) for name in ("before", "after"))
    with opened_instance(before) as instance:
        for status in STATUSES:
            create_run_for_test(instance, job_name="texts_job", status=status)
    counts, heartbeats = RunCounts(before)()
    assert {name: count for name, count in counts.items() if count} == {"not_started": 1, "started": 1, "success": 1}
    assert heartbeats == {}

    digests = back_up_home(before, tmp_path / "backup")
    assert digests is not None
    after.data_dir.mkdir()
    assert restore_home(after, tmp_path / "backup", digests) is None
    assert end_interrupted_runs(after) == 1
    assert end_interrupted_runs(after) == 0
    counts, _ = RunCounts(after)()
    assert {name: count for name, count in counts.items() if count} == {"not_started": 1, "failure": 1, "success": 1}
    kept = restore_home(after, tmp_path / "backup", digests)
    assert kept is not None
    assert kept.name.startswith("dagster.before-")
