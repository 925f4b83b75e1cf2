"""Schedules and sensors with their docstring as the description in the UI; Dagster itself ignores docstrings."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

Automation = TypeVar("Automation")


def described(decorator: Callable[..., Callable[..., Automation]], **options: Any) -> Callable[..., Automation]:
    """One of Dagster's decorators, with the docstring of the function as the description in the UI.

    Args:
        decorator: `dg.schedule` or `dg.sensor`.
        options: of the decorator.
    """

    def decorate(evaluate: Callable[..., Any]) -> Automation:
        return decorator(description=inspect.getdoc(evaluate), **options)(evaluate)

    return decorate
