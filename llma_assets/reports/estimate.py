"""The estimate of calls and cost before a run. Each room counts its own stage."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from llma_assets.clickhouse import Database
from llma_assets.discovery import traces_with_events
from llma_assets.embeddings import forecast_embeddings
from llma_assets.insights import forecast_causes
from llma_assets.labels import forecast_labels
from llma_assets.ledger import Forecast, Spending, spending
from llma_assets.models import price_list
from llma_assets.serialization import Amount, Day, TeamId, ThemeId
from llma_assets.summaries import forecast_summaries, items_of_window, pending, relevance_so_far
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings, why_left_out
from llma_assets.themes import TRACES, Theme, active_themes


class NoTextsError(LookupError):
    """There are events, but no texts yet, so nothing can be counted.

    Attributes:
        traces: traces that have events on the day.
    """

    def __init__(self, traces: int) -> None:
        super().__init__(f"no texts are stored, though {traces:,} traces have events")
        self.traces = traces


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """What a stage would take for a theme; the fields are those of `Forecast`."""

    stage: str
    theme_id: ThemeId
    model: str
    items: int
    done: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    batch_cost_usd: float | None
    basis: str

    @classmethod
    def of(cls, forecast: Forecast) -> "StageEstimate":
        """The forecast with its costs."""
        return cls(**{each.name: getattr(forecast, each.name) for each in fields(cls)})


@dataclass(frozen=True, slots=True)
class EstimateTotal:
    """The sums of all stages and themes; costs leave out models without a price."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Amount
    batch_cost_usd: Amount


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """A daily budget, what is left of it, and whether the estimate fits, in USD."""

    daily_usd: Amount
    spent_of_day_usd: Amount
    spent_today_usd: Amount
    set_aside_usd: Amount
    left_usd: Amount
    fits: bool


@dataclass(frozen=True, slots=True)
class ThemeBudgetLeft:
    """The same of a theme's own budget."""

    theme_id: ThemeId
    daily_usd: Amount
    spent_of_day_usd: Amount
    spent_today_usd: Amount
    set_aside_usd: Amount
    left_usd: Amount
    fits: bool


@dataclass(frozen=True, slots=True)
class EstimateReport:
    """What a run of a team's day would take.

    Attributes:
        model: the chat model of the general themes; a theme may have one of its own.
        embedding_model: the embedding model.
        stages: by stage, in the order of the graph, and theme.
        total: the sums.
        models_without_price: models whose price is unknown.
        prices_as_of: the date of the price list.
        budget: None without one.
        theme_budgets: of the themes that have one.
        notes: sentences about what the figures leave out.
    """

    team_id: TeamId
    day: Day
    model: str
    embedding_model: str
    stages: tuple[StageEstimate, ...]
    total: EstimateTotal
    models_without_price: tuple[str, ...]
    prices_as_of: str
    budget: BudgetLeft | None
    theme_budgets: tuple[ThemeBudgetLeft, ...]
    notes: tuple[str, ...]


def estimate_report(
    database: Database,
    team_day: TeamDay,
    theme_ids: Sequence[str],
    *,
    model_of: Callable[[Theme], str],
    embedding_model: str,
    settings: TeamSettings,
    today: date,
) -> EstimateReport:
    """Count the new work of a partition from the stored texts, without calling a model.

    Args:
        theme_ids: only these themes; all that are on without any.
        model_of: the chat model that a theme's calls would be made under.
        today: the calendar day whose spending counts against the budgets, too.

    Raises:
        NoTextsError: there are events, but no texts yet.
        ThemeError: a theme is unknown or off.
    """
    themes = active_themes(database, team_day.team_id, theme_ids)
    forecasts, notes = _forecasts(database, team_day, themes, model_of, embedding_model, settings.lookback_days)
    if (left_out := why_left_out(settings, team_day.team_id)) is not None:
        notes.append(f"a run would do none of this: {left_out.detail}")
    stages = tuple(StageEstimate.of(each) for each in forecasts)
    budget_usd = settings.options_of(team_day.team_id).daily_budget_usd
    return EstimateReport(
        team_id=team_day.team_id,
        day=team_day.day,
        model=model_of(TRACES),
        embedding_model=embedding_model,
        stages=stages,
        total=_total(stages),
        models_without_price=tuple(sorted({each.model for each in stages if each.calls and each.cost_usd is None})),
        prices_as_of=price_list().as_of,
        budget=None if budget_usd is None else _left(budget_usd, spending(database, team_day, today), stages),
        theme_budgets=tuple(
            _of_theme(database, team_day, theme, stages, today)
            for theme in themes
            if theme.daily_budget_usd is not None
        ),
        notes=tuple(notes),
    )


