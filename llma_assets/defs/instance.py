"""The Dagster instance that `llma` and `make dev` share: its folder, and how to open it.

Running jobs belongs in `runner.py`.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from llma_assets.defs.home_config import CONFIG, follow_shipped, shipped_config
from llma_assets.private_files import private_folder
from llma_assets.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

    Instance = dg.DagsterInstance


class InstanceError(RuntimeError):
    """The Dagster instance cannot be used; the message says of which folder, and why."""


def dagster_home(settings: Settings) -> Path:
    """DAGSTER_HOME, else the folder `dagster` of the data folder; absolute."""
    named = os.environ.get("DAGSTER_HOME", "").strip()
    return Path(named).expanduser().absolute() if named else settings.data_dir / "dagster"


def prepare_home(settings: Settings) -> Path:
    """Create the folder and its dagster.yaml, or update an unedited one; safe from several processes at once.

    Logs and database hold texts of traces, so only the owner may read the folder, even if it existed before.
    """
    home = private_folder(dagster_home(settings))
    follow_shipped(home)
    return home


def missing_limits(instance: "dg.DagsterInstance") -> list[str]:
    """Tags that the shipped dagster.yaml limits in the run queue, but the file of the instance does not."""
    import yaml

    shipped = yaml.safe_load(shipped_config())
    wanted = [each["key"] for each in shipped["concurrency"]["runs"]["tag_concurrency_limits"]]
    queue = instance.get_concurrency_config().run_queue_config
    found = {each["key"] for each in queue.tag_concurrency_limits} if queue else set()
    return [key for key in wanted if key not in found]


@contextmanager
def opened_instance(settings: Settings) -> "Iterator[dg.DagsterInstance]":
    """The instance of DAGSTER_HOME; runs recorded in it show in the UI.

    Raises:
        InstanceError: its dagster.yaml is invalid, or its storage cannot be opened.
    """
    import dagster as dg

    home = prepare_home(settings)
    try:
        # The first process creates the tables; without a lock several would.
        with FileLock(home / ".llma.lock"), _environment("DAGSTER_HOME", str(home)):
            instance = dg.DagsterInstance.get()
    except dg.DagsterError as error:
        first_line = str(error).strip().partition("\n")[0]
        raise InstanceError(
            f"the Dagster instance of {home} cannot be opened: {first_line} (see {home / CONFIG})"
        ) from error
    with instance, _environment("DAGSTER_HOME", str(home)):
        yield instance


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    """Set a variable temporarily: resources and steps find the instance by it."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
