"""`llma clusters causes`: prints probable causes of the clusters of a day. Asking for them belongs in `insights`."""

from datetime import date

import click

from llma_assets.cli.options import date_option, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show


@click.command()
@team_option()
@date_option
@click.option("--theme", "theme_id", help="Only this theme.")
@click.option("--refused", "show_refused", is_flag=True, help="Show what was not taken, too.")
@json_option
def causes(team_id: int, day: date, theme_id: str | None, show_refused: bool, as_json: bool) -> None:
    """Show probable causes of each cluster, with the lines of traces that show them and what would confirm them.

    A model names them for themes with `causes: true`. A cause is taken only if its lines exist and have the words that
    it quotes; a second question judges whether they support it. No model is asked here.
    """
    from llma_assets.cli.run.days import days_with_results
    from llma_assets.reports import causes_report
    from llma_assets.team_day import TeamDay

    with opened_database() as database:
        team_day = TeamDay(team_id, day)
        report = causes_report(database, team_day, theme_id=theme_id)
        if not report.themes:
            say(f"{team_day}: no clusters. {days_with_results(database, team_id, day)}")
    if as_json:
        emit_report(report)
        return
    for theme in report.themes:
        if not theme.clusters:
            say(
                f"{theme.theme_id}: its clusters have no causes yet; the next run asks a model, if one is configured"
                if theme.is_on
                else f"{theme.theme_id}: the theme does not ask for causes; `causes: true` in its file does"
            )
        for cluster in theme.clusters:
            show(f"{plain(theme.theme_id)}: {plain(cluster.title)}")
            for number, each in enumerate(cluster.found.causes, 1):
                show(f"  {number}. {plain(each.cause)}{'' if each.judged else ' (not judged)'}")
                for at in each.references:
                    show(f"     {plain(at.trace_id)} L{at.line}: “{plain(at.quote)}”")
                show(f"     What would confirm it: {plain(each.confirm)}")
            if not cluster.found.causes:
                show(f"  {plain(cluster.found.error) or 'no cause that lines of the traces show'}")
            for refused in cluster.found.refused if show_refused else ():
                show(f"  not taken: {plain(refused)}")
