"""What one pass does with the links of one tracker: open issues, compare both sides, and tell.

In an order in which a process that is killed at any line loses nothing and says nothing twice: what has an id of ours
is told first, then the state is changed, which does no harm twice, and then it is stored that both sides agree.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.clock import Clock
from llma_assets.isolation import fault_of
from llma_assets.tasks import EditError
from llma_assets.trackers import telling
from llma_assets.trackers.comments import Teller
from llma_assets.trackers.errors import IssueGone, IssueRefused, TrackerError, TrackerFault
from llma_assets.trackers.leases import Lease
from llma_assets.trackers.links import NEVER, Link, LinkState, TeamLinks, store_state
from llma_assets.trackers.protocol import Draft, Issue, TrackerClient
from llma_assets.trackers.reconcile import Sides, Step, must_wait, step_of
from llma_assets.trackers.setting import Here, Tracker
from llma_assets.trackers.subjects import Standpoint, Subject, Subjects
from llma_assets.trackers.wishes import BY_RULE
from llma_assets.trackers.wording import title_line

log = logging.getLogger(__name__)

MOST_LOOKED_AT = 200
"""Issues that are looked at in one pass; those that were longest not looked at come first."""
RESTING_AFTER, REST = timedelta(days=7), timedelta(hours=6)
"""What is closed on both sides for a week is looked at four times a day."""
NOTED_EVERY = timedelta(hours=1)
GONE = "the issue was deleted in the tracker; `llma trackers open` makes a new one"


Work = Callable[[Link], None]


class LeaseOver(Exception):
    """The time of the pass is over; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Done:
    """One thing that a pass did, or would do.

    Attributes:
        what: `opened`, `found`, `closed`, `reopened`, `brought` (here), `told` or `problem`.
        words: for people.
    """

    tracker: str
    link_id: UUID
    what: str
    words: str


