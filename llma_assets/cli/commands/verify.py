"""`llma verify` and `llma releases`: did a fix work? Counting and judging belong in `reports` and `insights`."""

from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import Day, decider, json_option, opened_database, team_option
from llma_assets.cli.render.console import emit_report, plain, say, show, show_table
from llma_assets.cli.render.teams import team_named

if TYPE_CHECKING:
    from llma_assets.clickhouse import Database
    from llma_assets.insights import Effect, Release

WHO = "Name of who decides.  [default: LLMA_USER, else your login]"


@click.command()
@team_option()
@click.option("--lineage", metavar="ID", help="A cluster, by its lineage id or a unique prefix.")
@click.option("--task", "task_id", metavar="ID", help="A task, by its id or a unique prefix.")
@click.option("--release", "release_name", metavar="NAME", help="Compare before and after this release.")
@click.option("--date", "day", type=Day(), help="Compare before and after the beginning of this day (UTC).")
@json_option
def verify(
    team_id: int, lineage: str | None, task_id: str | None, release_name: str | None, day: date | None, as_json: bool
) -> None:
    """Say whether a problem became rarer after a release or a day.

    The rate before is corrected for weekdays and trend where there are enough days, and each difference comes with its
    95 % interval. A task that was closed can be asked about without a release: then it counts from when it was closed.
    """
    if (lineage is None) == (task_id is None):
        raise WrongUse("name one problem: --lineage ID, or --task ID")
    if release_name is not None and day is not None:
        raise WrongUse("name one change: --release NAME, or --date D")
    if lineage is not None and release_name is None and day is None:
        raise WrongUse("name the change: --release NAME, or --date D (`llma releases list` shows the releases)")
    from llma_assets.cli.commands.task_changes import team_task_options
    from llma_assets.reports import NoChangeError, verify_lineage, verify_task
    from llma_assets.tasks import UnknownTaskError, find_task, list_tasks

    with opened_database() as database:
        moment, because = None, ""
        if release_name is not None:
            release = _find(database, team_id, release_name)
            moment, because = release.released_at, f"the release {release.name}"
        elif day is not None:
            moment, because = datetime.combine(day, time(), UTC), f"the beginning of {day}"
        if lineage is not None:
            assert moment is not None
            found = verify_lineage(database, team_id, lineage, moment, because)
        else:
            assert task_id is not None
            try:
                tasks = list_tasks(database, team_id, now=datetime.now(UTC), options=team_task_options(team_id))
                found = verify_task(database, team_id, find_task(tasks, task_id), moment, because)
            except (UnknownTaskError, NoChangeError) as error:
                raise WrongUse(str(error)) from error
    if as_json:
        emit_report(found)
        return
    show(f"{plain(found.title)}: before and after {plain(found.because)}")
    show(plain(found.sentence))
    unit = "traces" if found.kind == "lineage" else "sessions"
    show_table(
        ("of", "before", "expected after", "seen after", "difference in points", "95 %", "corrected for"),
        [_row(unit, found.traces), _row("users", found.users)],
    )


def _row(unit: str, effect: "Effect") -> tuple[str, ...]:
    points = [None if each is None else f"{each * 100:+.1f}" for each in (effect.difference, effect.low, effect.high)]
    return (
        unit,
        _percent(effect.before, effect.before_whole),
        _percent(effect.expected, None),
        _percent(effect.after, effect.after_whole),
        points[0] or "–",
        f"{points[1]} to {points[2]}" if points[1] else "–",
        ", ".join(effect.corrected_for) or "nothing",
    )


def _percent(share: float | None, of: int | None) -> str:
    if share is None:
        return "–"
    return f"{share:.1%}" if of is None else f"{share:.1%} of {of:,}"


@click.group("releases")
def releases_group() -> None:
    """Releases of the application whose traces are read: what `llma verify` compares before and after of.

    A property of events that names the release can be set for a team: `release_property` of teams.toml.
    """


@releases_group.command("list")
@team_option()
@json_option
def list_command(team_id: int, as_json: bool) -> None:
    """List the releases of a team: those that people added, and those that events of the last 90 days name."""
    from llma_assets.reports import ReleasesReport

    with opened_database() as database:
        report = ReleasesReport(team_id, tuple(_known(database, team_id)))
    if as_json:
        emit_report(report)
    elif report.releases:
        show_table(
            ("release", "since (UTC)", "from"),
            [(each.name, f"{each.released_at:%Y-%m-%d %H:%M}", each.added_by or "events") for each in report.releases],
        )
    else:
        say(
            f"Team {team_named(team_id)} has no releases. `llma releases add NAME "
            f"--team {team_id} --at 2026-11-07T12:00` adds one."
        )


@releases_group.command("add")
@click.argument("name")
@team_option()
@click.option(
    "--at",
    "moment",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
    help="When it began (UTC).  [default: now]",
)
@click.option("--by", default=None, metavar="NAME", help=WHO)
def add(name: str, team_id: int, moment: datetime | None, by: str | None) -> None:
    """Add a release, or move one that is there."""
    from llma_assets.insights import add_release

    at = moment.replace(tzinfo=UTC) if moment else datetime.now(UTC)
    with opened_database(create=True) as database:
        release = add_release(database, team_id, name, at, by=decider(by))
    say(f"Team {team_named(team_id)}: {plain(release.name)} since {release.released_at:%Y-%m-%d %H:%M} UTC.")


@releases_group.command("remove")
@click.argument("name")
@team_option()
@click.option("--by", default=None, metavar="NAME", help=WHO)
def remove(name: str, team_id: int, by: str | None) -> None:
    """Take back a release that a person added."""
    from llma_assets.insights import remove_release

    with opened_database() as database:
        release = remove_release(database, team_id, name, by=decider(by))
    say(f"Team {team_named(team_id)}: {plain(release.name)} is no release any more.")


def _known(database: "Database", team_id: int) -> "list[Release]":
    from llma_assets.cli.run.settings import team_settings
    from llma_assets.insights import releases_of
    from llma_assets.teams import resolve

    named_by = resolve(team_settings(), team_id).release_property
    return releases_of(database, team_id, now=datetime.now(UTC), named_by=named_by)


def _find(database: "Database", team_id: int, name: str) -> "Release":
    from llma_assets.insights import find_release

    return find_release(_known(database, team_id), name)
