"""The documents of `llma trackers … --json`; lists of trackers and links are in `showing`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SerializerFunctionWrapHandler, model_serializer

from llma_assets.named_settings import Settings
from llma_assets.serialization import Moment, TeamId
from llma_assets.themes import Problem
from llma_assets.trackers.document import SETTINGS, Document, settings_of
from llma_assets.trackers.opening import Opened
from llma_assets.trackers.showing import TrackersReport
from llma_assets.trackers.store import TeamTrackers
from llma_assets.trackers.sync import Synced


@dataclass(frozen=True, slots=True)
class TrackerState:
    """A tracker: its settings beside what became of its issues, and how it answered last."""

    settings: Settings
    links: int
    waiting: int
    passed_at: Moment | None
    problem: str
    notice: str
    asked_again_at: Moment | None

    @model_serializer(mode="wrap")
    def _document(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document = serialized(self)
        return {**document.pop("settings"), **document}


@dataclass(frozen=True, slots=True)
class TrackersOfTeam:
    """The trackers of a team, and its rules, each with its `sentence`."""

    team_id: TeamId
    trackers: tuple[TrackerState, ...]
    rules: tuple[Settings, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrackersFile:
    """Trackers and rules as a file has them."""

    team_id: TeamId
    trackers: tuple[Settings, ...]
    rules: tuple[Settings, ...]


@dataclass(frozen=True, slots=True)
class TestedTrackers:
    """What trackers say of token, project and permissions, and what is wrong, by tracker."""

    team_id: TeamId
    good: dict[str, tuple[str, ...]]
    problems: dict[str, str]


@dataclass(frozen=True, slots=True)
class OpenedIssue:
    """What became of a wish that a task or a cluster has an issue.

    Attributes:
        link: id of the link.
        issue, url: the issue, "" where it is not made yet.
        was_there: there was one already.
        problem: why it is not made yet; a later pass makes it.
    """

    link: str
    tracker: str
    issue: str
    url: str
    was_there: bool
    problem: str


@dataclass(frozen=True, slots=True)
class OpenedIssueOfTeam:
    """The same, with the team."""

    team_id: TeamId
    opened: OpenedIssue

    @model_serializer(mode="wrap")
    def _document(self, serialized: SerializerFunctionWrapHandler) -> dict[str, Any]:
        document = serialized(self)
        return {**document, **document.pop("opened")}


@dataclass(frozen=True, slots=True)
class DoneOfPass:
    """One thing that a pass did, or would do; see `Done`."""

    tracker: str
    link: str
    what: str
    words: str


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a pass over the trackers of a team did, or would do; see `Synced`."""

    team_id: TeamId
    dry_run: bool
    done: tuple[DoneOfPass, ...]
    problems: dict[str, str]
    busy: tuple[str, ...]
    waiting: int


def team_report(team: TeamTrackers, found: TrackersReport, problems: Iterable[Problem]) -> TrackersOfTeam:
    """The settings of a team's trackers, with how each answered."""
    return TrackersOfTeam(
        found.team_id,
        tuple(
            TrackerState(
                settings_of(team.trackers[each.tracker]),
                each.links,
                each.waiting,
                each.passed_at,
                each.problem,
                each.notice,
                each.asked_again_at,
            )
            for each in found.trackers
        ),
        tuple({**settings_of(each), "sentence": each.sentence} for each in team.rules.values()),
        tuple(str(each) for each in problems),
    )


def file_report(team_id: int, document: Document) -> TrackersFile:
    """A document as its values."""
    return TrackersFile(team_id, **SETTINGS.values(document))


def opened_report(opened: Opened) -> OpenedIssue:
    """What became of a wish."""
    return OpenedIssue(
        link=str(opened.link.link_id),
        tracker=opened.link.tracker,
        issue=opened.state.shown,
        url=opened.state.url,
        was_there=opened.was_there,
        problem=opened.problem,
    )


def tested_report(team_id: int, good: Mapping[str, list[str]], problems: Mapping[str, str]) -> TestedTrackers:
    """What each tracker says."""
    return TestedTrackers(team_id, {name: tuple(lines) for name, lines in good.items()}, dict(problems))


def sync_report(team_id: int, found: Synced, *, dry_run: bool) -> SyncReport:
    """What a pass did."""
    done = tuple(DoneOfPass(each.tracker, str(each.link_id), each.what, each.words) for each in found.done)
    return SyncReport(team_id, dry_run, done, dict(found.problems), found.busy, found.waiting)
