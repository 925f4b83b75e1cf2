"""Skips are data: one query answers "why is there nothing here".

A skip is replaced, never deleted: a partition that has a result now has the empty reason.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

from llma_assets.clickhouse import Database, RememberingDatabase
from llma_assets.ledger import queries
from llma_assets.models import BUDGET
from llma_assets.team_day import TeamDay


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a stage did nothing for a team, a day and a theme."""

    team_id: int
    day: date
    stage: str
    theme_id: str
    reason: str
    detail: str


def record_skip(database: Database, skip: Skip) -> None:
    """Store a skip; storing it twice writes nothing."""
    current = _current(database, skip.team_id, skip.day, skip.stage, skip.theme_id)
    if current == (skip.reason, skip.detail) or not (current or skip.reason):
        return
    database.insert_rows("skips", [asdict(skip)])


def replace_skips(database: Database, stage: str, first_day: date, last_day: date, skips: Sequence[Skip]) -> None:
    """Store these as the skips of a stage on these days, for all teams, and clear its others; writes what changes."""
    rows = database.rows(queries.SKIPS_OF_STAGE, stage=stage, first_day=first_day, last_day=last_day)
    current = {Skip(stage=stage, **row) for row in rows}
    keys = {(skip.team_id, skip.day, skip.theme_id) for skip in skips}
    cleared = [
        replace(skip, reason="", detail="")
        for skip in current
        if skip.reason and (skip.team_id, skip.day, skip.theme_id) not in keys
    ]
    database.insert_rows("skips", [asdict(skip) for skip in [*cleared, *skips] if skip not in current])


def clear_skip(
    database: Database, *, team_id: int, day: date, stage: str, theme_id: str = "", only: Collection[str] = ()
) -> None:
    """Clear a skip, because there is a result now; writes only if one is stored, with a reason of `only` if given."""
    current = _current(database, team_id, day, stage, theme_id)
    if current and current != ("", "") and (not only or current[0] in only):
        database.insert_rows("skips", [asdict(Skip(team_id, day, stage, theme_id, reason="", detail=""))])


def clear_skips(
    database: Database, team_day: TeamDay, *, stage: str, theme_ids: Collection[str], only: Collection[str]
) -> None:
    """Clear the skips of these themes that have a reason of `only`: a query for all, and a write if there are any."""
    cleared = [
        replace(skip, reason="", detail="")
        for skip in list_skips(database, day=team_day.day, team_id=team_day.team_id)
        if skip.stage == stage and skip.theme_id in theme_ids and skip.reason in only
    ]
    database.insert_rows("skips", [asdict(skip) for skip in cleared])


def _current(database: Database, team_id: int, day: date, stage: str, theme_id: str) -> tuple[str, str] | None:
    """Reason and detail of the stored skip, empty for a cleared one; None for none.

    All stages of a day ask the same, so that who remembers answers asks once.
    """
    if not database.may_hold("skips", team_id, day, day, part=stage):
        return None
    for row in database.rows(queries.CURRENT_SKIPS, team_id=team_id, day=day):
        if (row["stage"], row["theme_id"]) == (stage, theme_id):
            return row["reason"], row["detail"]
    return None


def note_deferred(
    database: Database, team_day: TeamDay, *, stage: str, theme_id: str, deferred: int, items: int, refusal: str
) -> int:
    """Record as a skip that items are deferred because the budget is used up; clear it if there are none.

    Args:
        deferred: how many of `items` are left for a later run.
        refusal: why calls were refused, "" if the budget was not the reason.

    Returns:
        the number of items deferred because of the budget.
    """
    if not (deferred and refusal):
        clear_skip(database, team_id=team_day.team_id, day=team_day.day, stage=stage, theme_id=theme_id)
        return 0
    detail = f"{deferred} of {items} items deferred; the next run takes them up if there is money left: {refusal}"
    record_skip(database, Skip(team_day.team_id, team_day.day, stage, theme_id, BUDGET, detail))
    return deferred


def list_skips(database: Database, *, day: date, team_id: int | None = None) -> list[Skip]:
    """The skips of a day: of one team, or of all teams (operators only)."""
    if team_id is None:
        rows = database.rows(queries.SKIPS_OF_DAY, day=day)
    elif database.may_hold("skips", team_id, day, day):
        rows = database.rows(queries.SKIPS_OF_TEAMS_AND_DAY, day=day, team_ids=[team_id])
    else:
        rows = []
    return [Skip(**row) for row in rows]


def ask_skips_of(database: RememberingDatabase, team_ids: Collection[int], day: date) -> None:
    """Ask for the skips of a day of several teams at once: those of each are known then."""
    database.ask_together(queries.SKIPS_OF_TEAMS_AND_DAY, team_ids, day=day)


def skips_of_window(database: Database, team_id: int, first_day: date, last_day: date) -> list[Skip]:
    """The skips of a team on these days, by day."""
    if not database.may_hold("skips", team_id, first_day, last_day):
        return []
    rows = database.rows(queries.SKIPS_OF_TEAM_AND_DAYS, team_id=team_id, **{"from": first_day, "until": last_day})
    return [Skip(**row) for row in rows]
