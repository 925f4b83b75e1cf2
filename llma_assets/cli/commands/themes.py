"""`llma themes`: the list of its commands, which belong in the `themes_*` modules."""

import click

from llma_assets.cli.lazy import LazyGroup

_SETTINGS = "llma_assets.cli.commands.themes_settings"
_CHANGES = "llma_assets.cli.commands.themes_changes"
_PREVIEW = "llma_assets.cli.commands.themes_preview"
_REPORTS = "llma_assets.cli.commands.themes_reports"
_TRIAL = "llma_assets.cli.commands.themes_trial"

LOCATIONS = {
    "list": f"{_SETTINGS}:list_command",
    "show": f"{_SETTINGS}:show_command",
    "example": f"{_SETTINGS}:example",
    "export": f"{_SETTINGS}:export_command",
    "apply": f"{_CHANGES}:apply_command",
    "enable": f"{_CHANGES}:enable",
    "disable": f"{_CHANGES}:disable",
    "delete": f"{_CHANGES}:delete_command",
    "history": f"{_SETTINGS}:history_command",
    "packs": "llma_assets.cli.commands.theme_packs:packs_group",
    "preview": f"{_PREVIEW}:preview",
    "try": f"{_TRIAL}:try_command",
    "funnel": f"{_REPORTS}:funnel",
    "cross": f"{_REPORTS}:cross",
}
"""Where each command lives, in the order of the help page."""


@click.group("themes", cls=LazyGroup, locations=LOCATIONS)
def themes_group() -> None:
    """Themes: the questions that a team asks of its traces.

    Each has its own filters, prompt, sample and clusters. A YAML file defines them; `apply` shows the changes before it
    stores them.
    """
