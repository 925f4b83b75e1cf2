"""`llma alerts deliveries, resend`: the outbox. The logic belongs in `llma_assets.alerts`."""

from dataclasses import replace

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_report, say, show_table
from llma_assets.cli.render.teams import team_named


@click.command("deliveries")
@team_option()
@click.option("--dead", is_flag=True, help="Only dead letters.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Latest N.")
@json_option
def deliveries_command(team_id: int, dead: bool, limit: int, as_json: bool) -> None:
    """List messages of the last sixty days with what became of them, latest first."""
    from llma_assets.alerts import deliveries_report
    from llma_assets.clock import utc_now

    with opened_database() as database:
        report = deliveries_report(database, team_id, utc_now(), state="dead" if dead else None)
    report = replace(report, deliveries=report.deliveries[:limit])
    if as_json:
        emit_report(report)
        return
    show_table(
        ("message", "channel", "event", "state", "attempts", "created", "what", "error"),
        [
            (
                str(each.message)[:SHORT_ID],
                each.channel,
                each.event,
                each.state.replace("_", " "),
                each.attempts,
                f"{each.created_at:%Y-%m-%d %H:%M}",
                each.headline,
                each.error,
            )
            for each in report.deliveries
        ],
    )
    for channel, reason in report.channels_off.items():
        say(f"Channel {channel} is switched off: {reason}. `llma alerts resend --team {team_id} --channel {channel}`")
    if not report.deliveries:
        say(f"Team {team_named(team_id)} has no {'dead letters' if dead else 'messages'}.")


@click.command("resend")
@click.argument("messages", nargs=-1, metavar="[MESSAGE]...")
@team_option()
@click.option("--channel", default="", help="All dead letters of this channel; switches it on again.")
@click.option("--dry-run", is_flag=True, help="Show what would be sent; send nothing.")
@json_option
def resend(messages: tuple[str, ...], team_id: int, channel: str, dry_run: bool, as_json: bool) -> None:
    """Send messages again: MESSAGE is an id or a unique prefix of it.

    They keep their ids, so that a receiver that has one takes it once.
    """
    from llma_assets.alerts import AlertError, ResentMessages, alerts_of, deliver, requeue_messages
    from llma_assets.clock import utc_now

    if not messages and not channel:
        raise WrongUse("name messages, or a channel by --channel; `llma alerts deliveries` shows them")
    with opened_database() as database:
        team = alerts_of(database, team_id)
        try:
            chosen = requeue_messages(database, team, messages, channel, utc_now(), dry_run=dry_run)
        except AlertError as error:
            raise WrongUse(str(error)) from error
        sent = None if dry_run else deliver(database, team_id, team.channels, clock=utc_now)
    if as_json:
        counts = (sent.sent, sent.failed + sent.dead, sent.waiting) if sent else (0, 0, 0)
        emit_report(ResentMessages(team_id, dry_run, tuple(each.message_id for each in chosen), *counts))
    elif sent:
        say(f"{len(chosen)} chosen; {sent.sent} sent, {sent.failed + sent.dead} not sent, {sent.waiting} waiting.")
    else:
        say(f"{len(chosen)} would be sent again.")
