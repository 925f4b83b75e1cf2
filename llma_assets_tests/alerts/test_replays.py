"""Tasks of session replays that regress are told of, once, by a rule that names no themes."""

from datetime import UTC, datetime, time, timedelta

import pytest

from llma_assets.alerts import Document, Rule, alerts_of, apply, due_days, evaluate, incidents, preview
from llma_assets.clickhouse import Database
from llma_assets.tasks import close_task
from llma_assets.team_day import TeamDay
from llma_assets.testing.segments import similar_segments, write_segments
from llma_assets_tests.alerts.planted import MINE, OTHER
from llma_assets_tests.alerts.test_day import OPS
from llma_assets_tests.tasks.passing import a_pass, tasks

DAY = timedelta(days=1)
MONDAY = datetime.combine(datetime.now(UTC).date() - 4 * DAY, time(12), UTC)
"""A day so long ago that the third after it was yesterday: what came in when is stored by the clock."""

RULE = Rule("regressed", "regressed", min_traces=3, min_users=2, channels=("ops",))


def comes_back(database: Database, team_id: int, *, closed: bool) -> None:
    """A task of Monday; where it was closed on Tuesday, the segments of Wednesday make it regressed on Thursday."""
    write_segments(database, similar_segments("a", 0, team_id=team_id, start=MONDAY))
    a_pass(database, MONDAY + DAY, team_id=team_id)
    if closed:
        (task,) = tasks(database, MONDAY + DAY, team_id)
        close_task(database, team_id, task, by="anna", now=MONDAY + DAY)
    write_segments(database, similar_segments("again", 0, team_id=team_id, start=MONDAY + 2 * DAY))
    a_pass(database, MONDAY + 3 * DAY, team_id=team_id)


def test_a_task_of_session_replays_that_comes_back_is_told_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLMA_ALERTS_PAGES_URL", "https://pages.example")
    comes_back(database, MINE, closed=True)
    comes_back(database, OTHER, closed=False)
    for team_id in (MINE, OTHER):
        apply(database, team_id, Document((OPS,), (RULE,)), "ada", prune=True)
    thursday = (MONDAY + 3 * DAY).date()
    assert [each for each, _ in due_days(database, datetime.now(UTC) + timedelta(minutes=11))] == [
        TeamDay(MINE, thursday)
    ]
    told = []
    for day in (MONDAY + 2 * DAY, MONDAY + 3 * DAY, MONDAY + 4 * DAY):
        for team_id in (MINE, OTHER):
            team_day = TeamDay(team_id, day.date())
            now = team_day.end + timedelta(hours=2)
            found = evaluate(database, team_day, alerts_of(database, team_id), now=now)
            told += [(day.date(), message) for _, message, _ in found.messages]
    ((on, message),) = told
    (task,) = tasks(database, MONDAY + 4 * DAY)
    assert (on, message.event, message.lineage_id) == (thursday, "opened", task.task_id)
    assert message.headline == f"regressed: {task.title}"
    assert message.facts[0] == f"6 occurrences in seven days up to {thursday}."
    assert message.page == f"https://pages.example/teams/1/tasks/{task.task_id}"
    assert [(each.subject, each.is_open) for each in incidents(database, MINE)] == [(task.task_id, True)]
    assert incidents(database, OTHER) == []
    quiet = evaluate(
        database, TeamDay(MINE, thursday + 8 * DAY), alerts_of(database, MINE), now=MONDAY + 12 * DAY, dry_run=True
    )
    assert [(each.verdict, each.reason) for each, _ in quiet.decisions] == [("closed", "it is absent again")]
    days = preview(database, TeamDay(MINE, thursday + DAY), RULE, 7)
    assert [(each.day, [change.verdict for change in each.decisions]) for each in days] == [(thursday, ["opened"])]
    of_theme = Rule("regressed", "regressed", themes=("traces",))
    assert preview(database, TeamDay(MINE, thursday), of_theme, 7) == []
