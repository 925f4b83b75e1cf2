"""Runs the graph for teams and a day: discovery, the texts once, then the run groups of the themes.

How one run group runs belongs in `runner.py`, how several run in `run_groups.py`, what is printed in `report.py`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from llma_assets.cli.errors import Problem, WrongUse, explained
from llma_assets.cli.render.console import say
from llma_assets.cli.render.progress import ProgressNote, shown_progress
from llma_assets.cli.render.teams import team_named
from llma_assets.cli.render.time_left import TimeLeft
from llma_assets.cli.run.actions import act
from llma_assets.cli.run.days import first_day_of
from llma_assets.cli.run.needed_models import missing_model
from llma_assets.cli.run.planned_groups import LookAhead, planned_groups
from llma_assets.cli.run.run_groups import LabelledProgress, run_groups, run_sequentially, worker_processes
from llma_assets.cli.run.runner import runner_of
from llma_assets.clusters import CLUSTERING_STAGE
from llma_assets.defs.instance import opened_instance
from llma_assets.defs.job_run import JobRun
from llma_assets.defs.jobs import SUMMARIES
from llma_assets.defs.run_group import GENERAL, NOTHING_TO_DO, RunGroup, RunGroupResult
from llma_assets.defs.runner import Runner
from llma_assets.discovery import TeamDecision
from llma_assets.ledger import Skip, record_skip, skips_of_window, spent_since
from llma_assets.reports import ActionOutcome, DeferredWork, PublishedClusters, published_of_teams
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
"""Reasons of skips after which a later run has nothing to do."""
GENERAL_IDS = frozenset(theme.theme_id for theme in GENERAL_THEMES)


@dataclass(frozen=True, slots=True)
class TeamRun:
    """The outcome of a team.

    Attributes:
        team_day: the team and the day.
        status: `done` also if there were too few items to cluster; `skipped` if discovery left the team out or it
            has no theme to run; `waiting` if a run group waits and none failed; `failed` if a run group failed.
        reason: code of why it was skipped, waits or failed; "" for done.
        detail: the reason in a sentence.
        first_day: first day of the window that was run.
        texts: the run that made the texts for all groups, None if the only group made them itself.
        groups: the run groups with their results, in the planned order.
        manual: themes that are on and did not run, because their schedule is `manual`.
        left: deferred or failed work of the stages that ask models, on the days of the window.
        actions: what followed from the results.
    """

    team_day: TeamDay
    status: Literal["done", "texts", "skipped", "waiting", "failed"]
    reason: str
    detail: str
    first_day: date
    texts: JobRun | None = None
    groups: Sequence[tuple[RunGroup, RunGroupResult]] = field(default_factory=tuple)
    manual: Sequence[str] = field(default_factory=tuple)
    left: Sequence[DeferredWork] = field(default_factory=tuple)
    actions: Sequence[ActionOutcome] = field(default_factory=tuple)

    @property
    def job_runs(self) -> list[JobRun]:
        """The runs that Dagster recorded."""
        texts = [self.texts] if self.texts else []
        return [*texts, *(job_run for _, done in self.groups for job_run in done.job_runs)]

    def seconds(self) -> dict[str, float]:
        """Wall time by stage, of all groups together."""
        found: Counter[str] = Counter()
        for job_run in self.job_runs:
            found.update(job_run.seconds)
        return dict(found)


@dataclass(frozen=True, slots=True)
class TeamRunOptions:
    """Options of a run, the same for each team.

    Attributes:
        theme_ids: only these themes; if empty, the general ones and all others that are on and not manual.
        clustering: options of `cluster_assignments`; for others the settings of each theme hold.
        batch_wait_s: ask for summaries by the Batch API and wait so long; None uses ordinary calls.
        texts_only: stop after the texts.
        results_only: judge no alert rule, and leave trackers alone.
        at_once: run groups that run at the same time.
        verbose: show Dagster's own log on stderr.
    """

    theme_ids: Sequence[str] = ()
    clustering: Mapping[str, Any] = field(default_factory=dict)
    batch_wait_s: float | None = None
    texts_only: bool = False
    results_only: bool = False
    at_once: int = 2
    verbose: bool = False


def chosen_themes(database: "Database", team_id: int, theme_ids: Sequence[str]) -> tuple[list[Theme], list[str]]:
    """The themes that a run by hand selects, and those that it leaves out because they are manual.

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
    database: "Database", day: date, team_ids: Sequence[int] | None, options: TeamRunOptions, settings: TeamSettings
) -> tuple[list[TeamRun], dict[int, PublishedClusters]]:
    """Run discovery, then one team after another; several of them in one run of Dagster.

    Args:
        database: where everything is stored.
        day: the day to cluster.
        team_ids: the teams; None for all eligible ones that have the requested themes.
        options: of the run.
        settings: of the teams.

    Returns:
        the outcome of each team, and the published clusters by team id.

    Raises:
        Problem: discovery itself failed.
        ThemeError: a theme that is asked for is unknown to a team, or switched off.
    """
    own_settings = Settings.from_env()
    # What is planned and what is told in the end ask for the same themes and decisions.
    memory = database.between_writes()
    for team_id in team_ids or ():
        chosen_themes(memory, team_id, options.theme_ids)
    windows: dict[int, tuple[date, date]] = {}
    note = _progress_note(database, windows)
    with opened_instance(own_settings) as instance, shown_progress(lines=options.verbose, note=note) as shown:
        progress = LabelledProgress(unfailing(shown))
        runner = runner_of(instance, database, progress=progress, verbose=options.verbose)
        discovery, decisions = runner.discover(day)
        if discovery.error:
            raise Problem(discovery.error)
        if team_ids is None:
            eligible = [decision.team_id for decision in decisions.values() if decision.eligible]
            if not eligible:
                say(f"No team is eligible on {day}. `llma skips --date {day}` says why; `llma ingest` brings events.")
            team_ids = [team_id for team_id in eligible if _has_themes(memory, team_id, options.theme_ids)]
            if eligible and not team_ids:
                raise WrongUse(f"no eligible team has {', '.join(options.theme_ids)} switched on")
        runs: list[TeamRun] = []
        plan = partial(_plan, memory, day, options, settings)
        taking_part = [each for each in team_ids if each in decisions and decisions[each].eligible]
        ahead = LookAhead(taking_part, plan, runner.look)

        def run_team(runner: Runner, team_id: int) -> str:
            team_day, decision = TeamDay(team_id, day), decisions.get(team_id)
            try:
                done = _run_team(
                    runner, progress, database, memory, team_day, decision, options, settings, windows, ahead
                )
            except Exception as error:
                if len(team_ids) == 1:
                    raise
                first_day = first_day_of(day, settings.lookback_days, own_settings.oldest_day)
                done = TeamRun(team_day, "failed", "failed", explained(error).message, first_day)
            runs.append(done)
            return done.detail if done.status == "failed" else ""

        if len(team_ids) == 1:
            run_team(runner, team_ids[0])
        elif team_ids:
            first_day = first_day_of(day, settings.lookback_days, own_settings.oldest_day)
            runner.in_shard(team_ids, (first_day, day), run_team)
        if not options.results_only:
            # As in the graph: after the checks, also of a day whose results are blocked; a rule may be about that.
            ended = [each.team_day.team_id for each in runs if each.status in ("done", "failed")]
            actions = act(runner, database, day, ended, now=datetime.now(UTC))
            runs = [replace(each, actions=actions.get(each.team_day.team_id, ())) for each in runs]
    return runs, published_of_teams(memory, [each.team_day.team_id for each in runs], day)


