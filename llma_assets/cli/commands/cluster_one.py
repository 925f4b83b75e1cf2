"""`llma clusters show`, `shared` and `make-task`: one cluster of a day, beside other themes, and as a task.

What they print is computed in `reports`.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import date_option, decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, plain, say, show, show_table

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.clusters import Lineage
    from llma_assets.insights import Part


@click.command("show")
@click.argument("lineage")
@team_option()
@date_option
@json_option
def show_command(lineage: str, team_id: int, day: date, as_json: bool) -> None:
    """Show one cluster: its figures, members, and the models, releases and users that its traces come from."""
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.reports import cluster_report
    from llma_assets.team_day import TeamDay
    from llma_assets.teams import resolve

    named_by = resolve(team_settings(), team_id).release_property
    with opened_database() as database:
        found = _found(database, team_id, lineage)
        report = cluster_report(
            database, TeamDay(team_id, day), found.theme_id, found.lineage_id, release_property=named_by
        )
    if report is None:
        raise WrongUse(_not_there(found, day))
    if as_json:
        emit_report(report)
        return
    cluster = report.result.cluster
    show(f"{cluster.lineage_id[:SHORT_ID]} {plain(cluster.title)}: {cluster.size:,} items of {cluster.traces:,} traces")
    if report.task_id:
        show(f"task {report.task_id[:SHORT_ID]}: `llma tasks show {report.task_id[:SHORT_ID]} --team {team_id}`")
    for words, parts in (
        ("model", report.parts.models if report.parts else None),
        ("release", report.parts.releases if report.parts else None),
        ("user (hash)", report.parts.users if report.parts else None),
    ):
        if parts:
            show()
            show_table((words, "here", "elsewhere"), _part_rows(parts), right=("here", "elsewhere"))
    for words, items in (("typical", report.typical), ("farthest", report.farthest)):
        if items:
            show()
            show_table((words, "distance", "summary"), [(i.item_id, f"{i.distance:.3f}", i.title) for i in items])
    if report.taken_out:
        show()
        show_table(
            ("taken out", "by", "summary"), [(each.item_id, each.author, each.title) for each in report.taken_out]
        )


@click.command()
@click.argument("lineage")
@team_option()
@date_option
@click.option("--all", "show_all", is_flag=True, help="Show pairs that chance may have made, too.")
@json_option
def shared(lineage: str, team_id: int, day: date, show_all: bool, as_json: bool) -> None:
    """Show which clusters of other themes share the traces of a cluster, and how much more than chance would."""
    from llma_assets.reports import NotClusteredError, cluster_overlap
    from llma_assets.team_day import TeamDay

    with opened_database() as database:
        found = _found(database, team_id, lineage)
        try:
            report = cluster_overlap(database, TeamDay(team_id, day), found.theme_id, found.lineage_id)
        except NotClusteredError as error:
            raise WrongUse(str(error)) from None
    if as_json:
        emit_report(report)
        return
    rows = [
        (
            each.theme_id,
            pair.second.cluster[:SHORT_ID],
            pair.second.title,
            f"{pair.shared:,} of {pair.first.traces:,}",
            f"{pair.expected:.1f}",
            f"{pair.lift:.1f} ({pair.lift_low:.1f} to {pair.lift_high:.1f})",
            "yes" if pair.more else "no",
        )
        for each in report.themes
        for pair in each.pairs
        if pair.more or show_all
    ]
    if rows:
        show_table(
            ("theme", "lineage", "cluster", "shared", "expected", "times", "more than chance"),
            rows,
            right=("shared", "expected"),
        )
    else:
        say("No cluster of another theme shares more of its traces than chance would; --all shows all that share any.")


@click.command("make-task")
@click.argument("lineage")
@team_option()
@date_option
@click.option("--by", "author", default=None, help="Name of who makes it.  [default: LLMA_USER, else your login]")
@json_option
def make_task(lineage: str, team_id: int, day: date, author: str | None, as_json: bool) -> None:
    """Make a task of a cluster, with its figures and typical members of a day; or find the one that there is."""
    from llma_assets.reports import NoSuchClusterError, task_of_cluster
    from llma_assets.team_day import TeamDay

    who = decider(author)
    with opened_database() as database:
        found = _found(database, team_id, lineage)
        try:
            made = task_of_cluster(
                database, TeamDay(team_id, day), found.theme_id, found.lineage_id, by=who, now=datetime.now(UTC)
            )
        except NoSuchClusterError:
            raise WrongUse(_not_there(found, day)) from None
    if as_json:
        emit_report(made)
    else:
        word = "is a new task" if made.is_new else "is the task that there was"
        show(f"{made.task_id[:SHORT_ID]} {word} of {found.lineage_id[:SHORT_ID]} {plain(found.title)}")


COMMANDS = (show_command, shared, make_task)
"""In the order of the help page."""


def _found(database: "Database", team_id: int, text: str) -> "Lineage":
    """The lineage that is meant, with those that it is counted with."""
    from dataclasses import replace

    from llma_assets.clusters import counted_as, find_lineage, standings_of

    found = find_lineage(database, team_id, text)
    return replace(found, lineage_id=counted_as(found.lineage_id, standings_of(database, team_id)))


def _not_there(found: "Lineage", day: date) -> str:
    return (
        f"{found.lineage_id[:SHORT_ID]} is not among the clusters of {day}; "
        f"it was there from {found.first_day} to {found.last_day}"
    )


def _part_rows(parts: "Sequence[Part]") -> list[tuple[str, str, str]]:
    return [
        (
            each.value,
            f"{each.share.value or 0:.0%} ({each.traces:,})",
            f"{each.other_share.value or 0:.0%} ({each.other_traces:,})",
        )
        for each in parts
    ]
