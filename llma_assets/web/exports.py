"""Items as files: CSV for spreadsheets, Parquet and JSON for programs, a notebook that reads them anew."""

import csv
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import orjson
from starlette.responses import Response

from llma_assets.reports import ItemPage, ItemRow
from llma_assets.serialization import json_object

COLUMNS = tuple(each.name for each in fields(ItemRow))
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of something to calculate; full-width signs, too."""


def as_csv(page: ItemPage) -> Response:
    """A text that a spreadsheet would calculate begins with an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows([_cell(getattr(item, column)) for column in COLUMNS] for item in page.items)
    return _file(page, text.getvalue(), "text/csv", "csv")


def as_parquet(page: ItemPage) -> Response:
    """The same columns, with their types; `x`, `y` and `title` are what viewers of maps ask for."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    strings = ("item_id", "trace_id", "lineage_id", "cluster_title", "title")
    kinds = {
        **dict.fromkeys(strings, pa.string()),
        "day": pa.date32(),
        "timestamp": pa.timestamp("us", "UTC"),
        "cluster_id": pa.int32(),
        "error_count": pa.int64(),
    }
    schema = pa.schema([(column, kinds.get(column, pa.float64())) for column in COLUMNS])
    table = pa.table({column: [getattr(item, column) for item in page.items] for column in COLUMNS}, schema=schema)
    made = io.BytesIO()
    pq.write_table(table, made, compression="zstd")
    return _file(page, made.getvalue(), "application/vnd.apache.parquet", "parquet")


def as_json(page: ItemPage) -> Response:
    """The document of the API with all items."""
    return _file(page, orjson.dumps(json_object(page)), "application/json", "json")


def as_notebook(page: ItemPage) -> Response:
    """A notebook that reads the theme's day; it holds names and no data."""
    # Literals of Python: whatever a theme is called stays a text.
    asked = f"{page.team_id!r}, {page.day.isoformat()!r}, theme={page.theme_id!r}"
    cells = [
        ("markdown", f"# Team {page.team_id}, {page.day}\n\nNeeds `pip install 'llma-assets[notebook]'`."),
        ("code", f"from llma_assets import frames\n\nitems = frames.items({asked})\nitems.head()"),
        ("code", 'items.groupby("cluster_title").size().sort_values(ascending=False)'),
        ("code", 'items.plot.scatter("x", "y", c="cluster_id", cmap="tab20", s=8)'),
    ]
    document: dict[str, Any] = {
        "cells": [
            {"cell_type": kind, "id": f"cell-{number}", "metadata": {}, "source": source}
            | ({"execution_count": None, "outputs": []} if kind == "code" else {})
            for number, (kind, source) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return _file(page, orjson.dumps(document), "application/x-ipynb+json", "ipynb")


EXPORTS: Mapping[str, Callable[[ItemPage], Response]] = {
    "csv": as_csv,
    "parquet": as_parquet,
    "json": as_json,
    "notebook": as_notebook,
}


def _file(page: ItemPage, content: str | bytes, kind: str, ending: str) -> Response:
    theme = re.sub(r"\W", "_", page.theme_id)[:60]
    name = f"team-{page.team_id}-{page.day}-{theme}.{ending}"
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _cell(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
