"""What is said of an item that broke the code that works on it: it costs that item alone, and is named.

Which item that is, and what is stored of it, is for the stage to say.
"""

import traceback
from pathlib import Path

_PACKAGE = Path(__file__).parent


def fault_of(error: Exception) -> str:
    """What broke where, such as `broken: ValueError in of (summaries/line_refs.py:33)`.

    Never the exception's own words: they may quote the trace.
    """
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(_PACKAGE)
    ]
    name = type(error).__name__
    if not frames:
        return f"broken: {name}"
    last = frames[-1]
    return f"broken: {name} in {last.name} ({Path(last.filename).relative_to(_PACKAGE).as_posix()}:{last.lineno})"
