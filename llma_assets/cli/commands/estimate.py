"""`llma estimate`: calls and cost of a run before it starts. The counting belongs in `reports`."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import Problem
from llma_assets.cli.options import date_option, json_option, opened_database, team_option, utc_today
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table, usd
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.reports import BudgetLeft, EstimateReport, EstimateTotal, StageEstimate, ThemeBudgetLeft
    from llma_assets.themes import Theme


@click.command()
@team_option()
@date_option
@click.option("--model", help="Chat model.  [default: the configured one]")
@click.option("--embedding-model", help="Embedding model.  [default: the configured one]")
@click.option(
    "--theme", "theme_ids", multiple=True, help="Only this theme; may be repeated.  [default: all that are on]"
)
@json_option
def estimate(
    team_id: int,
    day: date,
    model: str | None,
    embedding_model: str | None,
    theme_ids: tuple[str, ...],
    as_json: bool,
) -> None:
    """Estimate calls, tokens and cost of a day before a run.

    It reads the stored texts and calls no model. Only new work is counted: existing summaries, embeddings and labels
    cost nothing more. The expected share of relevant items is that of the last answers. After a run `llma usage`
    compares forecast and actual usage.
    """
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.reports import NoTextsError, estimate_report
    from llma_assets.team_day import TeamDay

    team_day = TeamDay(team_id, day)
    with opened_database() as database:
        model_of, embedder_name = _models(model, embedding_model)
        try:
            report = estimate_report(
                database,
                team_day,
                theme_ids,
                model_of=model_of,
                embedding_model=embedder_name,
                settings=team_settings(),
                today=utc_today(),
            )
        except NoTextsError as error:
            raise Problem(
                f"no texts are stored for {team_day} yet, so there is nothing to count; {error.traces:,} traces have "
                f"events on that day. Texts are free: "
                f"`llma run --texts-only --team {team_id} --date {day}` makes them"
            ) from error
    emit_report(report) if as_json else _show(report)


def _models(chat: str | None, embedding: str | None) -> "tuple[Callable[[Theme], str], str]":
    """The chat model of each theme, which may have its own, and the embedding model."""
    from llma_assets.models import chat_model, embedder
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    default = chat or chat_model(settings).name

    def model_of(theme: "Theme") -> str:
        return default if chat or theme.model is None else chat_model(settings, theme.model).name

    return model_of, embedding or embedder(settings).name


def _show(report: "EstimateReport") -> None:
    total, rows = report.total, report.stages
    if not any(row.items or row.done for row in rows):
        say(
            f"No results are stored for team {team_named(report.team_id)} on "
            f"{report.day}, and no trace began on that day."
        )
        return
    show_table(
        ("stage", "theme", "model", "new", "done", "calls", "tokens in", "tokens out", "USD"),
        [(row.stage, row.theme_id, row.model, f"{row.items:,}", f"{row.done:,}", *_numbers(row)) for row in rows]
        + [("total", "", "", "", "", *_numbers(total))],
        right=("new", "done", "calls", "tokens in", "tokens out", "USD"),
    )
    for row in rows:
        if row.calls:
            show(f"{row.stage}, {row.theme_id}: {plain(row.basis)}")
    if report.models_without_price:
        names = ", ".join(plain(name) for name in report.models_without_price)
        say(f"No price is known for {names}: tokens only. LLMA_PRICES_FILE adds prices.")
    if total.cost_usd:
        show(f"prices as of {report.prices_as_of}; summaries by batches: {usd(total.batch_cost_usd)} USD in all")
    if report.budget:
        _show_budget("daily budget", report.budget, "the run will stop there, and defer the rest to a later run")
    for own in report.theme_budgets:
        _show_budget(f"daily budget of {plain(own.theme_id)}", own, "the theme will stop there, the others continue")
    for note in report.notes:
        say(note)


def _show_budget(name: str, budget: "BudgetLeft | ThemeBudgetLeft", otherwise: str) -> None:
    """Print a budget, what is left of it, and what happens if the estimate does not fit."""
    verdict = "fits" if budget.fits else f"does not fit: {otherwise}"
    show(
        f"{name} {budget.daily_usd:g} USD, {usd(budget.left_usd)} left "
        f"({usd(budget.spent_of_day_usd)} spent for the day, {usd(budget.spent_today_usd)} today): {verdict}"
    )


def _numbers(row: "StageEstimate | EstimateTotal") -> tuple[str, str, str, str]:
    return f"{row.calls:,}", f"{row.input_tokens:,}", f"{row.output_tokens:,}", usd(row.cost_usd)
