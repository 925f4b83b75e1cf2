"""`llma themes funnel, cross`: what became of a theme's items, and what two themes have in common.

Nothing is computed here: see `summaries.funnel` and `clusters.crossing`. A theme on trial is in `themes_trial.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import json_option, opened_database, optional_date, team_option
from llma_assets.cli.render.console import emit_json, plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.reports import Among, CrossedThemes, CrossPair, Estimate
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import Theme

SHOWN_PAIRS = 20
SHORT_ID = 8
MEANT = {"looked-at": "looked_at", "in-both": "in_both"}


STEPS = ("matched", "sampled", "screened", "summarised", "relevant", "clustered", "outliers")


@click.command()
@team_option()
@optional_date
@click.option("--days", type=click.IntRange(1, 366), help="So many days that end then.  [default: the theme's window]")
@click.option("--theme", "theme_ids", multiple=True, help="This theme, also one that is off; may be repeated.")
@json_option
def funnel(team_id: int, day: date | None, days: int | None, theme_ids: tuple[str, ...], as_json: bool) -> None:
    """What became of each theme's items, from those that match to those in a cluster.

    Counts are of what was done. The shares are of all items that match: where a theme takes a sample of them they are
    estimates, and stand there with their 95 % interval.
    """
    from llma_assets.cli.run.days import require_day
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import themes_of

    lookback_days = team_settings().lookback_days
    with opened_database() as database:
        team_day = TeamDay(team_id, require_day(database, day, team_id))
        team = themes_of(database, team_id)
        themes = [team.get(theme_id) for theme_id in dict.fromkeys(theme_ids)] or [
            theme for theme in team.themes if theme.enabled
        ]
        found = funnels(database, team_day, themes, days=days, lookback_days=lookback_days)
        if as_json:
            emit_json({"team": team_id, "date": team_day.day.isoformat(), "themes": found})
        else:
            show_funnels(database, team_day, found)


def funnels(
    database: "Database", team_day: "TeamDay", themes: "Sequence[Theme]", *, lookback_days: int, days: int | None = None
) -> list[dict[str, Any]]:
    """The entries of `llma themes funnel --json`, for the days that end with `team_day`.

    Args:
        themes: of the team.
        lookback_days: the team's window, for themes that have none of their own.
        days: so many days for all of them instead.
    """
    return [
        _funnel(database, team_day.back((days or theme.lookback_days or lookback_days) - 1).day, team_day, theme)
        for theme in themes
    ]


def _funnel(database: "Database", first_day: date, team_day: "TeamDay", theme: "Theme") -> dict[str, Any]:
    from llma_assets.reports import funnel as count
    from llma_assets.reports import theme_shares

    counts = count(database, team_day.team_id, first_day, team_day.day, theme)
    shares = theme_shares(database, team_day.team_id, first_day, team_day.day, theme)
    return {
        "theme": theme.theme_id,
        "version": theme.version,
        "enabled": theme.enabled,
        "from": first_day.isoformat(),
        "until": team_day.day.isoformat(),
        "days_taken": counts.days,
        **{step: getattr(counts, step) for step in STEPS},
        "shares": None
        if shares is None or not theme.judged  # without a question whether it is relevant there is nothing to estimate
        else {
            "items": shares.items,
            "decided": shares.decided,
            "screened": _estimate(shares.screened),
            "relevant": _estimate(shares.relevant),
        },
    }


def _estimate(share: "Estimate") -> dict[str, Any]:
    return {"value": share.value, "low": share.low, "high": share.high, "estimate": not share.is_exact}


def show_funnels(database: "Database", team_day: "TeamDay", found: Sequence[Mapping[str, Any]]) -> None:
    """Print what `funnels` found, and what it does not know."""
    from llma_assets.cli.run.days import run_advice

    team_id, day = team_day.team_id, team_day.day
    show(f"team {team_id}, days until {day}")
    show_table(
        ("theme", "from", *STEPS, "relevant of all"),
        [
            (
                each["theme"] + ("" if each["enabled"] else " (off)"),
                each["from"],
                *(f"{each[step]:,}" for step in STEPS),
                _in_words(each["shares"]["relevant"]) if each["shares"] else "",
            )
            for each in found
        ],
        right=STEPS,
    )
    if any(each["shares"] and each["shares"]["relevant"]["estimate"] for each in found):
        say("Estimates, of all items that match, from those of the sample: with their 95 % interval.")
    for each in found:
        if not each["days_taken"]:
            theme_id = plain(each["theme"])
            off = "" if each["enabled"] else f"it is off; `llma themes enable {theme_id} --team {team_id}`, then "
            advice = run_advice(database, team_id, day, options=f" --theme {theme_id}")
            say(f"{theme_id} has taken nothing yet: {off}{advice}")
        elif each["shares"] is not None and each["shares"]["decided"] < each["sampled"]:
            left = each["sampled"] - each["shares"]["decided"]
            say(f"{plain(each['theme'])}: of {left:,} items it is not known whether they are relevant.")


def _in_words(share: Mapping[str, Any]) -> str:
    if not share["estimate"]:
        return f"{share['value']:.1%}"
    return f"about {share['value']:.1%} ({share['low']:.1%}–{share['high']:.1%})"


@click.command()
@team_option()
@optional_date
@click.option("--themes", "theme_ids", nargs=2, required=True, metavar="A B", help="The two themes.")
@click.option(
    "--among",
    type=click.Choice(list(MEANT)),
    default="looked-at",
    show_default=True,
    help="Compare all traces that both themes looked at, or only those that are in a cluster of both.",
)
@click.option("--all", "show_all", is_flag=True, help="Show all pairs that were tested.")
@json_option
def cross(
    team_id: int, day: date | None, theme_ids: tuple[str, str], among: str, show_all: bool, as_json: bool
) -> None:
    """Which clusters of two themes share traces more than chance would.

    Of the clusters that are published for the day. The lift says how many times as many they share; the q-value takes
    into account that many pairs are tested. That two clusters go together does not say that one is the other's cause.
    """
    from llma_assets.cli.run.days import require_day
    from llma_assets.reports import NotClusteredError, cross_themes
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import themes_of

    if theme_ids[0] == theme_ids[1]:
        raise WrongUse("a theme's clusters share no traces with each other; name two themes")
    meant: Among = "in_both" if among == "in-both" else "looked_at"
    with opened_database() as database:
        team_day = TeamDay(team_id, require_day(database, day, team_id))
        try:
            found = cross_themes(database, team_day, *theme_ids, among=meant)
        except NotClusteredError as error:
            team = themes_of(database, team_id)
            for theme_id in theme_ids:
                team.get(theme_id)  # a theme that there is not is said as such
            raise Problem(f"{error}; `llma skips --team {team_id} --date {team_day.day}` tells why") from error
        titles = _titles(database, team_day)
    if as_json:
        emit_json(_cross_document(team_day, found, titles))
    else:
        _show_cross(team_day, found, titles, show_all=show_all)


def _titles(database: "Database", team_day: "TeamDay") -> dict[tuple[str, str], str]:
    """What clusters are called, by theme and by lineage or number, as people decided."""
    from llma_assets.cli.render.clusters import cluster_document

    return {
        (run["theme"], key): each["title"]
        for run in cluster_document(database, team_day, show_hidden=True)["runs"]
        for each in run["clusters"]
        for key in (str(each["cluster_id"]), each["lineage_id"], *each["merged_lineage_ids"])
        if key
    }


def _cross_document(
    team_day: "TeamDay", found: "CrossedThemes", titles: Mapping[tuple[str, str], str]
) -> dict[str, Any]:
    first, second, crossing = found.first_run.theme_id, found.second_run.theme_id, found.crossing

    def pair_document(pair: "CrossPair") -> dict[str, Any]:
        return {
            "first": {
                "cluster": pair.first,
                "title": titles.get((first, pair.first), pair.first),
                "traces": pair.first_traces,
            },
            "second": {
                "cluster": pair.second,
                "title": titles.get((second, pair.second), pair.second),
                "traces": pair.second_traces,
            },
            "shared": pair.shared,
            "expected": pair.expected,
            "lift": pair.lift,
            "lift_low": pair.lift_low,
            "lift_high": pair.lift_high,
            "p_value": pair.p_value,
            "q_value": pair.q_value,
            "more_than_chance": pair.more,
        }

    return {
        "team": team_day.team_id,
        "date": team_day.day.isoformat(),
        "themes": [first, second],
        "from": found.first_day.isoformat(),
        "among": found.among.replace("_", "-"),
        "traces": crossing.traces,
        "in_first": crossing.in_first,
        "in_second": crossing.in_second,
        "in_both": crossing.in_both,
        "clusters_too_small": crossing.too_small,
        "pairs": [pair_document(pair) for pair in crossing.pairs],
    }


def _show_cross(
    team_day: "TeamDay", found: "CrossedThemes", titles: Mapping[tuple[str, str], str], *, show_all: bool
) -> None:
    first, second, crossing = plain(found.first_run.theme_id), plain(found.second_run.theme_id), found.crossing
    which = "both looked at" if found.among == "looked_at" else "are in a cluster of both"
    show(
        f"team {team_day.team_id}, {found.first_day} to {team_day.day}: {crossing.traces:,} traces that {which}; "
        f"{crossing.in_first:,} in a cluster of {first}, {crossing.in_second:,} of {second}, "
        f"{crossing.in_both:,} of both"
    )
    pairs = [pair for pair in crossing.pairs if show_all or pair.more]
    if pairs:
        show_table(
            (first, second, "shared", "expected", "lift", "95 %", "q", ""),
            [
                (
                    f"{_name(found.first_run.theme_id, pair.first, titles)} ({pair.first_traces:,})",
                    f"{_name(found.second_run.theme_id, pair.second, titles)} ({pair.second_traces:,})",
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
    _say_how_many(crossing.pairs, shown=len(pairs) if show_all else min(len(pairs), SHOWN_PAIRS))
    if crossing.too_small:
        say(f"{crossing.too_small} clusters have too few of these traces to tell anything, and were not tested.")


def _name(theme_id: str, key: str, titles: Mapping[tuple[str, str], str]) -> str:
    return titles.get((theme_id, key), key[:SHORT_ID])


def _say_how_many(pairs: "tuple[CrossPair, ...]", *, shown: int) -> None:
    from llma_assets.reports import FALSE_SHARE

    more = sum(pair.more for pair in pairs)
    if not pairs:
        say("No pair of clusters has enough traces to be compared.")
        return
    if not more:
        say(f"None of {len(pairs):,} pairs shares more traces than chance would; `--all` shows them.")
        return
    left_out = f"; {more - shown:,} of them are in --json only" if more > shown else ""
    say(
        f"{more:,} of {len(pairs):,} pairs share more traces than chance would{left_out}. "
        f"About {FALSE_SHARE:.0%} of those are called so by chance."
    )
