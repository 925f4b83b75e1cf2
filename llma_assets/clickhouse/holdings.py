"""Which days of a team tables hold rows of: asked once, and kept up by what this process writes.

Most of what a stage looks for before it writes is not there: a new day has no stored rows, and no later day has any.
Which tables are asked about belongs in `reports.holdings`.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from llma_assets.clickhouse.writes import ANY_TABLE


class DayColumns(NamedTuple):
    """How rows of a table are told apart.

    Attributes:
        day: the column of their day, or of their moment.
        part: the column that parts a day, "" for none.
        is_whole: whether it is asked about all days, because it has few rows of each.
    """

    day: str
    part: str
    is_whole: bool = False


class Holdings:
    """What tables hold of some teams from a day on; for several threads.

    It says that nothing is there only if nothing was when it was asked, and this process has written nothing since.
    What other processes write meanwhile is seen when its time is over, as with all answers between writes.

    Args:
        columns: of each table that it is asked about.
        seconds: how long it is believed.
    """

    def __init__(self, columns: Mapping[str, DayColumns], *, seconds: float) -> None:
        self._columns = columns
        self._seconds = seconds
        self._asked: dict[int, tuple[date, float]] = {}
        self._held: dict[tuple[str, int], set[tuple[date, str]]] = {}
        self._lock = threading.Lock()

    def knows(self, team_id: int, first_day: date) -> bool:
        """Whether it was asked about a team, from that day or an earlier one on, and is believed still."""
        since, asked_at = self._asked.get(team_id, (date.max, 0.0))
        return since <= first_day and time.monotonic() - asked_at < self._seconds

    def learn(self, team_id: int, since: date, rows: Iterable[Mapping[str, Any]]) -> None:
        """Keep what was asked about a team.

        Args:
            since: the first day that was asked about.
            rows: `table`, `day` and `part` of all rows from that day on, each once.
        """
        with self._lock:
            for table in self._columns:
                self._held[table, team_id] = set()
            for row in rows:
                self._held[row["table"], team_id].add((row["day"], row["part"]))
            self._asked[team_id] = since, time.monotonic()

    def may_hold(self, table: str, team_id: int, part: str | None, first: date, last: date) -> bool:
        """Whether a table may hold rows of these days, both included; True where that is not known."""
        with self._lock:
            since = date.max if self._columns[table].is_whole else first
            return not self.knows(team_id, since) or any(
                first <= day <= last and part in (None, its_part) for day, its_part in self._held[table, team_id]
            )

    def wrote(self, table: str, rows: Iterable[Mapping[str, Any]] | None) -> None:
        """Count rows that are about to be written; None if they are not known, and nothing is believed any more.

        Args:
            table: `ANY_TABLE` if that is not known either.
        """
        with self._lock:
            if rows is None:
                if table == ANY_TABLE or table in self._columns:
                    self._asked.clear()
            elif columns := self._columns.get(table):
                for row in rows:
                    if (held := self._held.get((table, row["team_id"]))) is not None:
                        held.add(_day_and_part(row, columns))


def _day_and_part(row: Mapping[str, Any], columns: DayColumns) -> tuple[date, str]:
    moment = row[columns.day]
    return moment.date() if isinstance(moment, datetime) else moment, str(row[columns.part]) if columns.part else ""
