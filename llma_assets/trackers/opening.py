"""An issue by hand: the wish is stored first, so that nothing is lost where the tracker does not answer now."""

from dataclasses import dataclass

from llma_assets.clickhouse import Database
from llma_assets.clock import Clock
from llma_assets.tasks import TaskOptions
from llma_assets.trackers.errors import TrackerError
from llma_assets.trackers.links import Link, LinkState, links_of
from llma_assets.trackers.setting import About
from llma_assets.trackers.store import TeamTrackers
from llma_assets.trackers.subjects import Subjects
from llma_assets.trackers.sync import sync
from llma_assets.trackers.wishes import wish


@dataclass(frozen=True, slots=True)
class Opened:
    """What became of a wish.

    Attributes:
        problem: why there is no issue yet, "" where there is one.
        was_there: the subject had one already.
    """

    link: Link
    state: LinkState
    problem: str = ""
    was_there: bool = False


def open_issue(
    database: Database,
    team: TeamTrackers,
    about: About,
    subject: str,
    by: str,
    *,
    clock: Clock,
    tracker_name: str = "",
    options: TaskOptions = TaskOptions(),
) -> Opened:
    """Open the issue of a task or a cluster now; what the tracker does not do now, a later pass does.

    Raises:
        TrackerError: there is no such tracker, task or cluster.
    """
    tracker = team.tracker(tracker_name)
    subjects = Subjects(database, team.team_id, clock(), options)
    found = subjects.get(about, subject)
    if found is None:
        raise TrackerError(f"team {team.team_id} has no {about} {subject[:80]!r}")
    before = links_of(database, team.team_id)
    link = wish(database, team.team_id, tracker, before, found, by, clock())
    if before.state(link).issue:
        return Opened(link, before.state(link), was_there=True)
    done = sync(database, team, clock=clock, options=options, only=[link.link_id], by_hand=True)
    state = links_of(database, team.team_id).state(link)
    problem = ""
    if not state.issue:
        busy = "another process is speaking with the tracker" if tracker.tracker in done.busy else ""
        why = done.problems.get(tracker.tracker) or state.problem or busy or "it was not reached in time"
        problem = f"the issue is wished and not made yet: {why}. A later pass makes it"
    return Opened(link, state, problem)
