"""The report of a run of teams, as JSON and as text, for `llma run` and `llma demo`. Nothing runs here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING

from llma_assets.cli.render.clusters import show_clusters
from llma_assets.cli.render.console import hinted, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.cli.run.team_runs import TeamRun
    from llma_assets.reports import PublishedClusters, RunReport, ThemeOutcome
    from llma_assets.team_day import TeamDay


def run_report(
    day: date, runs: "Sequence[TeamRun]", published: "Mapping[int, PublishedClusters]", took_s: float
) -> "RunReport":
    """The report of a run, as `llma run --json` prints it.

    Args:
        published: the clusters of the day, by team id.
    """
    from llma_assets.reports import RunReport, TeamOutcome

    return RunReport(
        day=day,
        duration_s=took_s,
        teams=tuple(
            TeamOutcome(
                team_id=each.team_day.team_id,
                status=each.status,
                reason=each.reason,
                detail=each.detail,
                first_day=each.first_day,
                dagster_runs=tuple(job_run.run_id for job_run in each.job_runs),
                themes=tuple(theme_outcomes(each)),
                left=tuple(each.left),
                stages=each.seconds(),
                runs=published[each.team_day.team_id].runs,
                actions=tuple(each.actions),
            )
            for each in runs
        ),
    )


def theme_outcomes(run: "TeamRun") -> "list[ThemeOutcome]":
    """The outcome of each theme of a team; the general ones run together, so they share runs and seconds."""
    from llma_assets.reports import ThemeOutcome

    ran = [
        ThemeOutcome(
            theme_id=theme_id,
            status=done.status,
            reason=done.reason,
            detail=done.detail,
            seconds=done.seconds,
            dagster_runs=tuple(job_run.run_id for job_run in done.job_runs),
        )
        for group, done in run.groups
        for theme_id in group.theme_ids
    ]
    manual = [
        ThemeOutcome(
            theme_id=theme_id,
            status="skipped",
            reason="manual",
            detail=f"`llma run --team {run.team_day.team_id} --date {run.team_day.day} --theme {theme_id}` runs it",
            seconds=0.0,
            dagster_runs=(),
        )
        for theme_id in run.manual
    ]
    return ran + manual


def show_runs(runs: "Sequence[TeamRun]", published: "Mapping[int, PublishedClusters]") -> None:
    """Print each team's clusters, or why there are none; failures go to stderr, with the command that retries them."""
    for each in runs:
        if each.status == "texts":
            show(
                hinted(
                    f"{_where(each.team_day)}: the texts from {each.first_day} on "
                    f"are stored; `llma estimate` counts them"
                )
            )
        elif each.status == "skipped":
            show(f"{_where(each.team_day)}: not run: {plain(each.reason)}, {plain(hinted(each.detail))}")
        elif each.status == "failed":
            say(f"{_where(each.team_day)} failed: {each.detail}")
            say(f"{_retry_hint(each)}; Dagster's runs: {', '.join(job_run.run_id for job_run in each.job_runs)}")
        elif each.status == "waiting":
            show(f"{_where(each.team_day)}: waiting: {plain(each.detail)}")
        if any(done.status == "done" or done.reason == "all_failed" for _, done in each.groups):
            show_clusters(_of_the_run(each, published[each.team_day.team_id]))
        if anew := sum(job_run.texts_made_anew for job_run in each.job_runs):
            why = "because their source, its rows or the options of texts changed"
            say(f"{_where(each.team_day)}: {anew:,} text{'s' * (anew > 1)} of earlier runs made anew, {why}")
        for outcome in theme_outcomes(each):
            if outcome.reason == "manual":
                detail = hinted(outcome.detail)
                show(f"{_where(each.team_day)}, {outcome.theme_id}: not run, because its schedule is manual; {detail}")
        _say_deferred_work(each)
        _show_actions(each)


def _show_actions(run: "TeamRun") -> None:
    """Print what alert rules decided and sent, and what became of issues; what is wrong goes to stderr."""
    for each in run.actions:
        where, said = f"{_where(run.team_day)}: {each.stage}", each.details
        if each.error:
            say(f"{where} failed: {plain(each.error)}; the results stand")
        elif each.reason:
            show(f"{where}: nothing is done, because {each.reason}")
        elif each.stage == "alerts":
            decided = sum(said["decisions"].values())
            quiet = f"; nobody is told, because {said['nobody_told_because']}" if said["nobody_told_because"] else ""
            show(f"{where}: {decided} decisions of {said['rules']} rules, {said['sent']} messages sent{quiet}")
        else:
            done = ", ".join(f"{count} {what}" for what, count in said["done"].items()) or "nothing changed"
            show(f"{where}: {done}")
            for problem in said["problems"]:
                say(f"{where}: {plain(problem)}")


def _say_deferred_work(run: "TeamRun") -> None:
    """Print deferred and failed work on stderr, a line for each stage and reason: `done` does not mean complete."""
    left = sorted(run.left, key=lambda each: (each.stage, each.reason, each.day))
    for (stage, reason), group in groupby(left, key=lambda each: (each.stage, each.reason)):
        rows = list(group)
        days = list(dict.fromkeys(str(each.day) for each in rows))
        when = days[0] if len(days) == 1 else f"{len(days)} days, {days[0]} to {days[-1]}"
        last = rows[-1]
        say(f"{_where(run.team_day)}: {stage}, {plain(reason)} ({when}): {plain(last.theme_id)}: {plain(last.detail)}")


def _of_the_run(run: "TeamRun", published: "PublishedClusters") -> "PublishedClusters":
    """Only the clusters of the themes that ran; `llma clusters` shows all."""
    ran = {theme_id for group, _ in run.groups for theme_id in group.theme_ids}
    return replace(published, runs=tuple(each for each in published.runs if each.theme_id in ran))


def show_times(runs: "Sequence[TeamRun]", took_s: float) -> None:
    """Print the time of each stage, and of each run group if a team has several."""
    rows = [
        (team_named(each.team_day.team_id), stage, f"{seconds:.1f}")
        for each in runs
        for stage, seconds in each.seconds().items()
    ]
    if rows:
        show_table(("team", "stage", "seconds"), rows, right=("seconds",))
    themes = [
        (team_named(each.team_day.team_id), " + ".join(group.theme_ids), done.status, f"{done.seconds:.1f}")
        for each in runs
        if len(each.groups) > 1
        for group, done in each.groups
    ]
    if themes:
        show_table(("team", "theme", "status", "seconds"), themes, right=("seconds",))
    show(f"{took_s:.1f} s in all")


def _where(team_day: "TeamDay") -> str:
    return f"team {team_named(team_day.team_id)}, {team_day.day}"


def _retry_hint(run: "TeamRun") -> str:
    """The command that repeats only what failed."""
    again = [
        group for group, done in run.groups if done.status != "done" and not (group.is_general and len(run.groups) == 1)
    ]
    options = " ".join(f"--theme {theme_id}" for group in again for theme_id in group.theme_ids)
    if not options:
        return "`llma run` does only what is missing"
    return f"`llma run --team {run.team_day.team_id} --date {run.team_day.day} {options}` tries only these again"
