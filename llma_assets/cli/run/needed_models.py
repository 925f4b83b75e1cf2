"""Checks the models of a run before the texts of its window are made. How to check one belongs in `models`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from llma_assets.discovery import TRIGGER_EVENTS_OF_TEAM
from llma_assets.models import ModelConfigurationError, require_models
from llma_assets.rendering import TEXTS_MADE
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme
from llma_assets.trace_events import TRIGGER_EVENTS

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database


def missing_model(database: "Database", first: TeamDay, last: TeamDay, themes: Sequence[Theme]) -> str:
    """The problem of a model that this run needs, in one line; "" if there is none.

    If all texts exist already, no model is checked: the stage that calls a model reports its failure soon enough.
    """
    if not any(_is_due(database, TeamDay(last.team_id, first.day + timedelta(days=n))) for n in _days(first, last)):
        return ""
    # A model that only some themes use must not stop the others.
    names = {theme.model for theme in themes}
    try:
        require_models(Settings.from_env(), [None] if None in names or len(names) > 1 else list(names))
    except ModelConfigurationError as error:
        return str(error)
    return ""


def _days(first: TeamDay, last: TeamDay) -> range:
    return range((last.day - first.day).days + 1)


def _is_due(database: "Database", day: TeamDay) -> bool:
    """Whether the number of events of a day differs from the number that its texts were made of."""
    events = database.value(
        TRIGGER_EVENTS_OF_TEAM,
        team_id=day.team_id,
        start=day.start,
        end=day.end,
        trigger_events=list(TRIGGER_EVENTS),
    )
    made = database.rows(TEXTS_MADE, team_id=day.team_id, day=day.day)
    return int(events) != (made[0]["events"] if made else 0)
