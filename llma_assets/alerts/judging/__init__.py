"""Judging: what a rule says about a day, from arrays alone. Knows no database and no network."""

from llma_assets.alerts.judging.bands import Bands, bands
from llma_assets.alerts.judging.history import History, rolling_sum
from llma_assets.alerts.judging.judge import HISTORY_DAYS, judge
from llma_assets.alerts.judging.replay import replay
from llma_assets.alerts.judging.verdicts import Decision, Standing, followed

__all__ = [
    "HISTORY_DAYS",
    "Bands",
    "Decision",
    "History",
    "Standing",
    "bands",
    "followed",
    "judge",
    "replay",
    "rolling_sum",
]
