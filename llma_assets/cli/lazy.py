"""A click group that imports each command when it is called, so that help answers at once."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class LazyGroup(click.Group):
    """A group whose commands live in other modules.

    Args:
        locations: `module:variable` of each command by its name, in the order of the help page.
    """

    def __init__(self, *args: Any, locations: Mapping[str, str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._locations = locations

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The commands in the order of the help page."""
        return list(self._locations)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command; None for an unknown name."""
        if cmd_name not in self._locations:
            return None
        module, _, name = self._locations[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command
