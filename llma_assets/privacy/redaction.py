"""Replaces private values by placeholders: `[EMAIL_1]`, the same for equal values of a document.

Finding values belongs in `contacts`, `payment_numbers` and `credentials`; here their results and those of a team's own
patterns are merged and counted. Own patterns run in RE2, which takes linear time for any pattern.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from llma_assets.privacy.contacts import find_emails, find_numbers
from llma_assets.privacy.credentials import PASSWORD, find_credentials
from llma_assets.privacy.disguised_mail import find_disguised_mail
from llma_assets.privacy.named_values import find_named_values
from llma_assets.privacy.patterns import PatternError, compiled
from llma_assets.privacy.payment_numbers import find_payment_numbers, find_wallets
from llma_assets.privacy.personal_ids import find_national_ids
from llma_assets.privacy.spans import Span, lower_case, normalise, without_overlaps
from llma_assets.privacy.transformations import Transformation, Transformer
from llma_assets.privacy.triggers import may_hold

CUSTOM: Final = "CUSTOM"
_REMEMBERED_CHARS: Final = 8_000
"""Spans of texts up to this length are remembered, some megabytes at most in the process that renders."""
_MAX_PATTERNS: Final = 50


def check_patterns(patterns: Sequence[str]) -> None:
    """Validate a team's own patterns.

    Raises:
        PatternError: there are too many patterns, or one is too long, matches the empty text, or is not valid in RE2
            (which has no backreferences and no lookaround).
    """
    if isinstance(patterns, str):
        raise PatternError("extra_patterns must be a list of patterns, not one text")
    if len(patterns) > _MAX_PATTERNS:
        raise PatternError(f"at most {_MAX_PATTERNS} extra patterns are allowed, not {len(patterns)}")
    for place, pattern in enumerate(patterns):
        compiled(pattern, f"extra pattern {place}")


def redactor_of(
    *, redact: bool, extra_patterns: Sequence[str], transformations: Sequence[Transformation] = ()
) -> "Redactor | None":
    """A redactor for one document, or None if nothing is replaced in it."""
    if not redact and not transformations:
        return None
    return Redactor(extra_patterns, transformations, redact=redact)


class Redactor:
    """Replaces private values and numbers them, and applies transformations. Use one redactor for each document.

    Attributes:
        counts: number of replaced occurrences by kind (`email`, `phone`, …), and of the team's own `transformed`.
    """

    def __init__(
        self,
        extra_patterns: Sequence[str] = (),
        transformations: Sequence[Transformation] = (),
        *,
        redact: bool = True,
    ) -> None:
        """Start with no value; patterns and transformations must have passed their checks.

        With `redact=False` it applies the transformations alone.
        """
        self.counts: Counter[str] = Counter()
        self._redacts = redact
        self._extra = [compiled(pattern, "extra pattern") for pattern in extra_patterns]
        self._transformer = Transformer(transformations)
        self._numbers: dict[tuple[str, str], int] = {}
        self._last: Counter[str] = Counter()

    def prepare(self, text: str) -> str:
        """A whole text with the team's own transformations, before anything of it is cut."""
        prepared, made = self._transformer.apply(text)
        if made:
            self.counts["transformed"] += made
        return prepared

    def redact(self, text: str, start: int = 0, end: int | None = None) -> str:
        """`text[start:end]` with placeholders; a value across either border is replaced as a whole."""
        end = len(text) if end is None else end
        spans = self._spans(text) if self._redacts else []
        if not spans:
            return text[start:end]
        parts: list[str] = []
        place = start
        for span in spans:
            if span.end <= start or span.start >= end:
                continue
            if span.start > place:
                parts.append(text[place : span.start])
            parts.append(self._placeholder(span))
            place = span.end
        if place < end:
            parts.append(text[place:end])
        return "".join(parts)

    def _spans(self, text: str) -> list[Span]:
        if len(text) < 5 and not self._extra:
            return []
        found = _found_before(text) if len(text) <= _REMEMBERED_CHARS else _found(text)
        return without_overlaps([*found, *self._own(text)])

    def _own(self, text: str) -> Iterator[Span]:
        for pattern in self._extra:
            for found in pattern.finditer(text):
                if found.end() > found.start():
                    yield Span(found.start(), found.end(), CUSTOM, found.group())

    def _placeholder(self, span: Span) -> str:
        self.counts[span.kind.lower()] += 1
        key = (span.kind, span.value)
        number = self._numbers.get(key)
        if number is None:
            self._last[span.kind] += 1
            number = self._numbers[key] = self._last[span.kind]
        return f"[{span.kind}_{number}]"


@lru_cache(maxsize=1_000)
def _found_before(text: str) -> tuple[Span, ...]:
    """As `_found`: a conversation repeats its turns, and an application its instructions."""
    return _found(text)


def _found(text: str) -> tuple[Span, ...]:
    """What is private in a text for everybody; spans may overlap."""
    normalised = normalise(text)
    credentials = list(find_credentials(normalised))
    password_ends = frozenset(span.end for span in credentials if span.kind == PASSWORD)
    return (
        *credentials,
        *_named(normalised),
        *find_emails(normalised, password_ends),
        *find_payment_numbers(normalised),
        *find_numbers(normalised),
    )


def _named(normalised: str) -> Iterator[Span]:
    named, ids, wallets, mail = may_hold(normalised.encode("utf-8", "replace"))
    lower = lower_case(normalised) if named or ids or mail else ""
    if named:
        yield from find_named_values(normalised, lower)
    if wallets:
        yield from find_wallets(normalised)
    if ids:
        yield from find_national_ids(normalised, lower)
    if mail:
        yield from find_disguised_mail(normalised, lower)
