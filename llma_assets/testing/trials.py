"""A theme on trial against a server that answers what a test says."""

from datetime import date, timedelta

from llma_assets.clickhouse import Database
from llma_assets.models import OpenAIChat, RetryPolicy, Usage
from llma_assets.rendering import RenderOptions, Sampling
from llma_assets.reports import Trial, try_theme
from llma_assets.team_day import TeamDay
from llma_assets.testing.chat_server import ChatServer
from llma_assets.themes import Theme

MODEL = "test-model"
QUICK = RetryPolicy(attempts=2, deadline_s=10.0, attempt_timeout_s=5.0, first_delay_s=0.01, longest_delay_s=0.02)
"""Tries twice and hardly waits."""


def try_on(
    database: Database,
    day: date,
    theme: Theme,
    server: ChatServer,
    *,
    team_id: int = 1,
    options: RenderOptions = RenderOptions(),
    size: int = 20,
) -> Trial:
    """Ask a theme's question of the day's traces, as `llma themes try` does: with its filters, rule and prompt.

    Nothing is stored. What was asked is in `server.calls()`.

    Args:
        theme: need not be saved, or switched on.
        server: is asked; its faults are met by one more try.
        options: how texts are made of traces: redaction, lengths.
        size: on how many items the theme is tried at most.

    Raises:
        ModelConfigurationError: the server refuses every question.
    """
    sampling = Sampling(
        now=TeamDay(team_id, day).end + timedelta(days=1),
        quiet=timedelta(minutes=30),
        per_hour={"trace": 1_000, "generation": 1_000},
        themes=(theme,),
    )
    chat = OpenAIChat(theme.model or MODEL, api_key="any", base_url=server.url, policy=QUICK)
    return try_theme(
        database, [TeamDay(team_id, day)], theme, chat, sampling=sampling, options=options, record=_no_record, size=size
    )


def _no_record(item_id: str, usage: Usage) -> None:
    """The server keeps the bill."""
