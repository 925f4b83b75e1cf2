"""`llma themes funnel, cross`: what became of a theme's items, and what two themes have in common.

Nothing is computed here: see `reports`. A theme on trial is in `themes_trial.py`.
"""

from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import json_option, opened_database, optional_date, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.reports import Among, Estimate, FunnelReport, Overlap, OverlapSide

SHOWN_PAIRS = 20
MEANT = {"looked-at": "looked_at", "in-both": "in_both"}


@click.command()
@team_option()
@optional_date
@click.option("--days", type=click.IntRange(1, 366), help="Days up to --date.  [default: the theme's window]")
@click.option("--theme", "theme_ids", multiple=True, help="Only this theme, even if it is off; may be repeated.")
@json_option
def funnel(team_id: int, day: date | None, days: int | None, theme_ids: tuple[str, ...], as_json: bool) -> None:
    """How many items of each theme reached each stage, from matched to clustered.

    Counts are exact. Shares are of all matching items; for a theme that works on a sample they are estimates, shown
    with their 95 % interval.
    """
    from llma_assets.cli.run.days import require_day
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.reports import funnel_report
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import themes_of

    lookback_days = team_settings().lookback_days
    with opened_database() as database:
        team_day = TeamDay(team_id, require_day(database, day, team_id))
        team = themes_of(database, team_id)
        themes = [team.get(theme_id) for theme_id in dict.fromkeys(theme_ids)] or [
            theme for theme in team.themes if theme.enabled
        ]
        report = funnel_report(database, team_day, themes, days=days, lookback_days=lookback_days)
        if as_json:
            emit_report(report)
        else:
            show_funnels(database, report)


def show_funnels(database: "Database", report: "FunnelReport") -> None:
    """Print how many items reached each stage, and how many have no answer yet."""
    from llma_assets.cli.run.days import run_advice
    from llma_assets.reports import STEPS

    team_id, day, found = report.team_id, report.day, report.themes
    show(f"team {team_named(team_id)}, days until {day}")
    show_table(
        ("theme", "from", *STEPS, "relevant of all"),
        [
            (
                each.theme_id + ("" if each.enabled else " (off)"),
                each.first_day,
                *(f"{getattr(each, step):,}" for step in STEPS),
                _in_words(each.shares.relevant) if each.shares else "",
            )
            for each in found
        ],
        right=STEPS,
    )
    if any(each.shares and each.shares.relevant.is_estimate for each in found):
        say("Shares of all matching items are estimates from the sample, with their 95 % interval.")
    for each in found:
        if not each.days_taken:
            theme_id = plain(each.theme_id)
            off = "" if each.enabled else f"it is off; `llma themes enable {theme_id} --team {team_id}`, then "
            advice = run_advice(database, team_id, day, options=f" --theme {theme_id}")
            say(f"{theme_id} has selected no items yet: {off}{advice}")
        elif each.shares is not None and each.shares.decided < each.sampled:
            left = each.sampled - each.shares.decided
            say(f"{plain(each.theme_id)}: for {left:,} items the relevance is not known yet.")


def _in_words(share: "Estimate") -> str:
    if not share.is_estimate:
        return f"{share.value:.1%}"
    return f"about {share.value:.1%} ({share.low:.1%}–{share.high:.1%})"


@click.command()
@team_option()
@optional_date
@click.option("--themes", "theme_ids", nargs=2, required=True, metavar="A B", help="The two themes.")
@click.option(
    "--among",
    type=click.Choice(list(MEANT)),
    default="looked-at",
    show_default=True,
    help="Compare all traces that both themes evaluated, or only those that are in a cluster of both.",
)
@click.option("--all", "show_all", is_flag=True, help="Show all tested pairs.")
@json_option
def cross(
    team_id: int, day: date | None, theme_ids: tuple[str, str], among: str, show_all: bool, as_json: bool
) -> None:
    """Find clusters of two themes that share more traces than chance predicts.

    It compares the clusters published for the day. The lift is the number of shared traces divided by the expected
    number; the q-value is corrected for testing many pairs. Clusters that occur together need not cause each other.
    """
    from llma_assets.cli.run.days import require_day
    from llma_assets.reports import NotClusteredError, overlap_report
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import themes_of

    if theme_ids[0] == theme_ids[1]:
        raise WrongUse("clusters of one theme share no traces; give two different themes")
    meant: Among = "in_both" if among == "in-both" else "looked_at"
    with opened_database() as database:
        team_day = TeamDay(team_id, require_day(database, day, team_id))
        try:
            overlap = overlap_report(database, team_day, *theme_ids, among=meant)
        except NotClusteredError as error:
            team = themes_of(database, team_id)
            for theme_id in theme_ids:
                team.get(theme_id)  # raises for an unknown theme
            raise Problem(f"{error}; `llma skips --team {team_id} --date {team_day.day}` says why") from error
    if as_json:
        emit_report(overlap)
    else:
        _show_overlap(overlap, show_all=show_all)


def _show_overlap(overlap: "Overlap", *, show_all: bool) -> None:
    first, second = (plain(theme_id) for theme_id in overlap.themes)
    which = "both looked at" if overlap.among == "looked-at" else "are in a cluster of both"
    show(
        f"team {team_named(overlap.team_id)}, {overlap.first_day} to "
        f"{overlap.day}: {overlap.traces:,} traces that {which}; "
        f"{overlap.in_first:,} in a cluster of {first}, {overlap.in_second:,} of {second}, "
        f"{overlap.in_both:,} of both"
    )
    pairs = [pair for pair in overlap.pairs if show_all or pair.more]
    if pairs:
        show_table(
            (first, second, "shared", "expected", "lift", "95 %", "q", ""),
            [
                (
                    _named(pair.first),
                    _named(pair.second),
                    f"{pair.shared:,}",
                    f"{pair.expected:.1f}",
                    f"{pair.lift:.1f}",
                    f"{pair.lift_low:.1f}–{pair.lift_high:.1f}",
                    f"{pair.q_value:.2g}",
                    "more" if pair.more else "",
                )
                for pair in (pairs if show_all else pairs[:SHOWN_PAIRS])
            ],
            right=("shared", "expected", "lift", "95 %", "q"),
        )
    _say_how_many(overlap, shown=len(pairs) if show_all else min(len(pairs), SHOWN_PAIRS))
    if overlap.clusters_too_small:
        say(f"{overlap.clusters_too_small} clusters have too few of these traces, and were not tested.")


def _named(side: "OverlapSide") -> str:
    title = side.cluster[:SHORT_ID] if side.title == side.cluster else side.title
    return f"{title} ({side.traces:,})"


def _say_how_many(overlap: "Overlap", *, shown: int) -> None:
    from llma_assets.reports import FALSE_SHARE

    pairs = overlap.pairs
    more = sum(pair.more for pair in pairs)
    if not pairs:
        say("No pair of clusters has enough traces for a test.")
        return
    if not more:
        say(f"None of {len(pairs):,} pairs shares more traces than chance predicts; `--all` shows them.")
        return
    left_out = f"; {more - shown:,} of them are in --json only" if more > shown else ""
    say(
        f"{more:,} of {len(pairs):,} pairs share more traces than chance predicts{left_out}. "
        f"About {FALSE_SHARE:.0%} of those are expected to be false."
    )
