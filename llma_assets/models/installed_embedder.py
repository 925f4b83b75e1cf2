"""What the offline embedding models have in common: a package that must be installed, and no server."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from llma_assets.extras import missing_extra
from llma_assets.models.errors import ModelConfigurationError
from llma_assets.models.protocols import Record, Usage, ignore_usage


class InstalledEmbedder(ABC):
    """An embedding model that a package brings and this process runs.

    Attributes:
        name: of the model.
        EXTRA, WHAT: the extra that installs its package, and what the model is, for whom it is missing.
    """

    EXTRA: ClassVar[str]
    WHAT: ClassVar[str]
    name: str

    def embed(self, texts: Sequence[str], *, record: Record = ignore_usage) -> NDArray[np.float32]:
        """Embed `texts`; any string is accepted, the empty one and lone surrogates too.

        Returns:
            float32 array (n, d), rows in the order of the texts, each of length 1.

        Raises:
            ModelConfigurationError: a package is missing, or a file of the model is missing or not the pinned one.
        """
        started, error = time.perf_counter(), "failed"
        try:
            vectors = self._embed(texts)
            error = ""
        except ModelConfigurationError as refusal:
            error = refusal.kind
            raise
        finally:
            record(Usage(self.name, 0, 0, 0.0, time.perf_counter() - started, error))
        return vectors

    def require(self) -> None:
        """Refuse where the package that it needs is not installed; nothing is loaded.

        Raises:
            ModelConfigurationError: the message names the extra that brings it.
        """
        if complaint := missing_extra(self.EXTRA, self.WHAT):
            fix = f"{complaint}, or name a model of your server in LLMA_EMBEDDING_MODEL"
            raise ModelConfigurationError(fix, kind="not_installed")

    @abstractmethod
    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors, of length 1, rows in the order of the texts."""
