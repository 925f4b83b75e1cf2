"""`llma estimate`: what a run would call, and what that would cost, before it does. The counting is the rooms'."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import Problem
from llma_assets.cli.options import date_option, json_option, opened_database, team_option, utc_today
from llma_assets.cli.queries import COUNT_TRACES_OF_DAY
from llma_assets.cli.render.console import emit_json, plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.ledger import Forecast
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import Theme

SUMS = ("items", "done", "calls", "input_tokens", "output_tokens")


@click.command()
@team_option()
@date_option
@click.option("--model", help="Chat model; the configured one unless another is named.")
@click.option("--embedding-model", help="Embedding model; the configured one unless another is named.")
@click.option(
    "--theme", "theme_ids", multiple=True, help="This theme only; may be repeated.  [default: all that are on]"
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
    """Calls, tokens and cost of a team's day, before they are made.

    From the stored texts, without asking any model. Only what is new is counted: what was summarised, embedded or
    named already costs nothing more. Of the items that a theme is asked about, as many are expected to be relevant as
    were of the last ones. After a run `llma usage` shows what it took beside what was predicted.
    """
    from llma_assets.team_day import TeamDay

    team_day = TeamDay(team_id, day)
    with opened_database() as database:
        document = _document(database, team_day, theme_ids, *_models(model, embedding_model))
    if as_json:
        emit_json(document)
    else:
        _show(document)


def _models(chat: str | None, embedding: str | None) -> "tuple[Callable[[Theme], str], str]":
    """The names that calls would be made under: a theme may have a chat model of its own."""
    from llma_assets.models import chat_model, embedder
    from llma_assets.settings import Settings

    settings = Settings.from_env()
    usual = chat or chat_model(settings).name

    def model_of(theme: "Theme") -> str:
        return usual if chat or theme.model is None else chat_model(settings, theme.model).name

    return model_of, embedding or embedder(settings).name


def _document(
    database: "Database",
    team_day: "TeamDay",
    theme_ids: Sequence[str],
    model_of: "Callable[[Theme], str]",
    embedding: str,
) -> dict[str, Any]:
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.ledger import spending
    from llma_assets.models import price_list
    from llma_assets.teams import why_left_out
    from llma_assets.themes import TRACES, active_themes

    settings = team_settings()
    themes = active_themes(database, team_day.team_id, theme_ids)
    forecasts, notes = _forecasts(database, team_day, themes, model_of, embedding, settings.lookback_days)
    if (left_out := why_left_out(settings, team_day.team_id)) is not None:
        notes.append(f"none of it would be done: {left_out.detail}")
    spent = spending(database, team_day, utc_today())
    budget_usd = settings.options_of(team_day.team_id).daily_budget_usd
    unpriced = sorted({each.model for each in forecasts if each.calls and each.cost_usd is None})
    cost = sum(each.cost_usd or 0.0 for each in forecasts)
    return {
        "team": team_day.team_id,
        "date": team_day.day.isoformat(),
        "model": model_of(TRACES),
        "embedding_model": embedding,
        "stages": [_row(each) for each in forecasts],
        "total": {
            **{name: sum(getattr(each, name) for each in forecasts) for name in SUMS if name not in ("items", "done")},
            "cost_usd": cost,
            "batch_cost_usd": sum(
                (each.batch_cost_usd if each.stage == "trace_summaries" else each.cost_usd) or 0.0 for each in forecasts
            ),
        },
        "models_without_price": unpriced,
        "prices_as_of": price_list().as_of,
        "budget": None
        if budget_usd is None
        else {
            "daily_usd": budget_usd,
            "spent_of_day_usd": spent.of_day,
            "spent_today_usd": spent.on_date,
            "set_aside_usd": max(spent.held_of_day + spent.lost_of_day, spent.held_on_date + spent.lost_on_date),
            "left_usd": max(0.0, budget_usd - spent.most),
            "fits": not unpriced and cost <= budget_usd - spent.most,
        },
        "theme_budgets": [
            _theme_budget(database, team_day, theme, [each for each in forecasts if each.theme_id == theme.theme_id])
            for theme in themes
            if theme.daily_budget_usd is not None
        ],
        "notes": notes,
    }


def _theme_budget(
    database: "Database", team_day: "TeamDay", theme: "Theme", forecasts: "Sequence[Forecast]"
) -> dict[str, Any]:
    """A theme's own budget, and whether what it would take fits."""
    from llma_assets.ledger import spending

    limit_usd = theme.daily_budget_usd or 0.0
    spent = spending(database, team_day, utc_today(), theme_id=theme.theme_id)
    costs = [each.cost_usd for each in forecasts]
    return {
        "theme": theme.theme_id,
        "daily_usd": limit_usd,
        "spent_of_day_usd": spent.of_day,
        "spent_today_usd": spent.on_date,
        "set_aside_usd": max(spent.held_of_day + spent.lost_of_day, spent.held_on_date + spent.lost_on_date),
        "left_usd": max(0.0, limit_usd - spent.most),
        "fits": None not in costs and sum(cost or 0.0 for cost in costs) <= limit_usd - spent.most,
    }


