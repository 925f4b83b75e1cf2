"""The finding of a health check, and helpers that several checks share."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["ok", "warn", "fail"]
MIN_FREE_DISK_BYTES = 2 << 30


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one health check.

    Attributes:
        name: what was checked.
        status: `warn` deserves attention, `fail` stops the pipeline.
        detail: what was found; never a secret.
        advice: what to do about it; "" for `ok`.
    """

    name: str
    status: Status
    detail: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """All findings, in the order of the checks; `ok` if none fails."""

    ok: bool
    findings: tuple[Finding, ...]


def missing_folder(name: str, folder: Path, variable: str) -> Finding:
    """Whether a missing folder can be created when it is needed."""
    above = next(each for each in folder.parents if each.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Finding(name, "ok", f"{folder} does not exist yet; the first command that needs it creates it")
    detail = f"{folder} does not exist, and cannot be created in {above}"
    return Finding(name, "fail", detail, f"Set {variable} to a folder that you can write to.")


def not_installed(name: str, complaint: str) -> Finding:
    """The finding of a missing extra; the complaint is `what is wrong: how to install it`."""
    detail, _, advice = complaint.partition(": ")
    return Finding(name, "fail", detail, f"{advice[0].upper()}{advice[1:]}.")


def gigabytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB"
