"""Brings a document to its length: long values first, then tool results, then lines; survivors stay.

Pure: pieces in, text and loss out. The same pieces and options give the same text.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from llma_assets.rendering.document import Keep, Kind, Piece
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


@dataclass(frozen=True, slots=True)
class _Layout:
    """Lines with the piece that each belongs to, and the pieces whose value is not whole."""

    lines: list[str]
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
    lines_before = sum(piece.value.newlines + 1 for piece in pieces)
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
    layout: _Layout | None = None
    for position, step in enumerate(steps):
        repeated = repeated if step.repeats else repeated or _repeated_results(pieces)
        if step.rule == "repeated_results" and not repeated:
            continue
        if step.rule and step.rule not in rules:
            rules.append(step.rule)
        if position < len(steps) - 1 and _at_least(pieces, step, repeated) > limit:
            continue
        layout = _lay_out(pieces, step, repeated)
        if position == 0 and layout.shortened:
            rules.append("long_values")
        text = _join(layout.lines, options)
        if len(text) <= limit:
            return _Fitted(text, tuple(rules), layout.shortened, set(), {})
    assert layout is not None  # the last step always lays out
    fitted = _sample(pieces, steps[-1], repeated, layout, options, limit)
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
            len(piece.prefix) + (0 if index in repeated else min(piece.value.length, _limit(piece, step))) + 1
            for index, piece in enumerate(pieces)
        )
        - 1
    )


def _repeated_results(pieces: Sequence[Piece]) -> set[int]:
    """Results of tools that an earlier tool gave, too; the rest of a trace does not need them twice."""
    seen: set[tuple[str, str, int]] = set()
    found: set[int] = set()
    for index, piece in enumerate(pieces):
        value = piece.value
        if piece.kind is not Kind.RESULT or piece.keep is not Keep.NO or value.length < _WORTH_A_REFERENCE:
            continue
        key = (value.head, value.tail, value.omitted)
        if key in seen:
            found.add(index)
        seen.add(key)
    return found


def _lay_out(
    pieces: Sequence[Piece], step: _Step, repeated: set[int], survivors: dict[int, list[str]] | None = None
) -> _Layout:
    """All lines; those of `survivors` as they are given."""
    lines: list[str] = []
    owners: list[int] = []
    shortened: set[int] = set()
    for index, piece in enumerate(pieces):
        limit = _limit(piece, step)
        if survivors is not None and index in survivors:
            own = survivors[index]
            whole = own == piece.lines(piece.value.length)
        elif index in repeated:
            own, whole = [f"{piece.prefix}{_AS_ABOVE}"], False
        else:
            own, whole = piece.lines(limit), piece.value.length <= limit
        if not whole and piece.kind is not Kind.STRUCTURE:
            shortened.add(index)
        lines.extend(own)
        owners.extend([index] * len(own))
    return _Layout(lines, owners, shortened)


def _join(lines: Sequence[str], options: RenderOptions) -> str:
    return "\n".join(numbered(lines) if options.line_numbers else lines)


def _sample(
    pieces: Sequence[Piece], step: _Step, repeated: set[int], tried: _Layout, options: RenderOptions, limit: int
) -> _Fitted:
    """Survivors, then lines evenly, behind a header that says so."""
    room = limit - len(_banner(len(tried.lines), len(tried.lines), options)) - 1
    # A survivor needs no more lines than in the layout that was too long, so no number gets wider.
    overhead = 1 + (len(str(len(tried.lines))) + 3 if options.line_numbers else 0)
    others = sum(
        len(line) + overhead
        for line, owner in zip(tried.lines, tried.owners, strict=True)
        if pieces[owner].keep is Keep.NO
    )
    survivors: Survivors = survivors_of(pieces, room, overhead, others)
    layout = _lay_out(pieces, step, repeated, survivors.lines)
    texts = numbered(layout.lines) if options.line_numbers else layout.lines
    # No line may eat the room of many others.
    longest = max(min(room // 6, 2_000), 60)
    texts = [
        text if len(text) <= longest or owner in survivors.lines else _cut_line(text, longest)
        for text, owner in zip(texts, layout.owners, strict=True)
    ]
    stays = [index for index, owner in enumerate(layout.owners) if owner in survivors.lines]
    # An empty line tells a reader nothing that the gap in the numbers does not tell.
    rest = [
        index
        for index, owner in enumerate(layout.owners)
        if owner not in survivors.lines and layout.lines[index].strip("│ ")
    ]
    left = room - sum(len(texts[index]) + 1 for index in stays)
    kept = sorted([*stays, *evenly(rest, lambda index: len(texts[index]) + 1, left)])
    chosen = set(kept)
    return _Fitted(
        text="\n".join([_banner(len(kept), len(layout.lines), options), *(texts[index] for index in kept)]),
        rules=(),
        shortened=layout.shortened,
        left_out={layout.owners[index] for index in rest if index not in chosen},
        missing=survivors.missing,
    )


def _banner(kept: int, total: int, options: RenderOptions) -> str:
    share = max(round(100 * kept / total), 1) if kept else 0
    gaps = " Gaps in line numbers indicate omitted content." if options.line_numbers else ""
    return f"[SAMPLED VIEW: Showing ~{share}% of {total:,} lines.{gaps}]"


def _cut_line(text: str, limit: int) -> str:
    half = (limit - 40) // 2
    return (
        f"{text[:half]} ... ({len(text) - 2 * half} chars truncated) ... {text[-half:]}" if half > 0 else text[:limit]
    )
