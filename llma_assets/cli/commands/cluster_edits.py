"""`llma clusters rename`, `lock`, `merge`, `hide`, their opposites, and `history`: decisions about clusters.

Which decisions are valid belongs in `llma_assets.clusters`.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llma_assets.cli.options import decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.clusters import Action

F = TypeVar("F", bound=Callable[..., Any])

SHORT_ID = 8

RESULTS = {
    "rename": "is now called",
    "unname": "is named by the model again:",
    "lock": "keeps the name",
    "unlock": "may be renamed by the model again:",
    "merge": "is now counted with",
    "unmerge": "is counted on its own again:",
    "hide": "is hidden:",
    "unhide": "is shown again:",
    "take_out": "no longer holds that member:",
    "put_back": "holds that member again:",
}
"""Messages after a decision is stored."""


def _decision(f: F) -> F:
    """The options that all decisions share."""
    f = json_option(f)
    f = click.option(
        "--by", "author", default=None, help="Name of who decides.  [default: LLMA_USER, else your login]"
    )(f)
    return team_option()(f)


@click.command()
@click.argument("lineage")
@click.argument("title", default="")
@click.option("--undo", is_flag=True, help="Remove your title: the model names the cluster again.")
@_decision
def rename(lineage: str, title: str, undo: bool, team_id: int, author: str | None, as_json: bool) -> None:
    """Give a cluster your own title, on all its days."""
    if undo and title:
        raise click.UsageError("either a title or --undo, not both")
    _decide(team_id, "unname" if undo else "rename", [lineage], author=author, title=title, as_json=as_json)


@click.command()
@click.argument("lineage")
@_decision
def lock(lineage: str, team_id: int, author: str | None, as_json: bool) -> None:
    """Keep the present name of a cluster on all later days."""
    _decide(team_id, "lock", [lineage], author=author, as_json=as_json)


@click.command()
@click.argument("lineage")
@_decision
def unlock(lineage: str, team_id: int, author: str | None, as_json: bool) -> None:
    """Let the model rename a locked cluster again."""
    _decide(team_id, "unlock", [lineage], author=author, as_json=as_json)


@click.command()
@click.argument("main")
@click.argument("others", nargs=-1, required=True)
@_decision
def merge(main: str, others: tuple[str, ...], team_id: int, author: str | None, as_json: bool) -> None:
    """Count OTHERS together with MAIN, under the name of MAIN."""
    _decide(team_id, "merge", others, author=author, into=main, as_json=as_json)


@click.command()
@click.argument("lineage")
@_decision
def unmerge(lineage: str, team_id: int, author: str | None, as_json: bool) -> None:
    """Count a merged cluster on its own again."""
    _decide(team_id, "unmerge", [lineage], author=author, as_json=as_json)


@click.command()
@click.argument("lineage")
@_decision
def hide(lineage: str, team_id: int, author: str | None, as_json: bool) -> None:
    """Leave a cluster out of listings and trends."""
    _decide(team_id, "hide", [lineage], author=author, as_json=as_json)


@click.command()
@click.argument("lineage")
@_decision
def unhide(lineage: str, team_id: int, author: str | None, as_json: bool) -> None:
    """Show a hidden cluster again."""
    _decide(team_id, "unhide", [lineage], author=author, as_json=as_json)


@click.command("take-out")
@click.argument("lineage")
@click.argument("items", nargs=-1, required=True)
@_decision
def take_out(lineage: str, items: tuple[str, ...], team_id: int, author: str | None, as_json: bool) -> None:
    """Say that ITEMS, ids of traces or model calls, do not belong to a cluster: they count as outliers.

    They are left out of its size, its examples and what its name is made of, on all its days. The event of a day that
    is published already follows when the day is run again.
    """
    _decide(team_id, "take_out", [lineage], author=author, items=items, as_json=as_json)


@click.command("put-back")
@click.argument("lineage")
@click.argument("items", nargs=-1, required=True)
@_decision
def put_back(lineage: str, items: tuple[str, ...], team_id: int, author: str | None, as_json: bool) -> None:
    """Put ITEMS that were taken out of a cluster back."""
    _decide(team_id, "put_back", [lineage], author=author, items=items, as_json=as_json)


@click.command()
@click.argument("lineage", required=False)
@team_option()
@json_option
def history(lineage: str | None, team_id: int, as_json: bool) -> None:
    """Show decisions about all clusters of a team, or about one: who, what and when."""
    from llma_assets.clusters import edits_of, find_lineage
    from llma_assets.reports import decisions

    with opened_database() as database:
        wanted = find_lineage(database, team_id, lineage).lineage_id if lineage else None
        edits = [edit for edit in edits_of(database, team_id) if wanted in (None, edit.lineage_id)]
    if as_json:
        emit_report(decisions(team_id, edits))
    elif edits:
        show_table(
            ("when", "who", "lineage", "action", "what"),
            [
                (
                    f"{edit.edited_at:%Y-%m-%d %H:%M:%S}",
                    edit.author,
                    edit.lineage_id[:SHORT_ID],
                    edit.action,
                    edit.title or edit.item_id or edit.into_lineage_id[:SHORT_ID],
                )
                for edit in edits
            ],
        )
    else:
        say(f"There are no decisions about {'this cluster' if lineage else 'clusters'} of team {team_named(team_id)}.")


COMMANDS = (rename, lock, unlock, merge, unmerge, hide, unhide, take_out, put_back, history)
"""In the order of the help page."""


def _decide(
    team_id: int,
    action: "Action",
    lineages: Sequence[str],
    *,
    author: str | None,
    as_json: bool,
    title: str = "",
    into: str = "",
    items: Sequence[str] = ("",),
) -> None:
    from llma_assets.clusters import decide_about
    from llma_assets.reports import decisions

    who = decider(author)
    with opened_database() as database:
        decided = [
            each
            for item_id in items
            for each in decide_about(
                database,
                team_id,
                action,
                lineages,
                author=who,
                at=datetime.now(UTC),
                title=title,
                into=into,
                item_id=item_id,
            )
        ]
    stored = [each.edit for each in decided if each.edit]
    if as_json:
        emit_report(decisions(team_id, stored))
    else:
        for each in decided:
            short = each.lineage.lineage_id[:SHORT_ID]
            result = RESULTS[action] if each.edit else "was so already:"
            show(plain(f"{short} {result} {each.name or (into or each.lineage.lineage_id)[:SHORT_ID]}"))
