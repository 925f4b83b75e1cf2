"""Dagster instances for tests whose SQLite files have their tables already: those take Dagster a third of a second."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory

import dagster as dg


@contextmanager
def stored_instance() -> Iterator[dg.DagsterInstance]:
    """`dagster.instance_for_test`: an empty instance that keeps what an ephemeral one does not, such as schedules."""
    with TemporaryDirectory() as folder:
        shutil.copytree(_opened_once().name, folder, dirs_exist_ok=True)
        with dg.instance_for_test(temp_dir=folder) as instance:
            yield instance


@cache
def _opened_once() -> TemporaryDirectory[str]:
    """The folder of an instance without a run or a schedule, which goes with the process."""
    folder = TemporaryDirectory()
    with dg.instance_for_test(temp_dir=folder.name) as instance:
        instance.get_runs_count()
        instance.get_dynamic_partitions("")
        instance.all_instigator_state()
    return folder
