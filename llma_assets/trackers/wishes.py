"""Which tasks and clusters are to have an issue: by a rule, or because a person says so."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from llma_assets.clickhouse import Database
from llma_assets.tasks import TaskOptions
from llma_assets.trackers.errors import TrackerError
from llma_assets.trackers.links import Link, TeamLinks, link_id, links_of, store_links
from llma_assets.trackers.setting import Tracker, TrackerRule
from llma_assets.trackers.store import TeamTrackers
from llma_assets.trackers.subjects import Subject, Subjects

BY_RULE = "rule "
"""Begins the name of who wants an issue, where that is a rule."""


def wished_by_rules(team: TeamTrackers, tracker: Tracker, links: TeamLinks, subjects: Subjects) -> list[Link]:
    """New links of a tracker that its rules ask for, the most urgent first; none of a subject that has one.

    A subject whose issue was deleted there, or that was part of another one with an issue, gets none by a rule.
    """
    made: list[Link] = []
    for rule in team.rules.values():
        if rule.enabled and rule.tracker == tracker.tracker:
            made += _of_rule(team.team_id, rule, links, subjects, made)
    return made


def issues_to_come(
    database: Database, team: TeamTrackers, *, now: datetime, options: TaskOptions = TaskOptions()
) -> list[Link]:
    """What the next pass would open by the rules of these settings, stored or not; no tracker is asked."""
    links, subjects = links_of(database, team.team_id), Subjects(database, team.team_id, now, options)
    return [link for tracker in team.enabled for link in wished_by_rules(team, tracker, links, subjects)]


def wish(
    database: Database, team_id: int, tracker: Tracker, links: TeamLinks, subject: Subject, by: str, now: datetime
) -> Link:
    """The link of a subject that a person wants; the one that is there, if there is one.

    Raises:
        TrackerError: the tracker is switched off, or nobody is named.
    """
    if not tracker.enabled:
        raise TrackerError(f"the tracker {tracker.tracker} is switched off; `enabled: true` in its file switches it on")
    if not by.strip():
        raise TrackerError("it is not known who wants the issue; say a name by --by or LLMA_USER")
    if there := links.of_subject(subject.about, (subject.subject, *subject.parts), tracker.tracker):
        return there[0]
    made = _link(team_id, tracker.tracker, subject, links, by.strip()[:200], now)
    store_links(database, team_id, [made])
    links.links[made.link_id] = made
    return made


def _of_rule(
    team_id: int, rule: TrackerRule, links: TeamLinks, subjects: Subjects, already: Sequence[Link]
) -> list[Link]:
    name, now = f"{BY_RULE}{rule.rule}", subjects.now
    recent = [
        each for each in links.links.values()
        if each.tracker == rule.tracker and each.wanted_by == name and each.wanted_at > now - timedelta(days=1)
    ]  # fmt: skip
    room = rule.most_a_day - len(recent)
    taken = {(each.about, each.subject) for each in (*links.links.values(), *already) if each.tracker == rule.tracker}
    made: list[Link] = []
    for subject in subjects.of_kind(rule.about, rule.themes):
        if len(made) >= room:
            break
        if subject.priority < rule.min_priority or subject.users < rule.min_users:
            continue
        if not any((subject.about, each) in taken for each in (subject.subject, *subject.parts)):
            made.append(_link(team_id, rule.tracker, subject, links, name, now))
    return made


def _link(team_id: int, tracker: str, subject: Subject, links: TeamLinks, by: str, now: datetime) -> Link:
    before = [
        each for each in links.links.values()
        if (each.tracker, each.about, each.subject) == (tracker, subject.about, subject.subject)
    ]  # fmt: skip
    round = max((each.round + 1 for each in before), default=0)
    identity = link_id(team_id, tracker, subject.about, subject.subject, round)
    return Link(identity, tracker, subject.about, subject.subject, subject.theme_id, subject.title, by, now, round)
