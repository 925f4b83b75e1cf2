"""Takes teams through the graph for a day: discovery, texts once, then the lanes of their themes.

How a lane is run belongs in `runner.py`, how several are in `lanes.py`; what is printed in `run.py` and `demo.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.render.console import say
from llma_assets.cli.render.pace import Pace
from llma_assets.cli.render.progress import Outlook, shown_progress
from llma_assets.cli.run.days import first_day_of
from llma_assets.cli.run.lanes import LabelledProgress, one_by_one, processes, run_lanes
from llma_assets.cli.run.needed_models import missing_model
from llma_assets.cli.run.runner import runner_of
from llma_assets.clusters import CLUSTERING_STAGE
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.jobs import SUMMARIES
from llma_assets.defs.runner import GENERAL, JobRun, Lane, LaneRun, Runner
from llma_assets.discovery import TeamDecision
from llma_assets.ledger import Skip, list_skips, record_skip, spent_since
from llma_assets.reports import LeftWork, PublishedClusters, published_clusters
from llma_assets.settings import Settings
from llma_assets.stage import unfailing
from llma_assets.summaries import texts_without_summary
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamSettings
from llma_assets.themes import GENERAL as GENERAL_THEMES
from llma_assets.themes import Theme, ThemeError, active_themes

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database

NO_RECENT_EVENTS = "no_recent_events"
ASKING_STAGES = ("trace_summaries", "summary_embeddings", "cluster_labels")
NOTHING_TO_ASK = {
    "no_content",
    "no_texts",
    "nothing_matches",
    "nothing_relevant_to_the_theme_before",
    "nothing_sampled",
    "rule_left_nothing",
    "outside_dates",
}
"""Reasons of skips that leave nothing for a later run."""
GENERAL_IDS = frozenset(theme.theme_id for theme in GENERAL_THEMES)


@dataclass(frozen=True, slots=True)
class TeamRun:
    """What came of a team.

    Attributes:
        team_day: the team and the day.
        status: `done` also where clustering found too little; `skipped` where discovery left the team out or it has no
            theme to run; `waiting` where a lane waits and none failed; `failed` where a lane failed.
        reason: why it was skipped or waits, or what failed; "" for done.
        detail: the reason in words.
        first_day: first day of the window that was run.
        texts: the run that made the texts for all lanes, None where the only lane made them itself.
        lanes: the lanes and what came of each, in the order in which they were planned.
        manual: themes that are on and were not run, because they are run by their names only.
        left: what the stages that ask models left for a later run, or failed at, on the days of the window.
    """

    team_day: TeamDay
    status: Literal["done", "texts", "skipped", "waiting", "failed"]
    reason: str
    detail: str
    first_day: date
    texts: JobRun | None = None
    lanes: Sequence[tuple[Lane, LaneRun]] = field(default_factory=tuple)
    manual: Sequence[str] = field(default_factory=tuple)
    left: Sequence[LeftWork] = field(default_factory=tuple)

    @property
    def job_runs(self) -> list[JobRun]:
        """The runs that Dagster recorded."""
        texts = [self.texts] if self.texts else []
        return [*texts, *(job_run for _, done in self.lanes for job_run in done.job_runs)]

    def seconds(self) -> dict[str, float]:
        """Wall time by stage, of all lanes together."""
        found: Counter[str] = Counter()
        for job_run in self.job_runs:
            found.update(job_run.seconds)
        return dict(found)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a command asks of each team.

    Attributes:
        theme_ids: only these themes; without any, the general ones and all others that are on and not manual.
        clustering: options of `cluster_assignments`; what is not there is as each theme wants it.
        batch_wait_s: ask for summaries by the Batch API and wait so long; None asks by calls.
        texts_only: stop after the texts.
        at_once: lanes that are run at once.
        verbose: show Dagster's own log on stderr.
    """

    theme_ids: Sequence[str] = ()
    clustering: Mapping[str, Any] = field(default_factory=dict)
    batch_wait_s: float | None = None
    texts_only: bool = False
    at_once: int = 2
    verbose: bool = False


def chosen_themes(database: "Database", team_id: int, theme_ids: Sequence[str]) -> tuple[list[Theme], list[str]]:
    """The themes that a run of a team by hand takes, and those that it leaves because they are manual.

    Raises:
        ThemeError: a theme that is asked for is unknown or switched off.
    """
    themes = active_themes(database, team_id, theme_ids)
    if theme_ids:
        return list(themes), []
    return (
        [theme for theme in themes if theme.theme_id in GENERAL_IDS or theme.schedule != "manual"],
        [theme.theme_id for theme in themes if theme.theme_id not in GENERAL_IDS and theme.schedule == "manual"],
    )


