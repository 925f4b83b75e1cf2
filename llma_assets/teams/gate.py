"""The one gate: whether a team is processed, and with which options. All code that reads or stores for a team uses it.

Stages pass it in their frame (`defs.stage_asset`), schedules and sensors in `defs.due_days`, commands by themselves.
Which teams discovery makes eligible on a day is decided in `discovery.decisions`: a team with too little traffic may
still be run by hand.
"""

from typing import Literal

from llma_assets.teams.options import TeamOptions
from llma_assets.teams.settings import TeamSettings

LeftOutReason = Literal["team_on_skip_list"]
"""Why a team is not processed; stored as the reason of skips and partitions."""

ON_SKIP_LIST: LeftOutReason = "team_on_skip_list"


class TeamLeftOut(Exception):
    """A team is not processed: none of its data is read, sent or published.

    Attributes:
        team_id: the team.
        reason: the stored name of the reason.
        detail: the reason as a sentence.
    """

    def __init__(self, team_id: int, reason: LeftOutReason, detail: str) -> None:
        super().__init__(f"nothing is done for team {team_id}: {detail}")
        self.team_id = team_id
        self.reason = reason
        self.detail = detail


def resolve(settings: TeamSettings, team_id: int) -> TeamOptions:
    """The options with which a team is processed.

    Raises:
        TeamLeftOut: the team is not processed.
        TeamSettingsError: a setting that protects the team is invalid; see `TeamSettings.options_of`.
    """
    if (left_out := why_left_out(settings, team_id)) is not None:
        raise left_out
    return settings.options_of(team_id)


def why_left_out(settings: TeamSettings, team_id: int) -> TeamLeftOut | None:
    """Why a team is not processed; None if it is, or if its run will fail because of an invalid setting."""
    if team_id in settings.skip_team_ids:
        return TeamLeftOut(team_id, ON_SKIP_LIST, "the team is on the skip list (skip_team_ids of teams.toml)")
    return None
