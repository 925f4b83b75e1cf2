"""Cleans strings for display: no hidden characters, no base64, only both ends of a long value.

Messages and traces are not known here; what is private belongs in `llma_assets.privacy`.
"""

import re
from dataclasses import dataclass
from typing import Final, Protocol

from llma_assets.visible import visible

_ESCAPED: Final = re.compile(
    r"(?<=[\w.@+-])\\{1,16}u(?:00ad|034f|061c|180e|200[b-f]|202[a-e]|206[0-9a-f]|feff|db40\\{1,16}udc[0-9a-f]{2})"
    r"(?=[\w.@+\\-])",
    re.IGNORECASE,
)
"""An escaped hidden character inside a word (JSON in JSON), which would split a private value."""

_DATA_URL: Final = re.compile(
    r"data:([A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+-]{1,60})?(?:;[A-Za-z0-9=.+-]{1,60}){0,4};base64,[A-Za-z0-9+/=_%-]*+"
    r"(?:(?:\r?\n[A-Za-z0-9+/]{60,76})++(?:\r?\n[A-Za-z0-9+/]{1,76}={0,2}(?=\s|$))?)?"
)
_BASE64: Final = re.compile(
    r"(?<![A-Za-z0-9+/_-])"
    r"(?:[A-Za-z0-9+/_-]{160,}+|(?:[A-Za-z0-9+/]{60,76}(?:\r?\n|\\n|\\r\\n)){3,}+[A-Za-z0-9+/]*+)={0,2}"
)

WINDOW: Final = 20_000
"""Default number of characters that are kept of each end of a very long string."""


def clean(text: str) -> str:
    """`text` as valid UTF-8 without hidden characters, and without control characters but newline and tab."""
    return visible(_ESCAPED.sub("", text) if "\\u" in text else text)


def without_base64(text: str) -> tuple[str, int]:
    """`text` with a marker in place of each run of base64, and the number of runs."""
    count = 0
    if ";base64," in text:

        def name(found: re.Match[str]) -> str:
            nonlocal count
            count += 1
            return media_marker(found.group(1) or "")

        text = _DATA_URL.sub(name, text)
    if len(text) >= 160:

        def drop(found: re.Match[str]) -> str:
            nonlocal count
            if not _looks_random(found.group()):
                return found.group()
            count += 1
            return f"[base64: {len(found.group())} characters]"

        text = _BASE64.sub(drop, text)
    return text, count


def media_marker(media_type: str, name: str = "") -> str:
    """The marker of a picture, a sound or a file: `[image]`, `[audio]`, `[file: report.pdf]`."""
    kind = media_type.partition("/")[0].lower()
    if kind in {"image", "audio", "video"}:
        return f"[{kind}: {name}]" if name else f"[{kind}]"
    detail = name or media_type
    return f"[file: {detail}]" if detail else "[file]"


def _looks_random(run: str) -> bool:
    """Whether a long run of base64 characters is data, and not a word, a path or a repeated character.

    Base64 of anything but constant bytes mixes the cases and has digits; 160 characters of it show more than
    20 different ones.
    """
    sample = run[:2_000]
    return (
        len(set(sample)) > 20
        and any(c.isdigit() for c in sample)
        and any(c.islower() for c in sample)
        and any(c.isupper() for c in sample)
        and sample.count("/") < len(sample) / 12
        and sample.count("-") + sample.count("_") < len(sample) / 8
    )


MARGIN: Final = 4_096
"""Characters beyond a window that are searched, too, so that a private value across its edge is found whole."""


class Redacts(Protocol):
    """Replaces private values; `llma_assets.privacy.Redactor` is one."""

    def prepare(self, text: str) -> str:
        """A whole text with the team's own transformations."""
        ...

    def redact(self, text: str, start: int = 0, end: int | None = None) -> str:
        """`text[start:end]` with placeholders; a value across either border is replaced as a whole."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """A cleaned string; of a very long one only both ends are kept.

    Attributes:
        head: the whole string, or its beginning.
        tail: its end, "" if `head` is the whole string.
        omitted: number of characters between them.
        newlines: line ends in the whole string.
        base64_removed: number of base64 runs that a marker replaces.
    """

    head: str
    tail: str
    omitted: int
    newlines: int
    base64_removed: int

    @property
    def length(self) -> int:
        """Characters of the whole string."""
        return len(self.head) + self.omitted + len(self.tail)

    def shortened(self, limit: int) -> str:
        """The string, or both its ends with a mark of the omitted length; about `limit` characters at most."""
        if self.length <= limit:
            return self.head + self.tail
        half = max(limit // 2, 1)
        head = self.head[:half]
        tail = (self.tail or self.head)[-half:]
        missing = self.length - len(head) - len(tail)
        between = "\n" if "\n" in head or "\n" in tail else " "
        return f"{head}{between}... ({missing} chars truncated) ...{between}{tail}"


def value_of(text: str, window: int = WINDOW, redactor: Redacts | None = None) -> Value:
    """Clean `text` and keep `window` characters of each end; takes bounded time for any length.

    `redactor` replaces private values before anything is cut.
    """
    if redactor is not None:
        text = redactor.prepare(text)
    if len(text) <= 2 * window:
        if redactor is not None:
            text = redactor.redact(clean(text))
        stripped, removed = without_base64(text)
        cleaned = clean(stripped)
        return Value(cleaned, "", 0, cleaned.count("\n"), removed)
    head, removed_head = without_base64(_head(text, window, redactor))
    tail, removed_tail = without_base64(_tail(text, window, redactor))
    omitted = len(text) - 2 * window
    newlines = text.count("\n")
    # The remainder of a base64 run at a window's inner edge may be too short to be recognised there.
    return Value(
        clean(_inner_edge(head, at_end=True)),
        clean(_inner_edge(tail, at_end=False)),
        omitted,
        newlines,
        removed_head + removed_tail,
    )


def _head(text: str, window: int, redactor: Redacts | None) -> str:
    if redactor is None:
        return text[:window]
    inside = clean(text[:window])
    return redactor.redact(inside + clean(text[window : window + MARGIN]), 0, len(inside))


def _tail(text: str, window: int, redactor: Redacts | None) -> str:
    if redactor is None:
        return text[-window:]
    outside = clean(text[-window - MARGIN : -window])
    return redactor.redact(outside + clean(text[-window:]), len(outside))


def _inner_edge(window: str, *, at_end: bool) -> str:
    edge = window[-160:] if at_end else window[:160]
    run = re.search(r"[A-Za-z0-9+/=_-]+$", edge) if at_end else re.match(r"[A-Za-z0-9+/=_-]+", edge)
    if run is None or len(run.group()) == len(edge):
        return window
    return window[: len(window) - len(run.group())] if at_end else window[len(run.group()) :]


def one_line(text: str, limit: int = 200, redactor: Redacts | None = None) -> str:
    """A name for the middle of a line: cleaned, without line breaks, at most `limit` characters.

    `redactor` replaces private values before the name is cut.
    """
    if redactor is not None:
        text = _head(text, limit * 4, redactor)
    return " ".join(clean(text[: limit * 4]).split())[:limit]
