"""Two sides that can both change: what follows for each. Pure: knows no database and no tracker.

What only one side changed goes to the other. Where both did, and do not agree, the later one wins, and both are told.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from llma_assets.trackers.setting import Here, OnClosed, There

REOPEN_PAUSE = timedelta(days=1)
"""A regression reopens an issue once in so long."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides now, and when they last agreed.

    Attributes:
        here, there: now.
        base_here, base_there: when they last agreed.
    """

    here: Here
    there: There
    base_here: Here
    base_there: There

    @property
    def both_changed(self) -> bool:
        """Whether both sides changed since they agreed."""
        return self.here != self.base_here and self.there != self.base_there


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done.

    Attributes:
        act: `push`: bring the issue into a state; `pull`: bring the task or the cluster into one; `agree`: note that
            they agree; `none`.
        there, here: the state, of `push` and of `pull`.
        is_conflict: both sides had changed, and one of them loses.
    """

    act: Literal["none", "agree", "push", "pull"]
    there: There = "open"
    here: Here = "open"
    is_conflict: bool = False


def issue_state(here: Here) -> There:
    """The state of an issue that follows from a state here."""
    states: dict[Here, There] = {"open": "open", "resolved": "completed", "ignored": "not_planned"}
    return states[here]


def state_here(there: There, on_closed: OnClosed) -> Here | None:
    """The state here that follows from one of an issue; None where the setting says that nothing does."""
    if there == "open":
        return "open"
    after: dict[str, Here | None] = {"resolve": "resolved", "ignore": "ignored", "nothing": None}
    return after[getattr(on_closed, there)]


def step_of(sides: Sides, on_closed: OnClosed, *, here_is_later: bool = True) -> Step:
    """What is to be done.

    >>> step_of(Sides("resolved", "open", "open", "open"), OnClosed())
    Step(act='push', there='completed', here='open', is_conflict=False)
    >>> step_of(Sides("open", "duplicate", "open", "open"), OnClosed()).here
    'ignored'

    Args:
        here_is_later: whether the change here came after the one there; asked only where both changed.
    """
    here_changed, there_changed = sides.here != sides.base_here, sides.there != sides.base_there
    if not here_changed and not there_changed:
        return Step("none")
    wanted_here, wanted_there = state_here(sides.there, on_closed), issue_state(sides.here)
    alike = (sides.here == "open") == (sides.there == "open")
    if not there_changed:
        return Step("agree") if alike else Step("push", there=wanted_there)
    if not here_changed:
        return Step("agree") if wanted_here is None or wanted_here == sides.here else Step("pull", here=wanted_here)
    if alike or wanted_here == sides.here:
        return Step("agree")
    if here_is_later or wanted_here is None:
        return Step("push", there=wanted_there, is_conflict=wanted_here is not None)
    return Step("pull", here=wanted_here, is_conflict=True)


def must_wait(reopened_at: datetime, now: datetime) -> bool:
    """Whether a regression reopened the issue a short while ago."""
    return now < reopened_at + REOPEN_PAUSE