def _total(stages: Sequence[StageEstimate]) -> EstimateTotal:
    return EstimateTotal(
        calls=sum(each.calls for each in stages),
        input_tokens=sum(each.input_tokens for each in stages),
        output_tokens=sum(each.output_tokens for each in stages),
        cost_usd=sum(each.cost_usd or 0.0 for each in stages),
        batch_cost_usd=sum(each.batch_cost_usd or 0.0 for each in stages),
    )


def _left(limit_usd: float, spent: Spending, stages: Iterable[StageEstimate]) -> BudgetLeft:
    """What is left of a budget; an estimate with an unknown price does not fit."""
    costs = [each.cost_usd for each in stages]
    return BudgetLeft(
        daily_usd=limit_usd,
        spent_of_day_usd=spent.of_day,
        spent_today_usd=spent.on_date,
        set_aside_usd=max(spent.held_of_day + spent.lost_of_day, spent.held_on_date + spent.lost_on_date),
        left_usd=max(0.0, limit_usd - spent.most),
        fits=None not in costs and sum(cost or 0.0 for cost in costs) <= limit_usd - spent.most,
    )


def _of_theme(
    database: Database, team_day: TeamDay, theme: Theme, stages: Sequence[StageEstimate], today: date
) -> ThemeBudgetLeft:
    spent = spending(database, team_day, today, theme_id=theme.theme_id)
    left = _left(theme.daily_budget_usd or 0.0, spent, [each for each in stages if each.theme_id == theme.theme_id])
    return ThemeBudgetLeft(theme.theme_id, **{each.name: getattr(left, each.name) for each in fields(left)})


def _forecasts(
    database: Database,
    team_day: TeamDay,
    themes: Sequence[Theme],
    model_of: Callable[[Theme], str],
    embedding: str,
    lookback_days: int,
) -> tuple[list[Forecast], list[str]]:
    """What each stage would take for each theme, in the order of the graph; and what is not in these numbers."""
    works = {theme.theme_id: pending(database, team_day, theme, model_of(theme)) for theme in themes}
    if not any(work.items for work in works.values()) and (traces := traces_with_events(database, team_day)):
        raise NoTextsError(traces)
    summaries: list[Forecast] = []
    embeddings: list[Forecast] = []
    labels: list[Forecast] = []
    causes: list[Forecast] = []
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
            vectors = replace(
                vectors, basis=f"{vectors.basis}; {seen if relevance.asked else 'all counted as relevant'}"
            )
        embeddings.append(vectors)
        if theme.after in works and works[theme.after].asked:
            notes.append(
                f"{theme.theme_id} runs after {theme.after}: items that {theme.after} has yet to find are not counted"
            )
        window = items_of_window(database, team_day, theme, lookback_days)
        labels.append(
            forecast_labels(
                database,
                team_day,
                theme,
                chat,
                items=max(window, round(len(work.items) * relevance.share)),
                is_new=bool(vectors.items),
                least_items=theme.clustering.min_items,
            )
        )
        if theme.causes:
            clusters = labels[-1].items + labels[-1].done
            is_new = bool(vectors.items)
            causes.append(forecast_causes(database, team_day, theme, chat, clusters=clusters, is_new=is_new))
    return [*summaries, *embeddings, *labels, *causes], notes
