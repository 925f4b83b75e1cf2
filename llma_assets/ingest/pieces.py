"""Keeps what belongs together and stands apart in a file: spans that wait for content, and the content.

On disk, in a file without a name that ends with the process, so that memory does not grow with the source.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import orjson

from llma_assets.ingest.errors import LineError
from llma_assets.ingest.formats import Draft, Piece, Waiting

_TABLES = """
CREATE TABLE pieces (key TEXT, place INTEGER, value BLOB, UNIQUE (key, place, value));
CREATE TABLE waiting (record INTEGER, draft BLOB, keys BLOB, state BLOB);
"""
_KEYS_AT_ONCE = 500


class PieceStore:
    """Pieces and waiting drafts of one command; pieces of a file are there for those that are read after it."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)  # "": a temporary file
        self._database.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_TABLES}")

    def add(self, piece: Piece) -> None:
        """Keep content.

        Raises:
            LineError: it is nested too deeply, as `wait`.
        """
        row = (piece.key, piece.place, _json(piece.value))
        self._database.execute("INSERT OR IGNORE INTO pieces VALUES (?, ?, ?)", row)

    def wait(self, record: int, waiting: Waiting) -> None:
        """Keep a draft, and the number of its record."""
        row = (
            record,
            _json({each.name: getattr(waiting.draft, each.name) for each in fields(Draft)}),
            _json(waiting.keys),
            _json(waiting.state),
        )
        self._database.execute("INSERT INTO waiting VALUES (?, ?, ?, ?)", row)

    def taken(self) -> Iterator[tuple[int, Draft, Any, dict[str, list[Any]]]]:
        """The drafts in the order they came, each with its record, its state and its pieces; none waits any longer."""
        for record, draft, keys, state in self._database.execute("SELECT * FROM waiting ORDER BY rowid"):
            yield record, Draft(**orjson.loads(draft)), orjson.loads(state), self._found(orjson.loads(keys))
        self._database.execute("DELETE FROM waiting")

    def close(self) -> None:
        """Give the disk back."""
        self._database.close()

    def _found(self, keys: list[str]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            some = keys[start : start + _KEYS_AT_ONCE]
            marks = ", ".join("?" * len(some))
            sql = f"SELECT key, value FROM pieces WHERE key IN ({marks}) ORDER BY key, place, rowid"
            for key, value in self._database.execute(sql, some):
                found.setdefault(key, []).append(orjson.loads(value))
        return found


def _json(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (orjson.JSONEncodeError, TypeError) as error:
        raise LineError("too_deep" if "ecursion" in str(error) else "wrong_type", str(error)) from None
