"""The runner of jobs that commands use, with the definitions of this installation."""

from typing import TYPE_CHECKING

from llma_assets.definitions import build_definitions
from llma_assets.defs.runner import Runner

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.defs.instance import Instance
    from llma_assets.stage import Progress


def runner_of(instance: "Instance", database: "Database", *, progress: "Progress", verbose: bool = False) -> Runner:
    """Runs jobs of this installation on an instance; `verbose` leaves Dagster's own log on stderr."""
    return Runner(instance, database, build_definitions(progress=progress), verbose=verbose)
