"""The Dagster home in a backup: its SQLite databases as of one moment each, and what becomes of runs that were on.

With Dagster's tables in Postgres there is nothing of them in the home; they are backed up by Postgres' own means.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from llma_assets.defs.instance import dagster_home, opened_instance
from llma_assets.file_copies import Digests, copy_sqlite_folder, remove_folder, sync_folder, verified_copy
from llma_assets.settings import Settings

_RESTORING = ".restoring"
INTERRUPTED = "It was on when the backup was made that was restored now. The next run goes on with what it left."


def back_up_home(settings: Settings, target: Path) -> Digests | None:
    """Copy the home to a folder that does not exist; None where there is no home yet."""
    home = dagster_home(settings)
    return copy_sqlite_folder(home, target) if home.is_dir() else None


def restore_home(settings: Settings, source: Path, digests: Mapping[str, str]) -> Path | None:
    """Put the backup of a home in the place of the present one, as `clickhouse.restore` does with the database.

    Returns:
        where the home that was there is now, None if there was none.

    Raises:
        BrokenCopy: the backup is not what was written.
    """
    home, old = dagster_home(settings), None
    fresh = home.with_name(home.name + _RESTORING)
    remove_folder(fresh)
    verified_copy(source, fresh, digests)
    if home.exists():
        old = home.with_name(f"{home.name}.before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        home.rename(old)
    fresh.rename(home)
    sync_folder(home.parent)
    return old


def end_interrupted_runs(settings: Settings) -> int:
    """Record runs that were on when the backup was made as failed: nobody works on them, and they would hold others.

    Returns:
        how many there were.
    """
    import dagster as dg

    on = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    with opened_instance(settings) as instance:
        runs = instance.get_runs(dg.RunsFilter(statuses=on))
        for run in runs:
            instance.report_run_failed(run, INTERRUPTED)
    return len(runs)
