"""`llma automation`: shows schedules and sensors, and switches them. The work belongs in `defs.automation`."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import json_option
from llma_assets.cli.render.console import emit_report, say, show_table

if TYPE_CHECKING:
    from llma_assets.defs.automation import Automation, Automations
    from llma_assets.reports import AutomationRow

SHOWN_DETAIL = 120


@click.group()
def automation() -> None:
    """Show schedules and sensors, and switch them on or off.

    They run only while `llma dev`, or a Dagster daemon of your own, is running.
    """


@automation.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--describe", is_flag=True, help="Show what each does and needs.")
@json_option
def status(names: tuple[str, ...], describe: bool, as_json: bool) -> None:
    """Show which are on, the last evaluation of each, and the next."""
    with _opened() as automations:
        _show(automations, names, describe=describe, as_json=as_json)


@automation.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--all", "everything", is_flag=True, help="All schedules and sensors.")
@json_option
def on(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Switch schedules and sensors on.

    Switch `discovery_hourly` on first: the others work only for teams that it found eligible.
    """
    _switch(names, everything=everything, as_json=as_json, on=True)


@automation.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--all", "everything", is_flag=True, help="All schedules and sensors.")
@json_option
def off(names: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Switch schedules and sensors off; runs that they requested continue."""
    _switch(names, everything=everything, as_json=as_json, on=False)


@contextmanager
def _opened() -> "Iterator[Automations]":
    from llma_assets.definitions import build_definitions
    from llma_assets.defs.automation import Automations
    from llma_assets.defs.instance import opened_instance
    from llma_assets.settings import Settings

    with opened_instance(Settings.from_env()) as instance:
        yield Automations(instance, build_definitions())


def _switch(names: tuple[str, ...], *, everything: bool, as_json: bool, on: bool) -> None:
    from llma_assets.defs.automation import UnknownAutomationError

    if bool(names) == everything:
        raise WrongUse("give names of schedules or sensors, or --all; `llma automation status` lists them")
    with _opened() as automations:
        try:
            changed = automations.switch(names or automations.names, on=on)
        except UnknownAutomationError as error:
            raise WrongUse(str(error.args[0])) from error
        if not as_json:
            already = len(names or automations.names) - len(changed)
            say(
                f"Switched {'on' if on else 'off'}: {', '.join(changed) or 'none'}"
                + (f"; {already} already were" * bool(already))
            )
        _show(automations, names, describe=False, as_json=as_json, changed=changed)


def _show(
    automations: "Automations",
    names: tuple[str, ...],
    *,
    describe: bool,
    as_json: bool,
    changed: "list[str] | None" = None,
) -> None:
    from llma_assets.defs.automation import DAEMON_IS_GONE_AFTER, UnknownAutomationError
    from llma_assets.reports import AutomationsReport, Daemon

    now = datetime.now(UTC)
    try:
        found = automations.status(now, names)
    except UnknownAutomationError as error:
        raise WrongUse(str(error.args[0])) from error
    seen = automations.daemon_seen_at()
    is_running = seen is not None and now - seen < DAEMON_IS_GONE_AFTER
    if as_json:
        rows = tuple(_reported(each) for each in found)
        emit_report(AutomationsReport(Daemon(is_running, seen), None if changed is None else tuple(changed), rows))
        return
    header = ["name", "", "when", "last", "result", "next"]
    show_table(
        [*header, "what it does"] if describe else header,
        [[*_row(each), *([" ".join(each.description.split())] if describe else [])] for each in found],
    )
    if not is_running and any(each.is_on for each in found):
        say("No daemon is running, so nothing is evaluated: `llma dev` starts one.")


def _row(each: "Automation") -> list[str]:
    tick = each.last_tick
    result = ""
    if tick:
        result = f"{tick.status}, {tick.runs} run{'s' * (tick.runs != 1)}" if tick.runs else tick.status
        result += f": {tick.detail[:SHOWN_DETAIL]}" if tick.detail else ""
    last, following = (f"{moment:%Y-%m-%d %H:%M}" if moment else "" for moment in (tick and tick.at, each.next_tick))
    return [each.name, "on" if each.is_on else "off", each.when, last, result, following]


def _reported(each: "Automation") -> "AutomationRow":
    from llma_assets.reports import AutomationRow, AutomationTick

    tick = each.last_tick
    return AutomationRow(
        name=each.name,
        kind=each.kind,
        is_on=each.is_on,
        when=each.when,
        description=each.description,
        last_tick=AutomationTick(tick.at, tick.status, tick.runs, tick.detail) if tick else None,
        next_tick_at=each.next_tick,
    )
