"""The theme itself: a name, a level, and what is asked of the model."""

import hashlib
from dataclasses import dataclass
from typing import Literal

Level = Literal["trace", "generation"]


@dataclass(frozen=True, slots=True)
class Theme:
    """One question asked of each trace, or of each generation.

    Attributes:
        theme_id: stable name; part of every key below it.
        level: what an item is.
        prompt: what the summary should look at, one or two sentences.
        mode: how long a summary is, `minimal` or `detailed`.
    """

    theme_id: str
    level: Level
    prompt: str
    mode: Literal["minimal", "detailed"] = "detailed"

    @property
    def version(self) -> str:
        """Changes with what is asked; summaries and clusters of two versions are not comparable."""
        return hashlib.sha256(f"{self.level}|{self.mode}|{self.prompt}".encode()).hexdigest()[:12]

    @property
    def rendering(self) -> str:
        """Name of the theme's embedding space."""
        return f"llm_traces_summary_{self.theme_id}"

    @property
    def document_type(self) -> str:
        """Type of the embedded documents."""
        return f"llm-{self.level}-summary"

    @property
    def event(self) -> str:
        """Name of the event that publishes the theme's clusters."""
        return f"$ai_{self.level}_clusters"


TRACES = Theme(
    theme_id="traces",
    level="trace",
    prompt="Say what the user wanted, how the application went about it, and how it ended.",
)
GENERATIONS = Theme(
    theme_id="generations",
    level="generation",
    prompt="Say what this single model call was asked to do and what it answered.",
    mode="minimal",
)
BUILT_IN = (TRACES, GENERATIONS)
