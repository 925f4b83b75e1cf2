"""What a caller may choose about a rendering, and what a rendering gives back. No logic beyond checking values."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Protocol

from llma_assets.privacy import check_patterns
from llma_assets.tokens import encoding_of

RENDERER: Final = "4"
"""Raised when the same events and options give another text, so that stored texts are made anew."""

TEXT_TOKENS: Final = 16_000
"""The limit of stored texts where a team sets none: prompt, text and answer fit into a context of 32,000 tokens."""

_CHARS_OF_A_TOKEN: Final = 8
"""No text of traces has so many characters in a token: the bound in characters beside a limit in tokens."""


class TextSettings(Protocol):
    """What a team may set about its texts."""

    @property
    def redact(self) -> bool:
        """Whether private values become placeholders."""
        ...

    @property
    def redaction_patterns(self) -> Sequence[str]:
        """What else is private."""
        ...

    @property
    def max_text_tokens(self) -> int | None:
        """The team's own limit."""
        ...


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How long and in what dress the text may be.

    Attributes:
        max_chars: the text is never longer, line numbers included. The default, 60,000 characters, is about
            15,000 tokens of English. The longest of 200 real runs of an airline's agent has 34,000 once its
            history is shown only once, so ordinary traces lose no line; a summary of so much costs a fraction of a
            cent with a small model; and prompt and answer fit beside it into a context of 32,000 tokens.
        max_tokens: the text has no more tokens of `model`; None for no such limit. Both limits hold.
        model: the model that will read the text; its name decides how tokens are counted (`llma_assets.tokens`).
        max_value_chars: a longer single value (message text, state, tool result) keeps its two ends, even when
            the whole text would fit: past some pages a value says nothing new about what happened.
        line_numbers: open each line with `L01: `, so that a summary can refer to it.
        history_once: show a message that later generations repeat only where it first appeared. False is for
            measuring what the rule saves.
        redact: put placeholders such as `[EMAIL_1]` in the place of private values.
        extra_patterns: what else is private, in RE2's syntax, so that no pattern can take long; each match becomes
            `[CUSTOM_1]`.
    """

    max_chars: int = 60_000
    max_value_chars: int = 4_000
    line_numbers: bool = True
    history_once: bool = True
    redact: bool = True
    extra_patterns: tuple[str, ...] = ()
    max_tokens: int | None = None
    model: str = ""

    def __post_init__(self) -> None:
        """Reject limits that no text can keep.

        Raises:
            ValueError: a limit is under its smallest useful value, or an extra pattern cannot be used.
        """
        if self.max_chars < 1:
            raise ValueError(f"max_chars is {self.max_chars}; at least 1 is needed")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens is {self.max_tokens}; at least 1 is needed")
        if self.max_value_chars < 40:
            raise ValueError(f"max_value_chars is {self.max_value_chars}; at least 40 is needed")
        if self.extra_patterns:
            check_patterns(self.extra_patterns)

    @classmethod
    def of_team(cls, settings: TextSettings, model: str) -> "RenderOptions":
        """The options of a team's stored texts, which `model` will read.

        Raises:
            PatternError: one of the team's patterns cannot be used.
        """
        tokens = settings.max_text_tokens
        return cls(
            max_chars=cls().max_chars if tokens is None else tokens * _CHARS_OF_A_TOKEN,
            max_tokens=TEXT_TOKENS if tokens is None else tokens,
            model=model,
            redact=settings.redact,
            extra_patterns=tuple(settings.redaction_patterns),
        )

    @property
    def redaction(self) -> str:
        """Which private values are replaced, as a short name: texts of another name may show others."""
        if not self.redact:
            return "plain"
        return f"redacted+{_digest(list(self.extra_patterns))}" if self.extra_patterns else "redacted"

    @property
    def fingerprint(self) -> str:
        """Equal for options that give equal texts: `redacted/` and a digest. Holds no pattern."""
        return f"{self.redaction}/{_digest({**asdict(self), 'model': encoding_of(self.model)})}"


def redactions_like(options: RenderOptions) -> list[str]:
    """The names of redactions that hide no less than `options` ask for, as they stand in the name of a renderer.

    "" is of older renderers, which knew no options: they replaced private values, and nobody had patterns.
    """
    if not options.redact:
        raise ValueError("options that hide nothing are content with any text")
    return [options.redaction] if options.extra_patterns else [options.redaction, ""]


def hides_enough(renderer: str, options: RenderOptions) -> bool:
    """Whether a text that is stored under `renderer` hides what `options` want hidden.

    >>> hides_enough("3/plain/ab12cd34", RenderOptions()), hides_enough("2", RenderOptions())
    (False, True)
    """
    _, _, rest = renderer.partition("/")
    return not options.redact or rest.partition("/")[0] in redactions_like(options)


def renderer_of(options: RenderOptions) -> str:
    """What a text is stored under: texts of another name are made anew."""
    return f"{RENDERER}/{options.fingerprint}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Loss:
    """What the text does not say, in numbers. `dataclasses.asdict` of it is plain JSON.

    Attributes:
        characters_before: length with every value in full and each message once, without line numbers.
        characters_after: length of the text as returned.
        lines_before: lines before sampling, values in full.
        lines_after: lines of the text as returned.
        tokens_after: tokens of the text as returned, None where it was too short for the limit to matter.
        values_shortened: values that keep only their two ends, or their beginning, or are referred to.
        events_shortened: events of which a value is shortened or a line is missing.
        survivors_missing: what must stay (`error`, `first_user`, `last_user`, `final_answer`) and found no room at
            all, with how many of it; empty but for limits that cannot hold it.
        base64_removed: runs of base64 that a marker stands for.
        messages: messages of all events together, repeated ones counted each time.
        messages_deduplicated: of these, how many are not shown again because they stand further up.
        values_repeated: long values that stand further up, and are referred to by `(as above)`.
        events_ignored: events that the pipeline itself wrote, and second copies of an event.
        rules: what was done to reach the limit, in order: `long_values`, `shorter_values`,
            `repeated_results`, `tool_results`, `errors_and_words`, `sampling`, `hard_cut`; `as_recorded` where the
            events are shown as JSON, because they could not be rendered.
        redactions: private values that a placeholder stands for, by kind (`email`, `phone`, …), each occurrence
            counted, also in what was later cut.
    """

    characters_before: int = 0
    characters_after: int = 0
    lines_before: int = 0
    lines_after: int = 0
    tokens_after: int | None = None
    values_shortened: int = 0
    events_shortened: int = 0
    survivors_missing: dict[str, int] = field(default_factory=dict)
    base64_removed: int = 0
    messages: int = 0
    messages_deduplicated: int = 0
    values_repeated: int = 0
    events_ignored: int = 0
    rules: tuple[str, ...] = ()
    redactions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderedTrace:
    """The text of a trace or of a generation, and what it leaves out.

    Attributes:
        text: valid UTF-8, no control characters but newline and tab, nothing hidden, at most `max_chars` long.
        loss: what was left out to get there.
        has_content: whether anything was said or done; not so where a tracer recorded only that something ran.
    """

    text: str
    loss: Loss
    has_content: bool = True
