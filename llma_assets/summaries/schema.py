"""The schema of summaries: as models write them (validated leniently) and as they are stored (within all limits).

Docstrings and descriptions of the pydantic models are part of the prompt.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from llma_assets.summaries.line_refs import LineNumbers, check_refs
from llma_assets.visible import visible

SCHEMA_VERSION = 1
"""Part of the content hash: raise it when the meaning of a field changes."""

RELEVANCE_VERSION = 1
"""As `SCHEMA_VERSION`, for themes that ask for relevance; raising it leaves the summaries of other themes valid."""

Mode = Literal["minimal", "detailed"]

TITLE_WORDS = 10
TITLE_CHARS = 120
TEXT_CHARS = 600
_DANGLING = {"a", "an", "and", "at", "by", "for", "from", "i", "in", "is", "it", "my", "of", "on", "or", "that", "the"}
_DANGLING |= {"to", "with", "your"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How many bullets a mode asks for, and how many bullets and notes are kept."""

    fewest_bullets: int
    most_bullets: int
    most_notes: int


LIMITS: dict[Mode, Limits] = {"minimal": Limits(3, 5, 2), "detailed": Limits(5, 10, 6)}


def _as_text(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else value


def _as_point(value: Any) -> Any:
    return {"text": value, "line_refs": ""} if isinstance(value, str) else value


def _as_list(value: Any) -> Any:
    return [] if value is None else value


def _as_bool(value: Any) -> Any:
    """Strip punctuation around yes and no; pydantic parses `yes`, `true`, `1` and their opposites."""
    return value.strip(" \t\n.!\"'*") if isinstance(value, str) else value


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be blank")
    return value


class SummaryPoint(BaseModel):
    """One statement about the trace, and the lines that show it."""

    model_config = ConfigDict(extra="ignore")

    text: str = Field(description="One statement about what happened, in a full sentence.")
    line_refs: Annotated[str, BeforeValidator(_as_text)] = Field(
        default="",
        description="The lines that show it, like L12 or L12-18; several with commas between.",
        json_schema_extra={"maxLength": 60},
    )


_Points = Annotated[
    list[Annotated[SummaryPoint, BeforeValidator(_as_point)]],
    BeforeValidator(_as_list),
]


class TraceSummary(BaseModel):
    """The summary of a trace, or of a single model call."""

    model_config = ConfigDict(extra="ignore")

    title: Annotated[str, AfterValidator(_not_blank)] = Field(
        description=f"What this was about, in at most {TITLE_WORDS} words."
    )
    flow_diagram: Annotated[str, BeforeValidator(_as_text)] = Field(
        default="", description="The main steps in order on one line, with arrows between."
    )
    bullets: _Points = Field(
        description="The main points, most important first.",
        json_schema_extra={"maxItems": LIMITS["detailed"].most_bullets},
    )
    interesting_notes: _Points = Field(
        default_factory=list,
        description="Errors, retries, surprises; empty if there are none.",
        json_schema_extra={"maxItems": LIMITS["detailed"].most_notes},
    )


class _Judgement(BaseModel):
    # A separate base class puts this field first, so that a model decides before it writes.
    theme_relevant: Annotated[bool, BeforeValidator(_as_bool)] = Field(
        description="Whether the record itself shows what the theme asks about."
    )


class JudgedSummary(TraceSummary, _Judgement):
    """The summary of a trace, or of a single model call, for a theme that need not concern it."""

    title: Annotated[str, BeforeValidator(_as_text)] = Field(
        default="",
        validate_default=True,
        description=f"What this was about, in at most {TITLE_WORDS} words; empty if not relevant.",
    )
    bullets: _Points = Field(
        default_factory=list,
        description="The main points for the theme, most important first; empty if not relevant.",
        json_schema_extra={"maxItems": LIMITS["detailed"].most_bullets},
    )

    @field_validator("title")
    @classmethod
    def _relevant_has_title(cls, title: str, info: ValidationInfo) -> str:
        return _not_blank(title) if info.data.get("theme_relevant") else title


@dataclass(frozen=True, slots=True)
class Point:
    """One statement with its valid line references (`L12, L14-18`, or empty)."""

    text: str
    line_refs: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A summary within all limits. `refs_valid` of the model's `refs_total` line references were valid.

    Where `relevant` is False all other fields may be empty.
    """

    title: str
    flow_diagram: str
    bullets: tuple[Point, ...]
    interesting_notes: tuple[Point, ...]
    refs_total: int
    refs_valid: int
    relevant: bool = True


def clean_summary(answer: TraceSummary, lines: LineNumbers, mode: Mode) -> Summary:
    """Cut texts and lists to their limits, and drop references to lines that do not exist."""
    limits = LIMITS[mode]
    bullets, bullet_refs, bullet_valid = _points(answer.bullets, lines, limits.most_bullets)
    notes, note_refs, note_valid = _points(answer.interesting_notes, lines, limits.most_notes)
    return Summary(
        title=cut_title(answer.title),
        flow_diagram=shorten(answer.flow_diagram, TEXT_CHARS),
        bullets=bullets,
        interesting_notes=notes,
        refs_total=bullet_refs + note_refs,
        refs_valid=bullet_valid + note_valid,
        relevant=answer.theme_relevant if isinstance(answer, JudgedSummary) else True,
    )


def cut_title(title: str) -> str:
    """At most ten words on one line; a cut title does not end in an article or preposition.

    >>> cut_title("one two three four five six seven eight nine ten eleven")
    'one two three four five six seven eight nine ten'
    """
    words = visible(title, " ").split()
    if len(words) > TITLE_WORDS:
        words = words[:TITLE_WORDS]
        while len(words) > 3 and words[-1].lower() in _DANGLING:
            words.pop()
    return shorten(" ".join(words).rstrip(",;:-–—"), TITLE_CHARS)


def shorten(text: str, most_chars: int) -> str:
    """`text` on one line without control characters; if too long, cut at a word and with an ellipsis."""
    line = " ".join(visible(text, " ").split())
    if len(line) <= most_chars:
        return line
    head = line[: most_chars - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > most_chars // 2 else head).rstrip(" ,;:-") + "…"


def _points(answer: list[SummaryPoint], lines: LineNumbers, most: int) -> tuple[tuple[Point, ...], int, int]:
    """The first `most` points with text; number of references, number of valid references."""
    points: list[Point] = []
    total = valid = 0
    for point in answer:
        text = shorten(point.text, TEXT_CHARS)
        if not text or len(points) == most:
            continue
        refs = check_refs(point.line_refs, lines)
        total, valid = total + refs.total, valid + refs.valid
        points.append(Point(text, refs.text))
    return tuple(points), total, valid
