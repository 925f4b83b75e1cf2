"""One pass over a team's trackers: leased, so that one process speaks with a tracker at a time.

A tracker that does not work never fails a pass.

What a pass does with one link belongs in `linking.py`.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

from llma_assets.alerts import DeliveryError, secret_of
from llma_assets.clickhouse import Database, DatabaseError
from llma_assets.clock import Clock
from llma_assets.isolation import fault_of
from llma_assets.tasks import TaskOptions
from llma_assets.trackers.errors import Limited, TrackerFault
from llma_assets.trackers.github import GitHub
from llma_assets.trackers.leases import Health, Lease, claim, healths_of, release
from llma_assets.trackers.linear import Linear
from llma_assets.trackers.linking import Done, LeaseOver, Pass
from llma_assets.trackers.links import NEVER, links_of, store_links
from llma_assets.trackers.protocol import TrackerClient
from llma_assets.trackers.setting import Kind, Tracker
from llma_assets.trackers.store import TeamTrackers
from llma_assets.trackers.subjects import Subjects
from llma_assets.trackers.wishes import wished_by_rules

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
"""After a fault a tracker is asked again after so long, twice as long each time, at most so long."""
LONGEST_WAIT = timedelta(days=1)
"""A tracker that asks to wait longer is asked again then all the same."""
CLOCKS_DIFFER_S = 120.0
_CLIENTS: Mapping[Kind, type[GitHub] | type[Linear]] = {"github": GitHub, "linear": Linear}


@dataclass(frozen=True, slots=True)
class Synced:
    """What a pass over the trackers of a team did.

    Attributes:
        done: what was done, or would be.
        problems: by tracker, why it did not do all.
        busy: trackers that another process is speaking with.
        waiting: links that a later pass goes on with.
    """

    done: tuple[Done, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    busy: tuple[str, ...] = ()
    waiting: int = 0

    def count(self, what: str) -> int:
        """How often something was done."""
        return sum(each.what == what for each in self.done)


def client_of(tracker: Tracker, clock: Clock) -> TrackerClient:
    """A connection to a tracker, with the token of this process's environment.

    Raises:
        TrackerFault: a variable is not set.
    """
    try:
        base = secret_of(tracker.address_env) if tracker.address_env else ""
        return _CLIENTS[tracker.kind](tracker, secret_of(tracker.token_env), base, clock)
    except DeliveryError as error:
        raise TrackerFault("setting", str(error)) from None


def sync(
    database: Database,
    team: TeamTrackers,
    *,
    clock: Clock,
    options: TaskOptions = TaskOptions(),
    dry_run: bool = False,
    only: Collection[UUID] = (),
    by_hand: bool = False,
) -> Synced:
    """Make wished issues, carry states both ways, and say what there is to say; done again it does nothing twice.

    A fault of a tracker is stored, and never raised: what is left waits for a later pass.

    Args:
        dry_run: ask the trackers, and change nothing there or here.
        only: these links alone, and no rules.
        by_hand: ask a tracker that had a fault a short while ago, too; one that asked to wait is left alone.
    """
    done: list[Done] = []
    problems: dict[str, str] = {}
    busy: list[str] = []
    waiting = 0
    for tracker in team.enabled:
        health = healths_of(database, team.team_id).get(tracker.tracker, Health(tracker.tracker))
        now = clock()
        if health.retry_at > now and not (by_hand and health.word != "limited"):
            problems[tracker.tracker] = (
                f"{health.problem}; it is asked again after {health.retry_at:%Y-%m-%d %H:%M} UTC"
            )
            waiting += 1
            continue
        lease = (
            Lease(0, now + LONGEST_PAUSE) if dry_run else claim(database, team.team_id, tracker.tracker, health, now)
        )
        if lease is None:
            busy.append(tracker.tracker)
            continue
        work = _pass(database, team, tracker, lease, clock, options, dry_run, only)
        after = _passed(work, replace(health, turn=lease.turn), clock)
        if not dry_run:
            release(database, team.team_id, after)
        if after.problem:
            problems[tracker.tracker] = after.problem
            log.warning(f"team {team.team_id}: the tracker {tracker.tracker}: {after.problem}")
        done += work.done
        waiting += work.waiting
    return Synced(tuple(done), problems, tuple(busy), waiting)


def _pass(
    database: Database,
    team: TeamTrackers,
    tracker: Tracker,
    lease: Lease,
    clock: Clock,
    options: TaskOptions,
    dry_run: bool,
    only: Collection[UUID],
) -> Pass:
    """What is known when a process has the lease, not before."""
    links = links_of(database, team.team_id)
    subjects = Subjects(database, team.team_id, clock(), options)
    if not only:
        wished = wished_by_rules(team, tracker, links, subjects)
        if not dry_run:
            store_links(database, team.team_id, wished)
        links.links.update((each.link_id, each) for each in wished)
    return Pass(database, team.team_id, tracker, links, subjects, lease, clock, dry_run=dry_run, only=only)


def _passed(work: Pass, health: Health, clock: Clock) -> Health:
    """Do the pass; how the tracker answered."""
    if not work.chosen:
        return replace(health, passed_at=clock(), word="", problem="", failures=0, retry_at=NEVER)
    failures, pause = health.failures + 1, min(FIRST_PAUSE * 2 ** min(health.failures, 10), LONGEST_PAUSE)
    notice, offset = "", health.clock_offset_s
    try:
        with client_of(work.tracker, clock) as client:
            try:
                client.test()
                work.run(client)
            except LeaseOver:
                notice = "there is more to do than fits into one pass; the next one goes on"
            finally:
                offset = client.clock_offset_s
                notice = "; ".join(each for each in (client.notice, _clocks(offset), notice) if each)
    except Limited as error:
        found = (error.word, str(error), min(error.until, clock() + LONGEST_WAIT))
    except TrackerFault as error:
        found = (error.word, str(error), clock() + pause)
    except DatabaseError:
        raise
    # An answer that no client understands must not fail the run, nor the other trackers.
    except Exception as error:
        log.error("a tracker could not be asked: %s", fault_of(error))
        found = ("unexpected", f"unexpected: {type(error).__name__}", clock() + pause)
    else:
        found, failures = ("", "", NEVER), 0
    word, problem, retry_at = found
    return replace(
        health, passed_at=clock(), word=word, problem=problem, notice=notice, failures=failures, retry_at=retry_at,
        clock_offset_s=offset,
    )  # fmt: skip


def _clocks(offset_s: float) -> str:
    if abs(offset_s) < CLOCKS_DIFFER_S:
        return ""
    side = "before" if offset_s > 0 else "behind"
    return f"its clock is {abs(offset_s) / 60:.0f} minutes {side} ours; times are compared with that in mind"
