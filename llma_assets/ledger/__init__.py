"""What the pipeline writes down about its own work: why nothing is here (`skips`), what calls cost (`model_usage`), and
what they may cost (`budget_holds`).

The work itself belongs in the stage rooms.
"""

from llma_assets.ledger.budget import DailyBudget, note_undone, release_hold
from llma_assets.ledger.forecasts import (
    Compared,
    Forecast,
    PastCalls,
    compared_metadata,
    past_calls,
    predicted_and_actual,
)
from llma_assets.ledger.item_skips import ItemSkip, list_item_skips, settle_items
from llma_assets.ledger.rules import spending_within_budget, theme_spending_within_budget
from llma_assets.ledger.skips import Skip, clear_skip, list_skips, record_skip, replace_skips
from llma_assets.ledger.spending import Spending, budget_metadata, spending
from llma_assets.ledger.usage import StageUsage, UsageLedger, UsageTotals, spent_since, usage_of_day, usage_totals

__all__ = [
    "Compared",
    "DailyBudget",
    "Forecast",
    "ItemSkip",
    "PastCalls",
    "Skip",
    "Spending",
    "StageUsage",
    "UsageLedger",
    "UsageTotals",
    "budget_metadata",
    "clear_skip",
    "compared_metadata",
    "list_item_skips",
    "list_skips",
    "note_undone",
    "past_calls",
    "predicted_and_actual",
    "record_skip",
    "release_hold",
    "replace_skips",
    "settle_items",
    "spending",
    "spending_within_budget",
    "spent_since",
    "theme_spending_within_budget",
    "usage_of_day",
    "usage_totals",
]
