"""The input and the output of every stage: its context, with the team resolved once, and its report.

The frame that runs stages in Dagster belongs in `llma_assets.defs.stage_asset`, the work on a partition in
`partition.py` of each room.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from llma_assets.clickhouse import Database
from llma_assets.clock import Clock
from llma_assets.ledger import Skip, clear_skips, record_skip
from llma_assets.models import ChatModel, Embedder, ModelConfigurationError, ModelHealth, NothingUsable, PriceUnknown
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import TeamThemes, Theme

log = logging.getLogger(__name__)

FAILED, OUTSIDE_DATES = "failed", "outside_dates"
"""Reasons of skips of a single theme."""

SHOWN_ERROR = 500
"""Most characters of an error in a skip."""

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
    """Receives the progress of a stage; must be quick, because it is called often."""

    def __call__(self, stage: str, team_day: TeamDay, done: int, total: int) -> None: ...


def silent(stage: str, team_day: TeamDay, done: int, total: int) -> None:
    """A `Progress` that shows nothing."""


def unfailing(progress: Progress) -> Progress:
    """A `Progress` whose errors do not fail the stage: after the first error it reports nothing more."""
    is_silent = False

    def told(stage: str, team_day: TeamDay, done: int, total: int) -> None:
        nonlocal is_silent
        if is_silent:
            return
        try:
            progress(stage, team_day, done, total)
        # A closed pipe, a closed terminal, a bug in drawing: the run does not depend on it.
        except Exception:
            is_silent = True
            logging.getLogger(__name__).debug("no more progress is shown", exc_info=True)

    return told


@dataclass(frozen=True, slots=True)
class StageContext:
    """The input of a stage for one partition: a team that is processed, and all that the stage uses.

    Attributes:
        stage: name of the asset.
        database: its queries carry the run and the asset in `log_comment`.
        partition: the team and the date.
        team: the options of the team.
        lookback_days: length of the window that clustering reads, unless a theme sets its own.
        themes: the themes of the run, each after the one that it depends on.
        team_themes: all themes of the team, including those that are switched off.
        options: the run's options, an instance of the asset's config class.
        clock: the current time.
        progress: receives the progress of the stage.
        chat: gives the chat model of a name, that of the installation for None.
        chat_name: name of the installation's chat model in the settings.
        embedder: gives the embedding model.
        evidence: results of the models so far in the run.
        delivery: id of the run; a run that is retried after a crash has that of the first attempt.
        run_seconds: gives the seconds since the run began.
        overview: whether the report is to show all published clusters, maps included.
        details: whether it is to say what pages and commands tell, too, such as forecasts.
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
    overview: bool = True
    details: bool = True


class ThemesFailed(RuntimeError):
    """Some themes of a stage failed; the results of the others are stored.

    Attributes:
        why: the error by theme.
    """

    def __init__(self, why: Mapping[str, str], *, of: int) -> None:
        told = "; ".join(f"{theme_id} ({reason})" for theme_id, reason in why.items())
        super().__init__(f"{len(why)} of {of} themes failed: {told}")
        self.why = dict(why)


def each_theme(
    database: Database,
    team_day: TeamDay,
    stage: str,
    themes: Sequence[Theme],
    work: Callable[[Theme], Result],
    together: Callable[[Sequence[tuple[Theme, Result]]], None] | None = None,
) -> list[tuple[Theme, Result]]:
    """Run `work` for each theme that covers the day, one by one; a theme that fails does not affect the others.

    The reason why a theme has no result is recorded as a skip (`failed`, `outside_dates`, or the `skip_reason` of the
    error) and cleared once it has one, for all themes at the end.

    Args:
        together: what is cheaper for all themes at once, such as writing; gets those that succeeded, with the results,
            which it may complete. Where it fails for all it is tried for each alone, so it must be repeatable.

    Returns:
        each theme that succeeded, with its result.

    Raises:
        ThemesFailed: some themes failed; raised after all themes were run.
        ModelConfigurationError: raised at once if it concerns the installation's model, because no other theme could
            succeed. For a theme with its own chat model, or with a budget that cannot be kept, only this theme fails.
    """
    done: list[tuple[Theme, Result]] = []
    failures: dict[str, str] = {}

    def skip(theme: Theme, reason: str, detail: str) -> None:
        log.warning(f"{team_day}, {stage}: theme {theme.theme_id} {reason.replace('_', ' ')}: {detail}")
        record_skip(database, Skip(team_day.team_id, team_day.day, stage, theme.theme_id, reason, detail))

    def fail(theme: Theme, error: Exception) -> None:
        failures[theme.theme_id] = f"{type(error).__name__}: {error}{_whose_model(error, theme)}"
        log.exception(f"{team_day}, {stage}: theme {theme.theme_id} failed")
        reason = getattr(error, "skip_reason", FAILED)
        detail = failures[theme.theme_id] if reason == FAILED else str(error)
        skip(theme, reason, detail[:SHOWN_ERROR])

    def finish() -> list[tuple[Theme, Result]]:
        finished = done if together is None else _together(done, together, fail)
        _clear_skips(database, team_day, stage, finished)
        return finished

    for theme in themes:
        if not theme.covers(team_day.day):
            skip(theme, OUTSIDE_DATES, f"the theme is for {theme.first_day or '…'} to {theme.last_day or '…'}")
            continue
        try:
            result = work(theme)
        # The fault concerns this theme; it is raised again, here or below.
        except Exception as error:
            fail(theme, error)
            if isinstance(error, ModelConfigurationError) and not _is_its_own(error, theme):
                finish()
                raise
            continue
        done.append((theme, result))
    finished = finish()
    if failures:
        raise ThemesFailed(failures, of=len(failures) + len(finished))
    return finished


def _together(
    done: list[tuple[Theme, Result]],
    together: Callable[[Sequence[tuple[Theme, Result]]], None],
    fail: Callable[[Theme, Exception], None],
) -> list[tuple[Theme, Result]]:
    """Do it for all themes at once, or else for each alone; those that succeeded."""
    if not done:
        return []
    try:
        together(done)
    # The fault may concern one theme alone; it is raised in the end.
    except Exception as error:
        if len(done) == 1:
            fail(done[0][0], error)
            return []
        return [kept for each in done for kept in _together([each], together, fail)]
    return done


def _clear_skips(database: Database, team_day: TeamDay, stage: str, done: Sequence[tuple[Theme, Any]]) -> None:
    """Clear the skips of an earlier run for themes that have a result now."""
    theme_ids = [theme.theme_id for theme, _ in done]
    if theme_ids:
        clear_skips(database, team_day, stage=stage, theme_ids=theme_ids, only=(FAILED, OUTSIDE_DATES))


def _is_its_own(error: ModelConfigurationError, theme: Theme) -> bool:
    """Whether the error concerns only this theme, so that another theme may succeed."""
    if isinstance(error, NothingUsable) and error.is_one_themes:
        return True
    return theme.model is not None or (isinstance(error, PriceUnknown) and theme.daily_budget_usd is not None)


def _whose_model(error: Exception, theme: Theme) -> str:
    """A mention of the theme's own model for an error about it, unless the error names the model."""
    if not isinstance(error, ModelConfigurationError) or theme.model is None or theme.model in str(error):
        return ""
    return f" (this theme asks for the model {theme.model!r})"
