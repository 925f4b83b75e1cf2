"""What a clustering reads: the embeddings of a window, a seeded sample of them, the rest, and what came later.

What it writes belongs in `attempts`. This is the only module of the room that reads `document_embeddings` for work;
the checks read it in `invariants`.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
from numpy.typing import NDArray

from llma_assets.clickhouse import Database
from llma_assets.clusters.store.clustering_runs import Run
from llma_assets.embeddings import space_of
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme, stored_versions

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_SEED = 42

# Key of document_embeddings:
# (team_id, toDate(timestamp), product, document_type, model_name, rendering, document_id).
# An item's place in the order of `cityHash64` says whether it is in the sample: the same items every time, and
# most of them still where more have come.
WINDOW_ITEMS = """
SELECT
    document_id,
    timestamp,
    JSONExtractString(metadata, 'trace_id') AS trace_id,
    JSONExtractString(metadata, 'generation_id') AS generation_id,
    JSONExtractString(metadata, 'theme_version') AS theme_version,
    cityHash64({seed:UInt64}, document_id) AS place
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND timestamp >= {window_start:DateTime64(6, 'UTC')}
    AND timestamp < {window_end:DateTime64(6, 'UTC')}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
ORDER BY place, document_id
"""

# The first line of a summary is its title; offline summaries quote what users asked. Key as above.
WINDOW_TEXTS = """
SELECT
    document_id,
    arrayStringConcat(arraySlice(extractAll(content, '(?m)^Asked: "([^\\n]*)"$'), 1, 1)) AS asked,
    substringUTF8(splitByChar('\\n', content)[1], 1, 300) AS title
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND timestamp >= {window_start:DateTime64(6, 'UTC')}
    AND timestamp < {window_end:DateTime64(6, 'UTC')}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
"""

WINDOW_EMBEDDINGS = """
SELECT document_id, embedding
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND timestamp >= {window_start:DateTime64(6, 'UTC')}
    AND timestamp < {window_end:DateTime64(6, 'UTC')}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
    AND cityHash64({seed:UInt64}, document_id) BETWEEN {first:UInt64} AND {last:UInt64}
SETTINGS max_block_size = 1024
"""


# Keys of document_embeddings: (team_id, toDate(timestamp), product, document_type, model_name, rendering,
# document_id), of cluster_members: (team_id, day, theme_id, attempt_id, item_id).
NEW_EMBEDDINGS = """
SELECT document_id, toDate(timestamp) AS item_day, embedding
FROM document_embeddings FINAL
WHERE team_id = {team_id:Int64}
    AND timestamp >= {window_start:DateTime64(6, 'UTC')}
    AND timestamp < {until:DateTime64(6, 'UTC')}
    AND product = {product:String}
    AND document_type = {document_type:String}
    AND model_name = {model_name:String}
    AND rendering = {rendering:String}
    AND (JSONExtractString(metadata, 'theme_version') IN {versions:Array(String)} OR {any_version:Bool})
    AND document_id NOT IN
    (
        SELECT item_id
        FROM cluster_members FINAL
        WHERE team_id = {team_id:Int64}
            AND day = {day:Date}
            AND theme_id = {theme_id:String}
            AND attempt_id = {attempt_id:UUID}
    )
