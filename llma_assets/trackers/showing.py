"""Trackers and links for people: what the command line, the pages and the API show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from llma_assets.clickhouse import Database
from llma_assets.serialization import Moment, TeamId
from llma_assets.trackers.leases import Health, healths_of
from llma_assets.trackers.links import NEVER, Link, TeamLinks, links_of
from llma_assets.trackers.setting import Here, There, TrackerRule
from llma_assets.trackers.store import TeamTrackers, trackers_of


@dataclass(frozen=True, slots=True)
class ShownLink:
    """A link.

    Attributes:
        link_id: its id, which stands in the issue's marker.
        about, subject, theme_id, title: the task or the cluster.
        issue, url: the issue, "" before there is one.
        state: `waiting` for its issue, `gone`, or how the issue was last.
        here: how the task or the cluster was then.
        wanted_by, wanted_at: who wanted it.
        said, said_at: what happened last; None where nothing did.
        problem: why not all is done; of the tracker where that is the reason.
        looked_at: when the issue was last read.
        comments: what the issue was told, by kind, oldest first.
    """

    link_id: str
    tracker: str
    about: str
    subject: str
    theme_id: str
    title: str
    issue: str
    url: str
    state: str
    here: Here
    there: There
    wanted_by: str
    wanted_at: Moment
    said: str
    said_at: Moment | None
    problem: str
    looked_at: Moment | None
    comments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownTracker:
    """A tracker and how it answered last.

    Attributes:
        links, waiting: its links, and those without an issue.
        problem: what is wrong, "" where nothing is.
        notice: what a person should know.
        asked_again_at: before this it is not asked; None where it is not waited for.
    """

    tracker: str
    kind: str
    project: str
    enabled: bool
    links: int
    waiting: int
    passed_at: Moment | None
    problem: str
    notice: str
    asked_again_at: Moment | None


@dataclass(frozen=True, slots=True)
class TrackersReport:
    """The trackers of a team and their links, the newest first."""

    team_id: TeamId
    trackers: tuple[ShownTracker, ...]
    links: tuple[ShownLink, ...]


def trackers_report(database: Database, team_id: int, *, now: datetime) -> TrackersReport:
    """All trackers and links of a team."""
    team, links, healths = trackers_of(database, team_id), links_of(database, team_id), healths_of(database, team_id)
    shown = [_link(each, links, healths, team, now) for each in links.links.values()]
    trackers = [
        _tracker(name, team, healths.get(name, Health(name)), [each for each in shown if each.tracker == name], now)
        for name in team.trackers
    ]
    return TrackersReport(team_id, tuple(trackers), tuple(reversed(shown)))


def shown_links(
    database: Database, team_id: int, about: str, subjects: Iterable[str], *, now: datetime
) -> tuple[ShownLink, ...]:
    """The links of some tasks or lineages, also of those whose issue is gone."""
    wanted = set(subjects)
    found = trackers_report(database, team_id, now=now).links
    return tuple(each for each in found if each.about == about and each.subject in wanted)


def rules_of(team: TeamTrackers, tracker: str) -> list[TrackerRule]:
    """The rules that make issues in a tracker."""
    return [each for each in team.rules.values() if each.tracker == tracker]


def _link(link: Link, links: TeamLinks, healths: dict[str, Health], team: TeamTrackers, now: datetime) -> ShownLink:
    state, health = links.state(link), healths.get(link.tracker, Health(link.tracker))
    problem = state.problem
    if not problem and link.tracker not in team.trackers:
        problem = f"the team has no tracker {link.tracker} any more: nothing is carried over"
    elif not problem and not team.trackers[link.tracker].enabled:
        problem = f"the tracker {link.tracker} is switched off"
    elif not problem and health.problem:
        problem = health.problem + _again(health, now)
    shown = "gone" if state.is_gone else state.there.replace("_", " ") if state.issue else "waiting"
    notes = sorted(links.notes.get(link.link_id, {}).values(), key=lambda each: each.begun_at)
    told = [f"{each.kind}{f' (not taken: {each.problem})' if each.problem else ''}" for each in notes if each.is_done]
    return ShownLink(
        str(link.link_id), link.tracker, link.about, link.subject, link.theme_id, state.told_title or link.title,
        state.shown, state.url, shown, state.here, state.there, link.wanted_by, link.wanted_at,
        state.said, _known(state.said_at), problem, _known(state.looked_at), tuple(told),
    )  # fmt: skip


def _tracker(name: str, team: TeamTrackers, health: Health, links: Sequence[ShownLink], now: datetime) -> ShownTracker:
    setting = team.trackers[name]
    waiting = sum(each.state == "waiting" for each in links)
    again = health.retry_at if health.retry_at > now else None
    return ShownTracker(
        name, setting.kind, setting.project, setting.enabled, len(links), waiting, _known(health.passed_at),
        health.problem, health.notice, again,
    )  # fmt: skip


def _again(health: Health, now: datetime) -> str:
    return f"; it is asked again after {health.retry_at:%Y-%m-%d %H:%M} UTC" if health.retry_at > now else ""


def _known(moment: datetime) -> datetime | None:
    return None if moment == NEVER else moment
