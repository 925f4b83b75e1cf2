"""Truncates a document to its limit: long values first, then tool results, then lines; protected lines stay.

Pure: pieces in, text and loss out. Which lines are protected, and how much room they get, is in `protected_lines`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from llma_assets.rendering.document import EXCERPT_CHARS, Keep, Kind, Piece
from llma_assets.rendering.formatting import numbered
from llma_assets.rendering.options import Loss, RenderOptions
from llma_assets.rendering.protected_lines import ProtectedLines, evenly, protected_lines
from llma_assets.tokens import count_tokens, cut_to_tokens, utf8_length

_ALL: Final = 10**9
_AS_ABOVE: Final = "(same result as above)"
_WORTH_A_REFERENCE: Final = 80


@dataclass(frozen=True, slots=True)
class _Step:
    """The character limit of each kind of value, and the name of the rule."""

    results: int
    values: int
    protected: int
    rule: str
    repeats: bool = True


# Tried in this order, each within the caller's own limit.
_STEPS: Final = (
    _Step(2_000, 2_000, _ALL, "shorter_values"),
    _Step(1_000, 1_000, _ALL, "shorter_values"),
    _Step(1_000, 1_000, _ALL, "repeated_results", repeats=False),
    _Step(300, 1_000, _ALL, "tool_results", repeats=False),
    _Step(200, 600, _ALL, "tool_results", repeats=False),
    _Step(200, 600, 1_500, "errors_and_words", repeats=False),
)
_TRIES: Final = 8
_BETWEEN: Final = 45


@dataclass(frozen=True, slots=True)
class _Layout:
    """The lines (None: not rendered yet), the piece that each belongs to, and the pieces whose value is shortened."""

    lines: list[str | None]
    owners: list[int]
    shortened: set[int]


@dataclass(frozen=True, slots=True)
class _Fitted:
    text: str
    rules: tuple[str, ...]
    shortened: set[int]
    left_out: set[int]
    missing: dict[str, int]


def fit(pieces: Sequence[Piece], options: RenderOptions) -> tuple[str, Loss]:
    """The text of `pieces` within the character and token limits of `options`, and what was left out."""
    fitted = _fit(pieces, options, options.max_chars)
    most = options.max_tokens
    tokens = None if most is None else _tokens(fitted.text, most, options.model)
    if most is not None and tokens is not None:
        for _ in range(_TRIES):
            if tokens is None or tokens <= most:
                break
            # Tokens are nearly proportional to characters; aim a little lower, so that few tries are needed.
            fitted = _fit(pieces, options, max(len(fitted.text) * most * 97 // (tokens * 100), 1))
            tokens = _tokens(fitted.text, most, options.model)
        if tokens is not None and tokens > most:
            text = cut_to_tokens(fitted.text, most, options.model)
            fitted = replace(fitted, text=text, rules=(*fitted.rules, "hard_cut"))
            tokens = count_tokens(text, options.model)
    lines_before = sum(piece.newlines + 1 for piece in pieces)
    touched = {pieces[index].event for index in fitted.shortened | fitted.left_out} - {0}
    return fitted.text, Loss(
        characters_before=sum(piece.length for piece in pieces) + max(lines_before - 1, 0),
        characters_after=len(fitted.text),
        lines_before=lines_before,
        lines_after=fitted.text.count("\n") + 1,
        tokens_after=tokens,
        values_shortened=len(fitted.shortened),
        events_shortened=len(touched),
        protected_missing=fitted.missing,
        rules=fitted.rules,
    )


def _tokens(text: str, most: int, model: str) -> int | None:
    """Tokens of `text`, None where they need not be counted: no token is shorter than a byte."""
    return None if utf8_length(text) <= most else count_tokens(text, model)


def _fit(pieces: Sequence[Piece], options: RenderOptions, limit: int) -> _Fitted:
    own = options.max_value_chars
    steps = [
        replace(s, results=min(s.results, own), values=min(s.values, own), protected=min(s.protected, own))
        for s in (_Step(own, own, own, ""), *_STEPS)
    ]
    rules: list[str] = []
    repeated: set[int] = set()
    cannot_fit = sum(len(piece.prefix) + 1 for piece in pieces) - 1 > limit
    for position, step in enumerate(steps):
        repeated = repeated if step.repeats else repeated or _repeated_results(pieces)
        if step.rule == "repeated_results" and not repeated:
            continue
        if step.rule and step.rule not in rules:
            rules.append(step.rule)
        if cannot_fit or _at_least(pieces, step, repeated) > limit:
            continue
        layout = _lay_out(pieces, step, repeated)
        if position == 0 and layout.shortened:
            rules.append("long_values")
        text = _join([line or "" for line in layout.lines], options)
        if len(text) <= limit:
            return _Fitted(text, tuple(rules), layout.shortened, set(), {})
    fitted = _sample(pieces, steps[-1], repeated, options, limit)
    rules.append("sampling")
    if len(fitted.text) > limit:
        rules.append("hard_cut")
        fitted = replace(fitted, text=fitted.text[:limit])
    return replace(fitted, rules=tuple(rules))


def _limit(piece: Piece, step: _Step) -> int:
    if piece.keep is not Keep.NO or piece.kind is Kind.ERROR:
        return step.protected
    return step.results if piece.kind is Kind.RESULT else step.values


def _at_least(pieces: Sequence[Piece], step: _Step, repeated: set[int]) -> int:
    """A lower bound for the length of the text; quick to compute, so that a step that cannot fit is skipped."""
    return (
        sum(
            (len(piece.prefix) if index in repeated else piece.least(_limit(piece, step))) + 1
            for index, piece in enumerate(pieces)
        )
        - 1
    )


def _repeated_results(pieces: Sequence[Piece]) -> set[int]:
    """Tool results that repeat an earlier one: a later step replaces them by a reference."""
    seen: set[tuple[str, str, int]] = set()
    found: set[int] = set()
    for index, piece in enumerate(pieces):
        if piece.kind is not Kind.RESULT or piece.keep is not Keep.NO or piece.size < _WORTH_A_REFERENCE:
            continue
        ends = piece.excerpt or piece.whole
        key = (ends.head, ends.tail, piece.size)
        if key in seen:
            found.add(index)
        seen.add(key)
    return found


def _lay_out(
    pieces: Sequence[Piece],
    step: _Step,
    repeated: set[int],
    protected: Mapping[int, list[str]] | None = None,
    *,
    defer_excerpts: bool = False,
) -> _Layout:
    """All lines, those of `protected` as given; `defer_excerpts` renders an excerpt only once it is chosen."""
    lines: list[str | None] = []
    owners: list[int] = []
    shortened: set[int] = set()
    for index, piece in enumerate(pieces):
        limit = _limit(piece, step)
        own: Sequence[str | None]
        if protected is not None and index in protected:
            own = protected[index]
            whole = own == piece.lines(piece.size)
        elif index in repeated:
            own, whole = [f"{piece.prefix}{_AS_ABOVE}"], False
        elif piece.excerpt is not None:
            own, whole = (
                [None] if defer_excerpts else piece.lines(limit),
                piece.size <= EXCERPT_CHARS and not piece.newlines,
            )
        else:
            own, whole = piece.lines(limit), piece.size <= limit
        if not whole and piece.kind is not Kind.STRUCTURE:
            shortened.add(index)
        lines.extend(own)
        owners.extend([index] * len(own))
    return _Layout(lines, owners, shortened)


def _join(lines: Sequence[str], options: RenderOptions) -> str:
    return "\n".join(numbered(lines) if options.line_numbers else lines)


def _sample(pieces: Sequence[Piece], step: _Step, repeated: set[int], options: RenderOptions, limit: int) -> _Fitted:
    """A header that announces the sampling, the protected lines, and an even sample of the other lines."""
    tried = _lay_out(pieces, replace(step, protected=options.max_value_chars), repeated, defer_excerpts=True)
    room = limit - len(_banner(len(tried.lines), len(tried.lines), options)) - 1
    # A protected piece needs no more lines than in the layout that was too long, so no line number gets wider.
    overhead = 1 + (len(str(len(tried.lines))) + 3 if options.line_numbers else 0)
    others = sum(
        (_max_length(pieces[owner]) if line is None else len(line)) + overhead
        for line, owner in zip(tried.lines, tried.owners, strict=True)
        if pieces[owner].keep is Keep.NO
    )
    protected: ProtectedLines = protected_lines(pieces, room, overhead, others)
    layout = _lay_out(pieces, step, repeated, protected.lines, defer_excerpts=True)
    # One line may not use the room of many others.
    longest = max(min(room // 6, 2_000), 60)
    lengths = [
        len(line or "")
        if owner in protected.lines
        else min(_max_length(pieces[owner]) if line is None else len(line), longest)
        for line, owner in zip(layout.lines, layout.owners, strict=True)
    ]
    width = len(str(len(layout.lines)))
    overhead = 1 + (width + 3 if options.line_numbers else 0)
    stays = [index for index, owner in enumerate(layout.owners) if owner in protected.lines]
    # An empty line says no more than the gap in the line numbers.
    rest = [
        index
        for index, (line, owner) in enumerate(zip(layout.lines, layout.owners, strict=True))
        if owner not in protected.lines and (line is None or line.strip("│ "))
    ]
    left = room - sum(lengths[index] + overhead for index in stays)
    kept = sorted([*stays, *evenly(rest, lambda index: lengths[index] + overhead, left)])
    chosen = set(kept)
    shown = [_line(pieces, layout, index, lengths[index]) for index in kept]
    if options.line_numbers:
        shown = [f"L{index + 1:0{width}d}: {line}" for index, line in zip(kept, shown, strict=True)]
    return _Fitted(
        text="\n".join([_banner(len(kept), len(layout.lines), options), *shown]),
        rules=(),
        shortened=layout.shortened,
        left_out={layout.owners[index] for index in rest if index not in chosen},
        missing=protected.missing,
    )


def _max_length(piece: Piece) -> int:
    """The most characters that the line of an excerpt takes: its two ends and the mark between them."""
    return len(piece.prefix) + min(piece.size, EXCERPT_CHARS) + (_BETWEEN if piece.size > EXCERPT_CHARS else 0)


def _line(pieces: Sequence[Piece], layout: _Layout, index: int, longest: int) -> str:
    """At most `longest` characters of a chosen line, which is rendered now if it was deferred."""
    line = layout.lines[index]
    line = pieces[layout.owners[index]].lines(EXCERPT_CHARS)[0] if line is None else line
    return line if len(line) <= longest else _cut_line(line, longest)


def _banner(kept: int, total: int, options: RenderOptions) -> str:
    share = max(round(100 * kept / total), 1) if kept else 0
    gaps = " Gaps in line numbers indicate omitted content." if options.line_numbers else ""
    return f"[SAMPLED VIEW: Showing ~{share}% of {total:,} lines.{gaps}]"


def _cut_line(text: str, limit: int) -> str:
    half = (limit - 40) // 2
    return (
        f"{text[:half]} ... ({len(text) - 2 * half} chars truncated) ... {text[-half:]}" if half > 0 else text[:limit]
    )