def _has_themes(database: "Database", team_id: int, theme_ids: Sequence[str]) -> bool:
    try:
        chosen_themes(database, team_id, theme_ids)
    except ThemeError:
        return False
    return True


def run_teams(
    database: "Database", day: date, team_ids: Sequence[int] | None, wish: Wish, settings: TeamSettings
) -> tuple[list[TeamRun], dict[int, PublishedClusters]]:
    """Discovery, then one team after another.

    Args:
        database: where everything is.
        day: the day that is clustered.
        team_ids: the teams, None for all that are eligible. Of those the ones without the themes asked for are left
            out.
        wish: what is asked of each.
        settings: of the teams.

    Returns:
        what came of each team, and the published clusters by team id.

    Raises:
        Problem: discovery itself failed.
        ThemeError: a theme that is asked for is unknown to a team, or switched off.
    """
    own_settings = Settings.from_env()
    for team_id in team_ids or ():
        chosen_themes(database, team_id, wish.theme_ids)
    windows: dict[int, tuple[date, date]] = {}
    outlook = _outlook(database, windows)
    with opened_instance(own_settings) as instance, shown_progress(lines=wish.verbose, outlook=outlook) as shown:
        progress = LabelledProgress(unfailing(shown))
        runner = runner_of(instance, database, progress=progress, verbose=wish.verbose)
        discovery, decisions = runner.discover(day)
        if discovery.error:
            raise Problem(discovery.error)
        if team_ids is None:
            eligible = [decision.team_id for decision in decisions.values() if decision.eligible]
            if not eligible:
                say(f"No team is eligible on {day}. `llma skips --date {day}` says why; `llma ingest` brings events.")
            team_ids = [team_id for team_id in eligible if _has_themes(database, team_id, wish.theme_ids)]
            if eligible and not team_ids:
                raise WrongUse(f"no eligible team has {', '.join(wish.theme_ids)} switched on")
        runs = [
            _run_team(
                runner, progress, database, TeamDay(team_id, day), decisions.get(team_id), wish, settings, windows
            )
            for team_id in team_ids
        ]
    return runs, {each.team_day.team_id: published_clusters(database, each.team_day) for each in runs}


def _run_team(  # noqa: PLR0911 - each says another thing about the team
    runner: Runner,
    progress: LabelledProgress,
    database: "Database",
    team_day: TeamDay,
    decision: TeamDecision | None,
    wish: Wish,
    settings: TeamSettings,
    windows: dict[int, tuple[date, date]],
) -> TeamRun:
    """The texts of the window, made once, then each lane. A team that discovery left out costs nothing.

    Args:
        windows: the first and the last day of each team that is run are written there.
    """
    themes, manual = chosen_themes(database, team_day.team_id, wish.theme_ids)
    oldest_day = Settings.from_env().oldest_day
    lanes = _lanes(team_day, themes, wish, settings.lookback_days, oldest_day)
    first_day = min(
        (lane.first_day for lane in lanes), default=first_day_of(team_day.day, settings.lookback_days, oldest_day)
    )
    if decision is None or not decision.eligible:
        reason = decision.reason if decision else NO_RECENT_EVENTS
        detail = decision.detail if decision else f"no trace event from {first_day} to {team_day.day}"
        # By theme, so that a later clustering replaces what is said here.
        for theme in themes:
            skip = Skip(team_day.team_id, team_day.day, CLUSTERING_STAGE, theme.theme_id, reason, detail)
            record_skip(database, skip)
        return TeamRun(team_day, "skipped", reason, detail, first_day, manual=manual)
    if not lanes:
        detail = f"no theme is switched on; `llma themes list --team {team_day.team_id}` shows what there is"
        return TeamRun(team_day, "skipped", "no_themes", detail, first_day, manual=manual)
    theme_ids = [theme.theme_id for theme in themes]
    first = TeamDay(team_day.team_id, first_day)
    if not wish.texts_only and (missing := missing_model(database, first, team_day, themes)):
        return TeamRun(team_day, "failed", "failed", missing, first_day, manual=manual)
    windows[team_day.team_id] = (first_day, team_day.day)
    say(
        f"team {team_day.team_id}: {decision.traces:,} traces from {first_day} to {team_day.day}; "
        f"themes: {', '.join(theme_ids)}"
    )
    if wish.texts_only:
        texts = runner.make_texts(first, team_day, theme_ids)
        return TeamRun(team_day, "failed" if texts.error else "texts", "", texts.error, first_day, texts)
    wait_s = wish.batch_wait_s or 0.0
    if len(lanes) == 1:
        results = run_lanes(lanes, one_by_one(runner, progress.label), batch_wait_s=wait_s)
        return _with_what_is_left(database, _summed_up(team_day, first_day, None, lanes, results, manual))
    # The processes start while the texts are made.
    with processes(min(wish.at_once, len(lanes)), progress, verbose=wish.verbose) as several:
        progress.label(GENERAL)
        texts = runner.make_texts(first, team_day, theme_ids)
        if texts.error:
            return TeamRun(team_day, "failed", "failed", texts.error, first_day, texts, manual=manual)
        run_all = several.run_all if several else one_by_one(runner, progress.label)
        results = run_lanes(lanes, run_all, batch_wait_s=wait_s)
    return _with_what_is_left(database, _summed_up(team_day, first_day, texts, lanes, results, manual))


