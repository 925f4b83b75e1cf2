"""`llma trends`: size, share, error rate and cost of each lineage by day. Counting belongs in `reports`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.reports import Trend
    from llma_assets.stats import Share

BARS = "▁▂▃▄▅▆▇█"
ARROWS = {"more": "↑", "less": "↓", "same": "", "unknown": ""}


@click.command()
@team_option()
@click.option("--weeks", type=click.IntRange(1, 26), default=4, show_default=True, help="Number of weeks.")
@click.option("--date", "day", type=Day(), help="Last day (UTC).  [default: that of the latest run]")
@click.option("--theme", "theme_id", help="Only this theme.")
@click.option(
    "--expected", is_flag=True, help="Show the last day of each cluster of the theme beside what was expected of it."
)
@json_option
def trends(team_id: int, weeks: int, day: date | None, theme_id: str | None, expected: bool, as_json: bool) -> None:
    """Show size, share, error rate and cost of each cluster by day.

    New clusters come first, then those that ended. Shares and error rates cover the last seven days, with 95 %
    intervals; an arrow marks a significant change from the seven days before. The figures of a day count only items of
    that day.
    """
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.reports import trends_report

    if expected:
        _show_expected(team_id, weeks, day, theme_id or "traces", as_json=as_json)
        return

    with opened_database() as database:
        report = trends_report(database, team_id, weeks=weeks, until=day)
        if not report.themes:
            nothing = f"No clusters from {report.first_day} to {report.until}. " if report.until else ""
            say(f"{nothing}{days_with_results(database, team_id, day)}")
    if theme_id is not None:
        has = [each.theme_id for each in report.themes]
        if has and theme_id not in has:
            raise WrongUse(
                f"team {team_named(team_id)} has no clusters of theme {theme_id!r}; it has clusters of {', '.join(has)}"
            )
        report = replace(report, themes=tuple(each for each in report.themes if each.theme_id == theme_id))
    if as_json:
        emit_report(report)
        return
    for each in report.themes:
        show(f"team {team_named(team_id)}, {plain(each.theme_id)}, {report.first_day} to {report.until}")
        show_trends(each.trends)
        show()


def _show_expected(team_id: int, weeks: int, day: date | None, theme_id: str, *, as_json: bool) -> None:
    """Print what was expected of each cluster of a theme."""
    from llma_assets.alerts import expected_trends
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.reports import latest_day

    with opened_database() as database:
        until = day or latest_day(database, team_id)
        found = None
        if until is not None:
            found = expected_trends(database, team_id, theme_id, until - timedelta(days=7 * weeks - 1), until)
        if found is None or not found.series:
            say(f"No clusters of {theme_id}. {days_with_results(database, team_id, day)}")
    if as_json and found is not None:
        emit_report(found)
    elif found is not None and found.series:
        show(f"team {team_named(team_id)}, {plain(theme_id)}, {found.first_day} to {found.until}, ± {found.k:g} sigma")
        rows = []
        for each in found.series:
            last = each.days[-1]
            known = last.expected is not None
            band = f"{last.low:.0f} to {last.high:.0f}" if known else "too few days"
            title, state = each.title or each.lineage_id[:SHORT_ID], "outside" if last.outside else ""
            rows.append((each.lineage_id[:SHORT_ID], title, f"{last.traces:.0f}", band, state, each.outside))
        show_table(
            ("lineage", "title", "last day", "expected", "", "days outside"), rows, right=("last day", "days outside")
        )


def show_trends(trends: Sequence["Trend"]) -> None:
    """Print the trends of a theme, one a line."""
    show_table(
        ("lineage", "", "title", "items", "traces", "by day", "share, 7 days", "", "errors, 7 days", "", "USD"),
        [
            (
                each.lineage_id[:SHORT_ID],
                each.state,
                each.title,
                f"{each.items:,}",
                f"{each.traces:,}",
                _sparkline(each),
                _interval(each.share.now),
                ARROWS[each.share.verdict],
                _interval(each.error_rate.now),
                ARROWS[each.error_rate.verdict],
                f"{each.cost_usd:.4f}",
            )
            for each in trends
        ],
        right=("items", "traces", "share, 7 days", "errors, 7 days", "USD"),
    )


def _interval(share: "Share") -> str:
    if share.value is None:
        return ""
    return f"{share.value:.1%} ({share.low:.1%}–{share.high:.1%})"


def _sparkline(trend: "Trend") -> str:
    """The share by day, relative to its maximum; a dot is a share of 0, a gap a day without items."""
    shares = {point.day: point.share.value or 0.0 for point in trend.points}
    days = [min(shares) + timedelta(days=n) for n in range((max(shares) - min(shares)).days + 1)]
    top = max(shares.values()) or 1.0
    return "".join(_bar(shares[day] / top) if day in shares else " " for day in days)


def _bar(height: float) -> str:
    return BARS[min(7, int(height * 8))] if height > 0 else "·"
