"""What every stage is given and gives back: its team, resolved once, and a report. Knows no Dagster.

Dagster's side of it, one frame for all stages, is `llma_assets.defs.stage_asset`; what a stage does with one partition
is in its room's `partition.py`.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from llma_assets.clickhouse import Database
from llma_assets.clock import Clock
from llma_assets.ledger import Skip, clear_skip, record_skip
from llma_assets.models import ChatModel, Embedder, ModelConfigurationError, ModelHealth, NothingUsable, PriceUnknown
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import TeamThemes, Theme

log = logging.getLogger(__name__)

FAILED, OUTSIDE_DATES = "failed", "outside_dates"
"""Reasons of skips that are a theme's own."""

SHOWN_ERROR = 500
"""Characters of an error that a skip keeps."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Report:
    """What a stage did for one partition.

    Attributes:
        items: results that the partition now holds.
        reason: why there are none, "" where there are.
        details: counters and settings by name, for whoever looks closer.
        tables: rows of equal fields by name, shown before the details.
        pages: Markdown by name, shown before the tables.
        failed: items that failed; where they are all that there is, the status is `failed`.
        deferred: items that wait for budget; with any the partition's status is `budget`, which is no failure.
        waiting: items that wait for an answer which a later run takes; with any the status is `waiting`.
    """

    items: int
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Sequence[Mapping[str, str | int | float | bool | None]]] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)
    deferred: int = 0
    waiting: int = 0
    failed: int = 0

    @property
    def status(self) -> str:
        """`done`, `skipped`, `budget`, `waiting` or `failed`."""
        if self.deferred:
            return "budget"
        if self.waiting:
            return "waiting"
        if self.failed and not self.items:
            return "failed"
        return "done" if self.items else "skipped"


class Progress(Protocol):
    """Told how far a stage is; must be quick and safe to call often."""

    def __call__(self, stage: str, team_day: TeamDay, done: int, total: int) -> None: ...


def silent(stage: str, team_day: TeamDay, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def unfailing(progress: Progress) -> Progress:
    """A `Progress` that never fails what it tells of: with a first error of its own it falls silent."""
    is_silent = False

    def told(stage: str, team_day: TeamDay, done: int, total: int) -> None:
        nonlocal is_silent
        if is_silent:
            return
        try:
            progress(stage, team_day, done, total)
        # A closed pipe, a terminal that is gone, a mistake in drawing: nothing of the run depends on it.
        except Exception:
            is_silent = True
            logging.getLogger(__name__).debug("no more progress is shown", exc_info=True)

    return told


@dataclass(frozen=True, slots=True)
class StageContext:
    """What a stage is given for one partition: a team that takes part, and all that it works with.

    Attributes:
        stage: name of the asset.
        database: its queries carry the run and the asset in `log_comment`.
        partition: the team and the date.
        team: how the team wants to be worked on.
        lookback_days: length of the window that clustering reads, where a theme has none of its own.
        themes: those that the run is for, each after the one that it depends on.
        team_themes: all themes of the team, also those that are switched off.
        options: the run's options, as the asset's config class gives them.
        clock: the time.
        progress: is told how far the stage is.
        chat: the chat model of a name, that of the installation for None.
        chat_name: what the installation's is called in its settings.
        embedder: the embedding model.
        evidence: what the models have given so far in the run.
        delivery: the run, as Dagster counts it: one that is started again after a crash is the run that it repeats.
        run_seconds: how long the run has been at work.
    """

    stage: str
    database: Database
    partition: TeamDay
    team: TeamOptions
    lookback_days: int
    themes: tuple[Theme, ...]
    team_themes: TeamThemes
    options: Any
    clock: Clock
    progress: Progress
    chat: Callable[[str | None], ChatModel]
    chat_name: str
    embedder: Callable[[], Embedder]
    evidence: ModelHealth
    delivery: str
    run_seconds: Callable[[], float]


class ThemesFailed(RuntimeError):
    """Some themes of a stage failed; what the others made is stored.

    Attributes:
        why: what failed, by theme.
    """

    def __init__(self, why: Mapping[str, str], *, of: int) -> None:
        told = "; ".join(f"{theme_id} ({reason})" for theme_id, reason in why.items())
        super().__init__(f"{len(why)} of {of} themes failed: {told}")
        self.why = dict(why)


def each_theme(
    database: Database, team_day: TeamDay, stage: str, themes: Sequence[Theme], work: Callable[[Theme], Result]
) -> list[tuple[Theme, Result]]:
    """Do `work` for each theme that is to be run on the day, one by one; one that fails leaves the others standing.

    Why a theme has nothing here is stored as a skip (`failed`, `outside_dates`, or the `skip_reason` of an error that
    has one), and cleared once it has.

    Returns:
        each theme that was worked on, with what `work` gave for it.

    Raises:
        ThemesFailed: names the themes that failed, after all others were worked on.
        ModelConfigurationError: at once, where the installation's model is meant: no other theme could succeed. That
            of a theme which has a chat model of its own, or a budget that cannot be kept, concerns this theme alone.
    """
    done: list[tuple[Theme, Result]] = []
    failures: dict[str, str] = {}
    for theme in themes:

        def skip(reason: str, detail: str, theme_id: str = theme.theme_id) -> None:
            log.warning(f"{team_day}, {stage}: theme {theme_id} {reason.replace('_', ' ')}: {detail}")
            record_skip(database, Skip(team_day.team_id, team_day.day, stage, theme_id, reason, detail))

        if not theme.covers(team_day.day):
            skip(OUTSIDE_DATES, f"the theme is for {theme.first_day or '…'} to {theme.last_day or '…'}")
            continue
        try:
            result = work(theme)
        # Whatever went wrong concerns this theme; it is raised again, here or below.
        except Exception as error:
            failures[theme.theme_id] = f"{type(error).__name__}: {error}{_whose_model(error, theme)}"
            log.exception(f"{team_day}, {stage}: theme {theme.theme_id} failed")
            reason = getattr(error, "skip_reason", FAILED)
            detail = failures[theme.theme_id] if reason == FAILED else str(error)
            skip(reason, detail[:SHOWN_ERROR])
            if isinstance(error, ModelConfigurationError) and not _is_its_own(error, theme):
                raise
            continue
        done.append((theme, result))
        clear_skip(
            database,
            team_id=team_day.team_id,
            day=team_day.day,
            stage=stage,
            theme_id=theme.theme_id,
            only=(FAILED, OUTSIDE_DATES),
        )
    if failures:
        raise ThemesFailed(failures, of=len(failures) + len(done))
    return done


def _is_its_own(error: ModelConfigurationError, theme: Theme) -> bool:
    """Whether what is wrong with a model may be right for another theme."""
    if isinstance(error, NothingUsable) and error.is_one_themes:
        return True
    return theme.model is not None or (isinstance(error, PriceUnknown) and theme.daily_budget_usd is not None)


def _whose_model(error: Exception, theme: Theme) -> str:
    """The model that a theme asks for by itself, where that is what is wrong, unless the error names it."""
    if not isinstance(error, ModelConfigurationError) or theme.model is None or theme.model in str(error):
        return ""
    return f" (this theme asks for the model {theme.model!r})"
