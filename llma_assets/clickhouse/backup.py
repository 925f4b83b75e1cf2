"""Backup and restore of the embedded database's files. Where they go and what goes with them belongs in the command.

The server is ended for the moment in which its files get second names; whoever asks it meanwhile waits, and starts it
again. So a backup is what a kill at that moment would have left: every run can go on from it. ClickHouse's own BACKUP
needs a path in a configuration file, which chDB does not read.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from llma_assets.clickhouse.errors import DatabaseUnavailable
from llma_assets.clickhouse.lifecycle import halted, has_data
from llma_assets.file_copies import Digests, copy_folder, remove_folder, snapshot, sync_folder, verified_copy
from llma_assets.private_files import private_folder

_SNAPSHOT, _RESTORING = "snapshot", "data.restoring"
_WRITTEN_ONCE = ".bin"
"""Columns of a part: ClickHouse writes another part in place of changing one."""


def back_up(data_dir: Path, target: Path) -> Digests:
    """Copy the database to a folder that does not exist; runs may be on.

    Raises:
        DatabaseUnavailable: there is no database, or it could not be halted.
        OSError: the files cannot be read, or the disk is full.
    """
    if not has_data(data_dir):
        raise DatabaseUnavailable(f"there is no database in {data_dir}")
    place = _place(data_dir)
    taken = place.with_name(_SNAPSHOT)
    with _alone(place):
        try:
            remove_folder(taken)  # of a process that was killed
            with halted(data_dir):
                snapshot(place, taken, unchanging=_WRITTEN_ONCE)
            remove_folder(taken / "tmp")
            return copy_folder(taken, target)
        finally:
            remove_folder(taken)


def restore(data_dir: Path, source: Path, digests: Mapping[str, str], *, replace: bool) -> Path | None:
    """Put a backup in the place of the database.

    The files are copied and compared first; the database that was there keeps its files beside them. A kill leaves
    either database in place; between two renames none, and restoring again does it.

    Returns:
        where the database that was there is now, None if there was none.

    Raises:
        FileExistsError: there is a database, and `replace` is false.
        BrokenCopy: the backup is not what was written.
        DatabaseUnavailable: the server of the folder could not be halted.
    """
    place = _place(data_dir)
    if place.exists() and not replace:
        raise FileExistsError(place)
    fresh, old = place.with_name(_RESTORING), None
    private_folder(place.parent)
    with _alone(place):
        remove_folder(fresh)
        verified_copy(source, fresh, digests)
        with halted(data_dir):
            if place.exists():
                if not replace:
                    raise FileExistsError(place)
                old = place.with_name(f"data.before-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
                place.rename(old)
            fresh.rename(place)
            sync_folder(place.parent)
    return old


def _place(data_dir: Path) -> Path:
    """Where the engine has its files."""
    return Path(data_dir).absolute() / "clickhouse" / "data"


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One backup or restore of a folder at a time."""
    try:
        with FileLock(place.with_name("backup.lock"), timeout=0, mode=0o600):
            yield
    except Timeout:
        raise DatabaseUnavailable(f"another process backs up or restores {place}") from None
