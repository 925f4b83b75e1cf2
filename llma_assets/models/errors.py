"""What can go wrong between us and a model, by what the caller should do about it.

No message here holds a key, a header or a provider's raw body: what a provider says may quote the request.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class ModelError(Exception):
    """A model did not do what was asked.

    Attributes:
        kind: short class of the failure, as stored in `model_usage.error`: `bad_key`, `rate_limited` …
        said: what the server said, without the key, "" where that is not known. It may quote the request, so it is in
            no message; it is shown only where the request held nothing of anybody's.
    """

    said: str = ""

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class ModelConfigurationError(ModelError):
    """The key, the model's name, the URL or the account is wrong: every further call fails too, so stop."""

    def __init__(self, message: str, *, kind: str = "configuration") -> None:
        super().__init__(message, kind=kind)


class ModelUnavailable(ModelError):
    """The server is busy, slow or away, also after retries: the same call may work later.

    Attributes:
        retry_after_s: how long the server asked to be left alone, None where it did not say.
    """

    def __init__(self, message: str, *, kind: str = "unavailable", retry_after_s: float | None = None) -> None:
        super().__init__(message, kind=kind)
        self.retry_after_s = retry_after_s


class CallNotMade(ModelUnavailable):
    """Nothing was sent, because it would be of no use now: the server is down or wants to be left alone, or there is
    nothing left to pay with. Further calls would not be made either, so leave the rest undone and come back later.
    """


class InvalidAnswer(ModelError):
    """The model answered this one prompt with something unusable, or refused it: give up on this item."""

    def __init__(self, message: str, *, kind: str = "invalid_answer") -> None:
        super().__init__(message, kind=kind)


class TextsRejected(InvalidAnswer):
    """Some texts of a batch got no vector; the others did, and nobody pays for them twice.

    Attributes:
        indexes: positions of the rejected texts in the caller's sequence, ascending.
        vectors: float32 array (n, d) of the whole batch, rows of rejected texts are NaN; d is 0 when no text
            got a vector.
    """

    def __init__(
        self, message: str, *, indexes: Sequence[int], vectors: NDArray[np.float32], kind: str = "rejected"
    ) -> None:
        shown = ", ".join(str(index) for index in indexes[:10]) + (", …" if len(indexes) > 10 else "")
        super().__init__(f"{message}: {len(indexes)} of {len(vectors)} texts (index {shown})", kind=kind)
        self.indexes = tuple(indexes)
        self.vectors = vectors
