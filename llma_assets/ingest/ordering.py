"""In which order the files of a command are read, where one holds content or evaluations of the spans of another."""

from collections.abc import Iterable
from pathlib import Path

from llma_assets.ingest.converting import converter_for
from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats import Piece, Waiting
from llma_assets.ingest.items import read_items
from llma_assets.ingest.lines import DamagedSource, ReadPosition

_LONGEST = 64 << 20


def reading_order(paths: Iterable[Path], format_name: str | None = None) -> list[Path]:
    """Content first, then spans, then what is about spans: by the first record of each file."""
    return sorted(paths, key=lambda path: _place(path, format_name))


def _place(path: Path, format_name: str | None) -> int:
    if not path.is_file():
        return 1
    try:
        converter, items = converter_for(read_items(path, _LONGEST, ReadPosition()), format_name, 0)
        outcomes = next((found for item in items if (found := list(converter.outcomes(item)))), [])
    except (DamagedSource, LineError):
        return 1  # reading it says what is wrong
    if outcomes and all(isinstance(each, Piece) for each in outcomes):
        return 0
    return 2 if any(isinstance(each, Waiting) and not each.draft.trace_id for each in outcomes) else 1