def _forecasts(
    database: "Database",
    team_day: "TeamDay",
    themes: "Sequence[Theme]",
    model_of: "Callable[[Theme], str]",
    embedding: str,
    lookback_days: int,
) -> "tuple[list[Forecast], list[str]]":
    """What each stage would take for each theme, in the order of the graph; and what is not in these numbers.

    Raises:
        Problem: there are events, but no texts yet.
    """
    from llma_assets.embeddings import forecast_embeddings
    from llma_assets.labels import forecast_labels
    from llma_assets.summaries import forecast_summaries, pending, relevance_so_far

    works = {theme.theme_id: pending(database, team_day, theme, model_of(theme)) for theme in themes}
    if not any(work.items for work in works.values()):
        _require_texts(database, team_day)
    summaries: list[Forecast] = []
    embeddings: list[Forecast] = []
    labels: list[Forecast] = []
    notes: list[str] = []
    known: set[str] = set()
    for theme in themes:
        work, chat = works[theme.theme_id], model_of(theme)
        summaries.append(forecast_summaries(database, team_day, theme, chat, work, known=known))
        known |= set(work.questions)
        replaced = {item_id for ids in work.questions.values() for item_id in ids}
        relevance = relevance_so_far(database, team_day, theme, chat)
        coming = math.ceil(len(work.questions) * relevance.share)
        vectors = forecast_embeddings(database, team_day, theme, embedding, coming=coming, replaced=replaced)
        if theme.judged and work.questions:
            seen = f"{relevance.share:.0%} relevant, as of the last {relevance.asked:,} answers"
            vectors = replace(vectors, basis=f"{vectors.basis}; {seen if relevance.asked else 'all taken as relevant'}")
        embeddings.append(vectors)
        if theme.after in works and works[theme.after].asked:
            notes.append(f"{theme.theme_id} comes after {theme.after}: what that one is still to find is not counted")
        labels.append(
            forecast_labels(
                database,
                team_day,
                theme,
                chat,
                items=max(
                    _items_of_window(database, team_day, theme, lookback_days),
                    round(len(work.items) * relevance.share),
                ),
                is_new=bool(vectors.items),
                least_items=theme.clustering.min_items,
            )
        )
    return [*summaries, *embeddings, *labels], notes


def _items_of_window(database: "Database", team_day: "TeamDay", theme: "Theme", lookback_days: int) -> int:
    """How many items a clustering of the theme would read, as far as they are summarised."""
    from llma_assets.summaries import WINDOW_COUNTS

    first = team_day.back((theme.lookback_days or lookback_days) - 1).day
    rows = database.rows(WINDOW_COUNTS, team_id=team_day.team_id, **{"from": first, "until": team_day.day})
    return next((row["items"] for row in rows if row["theme_id"] == theme.theme_id), 0)


def _require_texts(database: "Database", team_day: "TeamDay") -> None:
    from llma_assets.trace_events import TRIGGER_EVENTS

    traces = database.value(
        COUNT_TRACES_OF_DAY,
        team_id=team_day.team_id,
        trigger_events=list(TRIGGER_EVENTS),
        **{"from": team_day.start, "until": team_day.end},
    )
    if traces:
        raise Problem(
            f"no texts are stored for {team_day}, though {traces:,} traces have events then: nothing to count yet. "
            f"Texts cost nothing: `llma run --texts-only --team {team_day.team_id} --date {team_day.day}` makes them"
        )


def _row(forecast: "Forecast") -> dict[str, Any]:
    return {
        "stage": forecast.stage,
        "theme": forecast.theme_id,
        "model": forecast.model,
        **{name: getattr(forecast, name) for name in SUMS},
        "cost_usd": forecast.cost_usd,
        "batch_cost_usd": forecast.batch_cost_usd,
        "basis": forecast.basis,
    }


def usd(cost: float | None) -> str:
    """A cost as people read it; a dash where nobody knows."""
    return "-" if cost is None else f"{cost:.4f}"


def _show(document: dict[str, Any]) -> None:
    total = document["total"]
    rows: Sequence[dict[str, Any]] = document["stages"]
    if not any(row["items"] or row["done"] for row in rows):
        say(f"Nothing is stored for team {document['team']} on {document['date']}, and nothing began then.")
        return
    show_table(
        ("stage", "theme", "model", "new", "done", "calls", "tokens in", "tokens out", "USD"),
        [
            (row["stage"], row["theme"], row["model"], f"{row['items']:,}", f"{row['done']:,}", *_numbers(row))
            for row in rows
        ]
        + [("total", "", "", "", "", *_numbers(total))],
        right=("new", "done", "calls", "tokens in", "tokens out", "USD"),
    )
    for row in rows:
        if row["calls"]:
            show(f"{row['stage']}, {row['theme']}: {plain(row['basis'])}")
    if document["models_without_price"]:
        names = ", ".join(plain(name) for name in document["models_without_price"])
        say(f"Nobody knows what {names} costs: tokens only. LLMA_PRICES_FILE can name a price.")
    if total["cost_usd"]:
        show(
            f"prices as of {document['prices_as_of']}; summaries by batches: {usd(total['batch_cost_usd'])} USD in all"
        )
    if budget := document["budget"]:
        verdict = "fits" if budget["fits"] else "does not fit: the run will stop there, and say what it left undone"
        show(
            f"daily budget {budget['daily_usd']:g} USD, {usd(budget['left_usd'])} left "
            f"({usd(budget['spent_of_day_usd'])} spent for the day, {usd(budget['spent_today_usd'])} today): {verdict}"
        )
    for own in document["theme_budgets"]:
        verdict = "fits" if own["fits"] else "does not fit: the theme will stop there, the others go on"
        show(
            f"daily budget of {plain(own['theme'])} {own['daily_usd']:g} USD, {usd(own['left_usd'])} left "
            f"({usd(own['spent_of_day_usd'])} spent for the day, {usd(own['spent_today_usd'])} today): {verdict}"
        )
    for note in document["notes"]:
        say(note)


def _numbers(row: dict[str, Any]) -> tuple[str, str, str, str]:
    return f"{row['calls']:,}", f"{row['input_tokens']:,}", f"{row['output_tokens']:,}", usd(row["cost_usd"])
