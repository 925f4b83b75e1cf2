"""What the pipeline records about its own work.

Why there is nothing (`skips`), what calls cost (`model_usage`), and what they may cost (`budget_holds`).

The work itself belongs in the stage rooms.
"""

from llma_assets.ledger.budget import DailyBudget
from llma_assets.ledger.charges import Spending, spending
from llma_assets.ledger.finished_runs import (
    finished_digests,
    finished_since,
    record_all_finished,
    record_ended,
    record_finished,
)
from llma_assets.ledger.forecasts import Forecast, ForecastComparison, PastCalls, past_calls, predicted_and_actual
from llma_assets.ledger.holds import release_hold
from llma_assets.ledger.item_skips import ItemSkip, list_item_skips, record_item_skips
from llma_assets.ledger.metadata import budget_metadata, spending_metadata
from llma_assets.ledger.rules import spending_within_budget, theme_spending_within_budget
from llma_assets.ledger.skips import (
    Skip,
    ask_skips_of,
    clear_skip,
    clear_skips,
    list_skips,
    note_deferred,
    record_skip,
    replace_skips,
    skips_of_window,
)
from llma_assets.ledger.stage_runs import (
    PastStageRun,
    StageRun,
    record_stage_runs,
    run_that_wrote,
    stage_runs_of_day,
)
from llma_assets.ledger.usage import StageUsage, UsageLedger, UsageTotals, spent_since, usage_of_day, usage_totals

__all__ = [
    "DailyBudget",
    "Forecast",
    "ForecastComparison",
    "ItemSkip",
    "PastCalls",
    "PastStageRun",
    "Skip",
    "Spending",
    "StageRun",
    "StageUsage",
    "UsageLedger",
    "UsageTotals",
    "ask_skips_of",
    "budget_metadata",
    "clear_skip",
    "clear_skips",
    "finished_digests",
    "finished_since",
    "list_item_skips",
    "list_skips",
    "note_deferred",
    "past_calls",
    "predicted_and_actual",
    "record_all_finished",
    "record_ended",
    "record_finished",
    "record_item_skips",
    "record_skip",
    "record_stage_runs",
    "release_hold",
    "replace_skips",
    "run_that_wrote",
    "skips_of_window",
    "spending",
    "spending_metadata",
    "spending_within_budget",
    "spent_since",
    "stage_runs_of_day",
    "theme_spending_within_budget",
    "usage_of_day",
    "usage_totals",
]
