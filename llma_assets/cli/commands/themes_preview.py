"""`llma themes preview`: what a theme would select and cost. The counting belongs in `themes`."""

import json
from datetime import date
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.teams import TeamOptions
    from llma_assets.themes import Filter, Preview

MAX_DAYS = 366
SHOWN_CHARACTERS = 80


@click.command()
@team_option()
@click.option("--theme", "theme_id", required=True, help="The theme, even if it is off.")
@click.option("--date", "day", type=Day(), help="Last day (UTC).  [default: the latest with events]")
@click.option("--days", type=click.IntRange(1, MAX_DAYS), help="Days up to --date.  [default: the window of a run]")
@click.option("--model", help="Chat model.  [default: that of the theme, else the configured one]")
@json_option
def preview(team_id: int, theme_id: str, day: date | None, days: int | None, model: str | None, as_json: bool) -> None:
    """Show what a theme would select and cost, before it runs.

    It counts the traces that match each filter, those that match all of them, and those in the sample; it estimates
    calls, tokens and cost, and shows ten examples. No model is called and nothing is stored.
    """
    from llma_assets.cli.run.days import days_with_events, window_of_theme
    from llma_assets.rendering import REACH
    from llma_assets.reports import asking_of, preview_report
    from llma_assets.settings import Settings
    from llma_assets.themes import preview_theme, themes_of

    with opened_database() as database:
        team = themes_of(database, team_id)
        theme = team.get(theme_id)
        for problem in team.problems_of(theme_id):
            raise WrongUse(f"the stored settings of {theme_id} are invalid: {problem}")
        window = window_of_theme(database, team_id, theme, day, days)
        options = _options(team_id)
        per_hour = options.max_traces_per_hour if theme.level == "trace" else options.max_generations_per_hour
        found = preview_theme(
            database,
            team_id,
            theme,
            window[0].day,
            window[-1].day,
            asking=asking_of(database, team_id, theme, settings=Settings.from_env(), options=options, model=model),
            per_hour=per_hour,
            reach=REACH,
        )
        if not found.items:
            say(f"No {theme.level}s began in these days. {days_with_events(database, team_id)}")
    if as_json:
        emit_report(preview_report(found))
    else:
        _show(found)


def _options(team_id: int) -> "TeamOptions":
    from llma_assets.cli.run.settings import team_settings

    return team_settings().options_of(team_id)


def _show(found: "Preview") -> None:
    days = str(found.first_day) if found.first_day == found.last_day else f"{found.first_day} to {found.last_day}"
    what = "generations" if found.theme.level == "generation" else "traces"
    show(f"{found.theme.theme_id}, team {team_named(found.team_id)}, {days}: {found.items:,} {what}")
    if found.filters:
        show_table(
            ("", "filter", what, "share"),
            [
                *(
                    (place, _words(each.filter), f"{each.items:,}", _share(each.items, found.items))
                    for place, each in enumerate(found.filters, 1)
                ),
                ("", "all filters", f"{found.matched:,}", _share(found.matched, found.items)),
            ],
            right=("", what, "share"),
        )
    _show_sample(found, what)
    from llma_assets.reports import first_message

    for each in found.examples:
        left_out = "  (not in the sample)" if each.selected is False else ""
        message = f"  {first_message(each)!r}" if first_message(each) else ""
        show(plain(f"  {each.first_at:%Y-%m-%d %H:%M}  {each.item_id}  {each.name}{message}{left_out}"))
    for place, count in enumerate(found.filters, 1):
        if count.hint:
            say(f"Filter {place} alone matches 0 {what}: {count.hint}")
    for note in found.notes:
        say(note)


def _show_sample(found: "Preview", what: str) -> None:
    about = "about " if found.lowest_rate < 1 else ""
    sampled = f", a share of at least {found.lowest_rate:.3g}" if found.lowest_rate < 1 else ", all of them"
    if not found.matched:
        return
    show(f"in the sample: {about}{found.selected:,} {what}{sampled}")
    if found.cost_usd is None:
        cost = f"no price is known for {found.model} (LLMA_PRICES_FILE adds prices)"
    else:
        batch = f", ${found.batch_cost_usd:,.4f} by the Batch API" if found.batch_cost_usd != found.cost_usd else ""
        cost = f"${found.cost_usd:,.4f}{batch}"
    show(
        f"{found.model}: {found.calls:,} calls at most, {found.input_tokens:,} tokens in, {found.output_tokens:,} out, "
        f"{cost} ({found.basis})"
    )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else ""


def _words(each: "Filter") -> str:
    value = "" if each.value is None else json.dumps(each.value, ensure_ascii=False)
    shown = value if len(value) <= SHOWN_CHARACTERS else f"{value[:SHOWN_CHARACTERS]}…"
    return f"{each.key} {each.operator} {shown}".rstrip()
