"""Compiles patterns of teams in RE2, which takes linear time for any pattern and bounded memory."""

from functools import lru_cache
from typing import Any, Final

_MAX_PATTERN_CHARS: Final = 1_000
_MAX_PATTERN_MEMORY: Final = 1 << 18
"""Most bytes of a compiled pattern, which also bounds its time a character."""


class PatternError(ValueError):
    """A team's own pattern is invalid; the message says which (by position) and why."""


def compiled(pattern: object, where: str) -> Any:
    """The compiled pattern.

    Raises:
        PatternError: it is too long, matches the empty text, or is not valid in RE2 (which has no backreferences and
            no lookaround). The message begins with `where`.
    """
    if not isinstance(pattern, str) or not 0 < len(pattern) <= _MAX_PATTERN_CHARS:
        raise PatternError(f"{where} must be a text of 1 to {_MAX_PATTERN_CHARS} characters")
    try:
        found = _compiled(pattern)
    except ValueError as error:
        raise PatternError(
            f"{where} cannot be used: {error} (RE2's syntax: no backreferences, no lookaround)"
        ) from None
    if found.match("") is not None:
        raise PatternError(f"{where} matches the empty text; it must match at least one character")
    return found


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PATTERN_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not understood"
        raise ValueError(reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)) from None
