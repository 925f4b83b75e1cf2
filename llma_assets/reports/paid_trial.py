"""A trial of a theme that is paid from its team's budget, with its report: for the command line and the pages."""

from collections.abc import Sequence
from datetime import datetime

from llma_assets.clickhouse import Database
from llma_assets.ledger import UsageLedger
from llma_assets.models import ChatModel, Usage, paid_by
from llma_assets.rendering import RenderOptions, Sampling
from llma_assets.reports.trial import try_theme
from llma_assets.reports.trial_report import TrialReport, trial_report
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import Theme

STAGE = "theme_trial"
"""The stage of trials in `llma usage`."""


def paid_trial(
    database: Database,
    window: Sequence[TeamDay],
    theme: Theme,
    chat: ChatModel,
    *,
    team: TeamOptions,
    chat_model: str,
    size: int,
    now: datetime,
) -> TrialReport:
    """Ask a theme's question about a sample; what it costs counts against the budgets, and no result is stored.

    Args:
        window: days of one team, ascending, at least one.
        theme: need not be saved, or switched on.
        team: options of the team, which is not left out.
        chat_model: of the installation; texts are as long as it takes.
        size: items, at most.
        now: the present moment.
    """
    spent: list[Usage] = []
    sampling = Sampling(
        now=now,
        quiet=team.quiet,
        per_hour={"trace": team.max_traces_per_hour, "generation": team.max_generations_per_hour},
        themes=(theme,),
    )
    with UsageLedger(
        database,
        window[-1],
        stage=STAGE,
        theme_id=theme.theme_id,
        limit_usd=team.daily_budget_usd,
        theme_limit_usd=theme.daily_budget_usd,
    ) as ledger:

        def record(item_id: str, usage: Usage) -> None:
            spent.append(usage)
            ledger.record(item_id, usage)

        trial = try_theme(
            database,
            window,
            theme,
            paid_by(chat, ledger.allowance),
            sampling=sampling,
            options=RenderOptions.of_team(team, chat_model),
            record=record,
            size=size,
        )
    return trial_report(
        trial,
        window[-1].team_id,
        window[0].day,
        window[-1].day,
        model=chat.name,
        spent=spent,
        refusal=ledger.refusal,
    )