ORDER BY document_id
"""


class WindowChanged(RuntimeError):
    """An embedding of the window went away, or changed its length, while it was read; the run can be repeated."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The items of a window and the embeddings of its sample, both in order of their ids.

    Attributes:
        item_ids: n ids of the sample, sorted.
        rows: per item of the sample: document_id, timestamp, trace_id, generation_id.
        embeddings: float32 array (n, d), rows in the order of the ids.
        rest: the rows of the items that are not in the sample, sorted by id; their embeddings are read by
            `rest_embeddings`.
        start: the midnight at which the window begins.
        space: what the statements above need to find the items.
        other_versions: items that were left out, because they were summarised under another version of the theme.
    """

    item_ids: list[str]
    rows: list[dict[str, Any]]
    embeddings: NDArray[np.float32]
    rest: list[dict[str, Any]]
    start: datetime
    space: dict[str, Any]
    other_versions: int = 0

    @property
    def available(self) -> int:
        """Items in the window, the sample and the rest."""
        return len(self.rows) + len(self.rest)

    @property
    def first_item(self) -> date:
        """The day of the earliest item."""
        earliest: datetime = min(row["timestamp"] for row in (*self.rows, *self.rest))
        return earliest.date()

    @property
    def arrivals(self) -> NDArray[np.int_]:
        """The day and the trace of each item of the sample, numbered, int (n, 2)."""
        traces = np.unique([row["trace_id"] for row in self.rows], return_inverse=True)[1]
        return np.column_stack([[row["timestamp"].toordinal() for row in self.rows], traces])


def read_window(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    *,
    lookback_days: int,
    model_name: str,
    max_samples: int,
    mix_versions: bool = False,
    items_per_trace: int | None = None,
) -> Window:
    """Read what is in the window, and the vectors of a seeded sample of it, block by block into one array.

    Args:
        items_per_trace: items of one trace that can be in the sample, at most; None for any number.
        mix_versions: read what was summarised under other versions of the theme, too.

    Raises:
        WindowChanged: a vector of the sample could not be read.
    """
    start = team_day.window(lookback_days)[0].start
    space = {
        "team_id": team_day.team_id,
        "window_start": start,
        "window_end": team_day.end,
        **space_of(theme, model_name),
        "seed": SAMPLE_SEED,
    }
    found = list(database.stream(WINDOW_ITEMS, **space))
    versions = stored_versions(theme)
    everything = [row for row in found if mix_versions or row["theme_version"] in versions]
    left_out = len(found) - len(everything)
    chosen, others = _limited(everything, items_per_trace)
    sample = sorted(chosen[:max_samples], key=_by_id)
    rest = sorted(chosen[max_samples:] + others, key=_by_id)
    if not sample:
        return Window([], [], np.empty((0, 0), dtype=np.float32), [], start, space, left_out)
    places = [row["place"] for row in sample]
    embeddings = np.empty((0, 0), dtype=np.float32)
    seen = np.zeros(len(sample), dtype=bool)
    index = {row["document_id"]: number for number, row in enumerate(sample)}
    for ids, block in _blocks(database, space, min(places), max(places)):
        rows, kept = _places(ids, index)
        if embeddings.size == 0:
            embeddings = np.empty((len(sample), block.shape[1]), dtype=np.float32)
        if block.shape[1] != embeddings.shape[1]:
            raise WindowChanged(f"vectors of {block.shape[1]} and of {embeddings.shape[1]} dimensions in one window")
        embeddings[rows] = block[kept]
        seen[rows] = True
    if not seen.all():
        raise WindowChanged(f"{int((~seen).sum())} of {len(sample)} embeddings of the sample are gone")
    return Window([row["document_id"] for row in sample], sample, embeddings, rest, start, space, left_out)


def window_texts(database: Database, window: Window) -> list[str]:
    """What each item is about, in a line: what its user asked, or the title of its summary; the sample first."""
    texts = {row["document_id"]: row["asked"] or row["title"] for row in database.stream(WINDOW_TEXTS, **window.space)}
    return [texts.get(row["document_id"], "") for row in (*window.rows, *window.rest)]


def _limited(
    rows: list[dict[str, Any]], items_per_trace: int | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The rows in their order, at most so many of each trace, and those beyond."""
    if items_per_trace is None:
        return rows, []
    seen: Counter[str] = Counter()
    kept: list[dict[str, Any]] = []
    beyond: list[dict[str, Any]] = []
    for row in rows:
        seen[row["trace_id"]] += 1
        (kept if seen[row["trace_id"]] <= items_per_trace else beyond).append(row)
    return kept, beyond


def rest_embeddings(database: Database, window: Window) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """The vectors of the items outside the sample, block by block: places in `window.rest`, and vectors (b, d)."""
    if not window.rest:
        return
    index = {row["document_id"]: number for number, row in enumerate(window.rest)}
    places = [row["place"] for row in window.rest]
    for ids, block in _blocks(database, window.space, min(places), max(places)):
        rows, kept = _places(ids, index)
        if len(rows):
            yield rows, block[kept]


def _by_id(row: dict[str, Any]) -> str:
    return str(row["document_id"])


def _blocks(
    database: Database, space: dict[str, Any], first: int, last: int
) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
    for batch in database.arrow_stream(WINDOW_EMBEDDINGS, **space, first=first, last=last):
        if batch.num_rows:
            vectors = np.asarray(batch.column("embedding").flatten(), dtype=np.float32)
            if vectors.size % batch.num_rows:
                raise WindowChanged("vectors of different lengths in one window")
            yield batch.column("document_id").to_pylist(), vectors.reshape(batch.num_rows, -1)


def _places(ids: list[str], index: dict[str, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Places of the ids that are in `index`, and which of the ids these are."""
    kept = [number for number, item_id in enumerate(ids) if item_id in index]
    return np.array([index[ids[number]] for number in kept], dtype=np.intp), np.array(kept, dtype=np.intp)


def new_embeddings(database: Database, run: Run, theme: Theme, *, until: datetime) -> "pa.Table":
    """What a run has not seen of its own space, from the beginning of its window on: id, day and vector.

    Of the theme's version that the run is of, unless it mixes versions.
    """
    version, present = run.theme_version, stored_versions(theme)
    return database.arrow(
        NEW_EMBEDDINGS,
        **run.attempt,
        **space_of(theme, run.embedding_model),
        window_start=run.window_start,
        until=until,
        versions=list(present) if version in present else [version],
        any_version=bool(orjson.loads(run.params).get("mix_versions")),
    )
