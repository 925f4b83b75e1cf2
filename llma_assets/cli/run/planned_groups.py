"""Which run groups a team has on a day: what each works on, and after which other it runs.

How a group is run belongs in `defs.runner`, in what order they run in `run_groups.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Any

from llma_assets.cli.run.days import first_day_of
from llma_assets.defs.made_with import made_with
from llma_assets.defs.run_group import GENERAL, RunGroup
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings
from llma_assets.themes import GENERAL_IDS, Theme, ThemeError, themes_of

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database


def planned_groups(
    database: "Database",
    team_day: TeamDay,
    themes: Sequence[Theme],
    settings: TeamSettings,
    oldest_day: date,
    *,
    clustering: Mapping[str, Any],
    by_batch: bool,
) -> list[RunGroup]:
    """One group of all general themes, then one of each other theme, after the group that it depends on.

    Args:
        themes: those of the run.
        oldest_day: first day of the daily partitions.
        clustering: options of `cluster_assignments`.
        by_batch: ask for summaries by the Batch API.
    """
    general = [theme for theme in themes if theme.theme_id in GENERAL_IDS]
    members = [general] if general else []
    members += [[theme] for theme in themes if theme.theme_id not in GENERAL_IDS]

    def first_day(of_group: Sequence[Theme]) -> date:
        lookback = max(each.lookback_days or settings.lookback_days for each in of_group)
        return first_day_of(team_day.day, lookback, oldest_day)

    def with_parents(of_group: Sequence[Theme]) -> tuple[Theme, ...]:
        parents = {theme.after for theme in of_group if theme.after is not None}
        own = {theme.theme_id for theme in of_group}
        return (*of_group, *(theme for theme in all_themes if theme.theme_id in parents - own))

    all_themes = themes_of(database, team_day.team_id).themes
    return [
        RunGroup(
            team_day=team_day,
            theme_ids=tuple(theme.theme_id for theme in of_group),
            first_day=first_day(of_group),
            themes=with_parents(of_group),
            made_with=made_with(
                settings,
                team_day.team_id,
                with_parents(of_group),
                (first_day(of_group), sorted(clustering.items())),
            ),
            after=GENERAL if of_group[0].after in GENERAL_IDS else of_group[0].after,
            is_general=of_group is general,
            clustering=clustering,
            makes_texts=len(members) == 1,
            by_batch=by_batch,
        )
        for of_group in members
    ]


TEAMS_AT_ONCE = 16
"""Teams whose groups are looked at together; of the last one what has come since its turn began is a later run's."""


class LookAhead:
    """Looks at the groups of a team that is about to run, and of some that run after it.

    Args:
        team_ids: in the order in which they run.
        plan: the groups of a team.
        look: what each of some groups has to do.
    """

    def __init__(
        self,
        team_ids: Sequence[int],
        plan: Callable[[int], list[RunGroup]],
        look: Callable[[Sequence[RunGroup]], list[RunGroup]],
    ) -> None:
        self._left = list(team_ids)
        self._plan = plan
        self._look = look
        self._looked: dict[int, list[RunGroup]] = {}

    def at(self, team_id: int, groups: Sequence[RunGroup]) -> list[RunGroup]:
        """These groups of a team, with what they have to do."""
        if team_id not in self._looked:
            position = self._left.index(team_id) + 1
            ahead, self._left = self._left[position:][: TEAMS_AT_ONCE - 1], self._left[position:]
            planned = [*groups]
            for each in ahead:
                # Its own turn tells why nothing can be planned.
                with suppress(ThemeError):
                    planned += self._plan(each)
            for group in self._look(planned):
                self._looked.setdefault(group.team_day.team_id, []).append(group)
        return self._looked.pop(team_id)
