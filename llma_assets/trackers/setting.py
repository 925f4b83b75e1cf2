"""A tracker and a rule: what a team may set of them. Files belong in `document.py`."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    with_config,
)

from llma_assets.named_settings import variable

Kind = Literal["github", "linear"]
About = Literal["task", "cluster"]
Here = Literal["open", "resolved", "ignored"]
"""The state of a task or a cluster."""
There = Literal["open", "completed", "not_planned", "duplicate", "canceled"]
"""The state of an issue. GitHub knows no `canceled`, Linear no `not_planned`."""
Reaction = Literal["resolve", "ignore", "nothing"]

ENV_PREFIX = "LLMA_TRACKERS_"
"""Begins the name of each environment variable that a tracker may name: no file can have another secret sent."""

_FORBID = ConfigDict(extra="forbid")
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}|[A-Z][A-Z0-9]{0,9}")


def _project(name: str) -> str:
    if not _PROJECT.fullmatch(name) or name.endswith(("/.", "/..")):
        raise ValueError("must be owner/repository of GitHub, or the key of a Linear team such as ENG")
    return name


def _line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("must be one line of text")
    return text.strip()


Variable = Annotated[StrictStr, Field(max_length=100), AfterValidator(variable(ENV_PREFIX))]
Label = Annotated[StrictStr, Field(max_length=50), AfterValidator(_line)]


@with_config(_FORBID)
@dataclass(frozen=True, slots=True)
class OnClosed:
    """What closing an issue there does here, by the way in which it was closed."""

    completed: Reaction = "resolve"
    not_planned: Reaction = "ignore"
    duplicate: Reaction = "ignore"
    canceled: Reaction = "ignore"


@with_config(_FORBID)
@dataclass(frozen=True, slots=True)
class Tracker:
    """Where issues are made. Secrets are named by environment variables and are never stored.

    Attributes:
        tracker: its name; rules name it.
        kind: whose protocol it speaks.
        project: `owner/repository` of GitHub, the key of a team of Linear (`ENG`).
        token_env: variable with the token: GitHub's with permission to write issues, Linear's API key.
        address_env: variable with the address of the API, where it is not the provider's own: GitHub Enterprise Server
            has `https://host/api/v3`.
        labels: of new issues; never changed afterwards.
        on_closed: what closing an issue there does here.
        close_quiet: whether a task that is resolved because it was not seen for 14 days closes its issue.
        enabled: whether it is asked at all.
    """

    tracker: StrictStr
    kind: Kind
    project: Annotated[StrictStr, AfterValidator(_project)]
    token_env: Variable
    address_env: Variable = ""
    labels: Annotated[tuple[Label, ...], Field(max_length=20)] = ()
    on_closed: OnClosed = OnClosed()
    close_quiet: StrictBool = True
    enabled: StrictBool = True

    @property
    def version(self) -> str:
        """Changes with every field."""
        return _version_of(self)


@with_config(_FORBID)
@dataclass(frozen=True, slots=True)
class TrackerRule:
    """Which tasks or clusters become issues by themselves.

    Attributes:
        rule: its name; each link says by which rule it was made.
        tracker: where the issue is made.
        about: `task` or `cluster`.
        themes: of clusters: theme ids; every theme of the team if there are none.
        min_priority: fewest; tasks and clusters have one scale: ln(1 + users) + 0.5 · impact + 0.3 · recency.
        min_users: fewest different users.
        most_a_day: new issues of the rule in 24 hours, at most; the most urgent come first.
        enabled: whether it makes issues.
    """

    rule: StrictStr
    tracker: StrictStr
    about: About = "task"
    themes: Annotated[tuple[StrictStr, ...], Field(max_length=100)] = ()
    min_priority: Annotated[StrictFloat | StrictInt, Field(ge=0, allow_inf_nan=False)] = 0
    min_users: Annotated[StrictInt, Field(ge=0)] = 1
    most_a_day: Annotated[StrictInt, Field(ge=1, le=100)] = 10
    enabled: StrictBool = True

    @property
    def version(self) -> str:
        """Changes with every field."""
        return _version_of(self)

    @property
    def sentence(self) -> str:
        """The rule in plain words."""
        where = f" in {', '.join(self.themes)}" if self.themes else ""
        return (
            f"Open an issue in {self.tracker} for each {self.about} of priority {self.min_priority:g} and "
            f"{self.min_users} users or more{where}, {self.most_a_day} a day at most."
        )


def _version_of(item: Tracker | TrackerRule) -> str:
    return hashlib.sha256(json.dumps(asdict(item), sort_keys=True).encode()).hexdigest()[:12]
