"""Brings a document to its length: long values first, then tool results, then lines; survivors stay.

Pure: pieces in, text and loss out. The same pieces and options give the same text.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from llma_assets.rendering.document import Keep, Kind, Piece
from llma_assets.rendering.formats import numbered
from llma_assets.rendering.options import Loss, RenderOptions

# Limits in characters of (tool results, other values), tried in order below the caller's own; the rule's name.
_STEPS: Final = (
    (2_000, 2_000, "shorter_values"),
    (1_000, 1_000, "shorter_values"),
    (300, 1_000, "tool_results"),
    (200, 600, "tool_results"),
)

# The share of the limit that survivors of a rank may take, best rank first. The rest is for even sampling.
_SHARES: Final = (
    (Keep.HEADER, 0.08),
    (Keep.LAST_USER, 0.15),
    (Keep.FINAL_ANSWER, 0.15),
    (Keep.FIRST_USER, 0.12),
    (Keep.ERROR, 0.25),
)


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    keep: Keep


def fit(pieces: Sequence[Piece], options: RenderOptions) -> tuple[str, Loss]:
    """The text of `pieces`, at most `options.max_chars` long, and the part of the loss that comes from its length."""
    own = options.max_value_chars
    steps = [(own, own, ""), *((min(r, own), min(t, own), rule) for r, t, rule in _STEPS)]
    rules: list[str] = []
    lines: list[_Line] = []
    shortened = 0
    text: str | None = None
    for position, (results, values, rule) in enumerate(steps):
        if rule and rule not in rules:
            rules.append(rule)
        if position < len(steps) - 1 and _at_least(pieces, results, values) > options.max_chars:
            continue
        lines, shortened = _lay_out(pieces, results, values)
        if position == 0 and shortened:
            rules.append("long_values")
        text = _join([line.text for line in lines], options)
        if len(text) <= options.max_chars:
            break
    assert text is not None  # the last step always lays out
    if len(text) > options.max_chars:
        rules.append("sampling")
        text = _sample(lines, options)
    if len(text) > options.max_chars:
        rules.append("hard_cut")
        text = text[: options.max_chars]
    lines_before = sum(piece.value.newlines + 1 for piece in pieces)
    return text, Loss(
        characters_before=sum(piece.length for piece in pieces) + max(lines_before - 1, 0),
        characters_after=len(text),
        lines_before=lines_before,
        lines_after=text.count("\n") + 1,
        values_shortened=shortened,
        rules=tuple(rules),
    )


def _limit(piece: Piece, results: int, values: int) -> int:
    return results if piece.kind is Kind.RESULT else values


def _at_least(pieces: Sequence[Piece], results: int, values: int) -> int:
    """A length that the text will not be under; cheap, so that hopeless steps are skipped."""
    return sum(len(piece.prefix) + min(piece.value.length, _limit(piece, results, values)) + 1 for piece in pieces) - 1


def _lay_out(pieces: Sequence[Piece], results: int, values: int) -> tuple[list[_Line], int]:
    lines: list[_Line] = []
    shortened = 0
    for piece in pieces:
        limit = _limit(piece, results, values)
        shortened += piece.kind is not Kind.STRUCTURE and piece.value.length > limit
        lines.extend(_Line(text, piece.keep) for text in piece.lines(limit))
    return lines, shortened


def _join(lines: Sequence[str], options: RenderOptions) -> str:
    return "\n".join(numbered(lines) if options.line_numbers else lines)


def _sample(lines: Sequence[_Line], options: RenderOptions) -> str:
    """Survivors of each rank, then lines evenly, behind a header that says so."""
    texts = numbered([line.text for line in lines]) if options.line_numbers else [line.text for line in lines]
    banner_length = len(_banner(len(lines), len(lines), options)) + 2
    room = options.max_chars - banner_length
    if room <= 0:
        return _banner(0, len(lines), options)
    # No line may eat the room of many others.
    longest = max(min(room // 6, 2_000), 60)
    texts = [text if len(text) <= longest else _cut_line(text, longest) for text in texts]
    costs = [len(text) + 1 for text in texts]
    chosen: set[int] = set()
    used = 0
    for keep, share in _SHARES:
        members = [index for index, line in enumerate(lines) if line.keep is keep]
        picked = _evenly(members, costs, int(room * share))
        chosen.update(picked)
        used += sum(costs[index] for index in picked)
    # An empty line tells a reader nothing that the gap in the numbers does not tell.
    rest = [index for index, line in enumerate(lines) if index not in chosen and line.text.strip("│ ")]
    chosen.update(_evenly(rest, costs, room - used))
    kept = sorted(chosen)
    return "\n".join([_banner(len(kept), len(lines), options), *(texts[index] for index in kept)])


def _banner(kept: int, total: int, options: RenderOptions) -> str:
    share = max(round(100 * kept / total), 1) if kept else 0
    gaps = " Gaps in line numbers indicate omitted content." if options.line_numbers else ""
    return f"[SAMPLED VIEW: Showing ~{share}% of {total:,} lines.{gaps}]"


def _cut_line(text: str, limit: int) -> str:
    half = (limit - 40) // 2
    return (
        f"{text[:half]} ... ({len(text) - 2 * half} chars truncated) ... {text[-half:]}" if half > 0 else text[:limit]
    )


def _evenly(members: Sequence[int], costs: Sequence[int], room: int) -> list[int]:
    """As many of `members` as fit into `room`, at even distances; all, if they fit."""
    if room <= 0 or not members:
        return []
    if sum(costs[index] for index in members) <= room:
        return list(members)
    # No more can fit than the cheapest ones would.
    cheapest = list(accumulate(sorted(costs[index] for index in members)))
    low, high = 0, bisect_right(cheapest, room)
    best: list[int] = []
    while low < high:
        count = (low + high + 1) // 2
        picked = [members[(2 * place + 1) * len(members) // (2 * count)] for place in range(count)]
        if sum(costs[index] for index in picked) <= room:
            best, low = picked, count
        else:
            high = count - 1
    return best
