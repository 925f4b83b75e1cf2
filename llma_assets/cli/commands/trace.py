"""`llma trace`: prints the text of a trace that models read. Making the text belongs in `rendering`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from llma_assets.cli.errors import Problem
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain_block, say, show
from llma_assets.cli.render.teams import team_named
from llma_assets.cli.render.trace_themes import show_themes, theme_lines

if TYPE_CHECKING:
    from llma_assets.rendering import RenderOptions

_TRUNCATIONS = {
    "values_shortened": "long values",
    "events_shortened": "events touched",
    "base64_removed": "files and images",
    "values_repeated": "values referred to",
    "messages_deduplicated": "messages not repeated",
    "events_ignored": "events of the pipeline or sent twice",
}
"""Labels of the counters in the renderer's truncation report."""


@click.command()
@team_option()
@click.argument("item_id", metavar="ID")
@click.option("--loss", "only_loss", is_flag=True, help="Print the truncation report instead of the text.")
@click.option("--themes", "only_themes", is_flag=True, help="Print the answers of the themes instead of the text.")
@json_option
def trace(team_id: int, item_id: str, only_loss: bool, only_themes: bool, as_json: bool) -> None:
    """Print the text of a trace that models read.

    ID is a trace id, or the uuid of a generation. It prints the stored text. If there is none, or if it shows private
    values that the team has since decided to hide, the text is made from the events, without storing it. On stderr: the
    truncation report, and the answer of each theme (relevance, title of the summary, cluster). An unknown id gives exit
    code 1.
    """
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.reports import trace_report

    with opened_database() as database:
        found = trace_report(database, team_id, item_id, _options(team_id))
        there = days_with_results(database, team_id) if found is None else ""
    if found is None:
        raise Problem(f"team {team_named(team_id)} has no trace {item_id!r}; `llma clusters` lists ids. {there}")
    if as_json:
        emit_report(found)
        return
    if not found.stored:
        say("There is no stored text to show: made from the events now.")
    if only_loss:
        show("\n".join(truncation_lines(found.loss)))
        return
    if only_themes:
        if not found.summaries:
            say("No theme has evaluated it yet; `llma run` does.")
        show_themes(found.summaries)
        return
    click.echo(plain_block(found.text))
    for line in (*truncation_lines(found.loss), *theme_lines(found.summaries)):
        say(line)


def truncation_lines(loss: Mapping[str, Any]) -> list[str]:
    """The renderer's truncation report as lines of text, without counters that are zero."""
    lines = []
    if loss.get("characters_before"):
        tokens = f", {loss['tokens_after']:,} tokens" if loss.get("tokens_after") else ""
        lines.append(
            f"Length: {loss['characters_after']:,} characters in {loss['lines_after']:,} lines{tokens}, made of"
            f" {loss['characters_before']:,} in {loss['lines_before']:,}"
        )
    if loss.get("rules"):
        lines.append(f"Rules used: {', '.join(loss['rules'])}")
    cut = [f"{words} {loss[name]:,}" for name, words in _TRUNCATIONS.items() if loss.get(name)]
    if cut:
        lines.append(f"Cut from the text: {', '.join(cut)}")
    for name, title in (("redactions", "Hidden"), ("protected_missing", "No room for")):
        if loss.get(name):
            lines.append(f"{title}: {', '.join(f'{kind} {count:,}' for kind, count in loss[name].items())}")
    return lines


def _options(team_id: int) -> "RenderOptions":
    """The options that the team's texts are made with."""
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.rendering import RenderOptions
    from llma_assets.settings import Settings

    return RenderOptions.of_team(team_settings().options_of(team_id), Settings.from_env().chat_model)
