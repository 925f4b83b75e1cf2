"""Brings a document to its length: long values first, then tool results, then lines; survivors stay.

Pure: pieces in, text and loss out. The same pieces and options give the same text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from llma_assets.rendering.document import LIGHT, Keep, Kind, Piece
from llma_assets.rendering.formats import numbered
from llma_assets.rendering.options import Loss, RenderOptions
from llma_assets.rendering.survivors import Survivors, evenly, survivors_of
from llma_assets.tokens import count_tokens, cut_to_tokens, utf8_length

_ALL: Final = 10**9
_AS_ABOVE: Final = "(same result as above)"
_WORTH_A_REFERENCE: Final = 80


@dataclass(frozen=True, slots=True)
class _Step:
    """Limits in characters of a kind of value each, and what the rule is called."""

    results: int
    values: int
    survivors: int
    rule: str
    repeats: bool = True


# Tried in order below the caller's own limit.
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
    """Lines with the piece that each belongs to, and the pieces whose value is not whole; None is not made yet."""

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
    """The text of `pieces`, in neither characters nor tokens longer than `options` allow, and what that cost."""
    fitted = _fit(pieces, options, options.max_chars)
    most = options.max_tokens
    tokens = None if most is None else _tokens(fitted.text, most, options.model)
    if most is not None and tokens is not None:
        for _ in range(_TRIES):
            if tokens is None or tokens <= most:
                break
            # Nearly in proportion; a little less, so that few tries are needed.
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
        survivors_missing=fitted.missing,
        rules=fitted.rules,
    )


def _tokens(text: str, most: int, model: str) -> int | None:
    """Tokens of `text`, None where they need not be counted: no token is shorter than a byte."""
    return None if utf8_length(text) <= most else count_tokens(text, model)


def _fit(pieces: Sequence[Piece], options: RenderOptions, limit: int) -> _Fitted:
    own = options.max_value_chars
    steps = [
        replace(s, results=min(s.results, own), values=min(s.values, own), survivors=min(s.survivors, own))
        for s in (_Step(own, own, own, ""), *_STEPS)
    ]
    rules: list[str] = []
    repeated: set[int] = set()
    is_hopeless = sum(len(piece.prefix) + 1 for piece in pieces) - 1 > limit
    for position, step in enumerate(steps):
        repeated = repeated if step.repeats else repeated or _repeated_results(pieces)
        if step.rule == "repeated_results" and not repeated:
            continue
        if step.rule and step.rule not in rules:
            rules.append(step.rule)
        if is_hopeless or _at_least(pieces, step, repeated) > limit:
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
        return step.survivors
    return step.results if piece.kind is Kind.RESULT else step.values


def _at_least(pieces: Sequence[Piece], step: _Step, repeated: set[int]) -> int:
    """A length that the text will not be under; cheap, so that hopeless steps are skipped."""
    return (
        sum(
            (len(piece.prefix) if index in repeated else piece.least(_limit(piece, step))) + 1
            for index, piece in enumerate(pieces)
        )
        - 1
    )


def _repeated_results(pieces: Sequence[Piece]) -> set[int]:
    """Results of tools that an earlier tool gave, too; the rest of a trace does not need them twice."""
    seen: set[tuple[str, str, int]] = set()
    found: set[int] = set()
    for index, piece in enumerate(pieces):
        if piece.kind is not Kind.RESULT or piece.keep is not Keep.NO or piece.size < _WORTH_A_REFERENCE:
            continue
        ends = piece.light or piece.whole
        key = (ends.head, ends.tail, piece.size)
        if key in seen:
            found.add(index)
        seen.add(key)
    return found


def _lay_out(
    pieces: Sequence[Piece],
    step: _Step,
    repeated: set[int],
    survivors: Mapping[int, list[str]] | None = None,
    *,
    lazily: bool = False,
) -> _Layout:
    """All lines; those of `survivors` as they are given. `lazily` leaves light ones for when they are chosen."""
    lines: list[str | None] = []
    owners: list[int] = []
    shortened: set[int] = set()
    for index, piece in enumerate(pieces):
        limit = _limit(piece, step)
        own: Sequence[str | None]
        if survivors is not None and index in survivors:
            own = survivors[index]
            whole = own == piece.lines(piece.size)
        elif index in repeated:
            own, whole = [f"{piece.prefix}{_AS_ABOVE}"], False
        elif piece.light is not None:
            own, whole = [None] if lazily else piece.lines(limit), piece.size <= LIGHT and not piece.newlines
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
    """Survivors, then lines evenly, behind a header that says so."""
    tried = _lay_out(pieces, replace(step, survivors=options.max_value_chars), repeated, lazily=True)
    room = limit - len(_banner(len(tried.lines), len(tried.lines), options)) - 1
    # A survivor needs no more lines than in the layout that was too long, so no number gets wider.
    overhead = 1 + (len(str(len(tried.lines))) + 3 if options.line_numbers else 0)
    others = sum(
        (_most(pieces[owner]) if line is None else len(line)) + overhead
        for line, owner in zip(tried.lines, tried.owners, strict=True)
        if pieces[owner].keep is Keep.NO
    )
    survivors: Survivors = survivors_of(pieces, room, overhead, others)
    layout = _lay_out(pieces, step, repeated, survivors.lines, lazily=True)
    # No line may eat the room of many others.
    longest = max(min(room // 6, 2_000), 60)
    lengths = [
        len(line or "")
        if owner in survivors.lines
        else min(_most(pieces[owner]) if line is None else len(line), longest)
        for line, owner in zip(layout.lines, layout.owners, strict=True)
    ]
    width = len(str(len(layout.lines)))
    overhead = 1 + (width + 3 if options.line_numbers else 0)
    stays = [index for index, owner in enumerate(layout.owners) if owner in survivors.lines]
    # An empty line tells a reader nothing that the gap in the numbers does not tell.
    rest = [
        index
        for index, (line, owner) in enumerate(zip(layout.lines, layout.owners, strict=True))
        if owner not in survivors.lines and (line is None or line.strip("│ "))
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
        missing=survivors.missing,
    )


def _most(piece: Piece) -> int:
    """Characters that the line of a light value may take: its two ends, and what stands between them."""
    return len(piece.prefix) + min(piece.size, LIGHT) + (_BETWEEN if piece.size > LIGHT else 0)


def _line(pieces: Sequence[Piece], layout: _Layout, index: int, longest: int) -> str:
    """A chosen line, made now if it was not yet, at most `longest` characters of it."""
    line = layout.lines[index]
    line = pieces[layout.owners[index]].lines(LIGHT)[0] if line is None else line
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
