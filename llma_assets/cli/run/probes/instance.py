"""Health checks of the Dagster instance: storage, run queue, settings, and who can read its folder."""

from collections.abc import Iterator
from pathlib import Path

from llma_assets.cli.errors import Problem, explained
from llma_assets.cli.run.probes.finding import Finding, missing_folder
from llma_assets.settings import Settings


def probe_instance(settings: Settings) -> Iterator[Finding]:
    """Whether Dagster's instance can be opened and read, and whether its run queue limits what it should."""
    from llma_assets.defs.home_config import SHIPPED, changed_since
    from llma_assets.defs.instance import dagster_home, missing_limits, opened_instance

    if not dagster_home(settings).exists():
        yield missing_folder("Dagster instance", dagster_home(settings), "DAGSTER_HOME")
        return
    try:
        with opened_instance(settings) as instance:
            runs, missing = instance.get_runs_count(), missing_limits(instance)
    except (Problem, OSError) as error:
        detail = error.message if isinstance(error, Problem) else explained(error).message
        yield Finding("Dagster instance", "fail", detail, "Set DAGSTER_HOME to a folder that you can write to.")
        return
    home = dagster_home(settings)
    yield Finding("Dagster instance", "ok", f"{home}: {runs:,} runs")
    yield from _probe_privacy(home, settings.rejects_dir)
    if changed := changed_since(home):
        detail = f"{home}/dagster.yaml was edited, and the shipped file has changed since: {', '.join(changed)}"
        advice = (
            f"Copy these settings from the dagster.yaml of the package, or move {home}/dagster.yaml away and run "
            f"`llma doctor` again; to keep your values, copy the shipped file to {home}/{SHIPPED}."
        )
        yield Finding("Dagster's settings", "warn", detail, advice)
    if missing:
        detail = f"{home}/dagster.yaml sets no limit for {', '.join(missing)}: two runs of a theme may pay twice"
        advice = (
            "The file is from an earlier version. Move it away, run `llma doctor` again, and repeat your changes in "
            "the new one."
        )
        yield Finding("Dagster's run queue", "warn", detail, advice)


def _probe_privacy(*folders: Path) -> Iterator[Finding]:
    """Whether other users of this machine can read folders that hold texts of traces."""
    for folder in folders:
        if folder.is_dir() and folder.stat().st_mode & 0o077:
            detail = f"{folder} holds texts of traces, and other users of this machine can read it"
            yield Finding("private folders", "warn", detail, f"Run `chmod -R go-rwx {folder}` as its owner.")
