"""Finds e-mail addresses that are spelled out: `ann (at) example (dot) com`, `ann at example dot com`."""

import re
from collections.abc import Iterator
from typing import Final

from llma_assets.privacy.contacts import EMAIL
from llma_assets.privacy.spans import Span

_AT: Final = re.compile(
    r"\s{0,3}[(\[{<]\s?(?:at|@|ät|arroba)\s?[)\]}>]\s{0,3}|\s{1,3}(?:at|arroba)\s{1,3}|_at_|\s{0,2}@\s{0,2}",
    re.IGNORECASE,
)
_DOT: Final = (
    r"(?:\s{0,3}[(\[{<]\s?(?:dot|punkt|point|punto|\.)\s?[)\]}>]\s{0,3}|\s{1,3}(?:dot|punkt|punto)\s{1,3}|_dot_)"
)
_DOMAIN: Final = re.compile(
    rf"[A-Za-z0-9][A-Za-z0-9-]{{0,62}}(?:(?P<dot>{_DOT}|\.)[A-Za-z0-9-]{{2,62}}){{1,4}}", re.IGNORECASE
)
_SPELLED: Final = re.compile(_DOT, re.IGNORECASE)
_SIGNS: Final = ("dot", "punkt", "punto", "(at", "[at", "{at", "<at", "( at", "[ at", "{ at", "[@", "(@", "[.]", "(.)")
_PROSE: Final = re.compile(r"(?:the|a|an|this|that|my|our|your|each|every)\b", re.IGNORECASE)
_WINDOW: Final = 64


def find_disguised_mail(normalised: str, lower: str) -> Iterator[Span]:
    """Addresses whose `@` or whose dot is spelled out; `lower` is the text in lower case."""
    if not any(sign in lower for sign in _SIGNS):
        return
    behind = 0
    for at in _AT.finditer(normalised):
        if at.start() < behind:
            continue
        first = max(at.start() - _WINDOW, behind)
        local = _local(normalised[first : at.start()])
        domain = _DOMAIN.match(normalised, at.end()) if local else None
        if not local or domain is None:
            continue
        bracketed = at.group().strip()[:1] in {"(", "[", "{", "<"}
        is_prose = _PROSE.match(domain.group()) is not None
        if not bracketed and (is_prose or _SPELLED.search(domain.group()) is None):
            continue
        behind = domain.end()
        name, host = (_SPELLED.sub(".", part).lower() for part in (local, domain.group()))
        yield Span(at.start() - len(local), behind, EMAIL, f"{name}@{host}")


def _local(before: str) -> str:
    """The name at the end of `before`: its last word, and words that a spelled dot joins to it."""
    end = len(before)
    start = _word_start(before, end)
    for _ in range(3):
        dot = next((found for found in _SPELLED.finditer(before, 0, start) if found.end() == start), None)
        if dot is None or start == end:
            break
        start = _word_start(before, dot.start())
    return before[start:end]


def _word_start(text: str, end: int) -> int:
    start = end
    while start > 0 and (text[start - 1].isalnum() or text[start - 1] in "._+-"):
        start -= 1
    return start
