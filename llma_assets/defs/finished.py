"""Whether a run group has anything to do: not where its last run left nothing, and nothing has changed since.

The digest of all that counts belongs in `reports.run_state`, how a group is run in `runner.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from llma_assets.clock import utc_now
from llma_assets.ledger import is_finished, record_finished
from llma_assets.reports import RunState, run_state
from llma_assets.themes import Theme

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.team_day import TeamDay

OPEN_WORK = ("_failed", "_undone", "_waiting", "names_untested", "unanswered")
"""Ends of names of counters whose items a later run takes up again."""

MADE_ANEW = "s_made_anew"
"""Ends of names of counters of texts that were stored and made again."""


class GroupState:
    """The state of a run group's rows, looked at before, within and after its run."""

    def __init__(
        self,
        database: "Database",
        team_day: "TeamDay",
        run_group: str,
        first_day: date,
        themes: Sequence[Theme],
        made_with: str,
    ) -> None:
        """
        Args:
            themes: of the group, and those that they depend on.
            made_with: digest of all else that decides what a run does; "" to remember nothing.
        """
        self._database = database
        self._team_day = team_day
        self._run_group = run_group
        self._first_day = first_day
        self._themes = themes
        self._made_with = made_with

    def read(self, *, clusters: bool = True) -> RunState | None:
        """The state now; None if nothing is remembered about the group.

        Args:
            clusters: False leaves their digest out.
        """
        if not self._made_with:
            return None
        return run_state(self._database, self._team_day, self._first_day, themes=self._themes, clusters=clusters)

    def is_finished(self, state: RunState | None) -> bool:
        """Whether a run that finds this state has nothing to do."""
        if state is None or state.is_due(utc_now()):
            return False
        return is_finished(self._database, self._team_day, self._run_group, state.digest(self._made_with))

    def record(self, events: str | None, summarised: RunState | None) -> None:
        """Remember that nothing is left to do, unless another process has changed something since it was read.

        Args:
            events: the digest of the events before any text was made.
            summarised: the state before clustering began, without clusters.
        """
        state = self.read()
        if state is None or summarised is None or (state.events, state.texts) != (events, summarised.texts):
            return
        record_finished(self._database, self._team_day, self._run_group, state.digest(self._made_with))


def leaves_work(metadata: Mapping[str, dg.MetadataValue[Any]]) -> bool:
    """Whether a materialization tells of items that a later run takes up again."""
    status = metadata["status"].value if "status" in metadata else "done"
    details: Any = metadata["details"].value if "details" in metadata else {}
    return status not in ("done", "skipped") or any(
        bool(number) and name.endswith(OPEN_WORK) for name, number in details.items()
    )


def made_anew(metadata: Mapping[str, dg.MetadataValue[Any]]) -> int:
    """The number of texts that were there and were made again, because their source, its rows or options changed."""
    details: Any = metadata["details"].value if "details" in metadata else {}
    return sum(number for name, number in details.items() if name.endswith(MADE_ANEW))


def all_failed(made: dg.AssetMaterialization) -> str:
    """The message for a partition without a result because every question failed; "" for others."""
    status = made.metadata.get("status")
    if status is None or status.value != "failed":
        return ""
    return f"{made.asset_key.to_user_string()} of {made.partition}: all that was asked failed"
