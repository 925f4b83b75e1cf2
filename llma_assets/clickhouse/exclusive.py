"""One at a time: for what is first looked up in the database and then inserted. ClickHouse has no lock for that."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llma_assets.private_files import private_opener


@contextmanager
def exclusive(data_dir: Path, work: str) -> Iterator[None]:
    """As `Database.exclusive`; the kernel lets go of the lock when its holder ends, however it ends."""
    if not data_dir.is_dir():
        yield
        return
    with open(data_dir / f"{work}.lock", "ab", opener=private_opener) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
