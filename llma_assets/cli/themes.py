"""`llma themes`: where its commands are. What they do belongs in the `themes_*` modules beside this one."""

from importlib.util import find_spec

import click

from llma_assets.cli.lazy import LazyGroup

_SETTINGS = "llma_assets.cli.themes_settings"
_PREVIEW = "llma_assets.cli.themes_preview"
_REPORTS = "llma_assets.cli.themes_reports"

LOCATIONS = {
    "list": f"{_SETTINGS}:list_command",
    "preview": f"{_PREVIEW}:preview",
    "try": f"{_REPORTS}:try_command",
    "funnel": f"{_REPORTS}:funnel",
    "cross": f"{_REPORTS}:cross",
}
"""Where each command lives, in the order of the help page."""


@click.group(
    "themes",
    cls=LazyGroup,
    locations={name: where for name, where in LOCATIONS.items() if find_spec(where.partition(":")[0])},
)
def themes_group() -> None:
    """The questions that a team asks of its traces: each with its own filter, prompt, sample and clusters.

    A file of YAML says what a team's themes are; `apply` shows what it would change before it does.
    """
