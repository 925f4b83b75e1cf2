"""Stores results as they come, in small batches.

Which items are summarised, and the counts over all of them, belong in `theme_run`.
"""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.isolation import fault_of
from llma_assets.ledger import UsageLedger
from llma_assets.summaries.dead_letters import record_failures
from llma_assets.summaries.pending import Pending
from llma_assets.summaries.task import SummaryResult, unusable
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

ROWS_AT_ONCE = 50
LONGEST_WAIT_S = 0.25
"""Results are stored at the latest when the next one comes after this time."""


class Writer:
    """Stores results in small batches, and counts them.

    A result waits for a quarter of a second at most while others come. A process that is killed loses the answers of
    that time, which are no more than the calls under way where a call takes longer.
    """

    def __init__(
        self,
        database: Database,
        team_day: TeamDay,
        theme: Theme,
        work: Pending,
        ledger: UsageLedger,
        *,
        run_id: str,
    ) -> None:
        self.counts: Counter[str] = Counter(answered_no=0)
        self.reasons: Counter[str] = Counter()  # of deferred items
        self.failures: Counter[str] = Counter()
        self._database = database
        self._team_day = team_day
        self._theme = theme
        self._common = columns_of(team_day, theme)
        self._work = work
        self._ledger = ledger
        self._run_id = run_id
        self._waiting: list[tuple[SummaryResult, Mapping[str, Any]]] = []
        self._stored_at = time.monotonic()

    @property
    def finished(self) -> int:
        """Number of items with a result, stored or waiting."""
        return self.counts["generated"] + self.counts["failed"]

    def add(self, result: SummaryResult) -> None:
        """Add a result, once for each item with the same question."""
        question = self._work.items[result.item_id]["question_hash"]
        for item_id in self._work.questions[question]:
            each = replace(result, item_id=item_id)
            try:
                row = _row(each, self._work.items[item_id], self._common)
            except Exception as error:  # an answer that cannot be stored fails its item alone
                each = unusable(each, fault_of(error))
                row = _row(each, self._work.items[item_id], self._common)
            self.counts[each.status] += 1
            self.counts["answered_no"] += not each.relevant
            self.counts["line_refs"] += each.refs_total
            self.counts["line_refs_valid"] += each.refs_valid
            if each.status == "undone":
                self.reasons[each.error] += 1
            else:
                self.failures.update([each.error] if each.status == "failed" else [])
                self._waiting.append((each, row))
        if len(self._waiting) >= ROWS_AT_ONCE or time.monotonic() - self._stored_at >= LONGEST_WAIT_S:
            self.flush()

    def flush(self) -> None:
        """Store the waiting results; can be repeated after an error."""
        # Usage first: spending is recorded even if the process ends before the next line.
        self._ledger.flush()
        results = [result for result, _ in self._waiting]
        self._database.insert_rows("trace_summaries", [row for _, row in self._waiting])
        record_failures(self._database, self._team_day, self._theme.theme_id, self._run_id, results, self._work.items)
        self._waiting = []
        self._stored_at = time.monotonic()

    def store_remaining(self, results: Iterable[SummaryResult]) -> None:
        """Store the waiting and the remaining results after an error; errors of storing do not hide that error."""
        with suppress(Exception):
            for result in results:
                self.add(result)
        with suppress(Exception):
            self.flush()


def columns_of(team_day: TeamDay, theme: Theme) -> dict[str, Any]:
    """The columns that all rows of a theme and day have in common."""
    return {
        "team_id": team_day.team_id,
        "day": team_day.day,
        "theme_id": theme.theme_id,
        "theme_version": theme.version,
        "level": theme.level,
        "batch_run_id": f"team_{team_day.team_id}_{team_day.start:%Y-%m-%dT%H:%M:%SZ}",
    }


def _row(result: SummaryResult, item: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    def points(of: Sequence[Any]) -> str:
        return orjson.dumps([{"text": point.text, "line_refs": point.line_refs} for point in of]).decode()

    return {
        **_item_columns(item, common),
        "status": result.status,
        "error": result.error,
        "model": result.model,
        "mode": result.mode,
        "title": result.title,
        "flow_diagram": result.flow_diagram,
        "bullets": points(result.bullets),
        "interesting_notes": points(result.interesting_notes),
        "refs_total": result.refs_total,
        "refs_valid": result.refs_valid,
        "relevant": result.relevant,
    }


def copied_row(answer: Mapping[str, Any], item: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    """The row of an item whose question is answered already, for another item, theme or day; see `columns_of`."""
    return {**_item_columns(item, common), "status": "generated", "error": "", **answer}


def _item_columns(item: Mapping[str, Any], common: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row that do not come from the model."""
    return {
        **common,
        "item_id": item["item_id"],
        "trace_id": item["trace_id"],
        "generation_id": item["generation_id"],
        "content_hash": item["content_hash"],
        "question_hash": item["question_hash"],
        "text_hash": item["text_hash"],
        "text_length": item["text_length"],
        "event_count": item["event_count"],
        "trace_timestamp": item["trace_timestamp"],
    }
