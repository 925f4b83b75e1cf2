"""Reads which schedules and sensors are on, for the pages: in a process of its own, as Dagster loads for seconds."""

import json
import subprocess
import sys
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llma_assets.web import Timetable

COMMAND = (sys.executable, "-m", "llma_assets.cli.main", "automation", "status", "--json")
PATIENCE_S = 120


def read_timetable() -> "Timetable | None":
    """What `llma automation status` says; None where it fails, as on a machine without Dagster's storage."""
    from llma_assets.web import Timetable

    done = subprocess.run(COMMAND, capture_output=True, timeout=PATIENCE_S, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        return None
    document = json.loads(done.stdout)
    return Timetable(
        {
            each["name"]: datetime.fromisoformat(each["next_tick_at"])
            for each in document["automations"]
            if each["on"] and each["next_tick_at"]
        },
        document["daemon"]["running"],
    )
