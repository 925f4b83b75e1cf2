"""The outcome of `llma clusters relink`. Linking belongs in `llma_assets.clusters`."""

from collections.abc import Sequence
from dataclasses import dataclass

from llma_assets.clickhouse import Database
from llma_assets.clusters import NOTHING, Relinked, standings_of
from llma_assets.serialization import Day, TeamId, ThemeId


@dataclass(frozen=True, slots=True)
class ReplacedLineage:
    """A lineage id that clusters no longer have, "" for none, and the one that they have now."""

    before: str
    now: str


@dataclass(frozen=True, slots=True)
class RelinkedRun:
    """One run that was linked again; `changed` if anything is different, such as a status."""

    theme_id: ThemeId
    day: Day
    changed: bool
    replaced: tuple[ReplacedLineage, ...]


@dataclass(frozen=True, slots=True)
class RelinkReport:
    """Runs that were linked again, by day.

    Attributes:
        dry_run: whether nothing was stored.
        decisions_lost: lineage ids that were replaced, and about which somebody has decided something.
    """

    team_id: TeamId
    dry_run: bool
    runs: tuple[RelinkedRun, ...]
    decisions_lost: tuple[str, ...]


def relink_report(database: Database, team_id: int, found: Sequence[Relinked], *, dry_run: bool) -> RelinkReport:
    """The report of what `llma_assets.clusters.relink` did."""
    decided = standings_of(database, team_id)
    gone = {before for run in found for before, _ in run.replaced}
    return RelinkReport(
        team_id=team_id,
        dry_run=dry_run,
        runs=tuple(
            RelinkedRun(
                run.theme_id, run.day, run.changed, tuple(ReplacedLineage(before, now) for before, now in run.replaced)
            )
            for run in found
        ),
        decisions_lost=tuple(sorted(lineage_id for lineage_id in gone if decided.get(lineage_id, NOTHING) != NOTHING)),
    )
