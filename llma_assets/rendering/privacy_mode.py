"""How much of a day has no content, and what to switch where that is nearly all of it.

What content is belongs in `content`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from llma_assets.clickhouse import Database
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.rendering.queries import CONTENT_OF_DAYS
from llma_assets.rendering.storing import STAGE
from llma_assets.team_day import TeamDay
from llma_assets.themes import Level

NO_CONTENT: Final = "no_content"
NEARLY_ALL: Final = 0.9
SWITCHED_OFF: Final = (
    "recording of content seems to be switched off where the application is traced, such as by privacy_mode of "
    "PostHog's SDKs, by OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT or TRACELOOP_TRACE_CONTENT; "
    "what is recorded once it is on is summarised"
)
"""Why nearly nothing has content, and the way out."""


@dataclass(frozen=True, slots=True)
class Contents:
    """How many texts of a level a day holds, and how many of them have no content."""

    texts: int
    without: int

    @property
    def with_content(self) -> int:
        """Texts of which something can be asked."""
        return self.texts - self.without


def content_of_day(database: Database, team_day: TeamDay) -> dict[Level, Contents]:
    """What the texts of a day hold, by level."""
    levels: tuple[Level, ...] = ("trace", "generation")
    where = {"team_id": team_day.team_id, "from": team_day.day, "until": team_day.day}
    found: dict[Level, Contents] = {}
    for level in levels:
        row = database.rows(CONTENT_OF_DAYS, **where, level=level)[0]
        found[level] = Contents(row["texts"], row["without_content"])
    return found


def say_what_has_no_content(database: Database, team_day: TeamDay, contents: Mapping[Level, Contents]) -> None:
    """Keep as a skip that nothing is asked of some texts, and why; a day of which everything has content has none."""
    without = sum(each.without for each in contents.values())
    if not without:
        clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=STAGE, only=(NO_CONTENT,))
        return
    told = " and ".join(f"{each.without} of {each.texts} {level}s" for level, each in contents.items() if each.without)
    detail = f"{told} have neither input nor output, so that nothing is asked of them"
    if without >= NEARLY_ALL * sum(each.texts for each in contents.values()):
        detail += f": {SWITCHED_OFF}"
    record_skip(database, Skip(team_day.team_id, team_day.day, STAGE, "", NO_CONTENT, detail))
