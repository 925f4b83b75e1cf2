"""`llma trends`: how each lineage of a team went over some weeks. What is counted belongs in `clusters.trends`."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_json, plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.reports import Trend
    from llma_assets.stats import Share

SHORT_ID = 8
BARS = "▁▂▃▄▅▆▇█"
ARROWS = {"more": "↑", "less": "↓", "same": "", "unknown": ""}


@click.command()
@team_option()
@click.option("--weeks", type=click.IntRange(1, 26), default=4, show_default=True, help="So many weeks.")
@click.option("--date", "day", type=Day(), help="The last day; default: that of the latest run.")
@click.option("--theme", "theme_id", help="This theme only.")
@json_option
def trends(team_id: int, weeks: int, day: date | None, theme_id: str | None, as_json: bool) -> None:
    """Sizes, shares, error rate and cost of each cluster by day.

    New clusters come first, then those that ended. Shares and error rates are of the last seven days, with 95 %
    intervals; an arrow says that they differ from the seven days before by more than chance. Each day's figures are
    of that day's items alone.
    """
    from llma_assets.cli.run.days import days_there_are
    from llma_assets.reports import latest_day, trends_of

    with opened_database() as database:
        until = day or latest_day(database, team_id)
        found = trends_of(database, team_id, until=until, weeks=weeks) if until else {}
        if not found:
            nothing = f"No clusters from {until - timedelta(days=7 * weeks - 1)} to {until}. " if until else ""
            say(f"{nothing}{days_there_are(database, team_id, day)}")
    if theme_id is not None:
        if found and theme_id not in found:
            raise WrongUse(f"team {team_id} has no clusters of a theme {theme_id!r}; it has {', '.join(found)}")
        found = {name: each for name, each in found.items() if name == theme_id}
    first = until - timedelta(days=7 * weeks - 1) if until else None
    if as_json:
        emit_json(
            {
                "team": team_id,
                "from": first.isoformat() if first else None,
                "until": until.isoformat() if until else None,
                "themes": [{"theme": name, "trends": [_as_json(each) for each in of]} for name, of in found.items()],
            }
        )
        return
    for name, of in found.items():
        show(f"team {team_id}, {plain(name)}, {first} to {until}")
        show_trends(of)
        show()


def show_trends(trends: Sequence["Trend"]) -> None:
    """Print the trends of a theme, one a line."""
    show_table(
        ("lineage", "", "title", "items", "by day", "share, 7 days", "", "errors, 7 days", "", "USD"),
        [
            (
                each.lineage_id[:SHORT_ID],
                each.state,
                each.title,
                f"{each.items:,}",
                _sparkline(each),
                _interval(each.share.now),
                ARROWS[each.share.verdict],
                _interval(each.error_rate.now),
                ARROWS[each.error_rate.verdict],
                f"{each.cost_usd:.4f}",
            )
            for each in trends
        ],
        right=("items", "share, 7 days", "errors, 7 days", "USD"),
    )


def _interval(share: "Share") -> str:
    if share.value is None:
        return ""
    return f"{share.value:.1%} ({share.low:.1%}–{share.high:.1%})"


def _sparkline(trend: "Trend") -> str:
    """The share by day up to its own highest; a dot is none of it, a gap is a day without any item at all."""
    shares = {point.day: point.share.value or 0.0 for point in trend.points}
    days = [min(shares) + timedelta(days=n) for n in range((max(shares) - min(shares)).days + 1)]
    top = max(shares.values()) or 1.0
    return "".join(_bar(shares[day] / top) if day in shares else " " for day in days)


def _bar(height: float) -> str:
    return BARS[min(7, int(height * 8))] if height > 0 else "·"


def _as_json(trend: "Trend") -> dict[str, Any]:
    return {
        "lineage_id": trend.lineage_id,
        "title": trend.title,
        "state": trend.state,
        "first_day": trend.first_day.isoformat() if trend.first_day else None,
        "last_day": trend.last_day.isoformat() if trend.last_day else None,
        "items": trend.items,
        "cost_usd": trend.cost_usd,
        "merged_lineage_ids": list(trend.merged_lineage_ids),
        "share": asdict(trend.share),
        "error_rate": asdict(trend.error_rate),
        "days": [
            {
                "day": point.day.isoformat(),
                "items": point.items,
                "share": asdict(point.share),
                "error_rate": asdict(point.error_rate),
                "cost_usd": point.cost_usd,
            }
            for point in trend.points
        ],
    }
