"""Writes the demo's sample events as JSON lines: `python -m llma_assets.demo --team 102 --days 4 > events.jsonl`."""

import sys
from datetime import UTC, datetime, timedelta

import click

from llma_assets.demo.sample import WEEK, sample_lines


@click.command()
@click.option("--date", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day, UTC.  [default: yesterday]")
@click.option("--days", type=click.IntRange(min=1), default=WEEK, show_default=True, help="This many days up to it.")
@click.option("--team", "team_ids", type=int, multiple=True, help="Only this team; may be repeated.  [default: all]")
def main(last: datetime | None, days: int, team_ids: tuple[int, ...]) -> None:
    """Write the demo's sample events to stdout, in the form that `llma ingest` reads."""
    day = (last or datetime.now(UTC) - timedelta(days=1)).date()
    sys.stdout.buffer.writelines(sample_lines(day, days=days, team_ids=team_ids))


if __name__ == "__main__":
    main()
