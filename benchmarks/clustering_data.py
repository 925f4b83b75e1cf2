"""The data that clustering methods are compared on: real short texts with true groups, and planted mixtures.

How methods are run and judged belongs in `clustering.py`.
"""

import csv
import gzip
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
TEXTS = ("banking77", "clinc150", "clinc150_oos")
BANKING_ROWS_A_CATEGORY = 40

Vectors = NDArray[np.float32]


def load(data: str, cache: Path) -> tuple[Vectors, NDArray[np.str_], NDArray[np.str_]]:
    """Vectors, true groups and upper groups of a data set: one of `TEXTS`, or items x dimensions to plant."""
    if data in TEXTS:
        return read_texts(data, cache)
    items, dimensions = data.split("x")
    return plant(int(items), int(dimensions), cache)


def read_texts(name: str, cache: Path) -> tuple[Vectors, NDArray[np.str_], NDArray[np.str_]]:
    """Vectors, true groups and, for CLINC150, domains of a data set of short texts."""
    if name == "banking77":
        rows = _rows("banking77.csv.gz")
        taken: dict[str, int] = {}
        kept = []
        for row in rows:
            taken[row["category"]] = taken.get(row["category"], 0) + 1
            if taken[row["category"]] <= BANKING_ROWS_A_CATEGORY:
                kept.append((row["text"], row["category"], row["category"]))
    else:
        rows = [row for row in _rows("clinc150.csv.gz") if row["split"] == "test"]
        kept = [
            (row["text"], row["intent"], row["domain"])
            for row in rows
            if name == "clinc150_oos" or row["intent"] != "oos"
        ]
    texts, groups, domains = zip(*kept, strict=True)
    path = cache / f"{name}.npy"
    if not path.exists():
        from llma_assets.models.offline_embedder import OfflineEmbedder

        print(f"embedding {len(texts)} texts of {name}", file=sys.stderr)
        np.save(path, OfflineEmbedder().embed(list(texts)))
    return np.load(path), np.array(groups), np.array(domains)


def _rows(name: str) -> list[dict[str, str]]:
    with gzip.open(DATA / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plant(items: int, dimensions: int, cache: Path) -> tuple[Vectors, NDArray[np.str_], NDArray[np.str_]]:
    """A mixture like sentence embeddings: topics of very unequal sizes in groups, heavy tails, 3 % that is noise.

    The topics' number grows with the root of the items. A topic is a centre and ten directions of its own; items
    scatter along these with the tails of Student's t (4 degrees), and around them in all dimensions.
    """
    rng = np.random.default_rng([items, dimensions])
    topics = round(40 * (items / 2000) ** 0.5)
    sizes = 1 / np.arange(1, topics + 1) ** 0.7
    truth = rng.choice(topics, size=items, p=sizes / sizes.sum())
    noise = rng.random(items) < 0.03
    path = cache / f"planted_{items}_{dimensions}.npy"
    if not path.exists():
        base = rng.standard_normal(dimensions, dtype=np.float32)
        groups = 0.7 * rng.standard_normal((max(2, topics // 6), dimensions), dtype=np.float32)
        centres = (
            base
            + groups[rng.integers(0, len(groups), topics)]
            + 0.9 * rng.standard_normal((topics, dimensions), dtype=np.float32)
        )
        vectors = np.empty((items, dimensions), dtype=np.float32)
        for topic in range(topics):
            members = np.flatnonzero(truth == topic)
            directions = rng.standard_normal((10, dimensions), dtype=np.float32)
            along = 0.3 * rng.standard_t(4, size=(len(members), 10)).astype(np.float32)
            vectors[members] = centres[topic] + along @ directions
        for start in range(0, items, 4096):
            part = slice(start, start + 4096)
            vectors[part] += 1.6 * rng.standard_normal(vectors[part].shape, dtype=np.float32)
        lost = np.flatnonzero(noise)
        vectors[lost] = base + 2.2 * rng.standard_normal((len(lost), dimensions), dtype=np.float32)
        np.save(path, vectors)
    groups_of = np.where(noise, "noise", truth.astype(np.str_))
    return np.load(path), groups_of, groups_of
