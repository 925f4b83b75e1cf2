"""Whether a run group has anything to do: not where its last run left nothing, and nothing has changed since.

The digest of all that counts belongs in `reports.run_state`, how a group is run in `runner.py`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import dagster as dg

from llma_assets.clock import utc_now
from llma_assets.ledger import finished_digests, record_finished
from llma_assets.reports import RunState, run_state, run_states
from llma_assets.themes import Theme

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.defs.run_group import RunGroup
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
        ends: "Database | None" = None,
    ) -> None:
        """
        Args:
            ends: stores that a run has ended, if that is not `database`.
            themes: of the group, and those that they depend on.
            made_with: digest of all else that decides what a run does; "" to remember nothing.
        """
        self._database = database
        self._ends = ends or database
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

    def record(self, events: str | None, summarised: RunState | None) -> None:
        """Remember that nothing is left to do, unless another process has changed something since it was read.

        Args:
            events: the digest of the events before any text was made.
            summarised: the state before clustering began, without clusters.
        """
        state = self.read()
        if state is None or summarised is None or (state.events, state.texts) != (events, summarised.texts):
            return
        record_finished(self._ends, self._team_day, self._run_group, state.digest(self._made_with))


def look_at(database: "Database", groups: Sequence["RunGroup"]) -> list["RunGroup"]:
    """Run groups with the events that are there now, and whether they have anything to do; equal ones by one query.

    Args:
        groups: of any teams.
    """
    looked = {}
    alike: defaultdict[tuple[Any, ...], list[RunGroup]] = defaultdict(list)
    for group in groups:
        alike[group.team_day.day, group.name, group.first_day, group.themes, bool(group.made_with)].append(group)
    for (day, name, first_day, themes, is_remembered), equal in alike.items():
        states: dict[int, RunState] = {}
        if is_remembered:
            states = run_states(database, [each.team_day for each in equal], first_day, themes=themes)
        digests = finished_digests(database, list(states), day, name) if states else {}
        for each in equal:
            state = states.get(each.team_day.team_id)
            is_done = (
                state is not None
                and not state.is_due(utc_now())
                and digests.get(each.team_day.team_id) == state.digest(each.made_with)
            )
            looked[id(each)] = replace(each, events=state.events if state else None, due=not is_done)
    return [looked[id(each)] for each in groups]


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
