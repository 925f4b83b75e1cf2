"""A disk of a few megabytes that can be filled: a tmpfs, which takes root and Linux to mount."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILL = "fill"


class CannotMount(Exception):
    """This user or this system mounts no tmpfs."""


class SmallDisk:
    """A mounted folder, and how much room is left on it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def free_bytes(self) -> int:
        """What is left."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Take all room but this much, at once."""
        self.make_room()
        with open(self.path / FILL, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(self.free_bytes() - leave_bytes, 1))

    def make_room(self) -> None:
        """Give back what `fill` took."""
        (self.path / FILL).unlink(missing_ok=True)


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mount a disk at a new folder; whoever works on it has to have ended when it is left.

    Raises:
        CannotMount: the caller may not, or `mount` is not there.
    """
    path.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(path)]
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        path.rmdir()
        raise CannotMount(str(error)) from error
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)
        path.rmdir()