def _run_team(  # noqa: PLR0911 - one return for each outcome
    runner: Runner,
    progress: LabelledProgress,
    database: "Database",
    memory: "Database",
    team_day: TeamDay,
    decision: TeamDecision | None,
    options: TeamRunOptions,
    settings: TeamSettings,
    windows: dict[int, tuple[date, date]],
    ahead: LookAhead,
) -> TeamRun:
    """Make the texts of the window once, then run each group. A team that discovery left out costs nothing.

    Args:
        memory: the database, for what is asked several times within a minute.
        windows: receives the first and the last day of each team that runs.
        ahead: looks at the groups of this team and of later ones.
    """
    themes, manual = chosen_themes(memory, team_day.team_id, options.theme_ids)
    oldest_day = Settings.from_env().oldest_day
    groups = _plan(memory, team_day.day, options, settings, team_day.team_id)
    first_day = min(
        (group.first_day for group in groups), default=first_day_of(team_day.day, settings.lookback_days, oldest_day)
    )
    if decision is None or not decision.eligible:
        reason = decision.reason if decision else NO_RECENT_EVENTS
        detail = decision.detail if decision else f"no trace event from {first_day} to {team_day.day}"
        # By theme, so that a later clustering replaces this skip.
        for theme in themes:
            skip = Skip(team_day.team_id, team_day.day, CLUSTERING_STAGE, theme.theme_id, reason, detail)
            record_skip(database, skip)
        return TeamRun(team_day, "skipped", reason, detail, first_day, manual=manual)
    if not groups:
        detail = f"no theme is switched on; `llma themes list --team {team_day.team_id}` shows what there is"
        return TeamRun(team_day, "skipped", "no_themes", detail, first_day, manual=manual)
    theme_ids = [theme.theme_id for theme in themes]
    first = TeamDay(team_day.team_id, first_day)
    groups = groups if options.texts_only else ahead.at(team_day.team_id, groups)
    if not any(group.due for group in groups) and not options.texts_only:
        results = {group.name: NOTHING_TO_DO for group in groups}
        return _with_deferred_work(runner.memory, _team_run(team_day, first_day, None, groups, results, manual))
    if not options.texts_only and (missing := missing_model(database, first, team_day, themes)):
        return TeamRun(team_day, "failed", "failed", missing, first_day, manual=manual)
    windows[team_day.team_id] = (first_day, team_day.day)
    say(
        f"team {team_named(team_day.team_id)}: {decision.traces:,} traces from {first_day} to {team_day.day}; "
        f"themes: {', '.join(theme_ids)}"
    )
    if options.texts_only:
        texts = runner.make_texts(first, team_day, theme_ids)
        return TeamRun(team_day, "failed" if texts.error else "texts", "", texts.error, first_day, texts)
    wait_s = options.batch_wait_s or 0.0
    if len(groups) == 1:
        results = run_groups(groups, run_sequentially(runner, progress.label), batch_wait_s=wait_s)
        # What this process has written is known to it; of groups in others it would not be.
        return _with_deferred_work(runner.memory, _team_run(team_day, first_day, None, groups, results, manual))
    # The processes start while the texts are made.
    with worker_processes(min(options.at_once, len(groups)), progress, verbose=options.verbose) as workers:
        progress.label(GENERAL)
        texts = runner.make_texts(first, team_day, theme_ids)
        if texts.error:
            return TeamRun(team_day, "failed", "failed", texts.error, first_day, texts, manual=manual)
        run_all = workers.run_all if workers else run_sequentially(runner, progress.label)
        results = run_groups(groups, run_all, batch_wait_s=wait_s)
    return _with_deferred_work(database, _team_run(team_day, first_day, texts, groups, results, manual))


