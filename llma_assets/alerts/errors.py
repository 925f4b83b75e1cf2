"""What can be wrong with alerts, said so that a person can fix it."""

from collections.abc import Sequence

from llma_assets.themes import Problem


class AlertError(Exception):
    """A rule, a channel or a message cannot be used as was asked; the message names the way out."""


class InvalidRulesError(AlertError):
    """Settings of rules or channels are not valid; nothing of them was stored.

    Attributes:
        problems: all of them, in the order of the file.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))
