"""`llma themes funnel, cross`: what became of a theme's items, and what two themes have in common.

Nothing is computed here: see `summaries.funnel` and `clusters.crossing`. A theme on trial is in `themes_trial.py`.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.console import emit_json, plain, say, show, show_table
from llma_assets.cli.errors import Problem, WrongUse
from llma_assets.cli.options import date_option, json_option, opened_database, team_option

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.clusters.cross_queries import Among, CrossedThemes
    from llma_assets.clusters.crossing import CrossPair
    from llma_assets.team_day import TeamDay

SHOWN_PAIRS = 20
SHORT_ID = 8
MEANT = {"looked-at": "looked_at", "in-both": "in_both"}


@click.command()
@team_option()
@date_option
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
def cross(team_id: int, day: date, theme_ids: tuple[str, str], among: str, show_all: bool, as_json: bool) -> None:
    """Which clusters of two themes share traces more than chance would.

    Of the clusters that are published for the day. The lift says how many times as many they share; the q-value takes
    into account that many pairs are tested. That two clusters go together does not say that one is the other's cause.
    """
    from llma_assets.clusters.cross_queries import NotClusteredError, cross_themes
    from llma_assets.team_day import TeamDay
    from llma_assets.themes.store import themes_of

    if theme_ids[0] == theme_ids[1]:
        raise WrongUse("a theme's clusters share no traces with each other; name two themes")
    team_day = TeamDay(team_id, day)
    meant: Among = "in_both" if among == "in-both" else "looked_at"
    with opened_database() as database:
        try:
            found = cross_themes(database, team_day, *theme_ids, among=meant)
        except NotClusteredError as error:
            team = themes_of(database, team_id)
            for theme_id in theme_ids:
                team.get(theme_id)  # a theme that there is not is said as such
            raise Problem(f"{error}; `llma skips --team {team_id} --date {day}` tells why") from error
        titles = _titles(database, team_day)
    if as_json:
        emit_json(_cross_document(team_day, found, titles))
    else:
        _show_cross(team_day, found, titles, show_all=show_all)


def _titles(database: "Database", team_day: "TeamDay") -> dict[tuple[str, str], str]:
    """What clusters are called, by theme and by lineage or number, as people decided."""
    from llma_assets.cli.cluster_report import cluster_document

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
    from llma_assets.clusters.crossing import FALSE_SHARE

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
