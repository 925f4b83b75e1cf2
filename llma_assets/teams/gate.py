"""The one gate: whether anything is done for a team, and if so how. Whoever reads, asks or stores for a team asks here.

Stages do so through their frame (`defs.stage_asset`), schedules and sensors through `defs.due_days`, commands
by themselves. Whom discovery lets in on a day is another question (`decisions`): a team that has too little traffic
may still be run by hand.
"""

from typing import Literal

from llma_assets.teams.options import TeamOptions
from llma_assets.teams.settings import TeamSettings

LeftOutReason = Literal["team_on_skip_list"]
"""Why nothing is done for a team; the reason of skips and of partitions."""

ON_SKIP_LIST: LeftOutReason = "team_on_skip_list"


class TeamLeftOut(Exception):
    """Nothing is done for a team: nothing of it is read, sent anywhere or published.

    Attributes:
        team_id: the team.
        reason: the stable class of the reason.
        detail: the reason in words.
    """

    def __init__(self, team_id: int, reason: LeftOutReason, detail: str) -> None:
        super().__init__(f"nothing is done for team {team_id}: {detail}")
        self.team_id = team_id
        self.reason = reason
        self.detail = detail


def resolve(settings: TeamSettings, team_id: int) -> TeamOptions:
    """How a team is worked on, if it is.

    Raises:
        TeamLeftOut: it is not.
        TeamSettingsError: a setting that protects the team is broken; see `TeamSettings.options_of`.
    """
    if (left_out := why_left_out(settings, team_id)) is not None:
        raise left_out
    return settings.options_of(team_id)


def why_left_out(settings: TeamSettings, team_id: int) -> TeamLeftOut | None:
    """Why nothing is done for a team; None where something is, or where the run will fail of a broken setting."""
    if team_id in settings.skip_team_ids:
        return TeamLeftOut(team_id, ON_SKIP_LIST, "the team is on the skip list (skip_team_ids of teams.toml)")
    return None
