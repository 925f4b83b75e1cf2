"""`llma alerts`: the list of its commands, which belong in the `alerts_*` modules."""

import click

from llma_assets.cli.lazy import LazyGroup

_RULES = "llma_assets.cli.commands.alerts_rules"
_JUDGING = "llma_assets.cli.commands.alerts_judging"
_DELIVERY = "llma_assets.cli.commands.alerts_delivery"

LOCATIONS = {
    "list": f"{_RULES}:list_command",
    "show": f"{_RULES}:show_command",
    "apply": f"{_RULES}:apply_command",
    "history": f"{_RULES}:history_command",
    "preview": f"{_JUDGING}:preview_command",
    "run": f"{_JUDGING}:run_command",
    "why": f"{_JUDGING}:why",
    "incidents": f"{_JUDGING}:incidents_command",
    "mute": f"{_JUDGING}:mute_command",
    "snooze": f"{_JUDGING}:snooze",
    "unmute": f"{_JUDGING}:unmute_command",
    "deliveries": f"{_DELIVERY}:deliveries_command",
    "resend": f"{_DELIVERY}:resend",
}
"""Where each command lives, in the order of the help page."""


@click.group("alerts", cls=LazyGroup, locations=LOCATIONS)
def alerts_group() -> None:
    """Alerts: rules over clusters, incidents, and messages to channels.

    Five rules ship, switched off. A YAML file changes them and names channels; `preview` shows what a rule would have
    done, `why` what it decided about a cluster and by which numbers.
    """
