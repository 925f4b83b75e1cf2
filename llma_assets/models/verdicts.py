"""What servers said of models for good, kept while many teams are worked on: of a thousand teams one is told.

A wrong key or name fails each call that follows, so the other teams fail with the same words and without a call.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from llma_assets.models.errors import ModelConfigurationError

_FOR_GOOD = frozenset({"bad_key", "no_credit", "forbidden", "region", "not_found", "wrong_model"})
"""Kinds that concern each question to the model, and not what one team allows."""


class Asked(NamedTuple):
    """A model as it is asked: where, by which key, under which name. The key is compared, and never shown."""

    url: str
    key: str
    model: str


@dataclass
class _Kept:
    """What is known, and how many are at work with it."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0
    refused: dict[Asked, ModelConfigurationError] = field(default_factory=dict)
    usable: set[Asked] = field(default_factory=set)


_KEPT = _Kept()


@contextmanager
def verdicts_kept() -> Iterator[None]:
    """While inside, a model that its server refuses is not asked again, and one that it lists is not looked up again.

    It holds for all threads of the process, and ends with the last who is inside: what was mended counts then.
    """
    with _KEPT.lock:
        _KEPT.users += 1
    try:
        yield
    finally:
        with _KEPT.lock:
            _KEPT.users -= 1
            if not _KEPT.users:
                _KEPT.refused.clear()
                _KEPT.usable.clear()


def kept_refusal(asked: Asked) -> ModelConfigurationError | None:
    """Why the model was refused before, as an error of the caller's own; None where it was not."""
    known = _KEPT.refused.get(asked)
    return ModelConfigurationError(str(known), kind=known.kind, said=known.said) if known is not None else None


def keep_refusal(asked: Asked, error: ModelConfigurationError) -> None:
    """Keep that a model was refused, where that holds for whoever asks next."""
    if type(error) is ModelConfigurationError and error.kind in _FOR_GOOD:
        with _KEPT.lock:
            if _KEPT.users:
                _KEPT.refused[asked] = error


def keep_usable(asked: Asked) -> None:
    """Keep that the server has the model."""
    with _KEPT.lock:
        if _KEPT.users:
            _KEPT.usable.add(asked)


def is_usable(asked: Asked) -> bool:
    """Whether the server was found to have the model."""
    return asked in _KEPT.usable
