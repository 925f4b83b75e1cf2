"""`llma demo`: sample traffic through the whole graph, and where to look next. The traffic is made in `demo`."""

import io
import time
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.console import emit_json, plain, say, show
from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, utc_today

if TYPE_CHECKING:
    from llma_assets.cli.team_runs import TeamRun
    from llma_assets.clickhouse import Database


@click.command()
@click.option(
    "--date", "day", type=Day(), help="Last day of the week of traffic, UTC.  [default: the day before today]"
)
@click.option("-v", "--verbose", is_flag=True, help="Show Dagster's own log on stderr.")
@json_option
@click.pass_context
def demo(ctx: click.Context, day: date | None, verbose: bool, as_json: bool) -> None:
    """Sample traffic through the whole graph.

    Writes traffic of several teams, runs the graph for them, and prints their clusters; for one team also those of a
    theme, which it switches on unless somebody changed it. A calendar day's traffic is always the same, and each event
    is stored once: running it twice adds nothing.
    """
    from llma_assets.cli.run import require_partition, team_settings
    from llma_assets.cli.run_report import run_document, show_runs, show_times
    from llma_assets.cli.team_runs import Wish, run_teams
    from llma_assets.settings import OWN_EVENTS, Settings

    day = day or utc_today() - timedelta(days=1)
    settings = Settings.from_env()
    if settings.events_table != OWN_EVENTS:
        raise WrongUse(
            f"LLMA_EVENTS_TABLE is {settings.events_table}, and the demo writes to no table but {OWN_EVENTS}; unset it"
        )
    require_partition(day, settings.oldest_day)
    started = time.monotonic()
    with opened_database(create=True) as database:
        team_ids = _write_sample(database, day)
        switch_themes_on(database)
        settings_of_teams = team_settings()
        runs, documents = run_teams(database, day, team_ids, Wish(verbose=verbose), settings_of_teams)
        took_s = time.monotonic() - started
        if as_json:
            emit_json(run_document(day, runs, documents, took_s))
        else:
            show_runs(database, runs, documents)
            _show_funnels(database, day, settings_of_teams.lookback_days)
            show_times(runs, took_s)
            _show_next_steps(runs, documents)
    if any(each.status == "failed" for each in runs):
        ctx.exit(1)


def _write_sample(database: "Database", day: date) -> list[int]:
    """Store the sample as any other source; returns its teams."""
    import orjson

    from llma_assets.demo import sample_events
    from llma_assets.ingest import ingest

    lines = b"".join(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in sample_events(day))
    report = ingest(io.BytesIO(lines), database, rejects=None, strict=True)
    say(f"{report.inserted:,} events of {len(report.teams)} teams written, {report.duplicates:,} were there already.")
    return list(report.teams)


def switch_themes_on(database: "Database") -> None:
    """Switch the demo's themes on; what somebody has changed of them stays."""
    from llma_assets.demo import THEMED_TEAM, THEMES
    from llma_assets.themes.changes import set_enabled
    from llma_assets.themes.store import themes_of

    changed = themes_of(database, THEMED_TEAM.team_id).changes
    for theme_id in THEMES:
        if theme_id not in changed:
            set_enabled(database, THEMED_TEAM.team_id, theme_id, True, "demo")


def _show_funnels(database: "Database", day: date, lookback_days: int) -> None:
    """What became of the traces of the team that has themes."""
    from llma_assets.cli.themes_reports import funnels, show_funnels
    from llma_assets.demo import THEMED_TEAM
    from llma_assets.team_day import TeamDay
    from llma_assets.themes.store import active_themes

    team_day = TeamDay(THEMED_TEAM.team_id, day)
    themes = active_themes(database, team_day.team_id)
    show_funnels(team_day, funnels(database, team_day, themes, lookback_days=lookback_days))


def _show_next_steps(runs: "Sequence[TeamRun]", documents: dict[int, dict[str, Any]]) -> None:
    done = [each.team_day for each in runs if each.status == "done"]
    if not done:
        return
    example = done[0]
    trace_id = next(
        (
            item_id
            for run in documents[example.team_id]["runs"]
            if run["level"] == "trace"
            for cluster in run["clusters"]
            for item_id in cluster["item_ids"]
        ),
        None,
    )
    show("\nLook further:")
    show(f"  llma clusters --team {example.team_id} --date {example.day} --describe")
    if trace_id is not None:
        show(f"  llma trace --team {example.team_id} {plain(trace_id)}")
    show(f"  llma skips --date {example.day}")
    show(f"  llma check --date {example.day}")
    show("  make dev        the Dagster UI on the same data")