class Pass:
    """A pass over the links of one tracker.

    Attributes:
        done: what it did.
        waiting: links that are left for later.
    """

    def __init__(
        self,
        database: Database,
        team_id: int,
        tracker: Tracker,
        links: TeamLinks,
        subjects: Subjects,
        lease: Lease,
        clock: Clock,
        *,
        dry_run: bool,
        only: Collection[UUID],
    ) -> None:
        self.tracker = tracker
        self.done: list[Done] = []
        self._database, self._team_id, self._links, self._subjects = database, team_id, links, subjects
        self._lease, self._clock, self._dry_run = lease, clock, dry_run
        self._teller = Teller(
            database, team_id, tracker.tracker, links, subjects, clock, dry_run, self._in_time, self._say
        )  # fmt: skip
        own = [each for each in links.links.values() if each.tracker == tracker.tracker]
        self.chosen = [each for each in own if not only or each.link_id in only]
        self.waiting = len(self.chosen)

    def run(self, client: TrackerClient) -> None:
        """Do all there is to do.

        Raises:
            TrackerFault: the tracker as a whole does not work.
            LeaseOver: the rest is for a later pass.
        """
        new = [each for each in self.chosen if not self._links.state(each).issue]
        for link in new:
            self._each(link, lambda link: self._open(client, link))
        # What was made just now is not looked at: a tracker may not know it everywhere yet.
        old = [each for each in self.chosen if each not in new and self._is_due(each)]
        due = sorted(old, key=lambda each: self._state(each).looked_at)[:MOST_LOOKED_AT]
        self.waiting -= sum(each not in due and each not in new for each in self.chosen)
        self._in_time()
        found = client.look([self._state(each).issue for each in due])
        for link in due:
            self._each(link, lambda link: self._compare(client, link, found))

    def _each(self, link: Link, work: Work) -> None:
        """One link; what is wrong with it alone does not hold up the others."""
        problem = ""
        try:
            self._in_time()
            work(link)
        except (TrackerFault, LeaseOver, DatabaseError):
            raise
        except IssueGone:
            self._store(link, replace(self._state(link), is_gone=True, problem=GONE, looked_at=self._clock()))
            problem = GONE
        except (IssueRefused, EditError) as error:
            problem = str(error)
        # An answer or a row that nobody has thought of.
        except Exception as error:
            log.error("a link could not be worked on: %s", fault_of(error))
            problem = f"unexpected: {type(error).__name__}"
        if not problem:
            self.waiting -= link in self.chosen
        self._has_problem(link, problem)

    def _has_problem(self, link: Link, problem: str) -> None:
        if problem:
            self.done.append(Done(self.tracker.tracker, link.link_id, "problem", f"{link.title}: {problem}"))
        if self._state(link).problem != problem:
            self._store(link, replace(self._state(link), problem=problem))

    def _open(self, client: TrackerClient, link: Link) -> None:
        subject = self._subjects.get(link.about, link.subject)
        if subject is None:
            raise IssueRefused(f"the team has no such {link.about} any more, so no issue is made")
        point = self._subjects.standpoint(subject, self.tracker, LinkState())
        if self._dry_run:
            self._say(link, "opened", f"would open an issue for “{subject.title}” in {self.tracker.project}")
            return
        draft = Draft(
            link.link_id,
            title_line(subject.title),
            telling.issue_body(subject, self._subjects.examples(subject), link.wanted_by),
            self.tracker.labels,
            self._subjects.now - link.wanted_at,
        )
        issue = client.find(draft)
        what = "found" if issue else "opened"
        if issue is None:
            if point.state != "open" and link.wanted_by.startswith(BY_RULE):
                raise IssueRefused(f"the {link.about} is {point.state} by now, so its rule makes no issue")
            self._in_time()
            issue = client.create(draft)
        words = f"{'found' if what == 'found' else 'opened'} {issue.shown} for “{subject.title}”"
        state = LinkState(
            issue.issue, issue.shown, issue.url, here=point.state, told_title=subject.title,
            said=words, said_at=self._clock(),
        )  # fmt: skip
        if what == "found":
            # It was made when it was wished: what changed since is told by the next pass.
            state = replace(state, here="open", told_title=link.title)
        self._store(link, state)
        self._say(link, what, words)

    def _compare(self, client: TrackerClient, link: Link, found: Mapping[str, Issue | TrackerError]) -> None:
        state, issue = self._state(link), found[self._state(link).issue]
        if isinstance(issue, TrackerError):
            raise issue
        moved = replace(state, issue=issue.issue, shown=issue.shown, url=issue.url, is_gone=False)
        subject = self._subjects.get(link.about, link.subject)
        if subject is None:
            raise IssueRefused(f"the team has no such {link.about} any more; the issue stays as it is")
        point = self._subjects.standpoint(subject, self.tracker, state)
        moved = self._teller.renamed(client, link, self._teller.merged(client, link, moved, subject), subject)
        moved = self._teller.split(client, link, moved, subject)
        step = self._step(client, link, moved, subject, point, issue)
        moved = self._do(client, link, moved, subject, point, issue, step)
        if step.act in ("none", "agree"):
            moved = self._teller.verified(client, link, moved, subject, point)
        now = self._clock()
        if moved != state or now - state.looked_at > NOTED_EVERY:
            self._store(link, replace(moved, looked_at=now))

    def _step(
        self, client: TrackerClient, link: Link, state: LinkState, subject: Subject, point: Standpoint, issue: Issue
    ) -> Step:
        sides = Sides(point.state, issue.state, state.here, state.there)
        step = step_of(sides, self.tracker.on_closed)
        if step.is_conflict:
            there_at = self._ours(client, client.state_since(issue))
            later = point.at is not None and point.at >= there_at
            step = step_of(sides, self.tracker.on_closed, here_is_later=later)
            note = telling.conflict_note(point.state, point.at, issue.state, there_at, here_wins=later)
            self._teller.note(client, link, state, "conflict", f"{point.at}|{there_at.isoformat()}", note)
        # The issue of a part does not decide about the whole.
        return Step("agree") if step.act == "pull" and self._is_part(link, subject) else step

    def _do(
        self,
        client: TrackerClient,
        link: Link,
        state: LinkState,
        subject: Subject,
        point: Standpoint,
        issue: Issue,
        step: Step,
    ) -> LinkState:
        now = self._clock()
        if step.act == "push":
            return self._push(client, link, state, subject, point, step)
        if step.act == "pull":
            return self._pull(client, link, state, subject, issue, step)
        if step.act == "agree":
            reopened = now if point.is_regression and issue.state == "open" else state.reopened_at
            standing: Here = "open" if point.state == "open" else state.standing
            return replace(state, here=point.state, there=issue.state, reopened_at=reopened, standing=standing)
        return state

    def _push(
        self, client: TrackerClient, link: Link, state: LinkState, subject: Subject, point: Standpoint, step: Step
    ) -> LinkState:
        now, opens = self._clock(), step.there == "open"
        if opens and point.is_regression and must_wait(state.reopened_at, now):
            words = f"{state.shown} is opened again at most once a day; it was on {state.reopened_at:%Y-%m-%d %H:%M}"
            return replace(state, said=words, said_at=state.said_at if state.said == words else now)
        note = telling.reopened_note(subject, point) if opens else telling.closed_note(subject, point)
        words = f"{'opened' if opens else 'closed'} {state.shown}" + (" again" if opens else f" ({point.state})")
        words += ", because the later change counts" if step.is_conflict else ""
        if self._dry_run:
            self._say(link, "reopened" if opens else "closed", f"would have {words}")
            return state
        self._teller.note(client, link, state, "reopened" if opens else "closed", str(point.at), note)
        self._in_time()
        issue = client.set_state(state.issue, step.there)
        self._say(link, "reopened" if opens else "closed", words)
        return replace(
            state, here=point.state, there=issue.state, said=words, said_at=now,
            reopened_at=now if opens and point.is_regression else state.reopened_at,
            standing="open" if opens else state.standing,
        )  # fmt: skip

    def _pull(
        self, client: TrackerClient, link: Link, state: LinkState, subject: Subject, issue: Issue, step: Step
    ) -> LinkState:
        now = self._clock()
        how = "opened again" if issue.state == "open" else telling.STATES[issue.state]
        words = f"{state.shown} was {how}: the {subject.about} is {telling.STATES[step.here]}"
        words += ", because the later change counts" if step.is_conflict else ""
        if self._dry_run:
            self._say(link, "brought", f"would follow: {words}")
            return state
        self._subjects.bring(subject, step.here, f"tracker {self.tracker.tracker}", f"{how} in {state.shown}", now)
        self._say(link, "brought", words)
        standing_at = self._ours(client, issue.changed_at) if step.here == "resolved" else NEVER
        standing: Here = "resolved" if step.here == "resolved" else "open"
        return replace(
            state, here=step.here, there=issue.state, said=words, said_at=now, standing=standing,
            standing_at=min(standing_at, now),
        )  # fmt: skip

    def _store(self, link: Link, state: LinkState) -> None:
        if not self._dry_run:
            store_state(self._database, self._team_id, link, state)
        self._links.states[link.link_id] = state

    def _state(self, link: Link) -> LinkState:
        return self._links.state(link)

    def _say(self, link: Link, what: str, words: str) -> None:
        self.done.append(Done(self.tracker.tracker, link.link_id, what, words))

    def _ours(self, client: TrackerClient, moment: datetime) -> datetime:
        """A moment of the tracker's clock by ours."""
        return moment - timedelta(seconds=client.clock_offset_s)

    def _in_time(self) -> None:
        if not self._lease.holds(self._clock()):
            raise LeaseOver

    def _is_due(self, link: Link) -> bool:
        state, now = self._state(link), self._clock()
        if state.is_gone:
            return now - state.looked_at > REST
        is_closed = state.here != "open" and state.there != "open"
        is_resting = is_closed and now - state.said_at > RESTING_AFTER and now - state.looked_at < REST
        if not is_resting or link.about == "cluster":
            return not is_resting
        subject = self._subjects.get(link.about, link.subject)
        return subject is not None and subject.status not in ("resolved", "ignored")

    def _is_part(self, link: Link, subject: Subject) -> bool:
        """Whether another issue stands for the subject, and this one for a part of it."""
        alike = self._links.of_subject(subject.about, (subject.subject, *subject.parts), self.tracker.tracker)
        whole = next((each for each in alike if each.subject == subject.subject), alike[0] if alike else link)
        return whole.link_id != link.link_id
