"""What the pipeline writes down about its own work: why nothing is here (`skips`), and what calls cost (`model_usage`).

The work itself belongs in the stage rooms.
"""

from llma_assets.ledger.skips import Skip, clear_skip, list_skips, record_skip
from llma_assets.ledger.usage import UsageLedger, UsageTotals, usage_totals

__all__ = [
    "Skip",
    "UsageLedger",
    "UsageTotals",
    "clear_skip",
    "list_skips",
    "record_skip",
    "usage_totals",
]
