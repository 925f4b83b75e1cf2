"""Options and results of rendering. No logic but validation."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Protocol

from llma_assets.privacy import Transformation, check_patterns, check_transformations
from llma_assets.tokens import encoding_of

RENDERER: Final = "5"
"""Version of the renderer: raised when equal events and options give another text, so that texts are rendered again."""

TEXT_TOKENS: Final = 16_000
"""Default limit of stored texts: prompt, text and answer fit into a context of 32,000 tokens."""

_CHARS_OF_A_TOKEN: Final = 8
"""More characters a token than any text of a trace has: gives the character limit for a token limit."""


class TextSettings(Protocol):
    """A team's settings for its texts."""

    @property
    def redact(self) -> bool:
        """Whether placeholders replace private values."""
        ...

    @property
    def redaction_patterns(self) -> Sequence[str]:
        """Patterns of further private values."""
        ...

    @property
    def input_transformations(self) -> Sequence[Transformation]:
        """Replacements in the texts before they are cut."""
        ...

    @property
    def injected_tags(self) -> Sequence[str]:
        """Tags of blocks that a harness injects."""
        ...

    @property
    def max_text_tokens(self) -> int | None:
        """The team's own limit."""
        ...


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """Limits and layout of a text.

    Attributes:
        max_chars: most characters of the text, line numbers included. The default of 60,000 is about 15,000 tokens of
            English: the longest of 200 real runs of an airline's agent has 34,000 characters once its history is
            shown only once, so that ordinary traces lose no line; a small model summarises it for a fraction of a
            cent; and it fits into a context of 32,000 tokens together with prompt and answer.
        max_tokens: most tokens of the text for `model`, None for no such limit. Both limits hold.
        model: name of the model that will read the text, which decides how tokens are counted (`llma_assets.tokens`).
        source: fingerprint of where events are read from, "" for the pipeline's own table: of another source, or
            another mapping of its columns, texts are made anew.
        max_value_chars: a longer value (message text, state, tool result) keeps only both ends, even if the whole text
            would fit: after some pages a value says nothing new about what happened.
        line_numbers: begin each line with `L01: `, so that a summary can refer to it.
        history_once: show a message that later generations repeat only where it first appeared; False measures what
            this saves.
        redact: replace private values by placeholders such as `[EMAIL_1]`.
        extra_patterns: patterns of further private values in RE2's syntax, which takes linear time; a match becomes
            `[CUSTOM_1]`.
        transformations: pairs of a pattern in RE2's syntax and the text that replaces each match, applied in order to
            each whole value before it is redacted and cut.
        injected_tags: tags whose blocks in messages of users and tools are shown as messages of the role `injected`.
    """

    max_chars: int = 60_000
    max_value_chars: int = 4_000
    line_numbers: bool = True
    history_once: bool = True
    redact: bool = True
    extra_patterns: tuple[str, ...] = ()
    max_tokens: int | None = None
    model: str = ""
    transformations: tuple[Transformation, ...] = ()
    injected_tags: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        """Validate limits and patterns.

        Raises:
            ValueError: a limit is too small, or an extra pattern is invalid.
        """
        if self.max_chars < 1:
            raise ValueError(f"max_chars must be at least 1, not {self.max_chars}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if self.max_value_chars < 40:
            raise ValueError(f"max_value_chars must be at least 40, not {self.max_value_chars}")
        if self.extra_patterns:
            check_patterns(self.extra_patterns)
        if self.transformations:
            check_transformations(self.transformations)

    @classmethod
    def of_team(cls, settings: TextSettings, model: str) -> "RenderOptions":
        """The options of a team's stored texts for `model`.

        Raises:
            PatternError: one of the team's patterns is invalid.
        """
        tokens = settings.max_text_tokens
        return cls(
            max_chars=cls().max_chars if tokens is None else tokens * _CHARS_OF_A_TOKEN,
            max_tokens=TEXT_TOKENS if tokens is None else tokens,
            model=model,
            redact=settings.redact,
            extra_patterns=tuple(settings.redaction_patterns),
            transformations=tuple(settings.input_transformations),
            injected_tags=tuple(settings.injected_tags),
        )

    @property
    def redaction(self) -> str:
        """A short name for what is redacted: texts with another name may show other private values."""
        if not self.redact:
            return "plain"
        own = [*self.extra_patterns, *self.transformations]
        return f"redacted+{_digest(own)}" if own else "redacted"

    @property
    def fingerprint(self) -> str:
        """`redacted/` and a digest, equal for options that give equal texts. Does not reveal patterns."""
        values = {**asdict(self), "model": encoding_of(self.model)}
        if not self.source:
            del values["source"]  # so that texts of before there were sources stay
        return f"{self.redaction}/{_digest(values)}"


def sufficient_redactions(options: RenderOptions) -> list[str]:
    """The values of `RenderOptions.redaction` in stored renderer names that hide at least what `options` hide.

    "" stands for renderers before options existed: they replaced private values, and teams had no patterns.
    """
    if not options.redact:
        raise ValueError("redact is False: any text is sufficient")
    own = options.extra_patterns or options.transformations
    return [options.redaction] if own else [options.redaction, ""]


def hides_enough(renderer: str, options: RenderOptions) -> bool:
    """Whether a text stored with the name `renderer` hides at least what `options` hide.

    >>> hides_enough("3/plain/ab12cd34", RenderOptions()), hides_enough("2", RenderOptions())
    (False, True)
    """
    _, _, rest = renderer.partition("/")
    return not options.redact or rest.partition("/")[0] in sufficient_redactions(options)


def renderer_of(options: RenderOptions) -> str:
    """The name that is stored with a text; a text with another name is rendered again."""
    return f"{RENDERER}/{options.fingerprint}"


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "replace")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Loss:
    """What a text leaves out, in numbers. `dataclasses.asdict` of it is JSON.

    Attributes:
        characters_before: length with full values and each message once, without line numbers.
        characters_after: length of the text.
        lines_before: number of lines before sampling, with full values.
        lines_after: number of lines of the text.
        tokens_after: number of tokens of the text, None if it was too short to need counting.
        values_shortened: number of values that keep only both ends or the beginning, or became a reference.
        events_shortened: number of events with a shortened value or a missing line.
        protected_missing: number of protected pieces without room by kind (`error`, `first_user`, `last_user`,
            `final_answer`); empty unless the limit is too small for them.
        base64_removed: number of base64 runs that a marker replaces.
        messages: number of messages of all events, with every repetition.
        messages_deduplicated: number of these that are not shown again.
        values_repeated: number of long values replaced by `(as above)`.
        events_ignored: number of events of pipelines and of duplicate events.
        rules: truncation rules that were applied, in order: `long_values`, `shorter_values`, `repeated_results`,
            `tool_results`, `errors_and_words`, `sampling`, `hard_cut`; `as_recorded` if the events could not be
            rendered and are shown as JSON.
        redactions: number of redacted occurrences by kind (`email`, `phone`, …), also in text that was cut.
    """

    characters_before: int = 0
    characters_after: int = 0
    lines_before: int = 0
    lines_after: int = 0
    tokens_after: int | None = None
    values_shortened: int = 0
    events_shortened: int = 0
    protected_missing: dict[str, int] = field(default_factory=dict)
    base64_removed: int = 0
    messages: int = 0
    messages_deduplicated: int = 0
    values_repeated: int = 0
    events_ignored: int = 0
    rules: tuple[str, ...] = ()
    redactions: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RenderedTrace:
    """The text of a trace or a generation, and what it leaves out.

    Attributes:
        text: valid UTF-8 of at most `max_chars` characters, without hidden or control characters but newline and tab.
        loss: what the text leaves out.
        has_content: False if a tracer recorded only that something ran (see `content`).
    """

    text: str
    loss: Loss
    has_content: bool = True
