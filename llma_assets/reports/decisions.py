"""Reports of people's decisions about clusters. Deciding belongs in `llma_assets.clusters`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from llma_assets.clusters import Edit
from llma_assets.serialization import TeamId, ThemeId, UtcMoment


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; see `llma_assets.clusters.Edit`."""

    edited_at: UtcMoment
    author: str
    theme_id: ThemeId
    lineage_id: str
    action: str
    title: str
    into_lineage_id: str
    item_id: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions about clusters of a team, oldest first."""

    team_id: TeamId
    edits: tuple[Decision, ...]


def decisions(team_id: int, edits: Iterable[Edit]) -> Decisions:
    """The report of some decisions of a team."""
    return Decisions(team_id, tuple(Decision(**asdict(edit)) for edit in edits))
