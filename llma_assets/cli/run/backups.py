"""A backup as a folder: database, Dagster home, `teams.toml` and refused lines, and a manifest that is written last."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llma_assets.clickhouse import back_up, restore, shipped_migrations
from llma_assets.defs.home_copy import back_up_home, end_interrupted_runs, restore_home
from llma_assets.defs.instance import dagster_home
from llma_assets.file_copies import (
    BrokenCopy,
    Digests,
    copy_file,
    copy_folder,
    remove_folder,
    sync_folder,
    verified_copy,
    verify,
)
from llma_assets.private_files import private_folder, write_private
from llma_assets.settings import Settings

MANIFEST = "backup.json"
FORMAT = 1
DATABASE, HOME, OTHERS = "database", "dagster", "others"
_LEFT_OUT = ("clickhouse", "dagster")


class BackupError(RuntimeError):
    """A backup cannot be made or used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a manifest says.

    Attributes:
        format: of the folder.
        made_at: when it was begun, UTC.
        version: of this package.
        migration: the newest one of the version that made it.
        digests: of each part's files, None for a part that was not there.
    """

    format: int
    made_at: str
    version: str
    migration: int
    digests: Mapping[str, Digests | None]

    @property
    def files(self) -> int:
        """How many there are."""
        return sum(not name.endswith("/") for part in self.digests.values() for name in part or ())


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        kept: where what was there before is now.
        interrupted_runs: Dagster's runs that were on when the backup was made, now recorded as failed.
    """

    backup: Backup
    kept: tuple[Path, ...]
    interrupted_runs: int


def make_backup(settings: Settings, target: Path) -> Backup:
    """Write a backup to a folder that does not exist or is empty; whole or not at all.

    Raises:
        BackupError: the folder has something in it.
        DatabaseUnavailable: there is no database, or it could not be halted.
    """
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty; name another folder")
    if settings.data_dir in target.absolute().parents:
        raise BackupError(f"{target} is in the data folder; name a folder outside, best on another disk")
    draft = target.absolute().with_name(target.name + ".incomplete")
    remove_folder(draft)
    private_folder(draft)
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    # The database last: Dagster's history may lack what the database has, but never the other way around.
    home = back_up_home(settings, draft / HOME)
    others = _copy_others(settings, draft / OTHERS)
    database = back_up(settings.data_dir, draft / DATABASE)
    newest = shipped_migrations()[-1].number
    found = Backup(FORMAT, made_at, version("llma-assets"), newest, {DATABASE: database, HOME: home, OTHERS: others})
    write_private(draft / MANIFEST, json.dumps(asdict(found)))
    sync_folder(draft)
    if target.exists():
        target.rmdir()
    draft.rename(target)
    sync_folder(target.absolute().parent)
    return found


def restore_backup(settings: Settings, source: Path, *, replace: bool) -> Restored:
    """Put a backup in the place of what is there.

    Raises:
        BackupError: it is not whole, or of a newer version, or something is there and `replace` is false.
        DatabaseUnavailable: the database could not be halted.
    """
    found = read_manifest(source)
    home = dagster_home(settings)
    if not replace and home.exists() and found.digests[HOME] is not None:
        raise BackupError(f"there is a Dagster home in {home}; --replace keeps it beside the restored one")
    kept: list[Path | None] = []
    try:
        for part in (HOME, OTHERS):
            if (digests := found.digests[part]) is not None:
                verify(source / part, digests)
        kept.append(restore(settings.data_dir, source / DATABASE, found.digests[DATABASE] or {}, replace=replace))
        if (digests := found.digests[HOME]) is not None:
            kept.append(restore_home(settings, source / HOME, digests))
        _restore_others(settings, source / OTHERS, found.digests[OTHERS] or {})
    except FileExistsError as error:
        raise BackupError(
            f"there is a database in {error.args[0]}; --replace keeps it beside the restored one"
        ) from None
    except BrokenCopy as error:
        raise BackupError(f"the backup is broken: {error}; nothing of it was put in place") from None
    ended = end_interrupted_runs(settings) if found.digests[HOME] is not None else 0
    return Restored(found, tuple(each for each in kept if each is not None), ended)


def read_manifest(source: Path) -> Backup:
    """The manifest of a backup.

    Raises:
        BackupError: there is none, or it is of a newer version.
    """
    try:
        document: dict[str, Any] = json.loads((source / MANIFEST).read_text("utf-8"))
        found = Backup(**document)
    except FileNotFoundError:
        raise BackupError(f"{source} is no whole backup: it has no {MANIFEST}, which is written last") from None
    except (ValueError, TypeError):
        raise BackupError(f"{source / MANIFEST} cannot be read") from None
    newest = shipped_migrations()[-1].number
    if found.format != FORMAT or found.migration > newest:
        raise BackupError(
            f"the backup was made by version {found.version} with migration {found.migration:04}, this version knows "
            f"{newest:04} at most: install that version or a later one"
        )
    return found


def _copy_others(settings: Settings, target: Path) -> Digests:
    """Files of the data folder beside database and home: settings of teams, refused lines."""
    private_folder(target)
    digests: Digests = {}
    for path in sorted(settings.data_dir.iterdir()):
        if path.name.startswith(_LEFT_OUT) or path.suffix == ".lock" or path.is_symlink():
            continue
        if path.is_dir():
            digests |= {f"{path.name}/{name}": each for name, each in copy_folder(path, target / path.name).items()}
            digests[f"{path.name}/"] = ""
        elif path.is_file():
            digests[path.name] = copy_file(path, target / path.name)
    return digests


def _restore_others(settings: Settings, source: Path, digests: Digests) -> None:
    """Files of the same name are replaced, others stay."""
    fresh = settings.data_dir / "others.restoring"
    remove_folder(fresh)
    verified_copy(source, fresh, digests)
    shutil.copytree(fresh, settings.data_dir, dirs_exist_ok=True)
    remove_folder(fresh)
