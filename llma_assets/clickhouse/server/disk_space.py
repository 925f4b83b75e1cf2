"""Disk space: statements that write are rejected while the disk is nearly full.

chDB ignores a write that fails because the disk is full: it creates a table with an empty definition or a part with
empty files, and does not start again. So statements that write are rejected while little space is left, as ClickHouse
rejects inserts (code 243), and merges are paused.
"""

import os
from pathlib import Path

from llma_assets.clickhouse.server.errors import QueryError
from llma_assets.clickhouse.server_folder import NEEDED_TO_START

NOT_ENOUGH_SPACE = 243
_MAX_RESERVED, _MIN_RESERVED = 64 << 20, 2 << 20


class DiskSpace:
    """The free space on the disk of a folder, and the reserve that must stay free.

    Attributes:
        reserved_bytes: the reserve: a sixteenth of the disk, from 2 to 64 MiB. Definitions, mutations and the files of
            small parts, for which the engine reserves nothing, are written to it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = os.statvfs(folder)
        self.reserved_bytes = max(_MIN_RESERVED, min(_MAX_RESERVED, found.f_blocks * found.f_frsize // 16))

    def free_bytes(self) -> int:
        """Free bytes for this user."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def is_short(self) -> bool:
        """Whether less than the reserve is free, so that no write may begin."""
        return self.free_bytes() < self.reserved_bytes

    def require_free(self) -> None:
        """Reject a statement before it writes.

        Raises:
            QueryError: less than the reserve is free.
        """
        if self.is_short():
            raise self._refused(f"{self.reserved_bytes >> 20} MiB have to stay free")

    def confirm_free(self) -> None:
        """Reject a statement after it wrote.

        Raises:
            QueryError: the disk ran full meanwhile.
        """
        if self.free_bytes() < NEEDED_TO_START:
            raise self._refused(
                "the disk ran full meanwhile, the statement may be stored in part; free some space and repeat it"
            )

    def _refused(self, why: str) -> QueryError:
        text = f"Not enough space, {self.free_bytes() / (1 << 20):.1f} MiB are free: {why}"
        return QueryError.of(NOT_ENOUGH_SPACE, "NOT_ENOUGH_SPACE", text)
