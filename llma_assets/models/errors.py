"""What can go wrong between us and a model, by what the caller should do about it.

No message here holds a key, a header or a provider's raw body: what a provider says may quote the request.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


class ModelError(Exception):
    """A model did not do what was asked.

    Attributes:
        kind: short class of the failure, as stored in `model_usage.error`: `bad_key`, `rate_limited` …
        said: the beginning of what the server or the model said, "" where nothing came. It is in no message: it may
            quote a trace, so code that shows it redacts it.
        vectors: where vectors were asked for, those that came before: float32 (n, d), NaN in rows without one.
    """

    vectors: NDArray[np.float32] | None = None

    def __init__(self, message: str, *, kind: str, said: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.said = said


class ModelConfigurationError(ModelError):
    """The key, the model's name, the URL or the account is wrong: every further call fails too, so stop."""

    def __init__(self, message: str, *, kind: str = "configuration", said: str = "") -> None:
        super().__init__(message, kind=kind, said=said)


class ModelUnavailable(ModelError):
    """The server is busy, slow or away, also after retries: the same call may work later.

    Attributes:
        retry_after_s: how long the server asked to be left alone, None where it did not say.
    """

    def __init__(
        self, message: str, *, kind: str = "unavailable", retry_after_s: float | None = None, said: str = ""
    ) -> None:
        super().__init__(message, kind=kind, said=said)
        self.retry_after_s = retry_after_s


class CallNotMade(ModelUnavailable):
    """Nothing was sent, because it would be of no use now: the server is down or wants to be left alone, or there is
    nothing left to pay with. Further calls would not be made either, so defer the rest to a later run.
    """


class InvalidAnswer(ModelError):
    """The model answered this one prompt with something unusable, or refused it: give up on this item."""

    def __init__(self, message: str, *, kind: str = "invalid_answer", said: str = "") -> None:
        super().__init__(message, kind=kind, said=said)


class TextsRejected(InvalidAnswer):
    """Some texts of a batch got no vector; the others did, and are not paid for twice.

    Attributes:
        indexes: positions of the rejected texts in the caller's sequence, ascending.
        kinds: why each of them has none, by index: `too_long`, `not_finite`, `server_error` …
        vectors: float32 array (n, d) of the whole batch, rows of rejected texts are NaN; d is 0 when no text
            got a vector.
    """

    vectors: NDArray[np.float32]

    def __init__(
        self,
        message: str,
        *,
        indexes: Sequence[int],
        vectors: NDArray[np.float32],
        kind: str = "rejected",
        kinds: Mapping[int, str] | None = None,
    ) -> None:
        shown = ", ".join(str(index) for index in indexes[:10]) + (", …" if len(indexes) > 10 else "")
        super().__init__(f"{message}: {len(indexes)} of {len(vectors)} texts (index {shown})", kind=kind)
        self.indexes = tuple(indexes)
        self.kinds = dict(kinds) if kinds else dict.fromkeys(indexes, kind)
        self.vectors = vectors
