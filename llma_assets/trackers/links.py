"""Links between tasks or clusters and issues, what is known of each, and the comments that were made."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.trackers.queries import LINK_STATES, LINKS, NOTES
from llma_assets.trackers.setting import About, Here, There

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NO_DAY = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Link:
    """The wish that a task or a cluster has an issue.

    Attributes:
        link_id: follows from team, tracker, subject and round; begins every id that a tracker is given.
        about, subject, theme_id: the task or the lineage; a theme only of a lineage.
        title: of the subject when it was wished.
        wanted_by: `rule NAME`, or a person.
        round: counts the issues of this subject that were deleted there.
    """

    link_id: UUID
    tracker: str
    about: About
    subject: str
    theme_id: str
    title: str
    wanted_by: str
    wanted_at: datetime
    round: int = 0


@dataclass(frozen=True, slots=True)
class LinkState:
    """How far a link is.

    Attributes:
        issue: the issue as its tracker is asked for it, "" before there is one.
        shown, url: the issue for people: `acme/app#12`, `ENG-12`.
        here, there: both sides when they last agreed.
        standing, standing_at: of a cluster, which has no state of its own: what closing its issue made of it, and when.
        told_title: the title that the issue was last told.
        reopened_at: when a regression last reopened it.
        looked_at: when the issue was last read.
        verified_on: the day on which it was last looked at whether the fix worked.
        is_gone: it was deleted there.
        problem: why the last pass did not do all for this link; "" where it did.
        said, said_at: what happened last, in words.
    """

    issue: str = ""
    shown: str = ""
    url: str = ""
    here: Here = "open"
    there: There = "open"
    standing: Here = "open"
    standing_at: datetime = NEVER
    told_title: str = ""
    reopened_at: datetime = NEVER
    looked_at: datetime = NEVER
    verified_on: date = NO_DAY
    is_gone: bool = False
    problem: str = ""
    said: str = ""
    said_at: datetime = NEVER


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on an issue.

    Attributes:
        note_id: follows from the link and what it tells of.
        begun_at: when it was first tried.
        reply: the tracker's id of the comment, "" while nobody knows whether it is there.
        problem: why the tracker does not take it.
    """

    link_id: UUID
    note_id: UUID
    kind: str
    body: str
    begun_at: datetime
    reply: str = ""
    problem: str = ""

    @property
    def is_done(self) -> bool:
        """Whether it is there, or will never be."""
        return bool(self.reply or self.problem)


@dataclass(slots=True)
class TeamLinks:
    """All links of a team with their states and notes; changes go through `store_…`."""

    links: dict[UUID, Link] = field(default_factory=dict)
    states: dict[UUID, LinkState] = field(default_factory=dict)
    notes: dict[UUID, dict[UUID, Note]] = field(default_factory=dict)

    def state(self, link: Link) -> LinkState:
        """How far a link is."""
        return self.states.get(link.link_id, LinkState())

    def of_subject(self, about: str, subjects: Iterable[str], tracker: str = "") -> list[Link]:
        """Links of some tasks or lineages whose issue is not gone, oldest first."""
        wanted = set(subjects)
        return [
            each
            for each in self.links.values()
            if each.about == about
            and each.subject in wanted
            and tracker in ("", each.tracker)
            and not self.state(each).is_gone
        ]


def identity(*parts: object) -> UUID:
    """An id that follows from what it names, in the form of version 4, which Linear asks for."""
    return UUID(bytes=hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:16], version=4)


def link_id(team_id: int, tracker: str, about: str, subject: str, round: int) -> UUID:
    """The same for the same wish, however often it is made."""
    return identity("llma-link", team_id, tracker, about, subject, round)


def links_of(database: Database, team_id: int) -> TeamLinks:
    """All links of a team, oldest first."""
    found = TeamLinks({row["link_id"]: Link(**row) for row in database.rows(LINKS, team_id=team_id)})
    if found.links:
        for row in database.rows(LINK_STATES, team_id=team_id):
            found.states[row["link_id"]] = _state(json.loads(row["state"]))
        for row in database.rows(NOTES, team_id=team_id):
            note = Note(**row)
            found.notes.setdefault(note.link_id, {})[note.note_id] = note
    return found


def store_links(database: Database, team_id: int, links: Iterable[Link]) -> None:
    """Store wishes."""
    database.insert_rows("tracker_links", [{"team_id": team_id, **asdict(each)} for each in links])


def store_state(database: Database, team_id: int, link: Link, state: LinkState) -> None:
    """Store how far a link is."""
    values = {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(state).items()}
    row = {"team_id": team_id, "link_id": link.link_id, "state": json.dumps(values, ensure_ascii=False)}
    database.insert_rows("tracker_link_states", [row])


def store_note(database: Database, team_id: int, note: Note) -> None:
    """Store a comment, or what became of it."""
    database.insert_rows("tracker_notes", [{"team_id": team_id, **asdict(note)}])


def _state(values: Mapping[str, Any]) -> LinkState:
    known = {each.name for each in fields(LinkState)}
    read: dict[str, Any] = {name: value for name, value in values.items() if name in known}
    for name in ("standing_at", "reopened_at", "looked_at", "said_at"):
        if name in read:
            read[name] = datetime.fromisoformat(read[name])
    if "verified_on" in read:
        read["verified_on"] = date.fromisoformat(read["verified_on"])
    return LinkState(**read)
