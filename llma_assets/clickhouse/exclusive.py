"""A lock among processes, for rows that are looked up first and then inserted: ClickHouse has no such lock."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llma_assets.private_files import private_opener


@contextmanager
def exclusive(data_dir: Path, work: str, holder: str = "") -> Iterator[bool]:
    """As `Database.exclusive`; the kernel releases the lock when the process ends, however it ends."""
    if not data_dir.is_dir():
        yield False
        return
    with open(data_dir / f"{work}.lock", "a+b", buffering=0, opener=private_opener) as file:
        # Whoever comes back at once stands behind those who wait: the kernel gives a lock to the fastest.
        with open(data_dir / f"{work}.next.lock", "ab", opener=private_opener) as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        same = bool(holder) and file.read(len(holder) + 1) == holder.encode()
        if not same:
            file.truncate(0)
            with suppress(OSError):  # on a full disk nobody was the last, which is safe
                file.write(holder.encode())
        yield same
