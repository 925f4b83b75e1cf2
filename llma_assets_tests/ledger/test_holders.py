"""What was set aside by processes that are gone: free again, but for what their calls under way can have cost."""

import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from llma_assets.clickhouse import Database
from llma_assets.ledger import DailyBudget, release_hold, spending
from llma_assets.ledger.charges import LEASE_S
from llma_assets.ledger.holders import Holder, state_of, this_process
from llma_assets.models import BudgetExhausted
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets_tests.cli.conftest import Answer, Llma, llma, llma_json

__all__ = ["llma", "llma_json"]  # fixtures of the command line's tests

DAY = date(2026, 11, 7)
TEAM, OTHER = TeamDay(1, DAY), TeamDay(2, DAY)
MODEL = "gpt-4.1-nano"
ELSEWHERE = "another-machine 5a3b pid:[7]"

KILLED = """
import os, signal, sys
from datetime import date
from llma_assets.clickhouse import connect
from llma_assets.ledger import DailyBudget
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay

for _ in range(int(sys.argv[1])):
    child = os.fork()
    if not child:
        budget = DailyBudget(connect(Settings.from_env()), TeamDay(1, date(2026, 11, 7)), stage="x", limit_usd=0.30)
        for _ in range(3):
            budget.hold("gpt-4.1-nano", 0.0016).settle(0.0)  # refused calls cost nothing
        budget.hold("gpt-4.1-nano", 0.0016)
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""


def today() -> date:
    return datetime.now(UTC).date()


def budget(database: Database, limit_usd: float, team_day: TeamDay = TEAM, **options: Any) -> DailyBudget:
    return DailyBudget(database, team_day, stage="x", limit_usd=limit_usd, max_wait_s=0.0, **options)


def hold_row(
    database: Database, *, machine: str = "", age_s: float = 0.0, held: float = 0.5, at_risk: float = 0.1, **own: Any
) -> uuid.UUID:
    """Money that some process set aside so long ago."""
    hold_id = uuid.uuid4()
    row = {
        "team_id": 1,
        "day": DAY,
        "spent_on": today(),
        "hold_id": hold_id,
        "stage": "x",
        "held_usd": held,
        "limit_usd": 1.0,
        "version": 1,
        "machine": machine,
        "at_risk_usd": at_risk,
        "inserted_at": datetime.now(UTC) - timedelta(seconds=age_s),
        **own,
    }
    database.insert_rows("budget_holds", [row])
    return hold_id


def counted(database: Database, team_day: TeamDay = TEAM, on: date | None = None) -> tuple[float, float]:
    """What is held, and what may have been paid by the dead."""
    spent = spending(database, team_day, on or today())
    return round(spent.held_of_day, 6), round(spent.lost_of_day, 6)


@pytest.mark.parametrize("kills", [3, pytest.param(18, marks=pytest.mark.exhaustive)])
def test_many_kills_leave_the_budget_usable(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, kills: int
) -> None:
    """At a budget of 0.30 they blocked the day, with nothing spent."""
    monkeypatch.setenv("CLICKHOUSE_URL", str(settings.clickhouse_url))
    ran = subprocess.run([sys.executable, "-c", KILLED, str(kills)], capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    assert database.value("SELECT count() FROM budget_holds FINAL WHERE held_usd > 0") == kills
    assert counted(database) == (0.0, pytest.approx(kills * 0.0016))
    assert counted(database, on=date(2027, 1, 1)) == (0.0, pytest.approx(kills * 0.0016))  # of this day's traces still
    assert counted(database, OTHER) == (0.0, 0.0)
    budget(database, 0.30).hold(MODEL, 0.26)
    with pytest.raises(BudgetExhausted, match=r"may have been, by calls that were under way when their run was killed"):
        budget(database, 0.30).hold(MODEL, 0.30)


@pytest.mark.process
def test_a_process_that_is_at_work_is_alive_and_one_that_has_ended_is_dead() -> None:
    own = this_process()
    assert state_of(own) == "alive"
    assert state_of(Holder(own.machine, own.pid, own.pid_started + 1)) == "dead"  # its number was given again
    assert state_of(Holder(ELSEWHERE, own.pid, own.pid_started)) == "unknown"
    assert state_of(Holder()) == "unknown"
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    seen = Holder(own.machine, child.pid, int(_started(child.pid)))
    assert state_of(seen) == "alive"
    child.kill()
    child.communicate()
    assert state_of(seen) == "dead"


def _started(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[19]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"machine": ELSEWHERE}, (0.5, 0.0)),
        ({"machine": ELSEWHERE, "age_s": LEASE_S + 60}, (0.0, 0.1)),
        ({"machine": ELSEWHERE, "age_s": LEASE_S + 60, "at_risk": 0.0}, (0.0, 0.0)),
        ({"age_s": 60.0, "at_risk": 0.0}, (0.5, 0.0)),  # as it was stored before holds had a holder
        ({"age_s": LEASE_S + 60, "at_risk": 0.0}, (0.0, 0.0)),
    ],
)
def test_what_another_machine_holds_counts_until_nothing_was_heard_of_it_for_a_while(
    database: Database, row: dict[str, Any], expected: tuple[float, float]
) -> None:
    hold_row(database, **row)
    assert counted(database) == expected
    assert counted(database, OTHER) == (0.0, 0.0)


def test_what_is_set_aside_for_a_batch_counts_until_it_is_closed_whoever_made_it(database: Database) -> None:
    group = uuid.uuid4()
    batches = budget(database, 1.0, new_id=lambda: group, is_of_batch=True)
    batches.hold(MODEL, 0.4)
    batches.close()
    row = database.rows("SELECT * EXCEPT inserted_at FROM budget_holds FINAL")[0]
    assert (row["machine"], row["pid"]) == ("", 0)
    aged = {**row, "version": row["version"] + 1, "inserted_at": datetime.now(UTC) - timedelta(days=2)}
    database.insert_rows("budget_holds", [aged])
    batch = {
        "team_id": 1,
        "day": DAY,
        "theme_id": "traces",
        "batch_key": uuid.uuid4(),
        "group_id": group,
        "state": "submitted",
        "reason": "",
        "server": "s",
        "batch_id": "b",
        "model": "m",
        "questions": ["q"],
        "intended_at": datetime.now(UTC),
    }
    assert counted(database) == (0.0, 0.0)  # nothing was made of it
    database.insert_rows("summary_batches", [batch])
    assert counted(database) == (0.4, 0.0)
    release_hold(database, TEAM, group)
    assert counted(database) == (0.0, 0.0)


def test_a_process_that_was_silent_for_long_asks_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may have counted its money as free, and spent it."""
    sleeper = budget(database, 1.0)
    sleeper.hold(MODEL, 0.4).settle(0.0)
    hold_row(database, machine=ELSEWHERE, held=0.9, at_risk=0.9)
    monkeypatch.setattr("llma_assets.ledger.budget.RENEWAL_S", -1.0)
    with pytest.raises(BudgetExhausted):
        sleeper.hold(MODEL, 0.2)
    sleeper.hold(MODEL, 0.05)


