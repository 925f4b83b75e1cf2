"""Comments of a pass: that a subject was renamed, merged or split, whether its fix worked, and what other modules tell.

Each is begun in the database, sent under an id of ours, and stored: a process that is killed in between tells it later.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from llma_assets.clickhouse import Database
from llma_assets.clock import Clock
from llma_assets.trackers import telling
from llma_assets.trackers.errors import IssueRefused
from llma_assets.trackers.links import Link, LinkState, Note, TeamLinks, identity, store_note
from llma_assets.trackers.protocol import TrackerClient
from llma_assets.trackers.subjects import Standpoint, Subject, Subjects

RENAMED_EVERY = timedelta(days=1)
VERIFIED_FOR = timedelta(days=50)

Say = Callable[[Link, str, str], None]
"""Is told what was done with a link: in a word, and in words for people."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Comments on the issues of one tracker.

    Attributes:
        may: raises where the time of the pass is over.
        say: is told of each comment.
    """

    _database: Database
    _team_id: int
    _tracker: str
    _links: TeamLinks
    _subjects: Subjects
    _clock: Clock
    _dry_run: bool
    _may: Callable[[], None]
    _say: Say

    def merged(self, client: TrackerClient, link: Link, state: LinkState, subject: Subject) -> LinkState:
        """Tell that the subject is part of another one."""
        if subject.subject == link.subject:
            return state
        others = [
            self._links.state(each).shown
            for each in self._links.of_subject(subject.about, [subject.subject], self._tracker)
            if each.link_id != link.link_id
        ]
        told = telling.merged_note(subject, next((each for each in others if each), ""))
        if self.note(client, link, state, "merged", subject.subject, told):
            words = f"told {state.shown} that it is part of “{subject.title}” now"
            return replace(state, told_title=subject.title, said=words, said_at=self._clock())
        return replace(state, told_title=subject.title)

    def split(self, client: TrackerClient, link: Link, state: LinkState, subject: Subject) -> LinkState:
        """Tell of what was split off the subject since its issue was wanted; the issue stays with the larger part."""
        if subject.subject != link.subject:
            return state
        for part, day in self._subjects.parts_since(subject, link.wanted_at.date()):
            others = self._links.of_subject(part.about, [part.subject], self._tracker)
            issue = next((shown for each in others if (shown := self._links.state(each).shown)), "")
            if self.note(client, link, state, "split", part.subject, telling.split_note(part, day, issue)):
                words = f"told {state.shown} that “{part.title}” was split off it"
                state = replace(state, said=words, said_at=self._clock())
        return state

    def renamed(self, client: TrackerClient, link: Link, state: LinkState, subject: Subject) -> LinkState:
        """Tell that the subject is called otherwise; names that a model gives may change often: one comment a day."""
        if state.told_title == subject.title or self._dry_run:
            return state
        key, now = f"{state.told_title}|{subject.title}", self._clock()
        note_id = identity("llma-note", link.link_id, "renamed", key)
        others = [each for each in self._notes(link).values() if each.kind == "renamed" and each.note_id != note_id]
        if any(each.begun_at > now - RENAMED_EVERY for each in others):
            return state
        told = telling.renamed_note(state.told_title, subject.title)
        if self.note(client, link, state, "renamed", key, told):
            words = f"told {state.shown} of the name “{subject.title}”"
            state = replace(state, said=words, said_at=now)
        return replace(state, told_title=subject.title)

    def verified(
        self, client: TrackerClient, link: Link, state: LinkState, subject: Subject, point: Standpoint
    ) -> LinkState:
        """Tell whether the fix worked, once there is an answer."""
        today, since = self._subjects.now.date(), point.closed_at
        if since is None or state.verified_on == today or self._dry_run:
            return state
        if self._subjects.now - since > VERIFIED_FOR:
            return state
        found = self._subjects.verified(subject, since)
        state = replace(state, verified_on=today)
        if found.answer == "open":
            return state
        key, told = f"{since.isoformat()}|{found.answer}", telling.verified_note(found)
        if self.note(client, link, state, "verified", key, told):
            words = f"told {state.shown}: {found.answer.replace('_', ' ')}"
            return replace(state, said=words, said_at=self._clock())
        return state

    def note(self, client: TrackerClient, link: Link, state: LinkState, kind: str, key: str, body: str) -> bool:
        """Comment once; whether it was done now."""
        note_id = identity("llma-note", link.link_id, kind, key)
        known = self._notes(link).get(note_id)
        if (known and known.is_done) or self._dry_run:
            return False
        now = self._clock()
        note = known or Note(link.link_id, note_id, kind, body, now)
        if known is None:
            self._keep(note)
        self._may()
        try:
            reply = client.comment(state.issue, note_id, note.body, now - known.begun_at if known else None)
        except IssueRefused as error:
            self._keep(replace(note, problem=str(error)))
            return False
        self._keep(replace(note, reply=reply))
        self._say(link, "told", f"{state.shown}: {kind}")
        return True

    def _notes(self, link: Link) -> Mapping[UUID, Note]:
        return self._links.notes.get(link.link_id, {})

    def _keep(self, note: Note) -> None:
        store_note(self._database, self._team_id, note)
        self._links.notes.setdefault(note.link_id, {})[note.note_id] = note
