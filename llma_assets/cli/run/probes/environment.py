"""Health checks of Python, Dagster's version, the data folder, and the file of team settings."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from llma_assets.cli.run.probes.finding import MIN_FREE_DISK_BYTES, Finding, Status, gigabytes, missing_folder
from llma_assets.settings import Settings

PYTHONS = ((3, 11), (3, 13))


def probe_python() -> Iterator[Finding]:
    """The version of Python."""
    found = sys.version_info[:2]
    text = ".".join(map(str, sys.version_info[:3]))
    if PYTHONS[0] <= found <= PYTHONS[1]:
        yield Finding("Python", "ok", text)
    else:
        yield Finding("Python", "fail", text, "Python 3.11 to 3.13 is needed.")


def probe_dagster() -> Iterator[Finding]:
    """The version of Dagster, which is pinned: earlier versions fail on partitions of time × team."""
    from packaging.requirements import Requirement

    try:
        wanted = [Requirement(text) for text in requires("llma-assets") or []]
        found = version("dagster")
    except PackageNotFoundError as error:
        yield Finding("Dagster", "fail", f"package {error.name} is not installed", "Run `make install`.")
        return
    (pinned,) = [each.specifier for each in wanted if each.name == "dagster"]
    if pinned.contains(found):
        yield Finding("Dagster", "ok", found)
    else:
        yield Finding("Dagster", "fail", f"{found}, {pinned} is needed", "Run `make install`.")


def probe_data_dir(settings: Settings) -> Iterator[Finding]:
    """Whether the data folder can be written, and has free space; a missing one is not created."""
    folder = settings.data_dir
    if not folder.exists():
        yield missing_folder("data folder", folder, "LLMA_DATA_DIR")
        return
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding(
            "data folder", "fail", f"{folder}: {error.strerror}", "Set LLMA_DATA_DIR to a folder that you can write to."
        )
        return
    if free < MIN_FREE_DISK_BYTES:
        yield Finding(
            "data folder",
            "warn",
            f"{folder}: {gigabytes(free)} free",
            "Free some space, or set LLMA_DATA_DIR to another disk.",
        )
    else:
        yield Finding("data folder", "ok", f"{folder}: {gigabytes(free)} free")


def probe_team_settings(settings: Settings) -> Iterator[Finding]:
    """Whether the file of team settings can be used."""
    from llma_assets.teams import TeamSettings, TeamSettingsError

    try:
        teams, problems = TeamSettings.load(settings.data_dir)
    except TeamSettingsError as error:
        yield Finding("team settings", "fail", str(error), "Correct the file, or LLMA_TEAMS_FILE.")
        return
    for problem in problems:
        status: Status = "fail" if problem.stops else "warn"
        yield Finding("team settings", status, str(problem), "Correct the field, or remove it.")
    if not problems:
        detail = f"look back {teams.lookback_days} days, at least {teams.options.minimum_traces} traces"
        yield Finding("team settings", "ok", detail)
