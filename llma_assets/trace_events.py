"""Names of trace events, and how events of a day are told from those that texts were made of.

Who reads or writes them belongs in the rooms.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

TRIGGER_EVENTS = (
    "$ai_generation",
    "$ai_embedding",
    "$ai_span",
    "$ai_trace",
    "$ai_metric",
    "$ai_feedback",
    "$ai_evaluation",
)
"""The events that customers send. What pipelines write never makes a team eligible."""


@dataclass(frozen=True, slots=True)
class EventsSeen:
    """Events of a team and a day.

    Attributes:
        events: their number, each uuid once.
        digest: of what is known of each without its content (`event_state`, see `sources`), equal however often a row
            was stored; 0 where nothing is known of one of them.
    """

    events: int = 0
    digest: int = 0

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """From the columns `events` and `events_digest`."""
        return cls(row["events"], row["events_digest"])

    def are(self, others: "EventsSeen") -> bool:
        """Whether both are the same events; digests are compared where both are known.

        >>> EventsSeen(3, 17).are(EventsSeen(3, 0)), EventsSeen(3, 17).are(EventsSeen(3, 18))
        (True, False)
        """
        unknown = not self.digest or not others.digest
        return self.events == others.events and (unknown or self.digest == others.digest)