def _outlook(database: "Database", windows: Mapping[int, tuple[date, date]]) -> Outlook:
    """What is said beside the progress of teams whose windows are known."""
    started = datetime.now(UTC)

    def to_summarise(stage: str, team_id: int) -> int:
        """What the general themes have still to ask about, on all days of the window."""
        if stage != SUMMARIES or team_id not in windows:
            return 0
        first, last = windows[team_id]
        return texts_without_summary(database, team_id, first, last)

    def spent_usd() -> float:
        return sum(spent_since(database, team_id, started) for team_id in windows)

    return Outlook(Pace(expected=to_summarise), spent_usd)


def _lanes(team_day: TeamDay, themes: Sequence[Theme], wish: Wish, lookback_days: int, oldest_day: date) -> list[Lane]:
    """The general themes together, then each other theme; each after the one that it depends on."""
    general = [theme for theme in themes if theme.theme_id in GENERAL_IDS]
    groups = [general] if general else []
    groups += [[theme] for theme in themes if theme.theme_id not in GENERAL_IDS]

    def first_day(group: Sequence[Theme]) -> date:
        lookback = max(each.lookback_days or lookback_days for each in group)
        return first_day_of(team_day.day, lookback, oldest_day)

    return [
        Lane(
            team_day=team_day,
            theme_ids=tuple(theme.theme_id for theme in group),
            first_day=first_day(group),
            after=GENERAL if group[0].after in GENERAL_IDS else group[0].after,
            is_general=group is general,
            clustering=wish.clustering,
            makes_texts=len(groups) == 1,
            by_batch=wish.batch_wait_s is not None,
        )
        for group in groups
    ]


def _with_what_is_left(database: "Database", run: TeamRun) -> TeamRun:
    """The run with what it left, of the themes that it was for."""
    ran = {theme_id for lane, _ in run.lanes for theme_id in lane.theme_ids}
    days = [run.first_day + timedelta(days=n) for n in range((run.team_day.day - run.first_day).days + 1)]
    left = [
        LeftWork(skip.day, skip.stage, skip.theme_id, skip.reason, skip.detail)
        for day in days
        for skip in list_skips(database, day=day, team_id=run.team_day.team_id)
        if skip.stage in ASKING_STAGES and skip.theme_id in ran and skip.reason not in NOTHING_TO_ASK
    ]
    return replace(run, left=left)


def _summed_up(
    team_day: TeamDay,
    first_day: date,
    texts: JobRun | None,
    lanes: Sequence[Lane],
    results: Mapping[str, LaneRun],
    manual: Sequence[str],
) -> TeamRun:
    found = [(lane, results[lane.name]) for lane in lanes]
    for status in ("failed", "waiting"):
        concerned = [(lane, done) for lane, done in found if done.status == status]
        if concerned:
            detail = "; ".join(
                done.detail if len(lanes) == 1 else f"{lane.name}: {done.detail}" for lane, done in concerned
            )
            return TeamRun(team_day, status, concerned[0][1].reason, detail, first_day, texts, found, manual)
    return TeamRun(team_day, "done", "", "", first_day, texts, found, manual)
