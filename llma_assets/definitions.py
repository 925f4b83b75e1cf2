"""The entry point of Dagster: it assembles what `defs` holds, and decides nothing."""

import os
import warnings
from collections.abc import Mapping

import dagster as dg

# Partitioned asset checks, dimension mappings and backfill policies are what this pipeline stands on; that Dagster
# still calls them beta or preview is pinned in pyproject.toml and need not be said at each start.
for category in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=category)

from llma_assets.clock import utc_now  # noqa: E402
from llma_assets.defs.alerts import alerts_job  # noqa: E402
from llma_assets.defs.alerts_shard import alerts_every_10_minutes, alerts_shard_job  # noqa: E402
from llma_assets.defs.assets import assets_of  # noqa: E402
from llma_assets.defs.catalog import Catalog  # noqa: E402
from llma_assets.defs.checks import asset_checks  # noqa: E402
from llma_assets.defs.jobs import jobs  # noqa: E402
from llma_assets.defs.logs import write_runs_as_json  # noqa: E402
from llma_assets.defs.partitions import Partitions  # noqa: E402
from llma_assets.defs.resources import resources_of  # noqa: E402
from llma_assets.defs.schedules import schedules  # noqa: E402
from llma_assets.defs.sensors import sensors  # noqa: E402
from llma_assets.defs.shard_job import requested_partitions, shard_job  # noqa: E402
from llma_assets.defs.trackers import trackers_every_10_minutes, trackers_job  # noqa: E402
from llma_assets.settings import Settings  # noqa: E402
from llma_assets.stage import Progress, silent, unfailing  # noqa: E402


def build_definitions(
    *, environ: Mapping[str, str] = os.environ, progress: Progress = silent, **resource_overrides: object
) -> dg.Definitions:
    """Everything that Dagster loads; tests and commands swap a resource by its name instead of patching.

    Args:
        environ: what the environment says of the oldest day, the owners and the resources.
        progress: is told how far each stage is.
        resource_overrides: resources by name.
    """
    resources = {
        **resources_of(environ),
        "clock": utc_now,
        "progress": unfailing(progress),
        "shard_work": requested_partitions,
    }
    unknown = resource_overrides.keys() - resources.keys()
    if unknown:
        raise ValueError(f"unknown resources {sorted(unknown)}; there are {sorted(resources)}")
    write_runs_as_json(environ)
    settings = Settings.from_env(environ)
    partitions = Partitions.since(settings.oldest_day)
    return dg.Definitions(
        assets=assets_of(partitions, Catalog.of(settings)),
        asset_checks=asset_checks(partitions),
        jobs=[*jobs, shard_job, alerts_job, alerts_shard_job, trackers_job],
        schedules=[*schedules, alerts_every_10_minutes, trackers_every_10_minutes],
        sensors=sensors,
        resources=resources | resource_overrides,
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What a code location loads; the environment is read when it does, not when this module is imported."""
    return build_definitions()
