"""Marks what a harness injects into the words of users and tools: `<system-reminder>…</system-reminder>`.

A team names the tags (`injected_tags`). Such a block becomes a message of the role `injected`, so that neither a
summary nor a rule takes it for what the user said.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from llma_assets.rendering.message import INJECTED, Message

_ROLES: Final = {"user", "tool"}


def mark_injected(messages: Iterable[Message], tags: Sequence[str]) -> Iterator[Message]:
    """The messages, with each block of one of `tags` as a message after the one that held it.

    >>> said = Message("user", "Fix it<note>Be brief.</note> please")
    >>> [(m.role, m.text) for m in mark_injected([said], ["note"])]
    [('user', 'Fix it\\nplease'), ('injected', '[note] Be brief.')]
    """
    for message in messages:
        spans = list(_spans(message.text, tags)) if message.role in _ROLES and "<" in message.text else []
        if not spans:
            yield message
            continue
        ends = [0, *(end for _, end, _, _ in spans)]
        starts = [*(start for start, _, _, _ in spans), len(message.text)]
        kept = [part for end, start in zip(ends, starts, strict=True) if (part := message.text[end:start].strip())]
        if kept or message.tool_calls:
            yield Message(message.role, "\n".join(kept), message.tool_calls, message.is_error)
        for *_, tag, inside in spans:
            yield Message(INJECTED, f"[{tag}] {inside}")


def _spans(text: str, tags: Sequence[str]) -> Iterator[tuple[int, int, str, str]]:
    """Start, end, tag and content of the blocks, in order; takes linear time for each tag, however many are open."""
    found = sorted(span for tag in tags for span in _of_tag(text, tag))
    behind = 0
    for start, end, tag, inside in found:
        if start >= behind:
            behind = end
            yield start, end, tag, inside


def _of_tag(text: str, tag: str) -> Iterator[tuple[int, int, str, str]]:
    begin, close = f"<{tag}", f"</{tag}>"
    start = text.find(begin)
    while start >= 0:
        head = text.find(">", start + len(begin), start + len(begin) + 200)
        goes_on = text[start + len(begin) : start + len(begin) + 1] in {">", " ", "\n"}
        end = text.find(close, head) if head >= 0 and goes_on else -1
        if goes_on and head >= 0 and end < 0:
            return
        if end >= 0:
            yield start, end + len(close), tag, text[head + 1 : end].strip()
        start = text.find(begin, end + len(close) if end >= 0 else start + len(begin))
