"""The chat model that needs no network and no key: it asks the room for its own deterministic answer.

How a summary or a label is computed offline belongs to the room that asks, not here.
"""

import time
from collections.abc import Callable, Sequence

from llma_assets.models.protocols import ChatMessage, Completion, Record, T, Usage, ignore_usage


class OfflineChat:
    """Answers every prompt with what the caller computes from the data alone."""

    name = "offline/extractive-1"

    def complete(
        self,
        messages: Sequence[ChatMessage],  # noqa: ARG002 - the protocol's; only a network model reads it
        schema: type[T],
        *,
        offline: Callable[[], T],
        record: Record = ignore_usage,
    ) -> Completion[T]:
        """Return `offline()`, checked against `schema`; costs nothing.

        Raises:
            TypeError: `offline` gave something that is not a `schema`: a defect of the caller.
        """
        started = time.perf_counter()
        value = offline()
        if not isinstance(value, schema):
            raise TypeError(f"offline() gave a {type(value).__name__}; a {schema.__name__} is needed")
        record(Usage(self.name, 0, 0, 0.0, time.perf_counter() - started))
        return Completion(value, self.name)

    def __repr__(self) -> str:
        return f"OfflineChat({self.name!r})"
