"""Counts the texts of a day without content, and records a skip that says what to change.

What content is belongs in `content`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from llma_assets.clickhouse import Database
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.rendering.queries import CONTENT_OF_DAYS
from llma_assets.rendering.store import STAGE
from llma_assets.team_day import TeamDay
from llma_assets.themes import Level

NO_CONTENT: Final = "no_content"
NEARLY_ALL: Final = 0.9
ENOUGH: Final = 10
"""Of fewer texts, that all are empty says nothing about the tracing."""

SWITCHED_OFF: Final = (
    "the tracing of the application seems to leave content out, for example by privacy_mode of PostHog's SDKs, "
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT or TRACELOOP_TRACE_CONTENT; switch content on there: "
    "traces recorded from then on are summarised"
)
"""Why nearly nothing has content, and what helps."""


@dataclass(frozen=True, slots=True)
class ContentCounts:
    """Number of texts of a level, and of those without content."""

    texts: int
    without: int

    @property
    def with_content(self) -> int:
        """Number of texts that a model can be asked about."""
        return self.texts - self.without


def content_counts(database: Database, team_day: TeamDay) -> dict[Level, ContentCounts]:
    """Count the texts of a day with and without content, by level."""
    levels: tuple[Level, ...] = ("trace", "generation")
    rows = database.rows(CONTENT_OF_DAYS, team_id=team_day.team_id, **{"from": team_day.day, "until": team_day.day})
    found = {row["level"]: ContentCounts(row["texts"], row["without_content"]) for row in rows}
    return {level: found.get(level, ContentCounts(0, 0)) for level in levels}


class NothingRecorded(RuntimeError):
    """Nearly all model calls of a day have neither input nor output: the tracing, or the source, leaves them out."""


def require_content(team_day: TeamDay, contents: Mapping[Level, ContentCounts]) -> None:
    """Check that there is something to ask a model about; a few empty texts prove nothing.

    Raises:
        NothingRecorded: nearly all texts of the day are without content, on every level.
    """
    found = [each for each in contents.values() if each.texts]
    if sum(each.texts for each in found) < ENOUGH or any(each.without < NEARLY_ALL * each.texts for each in found):
        return
    parts = " and ".join(f"{each.without} of {each.texts} {level}s" for level, each in contents.items() if each.texts)
    raise NothingRecorded(
        f"{team_day}: {parts} have neither input nor output, so nothing is asked and nothing paid: {SWITCHED_OFF}. "
        "`llma sources test NAME` says what a source holds"
    )


def record_missing_content(database: Database, team_day: TeamDay, contents: Mapping[Level, ContentCounts]) -> None:
    """Record a skip for the texts without content, which no model is asked about; clear it if there are none."""
    without = sum(each.without for each in contents.values())
    if not without:
        clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=STAGE, only=(NO_CONTENT,))
        return
    parts = [f"{each.without} of {each.texts} {level}s" for level, each in contents.items() if each.without]
    detail = f"{' and '.join(parts)} have neither input nor output, so that no model is asked about them"
    if without >= NEARLY_ALL * sum(each.texts for each in contents.values()):
        detail += f": {SWITCHED_OFF}"
    record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, "", NO_CONTENT, detail))
