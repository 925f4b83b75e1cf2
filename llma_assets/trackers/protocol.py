"""What a tracker can do: the protocol that each kind speaks in a module of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from llma_assets.trackers.errors import TrackerError
from llma_assets.trackers.setting import There


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as its tracker has it now.

    Attributes:
        issue: as it is asked for: `acme/app#12`, or Linear's id.
        shown, url: for people.
        state: how it is.
        changed_at: about when it came into that state, by the tracker's clock; a closed one exactly.
    """

    issue: str
    shown: str
    url: str
    state: There
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Draft:
    """What an issue is made of; its text is escaped already.

    Attributes:
        link_id: what it is found again by.
        age: since when it is wished.
    """

    link_id: UUID
    title: str
    body: str
    labels: Sequence[str]
    age: timedelta


class TrackerClient(Protocol):
    """A connection to one tracker, for a `with` block.

    Every method raises `TrackerFault` where the tracker as a whole does not work, `Limited` where it asks to wait.

    Attributes:
        notice: what a person should know of it, such as a new name of the repository.
        clock_offset_s: how far its clock is before ours.
    """

    notice: str

    @property
    def clock_offset_s(self) -> float:
        """How far its clock is before ours, in seconds."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def test(self) -> list[str]:
        """What is right about the token, the project and the permissions, in words."""

    def find(self, draft: Draft) -> Issue | None:
        """The issue that was made of a draft before, by its marker; the oldest of several."""

    def create(self, draft: Draft) -> Issue:
        """Make an issue.

        Raises:
            IssueRefused: it is not taken as it is.
        """

    def look(self, issues: Sequence[str]) -> Mapping[str, Issue | TrackerError]:
        """Issues as they are now, by how they were asked for, or what is wrong with one."""

    def set_state(self, issue: str, state: There) -> Issue:
        """Open or close an issue; nothing else of it is touched.

        Raises:
            IssueGone: it is no more.
            IssueRefused: the tracker does not do it.
        """

    def comment(self, issue: str, note_id: UUID, body: str, tried: timedelta | None) -> str:
        """Comment on an issue, once for an id; returns the comment's id.

        Args:
            tried: how long ago it was first tried, None for the first time.

        Raises:
            IssueGone, IssueRefused: as above.
        """

    def state_since(self, issue: Issue) -> datetime:
        """Since when exactly an issue is in its state, by the tracker's clock."""
