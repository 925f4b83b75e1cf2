"""Creates folders and files that only their owner may read, because they hold private data."""

import os
import stat
from pathlib import Path

_FOLDER, _FILE = 0o700, 0o600


def private_folder(path: Path) -> Path:
    """Create a folder and its missing parents with mode 0700; an existing folder of this user is closed to others.

    Existing parents keep their mode, as does a shared folder: one of another user, or with a sticky bit like `/tmp`.
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
    """For `open(…, opener=private_opener)`: a file with mode 0600, even if an existing one was open to others."""
    descriptor = os.open(path, flags, _FILE)
    if flags & (os.O_WRONLY | os.O_RDWR):
        _close(descriptor, _FILE)
    return descriptor


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 0600 atomically: a reader sees the new text or the old one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.draft")
    with open(draft, "w", encoding="utf-8", opener=private_opener) as file:
        file.write(text)
    draft.replace(path)


def _close(path: Path | int, mode: int) -> None:
    found = os.stat(path)
    is_ours = found.st_uid == os.getuid() and not found.st_mode & stat.S_ISVTX
    if is_ours and stat.S_IMODE(found.st_mode) & 0o077:
        os.chmod(path, mode)
