"""Folders and files for their owner alone: what this project writes holds people's data."""

import os
import stat
from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600


def private_folder(path: Path) -> Path:
    """Make a folder, and what it lacks above it, with mode 0700; an older one of ours is closed to others.

    Folders above it that are there already keep their mode, as does one that was made to be shared: that of somebody
    else, or one with a sticky bit such as `/tmp`.
    """
    missing = []
    for folder in (path, *path.parents):
        if folder.exists():
            break
        missing.append(folder)
    for folder in reversed(missing):
        folder.mkdir(_FOLDER, exist_ok=True)
    _close(path, _FOLDER)
    return path


def private_opener(path: str, flags: int) -> int:
    """For `open(…, opener=private_opener)`: a file with mode 0600, also where an older one was open to others."""
    descriptor = os.open(path, flags, _FILE)
    if flags & (os.O_WRONLY | os.O_RDWR):
        _close(descriptor, _FILE)
    return descriptor


def write_private(path: Path, text: str) -> None:
    """Put a text in a file with mode 0600, whole and at once: a reader sees all of it or what was there before."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    with open(draft, "w", encoding="utf-8", opener=private_opener) as file:
        file.write(text)
    draft.replace(path)


def _close(path: Path | int, mode: int) -> None:
    found = os.stat(path)
    is_ours = found.st_uid == os.getuid() and not found.st_mode & stat.S_ISVTX
    if is_ours and stat.S_IMODE(found.st_mode) & 0o077:
        os.chmod(path, mode)