def _plan(
    memory: "Database", day: date, options: TeamRunOptions, settings: TeamSettings, team_id: int
) -> list[RunGroup]:
    """The run groups of a team."""
    return planned_groups(
        memory,
        TeamDay(team_id, day),
        chosen_themes(memory, team_id, options.theme_ids)[0],
        settings,
        Settings.from_env().oldest_day,
        clustering=options.clustering,
        by_batch=options.batch_wait_s is not None,
    )


def _progress_note(database: "Database", windows: Mapping[int, tuple[date, date]]) -> ProgressNote:
    """Time left and cost so far, for teams whose windows are known."""
    started = datetime.now(UTC)

    def to_summarise(stage: str, team_id: int) -> int:
        """Texts that the general themes have still to summarise, on all days of the window."""
        if stage != SUMMARIES or team_id not in windows:
            return 0
        first, last = windows[team_id]
        return texts_without_summary(database, team_id, first, last)

    def spent_usd() -> float:
        return spent_since(database, windows, started)

    return ProgressNote(TimeLeft(expected=to_summarise), spent_usd)


def _with_deferred_work(memory: "Database", run: TeamRun) -> TeamRun:
    """The outcome with deferred and failed work of the themes that ran."""
    ran = {theme_id for group, _ in run.groups for theme_id in group.theme_ids}
    left = [
        DeferredWork(skip.day, skip.stage, skip.theme_id, skip.reason, skip.detail)
        for skip in skips_of_window(memory, run.team_day.team_id, run.first_day, run.team_day.day)
        if skip.stage in ASKING_STAGES and skip.theme_id in ran and skip.reason not in NOTHING_TO_ASK
    ]
    return replace(run, left=left)


def _team_run(
    team_day: TeamDay,
    first_day: date,
    texts: JobRun | None,
    groups: Sequence[RunGroup],
    results: Mapping[str, RunGroupResult],
    manual: Sequence[str],
) -> TeamRun:
    found = [(group, results[group.name]) for group in groups]
    for status in ("failed", "waiting"):
        concerned = [(group, done) for group, done in found if done.status == status]
        if concerned:
            detail = "; ".join(
                done.detail if len(groups) == 1 else f"{group.name}: {done.detail}" for group, done in concerned
            )
            return TeamRun(team_day, status, concerned[0][1].reason, detail, first_day, texts, found, manual)
    return TeamRun(team_day, "done", "", "", first_day, texts, found, manual)
