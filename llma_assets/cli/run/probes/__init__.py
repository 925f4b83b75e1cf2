"""The health checks of `llma doctor`, a module for each part of the installation.

Each check yields findings, and never raises because of what it checks.
"""

from collections.abc import Iterator

from llma_assets.cli.run.probes.database import probe_database
from llma_assets.cli.run.probes.environment import probe_dagster, probe_data_dir, probe_python, probe_team_settings
from llma_assets.cli.run.probes.finding import DoctorReport, Finding
from llma_assets.cli.run.probes.instance import probe_instance
from llma_assets.cli.run.probes.models import probe_models
from llma_assets.settings import Settings, SettingsError

__all__ = ["DoctorReport", "Finding", "probe_everything"]


def probe_everything() -> Iterator[Finding]:
    """Run all checks; with invalid settings the checks that need them are left out."""
    yield from probe_python()
    yield from probe_dagster()
    try:
        settings = Settings.from_env()
    except SettingsError as error:
        yield Finding("settings", "fail", str(error), "Correct the variable.")
        return
    yield from probe_data_dir(settings)
    yield from probe_database(settings)
    yield from probe_team_settings(settings)
    yield from probe_models(settings)
    yield from probe_instance(settings)
