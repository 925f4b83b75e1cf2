"""Copies of folders whose every file is known by a digest, so that a copy which is not whole is never taken for one.

Which folders are copied, and when, belongs to their owners.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from llma_assets.private_files import private_folder, private_opener

PIECE = 1 << 20
SQLITE_SUFFIXES = ("-wal", "-shm", "-journal")

Digests = dict[str, str]
"""BLAKE2b of each file, a link's target as `-> target`, by the path in its folder with `/` between the parts."""


class BrokenCopy(ValueError):
    """A copy lacks files, or has others than were copied; the message names one."""


def snapshot(source: Path, target: Path, *, unchanging: str) -> None:
    """Another name for each file that never changes, a copy of each other one: fast, and little space.

    Args:
        target: a folder of the same disk, which is made.
        unchanging: the suffix of files that are written once.
    """
    private_folder(target)
    for path in _walk(source):
        copy = target / path.relative_to(source)
        if path.is_symlink():
            copy.symlink_to(os.readlink(path))
        elif path.is_dir():
            private_folder(copy)
        elif path.suffix == unchanging:
            os.link(path, copy)
        else:
            copy_file(path, copy)


def copy_file(source: Path, target: Path) -> str:
    """Copy a file, for its owner only; returns its digest."""
    digest = hashlib.blake2b(digest_size=16)
    with open(source, "rb") as read, open(target, "wb", opener=private_opener) as written:
        while piece := read.read(PIECE):
            digest.update(piece)
            written.write(piece)
        written.flush()
        os.fsync(written.fileno())
    return digest.hexdigest()


def copy_folder(source: Path, target: Path) -> Digests:
    """Copy a folder that nobody changes; its files are on the disk when this returns.

    Returns:
        the digests of what was copied.
    """
    private_folder(target)
    digests: Digests = {}
    for path in _walk(source):
        name = path.relative_to(source).as_posix()
        copy = target / name
        if path.is_symlink():
            copy.symlink_to(os.readlink(path))
            digests[name] = f"-> {os.readlink(path)}"
        elif path.is_dir():
            private_folder(copy)
            digests[f"{name}/"] = ""
        elif path.is_file():
            digests[name] = copy_file(path, copy)
    return digests


def copy_sqlite_folder(source: Path, target: Path) -> Digests:
    """Copy a folder whose SQLite databases may be written meanwhile: each is copied as of one moment."""
    private_folder(target)
    digests: Digests = {}
    for path in _walk(source):
        name = path.relative_to(source).as_posix()
        copy = target / name
        if path.is_dir() and not path.is_symlink():
            private_folder(copy)
            digests[f"{name}/"] = ""
        elif path.name.endswith((".lock", *(f".db{suffix}" for suffix in SQLITE_SUFFIXES))):
            continue
        elif path.suffix == ".db":
            _copy_sqlite(path, copy)
            digests[name] = _digest(copy)
        else:
            # A file of logs may go while its run is deleted.
            with suppress(FileNotFoundError):
                if path.is_file():
                    digests[name] = copy_file(path, copy)
    return digests


def verified_copy(source: Path, target: Path, digests: Mapping[str, str]) -> None:
    """Copy a folder back, each file compared with what was copied once.

    Raises:
        BrokenCopy: a file is missing, changed or new.
    """
    _compare(source, digests, copy_folder(source, target))


def verify(source: Path, digests: Mapping[str, str]) -> None:
    """Compare a folder with what was copied once.

    Raises:
        BrokenCopy: a file is missing, changed or new.
    """
    found: Digests = {}
    for path in _walk(source) if source.is_dir() else ():
        name = path.relative_to(source).as_posix()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_dir():
            found[f"{name}/"] = ""
        else:
            found[name] = _digest(path)
    _compare(source, digests, found)


def _compare(source: Path, digests: Mapping[str, str], found: Mapping[str, str]) -> None:
    for name in sorted(digests.keys() | found.keys()):
        if name not in found:
            raise BrokenCopy(f"{source / name} is missing")
        if name not in digests:
            raise BrokenCopy(f"{source / name} was not part of it")
        if digests[name] != found[name]:
            raise BrokenCopy(f"{source / name} is not what was written")


def remove_folder(path: Path) -> None:
    """Remove a folder and all that is in it, if it is there."""
    if path.exists():
        shutil.rmtree(path)


def sync_folder(path: Path) -> None:
    """See that the names in a folder are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _walk(folder: Path) -> Iterator[Path]:
    """All that is in a folder, each folder before what is in it; links are not followed."""
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        path = Path(entry.path)
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(path)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _copy_sqlite(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    os.close(private_opener(str(target), os.O_RDWR | os.O_CREAT))
    with closing(sqlite3.connect(source, timeout=60)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)
