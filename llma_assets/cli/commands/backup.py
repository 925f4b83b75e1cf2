"""`llma db backup` and `llma db restore`: the embedded database and what belongs to it, as a folder."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import json_option
from llma_assets.cli.render.console import emit_report, say, show

if TYPE_CHECKING:
    from llma_assets.settings import Settings

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", type=FOLDER)
@json_option
def backup(folder: Path, as_json: bool) -> None:
    """Copy the embedded database, Dagster's home and teams.toml to FOLDER, which is new or empty.

    Runs may be on: the database stops for a moment, and whoever asks it waits. A backup that was interrupted leaves
    FOLDER.incomplete, which the next one removes. It holds texts of traces: only you may read it.
    """
    from llma_assets.cli.run.backups import BackupError, make_backup
    from llma_assets.reports import BackupMade

    settings = _embedded("backed up")
    try:
        made = make_backup(settings, folder)
    except BackupError as error:
        raise WrongUse(str(error)) from error
    if as_json:
        emit_report(BackupMade(folder, made.made_at, made.version, made.files))
    else:
        show(f"backup of {settings.data_dir} in {folder}: {made.files:,} files, made at {made.made_at}")


@click.command()
@click.argument("folder", type=FOLDER)
@click.option("--replace", is_flag=True, help="Where there is a database: keep it beside the restored one.")
@json_option
def restore(folder: Path, replace: bool, as_json: bool) -> None:
    """Put the backup in FOLDER in the place of the data folder's database, Dagster home and teams.toml.

    Every file is compared with what was written, before anything is put in place. End the daemon and running commands
    before. Dagster's runs that were on when the backup was made are recorded as failed; the next run goes on.
    """
    from llma_assets.cli.run.backups import BackupError, restore_backup
    from llma_assets.reports import BackupRestored

    settings = _embedded("restored")
    try:
        done = restore_backup(settings, folder, replace=replace)
    except BackupError as error:
        raise Problem(str(error)) from error
    if as_json:
        emit_report(
            BackupRestored(
                settings.data_dir, done.backup.made_at, done.backup.version, tuple(done.kept), done.interrupted_runs
            )
        )
        return
    show(f"{settings.data_dir} is as it was at {done.backup.made_at} (version {done.backup.version})")
    for each in done.kept:
        say(f"What was there before is in {each}; remove it when you do not need it.")
    if done.interrupted_runs:
        say(f"{done.interrupted_runs} runs were on at that time; Dagster has them as failed now.")


def _embedded(done: str) -> "Settings":
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    if settings.clickhouse_url is not None:
        raise WrongUse(
            f"the server that CLICKHOUSE_URL names is {done} by its own statements, BACKUP and RESTORE "
            "(docs/deployment.md); unset CLICKHOUSE_URL for the embedded database"
        )
    return settings
