"""Judging: what a rule says about a day, from arrays alone. Knows no database and no network."""

from llma_assets.alerts.judging.bands import Bands, bands
from llma_assets.alerts.judging.history import History, rolling_sum
from llma_assets.alerts.judging.judge import HISTORY_DAYS, Work, judge, judge_together
from llma_assets.alerts.judging.replay import replay, replay_together
from llma_assets.alerts.judging.scale import DAYS, HOURS, Scale
from llma_assets.alerts.judging.verdicts import Decision, Standing, followed

__all__ = [
    "DAYS",
    "HISTORY_DAYS",
    "HOURS",
    "Bands",
    "Decision",
    "History",
    "Scale",
    "Standing",
    "Work",
    "bands",
    "followed",
    "judge",
    "judge_together",
    "replay",
    "replay_together",
    "rolling_sum",
]
