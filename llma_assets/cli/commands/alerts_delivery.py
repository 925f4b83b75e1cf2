"""`llma alerts deliveries, resend`: the outbox. The logic belongs in `llma_assets.alerts`."""

import click

from llma_assets.cli.errors import WrongUse
from llma_assets.cli.options import json_option, opened_database, team_option
from llma_assets.cli.render.console import SHORT_ID, emit_json, say, show_table


@click.command("deliveries")
@team_option()
@click.option("--dead", is_flag=True, help="Only dead letters.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Latest N.")
@json_option
def deliveries_command(team_id: int, dead: bool, limit: int, as_json: bool) -> None:
    """List messages of the last sixty days with what became of them, latest first."""
    from llma_assets.alerts import channels_off, deliveries
    from llma_assets.clock import utc_now

    with opened_database() as database:
        found = [each for each in deliveries(database, team_id, utc_now()) if each.state == "dead" or not dead]
        off = channels_off(database, team_id)
    found = found[::-1][:limit]
    if as_json:
        emit_json(
            {
                "team": team_id,
                "channels_off": off,
                "deliveries": [
                    {
                        "message": str(each.message_id),
                        "channel": each.channel,
                        "event": each.event,
                        "headline": each.message.headline,
                        "created_at": each.created_at.isoformat(),
                        "state": each.state,
                        "attempts": each.attempts,
                        "due_at": each.due_at.isoformat() if each.due_at else None,
                        "reply": each.reply,
                        "error": each.error,
                    }
                    for each in found
                ],
            }
        )
        return
    show_table(
        ("message", "channel", "event", "state", "attempts", "created", "what", "error"),
        [
            (
                str(each.message_id)[:SHORT_ID],
                each.channel,
                each.event,
                each.state.replace("_", " "),
                each.attempts,
                f"{each.created_at:%Y-%m-%d %H:%M}",
                each.message.headline,
                each.error,
            )
            for each in found
        ],
    )
    for channel, reason in off.items():
        say(f"Channel {channel} is switched off: {reason}. `llma alerts resend --team {team_id} --channel {channel}`")
    if not found:
        say(f"Team {team_id} has no {'dead letters' if dead else 'messages'}.")


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
    from llma_assets.alerts import again, alerts_of, deliver, deliveries, switch_channel
    from llma_assets.clock import utc_now

    if not messages and not channel:
        raise WrongUse("name messages, or a channel by --channel; `llma alerts deliveries` shows them")
    with opened_database() as database:
        team = alerts_of(database, team_id)
        if channel and channel not in team.channels:
            raise WrongUse(f"team {team_id} has no channel {channel!r}; `llma alerts list --team {team_id}` shows them")
        found = deliveries(database, team_id, utc_now())
        chosen = [each for each in found if channel and each.channel == channel and each.state == "dead"]
        for prefix in messages:
            alike = [each for each in found if str(each.message_id).startswith(prefix.lower())]
            if len(alike) != 1:
                raise WrongUse(f"{len(alike)} messages begin with {prefix!r}; `llma alerts deliveries` shows them")
            chosen += alike
        sent = None
        if not dry_run:
            if channel:
                switch_channel(database, team_id, channel, off=False)
            again(database, team_id, chosen, utc_now())
            sent = deliver(database, team_id, team.channels, clock=utc_now)
    if as_json:
        emit_json(
            {
                "team": team_id,
                "dry_run": dry_run,
                "chosen": [str(each.message_id) for each in chosen],
                "sent": sent.sent if sent else 0,
                "not_sent": sent.failed + sent.dead if sent else 0,
                "waiting": sent.waiting if sent else 0,
            }
        )
    elif sent:
        say(f"{len(chosen)} chosen; {sent.sent} sent, {sent.failed + sent.dead} not sent, {sent.waiting} waiting.")
    else:
        say(f"{len(chosen)} would be sent again.")
