"""Functions under their old names, until the other packages say the new ones."""

from collections.abc import Iterable, Mapping

from llma_assets.clickhouse import Database
from llma_assets.ledger.item_skips import record_item_skips
from llma_assets.ledger.skips import note_deferred
from llma_assets.team_day import TeamDay


def note_undone(
    database: Database, team_day: TeamDay, *, stage: str, theme_id: str, undone: int, items: int, refusal: str
) -> int:
    """See `note_deferred`."""
    return note_deferred(
        database, team_day, stage=stage, theme_id=theme_id, deferred=undone, items=items, refusal=refusal
    )


def settle_items(
    database: Database,
    team_day: TeamDay,
    *,
    stage: str,
    level: str,
    theme_id: str = "",
    failed: Mapping[str, str],
    reason: str,
    well: Iterable[str] = (),
) -> None:
    """See `record_item_skips`."""
    record_item_skips(
        database, team_day, stage=stage, level=level, theme_id=theme_id, failed=failed, reason=reason, recovered=well
    )
