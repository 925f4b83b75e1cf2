"""`llma trackers`: the list of its commands, which belong in the `trackers_*` modules."""

import click

from llma_assets.cli.lazy import LazyGroup

_SETTINGS = "llma_assets.cli.commands.trackers_settings"
_ISSUES = "llma_assets.cli.commands.trackers_issues"

LOCATIONS = {
    "list": f"{_SETTINGS}:list_command",
    "show": f"{_SETTINGS}:show_command",
    "apply": f"{_SETTINGS}:apply_command",
    "history": f"{_SETTINGS}:history_command",
    "test": f"{_SETTINGS}:test_command",
    "open": f"{_ISSUES}:open_command",
    "sync": f"{_ISSUES}:sync_command",
    "links": f"{_ISSUES}:links_command",
}
"""Where each command lives, in the order of the help page."""


@click.group("trackers", cls=LazyGroup, locations=LOCATIONS)
def trackers_group() -> None:
    """Trackers: issues of GitHub and Linear made of tasks and clusters.

    A YAML file names trackers, and rules that open issues. What is closed on one side is closed on the other; a
    person's title, labels and assignee stay. `links` says what is linked, what was said, and what is wrong.
    """
