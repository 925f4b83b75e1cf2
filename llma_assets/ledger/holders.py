"""Identifies the process that reserved money, and tells whether it is still alive. No database."""

import os
import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process.

    Attributes:
        machine: machine, boot and pid namespace; equal for processes that can see each other. "" if the reservation
            belongs to no process.
        pid: process id in that namespace.
        pid_started: start time in system ticks, because process ids are reused; 0 if unknown.
    """

    machine: str = ""
    pid: int = 0
    pid_started: int = 0


NO_PROCESS = Holder()


def this_process() -> Holder:
    """The present process; a different one after a fork."""
    pid = os.getpid()
    return Holder(_machine(), pid, _started(pid) or 0)


def state_of(holder: Holder) -> Literal["alive", "dead", "unknown"]:
    """Whether a process is alive; unknown for processes of other machines."""
    if not holder.machine or holder.machine != _machine():
        return "unknown"
    if not (_PROC / "self" / "stat").exists():
        try:
            os.kill(holder.pid, 0)
        except ProcessLookupError:
            return "dead"
        except OSError:
            pass
        return "unknown"
    return "alive" if _started(holder.pid) == holder.pid_started else "dead"


@lru_cache(maxsize=1)
def _machine() -> str:
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink(_PROC / "self/ns/pid")
    except OSError:
        boot, space = "", ""
    return f"{platform.node()} {boot} {space}".strip()


def _started(pid: int) -> int | None:
    """Start time of a process; None if it has ended, even if it is still a zombie."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else int(fields[19])
