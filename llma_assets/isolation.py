"""Describes the fault when processing of a single item raises, so that only this item is affected.

Which item it is, and what is stored of it, belongs in the stage.
"""

import traceback
from pathlib import Path

_PACKAGE = Path(__file__).parent


def fault_of(error: Exception) -> str:
    """Type and place of an exception, such as `broken: ValueError in of (summaries/line_refs.py:33)`.

    Without its message, which may quote the trace.
    """
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)
    ]
    name = type(error).__name__
    if not frames:
        return f"broken: {name}"
    last = frames[-1]
    return f"broken: {name} in {last.name} ({Path(last.filename).relative_to(_PACKAGE).as_posix()}:{last.lineno})"
