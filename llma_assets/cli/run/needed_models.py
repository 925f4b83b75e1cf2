"""Checks the models of a run before the texts of its window are made. How to check one belongs in `models`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llma_assets.discovery import EVENTS_OF_TEAM_BY_DAY
from llma_assets.models import ModelConfigurationError, are_usable, require_models
from llma_assets.rendering import TEXTS_MADE_OF_TEAM
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme
from llma_assets.trace_events import TRIGGER_EVENTS, EventsSeen

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database


def missing_model(database: "Database", first: TeamDay, last: TeamDay, themes: Sequence[Theme]) -> str:
    """The problem of a model that this run needs, in one line; "" if there is none.

    If all texts exist already, no model is checked: the stage that calls a model reports its failure soon enough.
    """
    # A model that only some themes use must not stop the others.
    names = {theme.model for theme in themes}
    needed = [None] if None in names or len(names) > 1 else list(names)
    if are_usable(Settings.from_env(), needed) or not _is_due(database, first, last):
        return ""
    try:
        require_models(Settings.from_env(), needed)
    except ModelConfigurationError as error:
        return str(error)
    return ""


def _is_due(database: "Database", first: TeamDay, last: TeamDay) -> bool:
    """Whether the events of any day are others than those that its texts were made of."""
    events = database.rows(
        EVENTS_OF_TEAM_BY_DAY,
        team_id=last.team_id,
        start=first.start,
        end=last.end,
        trigger_events=list(TRIGGER_EVENTS),
    )
    made = database.rows(TEXTS_MADE_OF_TEAM, team_id=last.team_id, **{"from": first.day, "until": last.day})
    found = {row["day"]: EventsSeen.of(row) for row in events}
    known = {row["day"]: EventsSeen.of(row) for row in made}
    none = EventsSeen()
    return any(not found.get(day, none).are(known.get(day, none)) for day in found.keys() | known.keys())
