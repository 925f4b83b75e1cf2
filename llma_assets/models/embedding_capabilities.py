"""What a server accepts of an embeddings request, learned from what it refuses and from what it answers."""

import threading
from dataclasses import dataclass, field


@dataclass(slots=True)
class EmbeddingCapabilities:
    """What was learned of an embedding model at a server so far.

    Attributes:
        takes_base64: whether vectors are asked for as base64, a quarter of the size.
        most_texts: texts a call that it accepts, None while it has accepted all.
        is_numbered: whether `index` tells whose a vector is; else the order does, once that was tried out.
        dimension: length of the vectors, None before the first.
    """

    takes_base64: bool = True
    most_texts: int | None = None
    is_numbered: bool = True
    dimension: int | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
