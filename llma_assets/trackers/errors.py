"""What can be wrong with trackers, said so that a person can fix it. Messages hold no token and no address."""

from collections.abc import Sequence
from datetime import datetime

from llma_assets.themes import Problem


class TrackerError(Exception):
    """A tracker, a rule or an issue cannot be used as was asked; the message names the way out."""


class InvalidTrackersError(TrackerError):
    """Settings of trackers or rules are not valid; nothing of them was stored.

    Attributes:
        problems: all of them, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


class TrackerFault(TrackerError):
    """The tracker as a whole does not work now; nothing is lost, and a later pass goes on.

    Attributes:
        word: what kind of fault: `token`, `scope`, `not_found`, `disabled`, `unreachable`, `setting`.
    """

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


class Limited(TrackerFault):
    """The tracker asks to wait.

    Attributes:
        until: when it may be asked again, by our clock.
    """

    def __init__(self, until: datetime, message: str) -> None:
        super().__init__("limited", message)
        self.until = until


class IssueGone(TrackerError):
    """One issue is no more."""


class IssueRefused(TrackerError):
    """The tracker does not take one request as it is; asking again does not help."""
