"""Room on the disk: nothing is begun that may not find any.

chDB takes no notice of a write that failed for want of room: a table is then made with an empty definition, a part with
empty files, and the engine does not start again. So statements that write are refused while little is left, as
ClickHouse refuses inserts (code 243), and merges wait.
"""

import os
from pathlib import Path

from llma_assets.clickhouse.server.errors import QueryError
from llma_assets.clickhouse.server_folder import NEEDED_TO_START

NOT_ENOUGH_SPACE = 243
_MOST_KEPT, _LEAST_KEPT = 64 << 20, 2 << 20


class Room:
    """How much is left on the disk of a folder, and how much of it is kept free.

    Attributes:
        kept: bytes that no statement may count on: a sixteenth of the disk, from 2 to 64 MiB. Definitions, mutations
            and the files of small parts live on them, which nobody reserves.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        found = os.statvfs(folder)
        self.kept = max(_LEAST_KEPT, min(_MOST_KEPT, found.f_blocks * found.f_frsize // 16))

    def free_bytes(self) -> int:
        """What is left for this user."""
        found = os.statvfs(self._folder)
        return found.f_bavail * found.f_frsize

    def is_short(self) -> bool:
        """Whether nothing that writes may begin."""
        return self.free_bytes() < self.kept

    def require(self) -> None:
        """Refuse to begin.

        Raises:
            QueryError: less is left than has to be kept.
        """
        if self.is_short():
            raise self._refused(f"{self.kept >> 20} MiB have to stay free")

    def confirm(self) -> None:
        """Refuse to call something done.

        Raises:
            QueryError: the disk ran full while it was written, by whatever filled it.
        """
        if self.free_bytes() < NEEDED_TO_START:
            raise self._refused("the disk ran full meanwhile; it may be stored in part, so do it again")

    def _refused(self, why: str) -> QueryError:
        text = f"Not enough space, {self.free_bytes() / (1 << 20):.1f} MiB are free: {why}"
        return QueryError.of(NOT_ENOUGH_SPACE, "NOT_ENOUGH_SPACE", text)
