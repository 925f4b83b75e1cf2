"""The check of `eligible_teams`: no team is eligible because of events that the pipeline wrote."""

from collections.abc import Iterator
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.discovery.eligible_teams import stored_decisions
from llma_assets.discovery.queries import TRIGGER_EVENTS_OF_TEAM
from llma_assets.findings import Check, Outcome
from llma_assets.team_day import TeamDay, midnight
from llma_assets.trace_events import TRIGGER_EVENTS


def own_events_do_not_count(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """No team is eligible whose only events in the window are the pipeline's own."""
    for decision in stored_decisions(database, team_day.day):
        if decision.team_id != team_day.team_id or not decision.eligible:
            continue
        (row,) = database.rows(
            TRIGGER_EVENTS_OF_TEAM,
            team_id=team_day.team_id,
            start=midnight(decision.first_day),
            end=team_day.end,
            trigger_events=list(TRIGGER_EVENTS),
        )
        found = row["events"]
        yield Outcome(
            passed=found > 0,
            expected="at least 1 event that a customer sent",
            found=f"{found} such events, reason {decision.reason}",
            query=TRIGGER_EVENTS_OF_TEAM,
        )


def decided_teams(database: Database, day: date) -> list[TeamDay]:
    """The teams with a decision of discovery on a day."""
    return [TeamDay(decision.team_id, day) for decision in stored_decisions(database, day)]


CHECKS = (Check("eligible_teams", own_events_do_not_count, blocking=True),)