def test_the_sum_of_a_refusal_adds_up(database: Database) -> None:
    hold_row(database, machine=ELSEWHERE, held=0.2)
    hold_row(database, machine=ELSEWHERE, held=0.5, at_risk=0.13, age_s=LEASE_S + 60)
    purse = budget(database, 1.0)
    purse.hold(MODEL, 0.3).settle(0.25)
    with pytest.raises(BudgetExhausted) as raised:
        purse.hold(MODEL, 0.5)
    numbers = [float(number) for number in re.findall(r"\d\.\d{4}", str(raised.value))]
    limit, *parts, total = numbers
    assert limit == 1.0
    assert parts == [0.0, 0.13, 0.45, 0.5]
    assert total == pytest.approx(sum(parts)) == 1.08


def test_the_usage_command_shows_what_the_dead_may_have_paid(
    database: Database, llma: Llma, llma_json: Callable[..., Answer], settings: Settings
) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "teams.toml").write_text("[teams.1]\ndaily_budget_usd = 1.0\n")
    hold_row(database, machine=ELSEWHERE, at_risk=0.13, age_s=LEASE_S + 60)
    document = llma_json("usage", "--team", "1", "--date", str(DAY)).document
    assert document["budget"]["lost_of_day"] == pytest.approx(0.13)
    assert document["budget"]["held_of_day"] == 0.0
    assert "up to 0.1300 for calls under way" in llma("usage", "--team", "1", "--date", str(DAY)).output
