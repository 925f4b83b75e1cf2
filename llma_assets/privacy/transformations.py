"""A team's own replacements in its texts, before anything is cut: pattern → text, in RE2, which takes linear time.

What is private belongs in `redaction`; a replacement's own text is redacted afterwards like any other.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from llma_assets.privacy.patterns import PatternError, compiled

Transformation = tuple[str, str]
"""A pattern and the text that takes its place; `\\1` stands for the pattern's first group."""

_MOST: Final = 50
_MOST_TEXT_CHARS: Final = 1_000
_WHOLE: Final = 1_000_000
"""A longer text is replaced in its first and last halves of so many characters alone: the middle is never shown."""

_GROUP: Final = re.compile(r"\\([0-9])|\\g<([^>]*)>")


def check_transformations(transformations: Sequence[Transformation]) -> None:
    """Validate a team's replacements.

    Raises:
        PatternError: there are too many, or one's pattern or text is invalid; the message says which and why.
    """
    if len(transformations) > _MOST:
        raise PatternError(f"at most {_MOST} transformations are allowed, not {len(transformations)}")
    for place, (pattern, text) in enumerate(transformations):
        where = f"transformation {place}"
        found = compiled(pattern, where)
        if len(text) > _MOST_TEXT_CHARS:
            raise PatternError(f"the text of {where} must have at most {_MOST_TEXT_CHARS:,} characters")
        for group in _GROUP.finditer(text):
            if not (group.group(1) or group.group(2)).isdigit() or int(group.group(1) or group.group(2)) > found.groups:
                raise PatternError(
                    f"the text of {where} names the group {group.group()}, but the pattern has {found.groups} groups"
                )


class Transformer:
    """Applies replacements in the order in which they are given.

    >>> Transformer((("order [0-9]+", "order N"),)).apply("order 7 and order 8")
    ('order N and order N', 2)
    """

    def __init__(self, transformations: Sequence[Transformation]) -> None:
        """`transformations` must have passed `check_transformations`."""
        self._pairs: list[tuple[Any, str]] = [
            (compiled(pattern, f"transformation {place}"), text)
            for place, (pattern, text) in enumerate(transformations)
        ]

    def apply(self, text: str) -> tuple[str, int]:
        """The text with replacements, and how many were made."""
        if not self._pairs:
            return text, 0
        if len(text) > _WHOLE:
            half = _WHOLE // 2
            head, in_head = self._replaced(text[:half])
            tail, in_tail = self._replaced(text[-half:])
            return head + text[half:-half] + tail, in_head + in_tail
        return self._replaced(text)

    def _replaced(self, text: str) -> tuple[str, int]:
        made = 0
        for pattern, replacement in self._pairs:
            text, count = pattern.subn(replacement, text)
            made += count
        return text, made
