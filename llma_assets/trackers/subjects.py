"""Tasks and clusters as trackers see them: what they are called, how bad they are, and in which state."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from llma_assets.alerts import PAGES_VARIABLE
from llma_assets.clickhouse import Database
from llma_assets.clusters import (
    FEW_USERS_TITLE,
    NOTHING,
    Action,
    Edit,
    Lineage,
    Standing,
    after,
    counted_as,
    decide_about,
    edits_of,
    lineages_of,
)
from llma_assets.insights import lineage_rates
from llma_assets.reports import Verification, first_whole_day, item_page, verify_lineage, verify_task
from llma_assets.tasks import (
    Task,
    TaskOptions,
    close_task,
    ignore_task,
    list_tasks,
    priority,
    reopen_task,
    task_history,
)
from llma_assets.team_day import TeamDay
from llma_assets.trackers.ended import ended_lineages, split_off
from llma_assets.trackers.links import NEVER, LinkState
from llma_assets.trackers.queries import LAST_CLUSTERS
from llma_assets.trackers.setting import About, Here, Tracker

WINDOW = timedelta(days=14)
"""Runs of so many days are looked through for the last one of a theme."""
BACK_AFTER = 3
"""A cluster whose issue was closed is back where it has traces again after so many whole days without one."""
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """A task or a cluster.

    Attributes:
        about, subject: what it is; of one that was merged, what it is part of now.
        theme_id: of a cluster.
        title: as people see it; of a cluster of few users no word of it.
        description: text of traces.
        users, count: different users and segments of a task's life, or of the window of a cluster's last run.
        priority: at the time of reading.
        status: of a task.
        first_seen, last_seen: None where unknown.
        parts: ids of what was merged into it.
        is_shown: whether its examples may be shown.
        page: link to it, "" where nobody set one.
    """

    about: About
    subject: str
    title: str
    theme_id: str = ""
    description: str = ""
    users: int = 0
    count: int = 0
    priority: float = 0.0
    status: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    parts: tuple[str, ...] = ()
    is_shown: bool = True
    page: str = ""


@dataclass(frozen=True, slots=True)
class Standpoint:
    """In which state a subject is, and how it came there.

    Attributes:
        at: since when; None where it is so from the beginning.
        by, note: who decided, and what they wrote; "" for the pipeline.
        is_regression: it came back after it was resolved.
        is_quiet: it is resolved because it was not seen.
        closed_at: when somebody closed it last, also where it came back since; None where nobody did, or somebody
            opened it again.
    """

    state: Here
    at: datetime | None = None
    by: str = ""
    note: str = ""
    is_regression: bool = False
    is_quiet: bool = False
    closed_at: datetime | None = None


@dataclass
class Subjects:
    """The tasks and clusters of a team, read when they are needed and kept for one pass."""

    database: Database
    team_id: int
    now: datetime
    options: TaskOptions = field(default_factory=TaskOptions)

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """Tasks by id."""
        return {each.task_id: each for each in self._tasks()}

    def _tasks(self) -> Sequence[Task]:
        return list_tasks(self.database, self.team_id, now=self.now, options=self.options)

    @cached_property
    def lineages(self) -> dict[str, Lineage]:
        """Lineages that any run has, by id."""
        return {each.lineage_id: each for each in lineages_of(self.database, self.team_id)}

    @cached_property
    def edits(self) -> Sequence[Edit]:
        """What people decided about clusters."""
        return edits_of(self.database, self.team_id)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """What these decisions come to."""
        found: dict[str, Standing] = {}
        for each in self.edits:
            found[each.lineage_id] = after(found.get(each.lineage_id, NOTHING), each)
        return found

    @cached_property
    def ended(self) -> Mapping[str, str]:
        """By a lineage that ended within another, that one."""
        return ended_lineages(self.database, self.team_id, self.now.date(), self.lineages)

    @cached_property
    def _split_off(self) -> Mapping[str, Mapping[str, date]]:
        return split_off(self.database, self.team_id, self.now.date())

    def parts_since(self, subject: Subject, since: date) -> list[tuple[Subject, date]]:
        """Clusters that runs split off a cluster from a day on, each with its day; none that is part of it again."""
        found = []
        for lineage_id, day in self._split_off.get(subject.subject, {}).items() if subject.about == "cluster" else ():
            part = self.get("cluster", lineage_id) if day >= since else None
            if part and part.subject == lineage_id:
                found.append((part, day))
        return found

    @cached_property
    def last_clusters(self) -> dict[str, Mapping[str, Any]]:
        """Clusters of each theme's last run that may be shown in full, by lineage."""
        until = self.now.date()
        days = {"from": until - WINDOW, "until": until, "texts_from": until - 3 * WINDOW}
        rows = self.database.rows(LAST_CLUSTERS, team_id=self.team_id, **days)
        return {row["lineage_id"]: row for row in rows}

    def get(self, about: str, subject: str) -> Subject | None:
        """A task or a cluster, or what it is part of by now; None where the team has none of it."""
        if about == "task":
            for each in self.tasks.values():
                if subject == each.task_id or subject in each.merged:
                    return self._of_task(each)
            return None
        lineage = self.lineages.get(self.counted(subject))
        return self._of_lineage(lineage) if lineage else None

    def counted(self, lineage_id: str) -> str:
        """The lineage that one is counted with, by people's merges and by those that runs found."""
        seen = [lineage_id]
        while True:
            into = counted_as(seen[-1], self.standings)
            into = self.ended.get(into, into)
            if into in seen:
                return into
            seen.append(into)

    def of_kind(self, about: About, themes: Sequence[str] = ()) -> list[Subject]:
        """Open tasks, or clusters that a last run has, the most urgent first."""
        if about == "task":
            tasks = [each for each in self.tasks.values() if each.status in ("new", "ongoing", "regressed")]
            return [self._of_task(each) for each in tasks]
        found = [
            self._of_lineage(lineage)
            for lineage_id, row in self.last_clusters.items()
            if (not themes or row["theme_id"] in themes)
            and self.counted(lineage_id) == lineage_id
            and not self.standings.get(lineage_id, NOTHING).hidden
            and (lineage := self.lineages.get(lineage_id))
        ]
        return sorted(found, key=lambda each: (-each.priority, each.subject))

    def standpoint(self, subject: Subject, tracker: Tracker, state: LinkState) -> Standpoint:
        """In which state a subject is."""
        return self._task_state(subject, tracker) if subject.about == "task" else self._cluster_state(subject, state)

    def bring(self, subject: Subject, here: Here, by: str, note: str, at: datetime) -> None:
        """Bring a task into a state, or hide or show a cluster; nothing where it is so already."""
        if subject.about == "task":
            task = self.tasks[subject.subject]
            if here == "open" and task.status in ("resolved", "ignored"):
                reopen_task(self.database, self.team_id, task, by=by, now=at, note=note)
            elif here == "resolved" and task.status != "resolved":
                close_task(self.database, self.team_id, task, by=by, now=at, note=note)
            elif here == "ignored" and task.status != "ignored":
                ignore_task(self.database, self.team_id, task, by=by, now=at, note=note)
            return
        is_hidden = self.standings.get(subject.subject, NOTHING).hidden
        if is_hidden != (here == "ignored"):
            action: Action = "hide" if here == "ignored" else "unhide"
            decide_about(self.database, self.team_id, action, [subject.subject], author=by, at=at)

    def verified(self, subject: Subject, since: datetime) -> Verification:
        """Whether it became rarer since it was closed."""
        because = "it was closed"
        if subject.about == "task":
            return verify_task(self.database, self.team_id, self.tasks[subject.subject], since, because)
        return verify_lineage(self.database, self.team_id, subject.subject, since, because)

    def examples(self, subject: Subject) -> list[str]:
        """Titles of the most typical traces of a cluster; none of what is withheld."""
        row = self.last_clusters.get(subject.subject)
        if subject.about == "task" or row is None:
            return []
        team_day = TeamDay(self.team_id, row["run_day"])
        page = item_page(
            self.database, team_day, subject.theme_id, lineage_id=subject.subject, sort="typical", limit=EXAMPLES
        )
        return [each.title or each.trace_id for each in page.items] if page else []

    def _task_state(self, subject: Subject, tracker: Tracker) -> Standpoint:
        task = self.tasks[subject.subject]
        rows = [
            row for row in task_history(self.database, self.team_id, task)
            if row["status"] and row["task_id"] == task.task_id
        ]  # fmt: skip
        last = rows[-1] if rows else None
        closed_at = None
        for row in rows:
            if row["change"] in ("closed", "reopened", "ignored"):
                closed_at = row["changed_at"] if row["change"] == "closed" else None
        by = "" if last is None or last["changed_by"] == "pipeline" else last["changed_by"]
        if task.status == "resolved" and (last is None or last["status"] != "resolved"):
            at = min(self.now, task.last_seen + self.options.quiet)
            state: Here = "resolved" if tracker.close_quiet else "open"
            return Standpoint(state, at, is_quiet=True, closed_at=closed_at)
        states: Mapping[str, Here] = {"resolved": "resolved", "ignored": "ignored"}
        state = states.get(task.status, "open")
        if last is None:
            return Standpoint(state)
        note = last["detail"] if by else ""
        is_back = last["status"] == "regressed"
        return Standpoint(state, last["changed_at"], by, note, is_regression=is_back, closed_at=closed_at)

    def _cluster_state(self, subject: Subject, state: LinkState) -> Standpoint:
        ids = {subject.subject, *subject.parts}
        last = next(
            (each for each in reversed(self.edits) if each.lineage_id in ids and each.action in ("hide", "unhide")),
            None,
        )
        if last and last.action == "hide":
            return Standpoint("ignored", last.edited_at, last.author)
        closed_at = None if state.standing_at == NEVER else state.standing_at
        if state.standing != "resolved":
            by = last.author if last else ""
            return Standpoint("open", last.edited_at if last else None, by, closed_at=closed_at)
        if last and last.edited_at > state.standing_at:
            return Standpoint("open", last.edited_at, last.author)
        if back := self._back(subject, state.standing_at):
            return Standpoint("open", back, is_regression=True, closed_at=closed_at)
        return Standpoint("resolved", state.standing_at, closed_at=closed_at)

    def _back(self, subject: Subject, since: datetime) -> datetime | None:
        """When a cluster came back after some whole days without a trace."""
        lineage = self.lineages[subject.subject]
        first = first_whole_day(since)
        if lineage.last_day < first + timedelta(days=BACK_AFTER):
            return None
        ids = {subject.subject, *subject.parts}
        rates = lineage_rates(self.database, self.team_id, subject.theme_id, ids, first, self.now.date())
        without = 0
        for each in rates.traces:
            if each.hits and without >= BACK_AFTER:
                return datetime.combine(each.day, time(), UTC)
            without = 0 if each.hits else without + (each.whole > 0)
        return None

    def _of_task(self, task: Task) -> Subject:
        return Subject(
            "task", task.task_id, task.title, "", task.description, task.user_count, task.occurrence_count,
            task.priority, task.status, task.first_seen, task.last_seen, task.merged,
            page=_page(f"/teams/{self.team_id}/tasks/{task.task_id}"),
        )  # fmt: skip

    def _of_lineage(self, lineage: Lineage) -> Subject:
        row = self.last_clusters.get(lineage.lineage_id)
        given = self.standings.get(lineage.lineage_id, NOTHING).title
        last_seen = datetime.combine(row["last_seen"] if row else lineage.last_day, time(12), UTC)
        users = row["users"] if row else 0
        urgency = priority(
            users=users, mean_impact=row["error_rate"] if row else 0.0, last_seen=last_seen, now=self.now
        )
        parts = [each for each in (*self.standings, *self.ended) if self.counted(each) == lineage.lineage_id]
        query = f"theme={quote(lineage.theme_id)}&date={lineage.last_day}"
        return Subject(
            "cluster", lineage.lineage_id, given or lineage.title or FEW_USERS_TITLE, lineage.theme_id,
            users=users,
            count=row["items"] if row else lineage.size,
            priority=urgency,
            first_seen=datetime.combine(lineage.first_day, time(), UTC),
            last_seen=last_seen,
            parts=tuple(each for each in parts if each != lineage.lineage_id),
            is_shown=row is not None,
            page=_page(f"/teams/{self.team_id}/clusters/{quote(lineage.lineage_id, safe='')}?{query}"),
        )  # fmt: skip


def _page(path: str) -> str:
    base = os.environ.get(PAGES_VARIABLE, "").strip().rstrip("/")
    return base + path if base else ""
