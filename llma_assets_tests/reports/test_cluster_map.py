"""Pictures and tables for people: hostile titles stay text."""

import base64
import warnings

import numpy as np
import pytest

from llma_assets.reports.cluster_map import cluster_table, map_markdown


def test_the_map_is_a_png_and_the_same_for_the_same_input() -> None:
    labels = np.array([0, 0, 1, -1])
    coordinates = np.array([[0.0, 0.0], [0.1, 0.0], [1.0, 1.0], [0.5, 0.5]])
    titles = {0: "a $\\frac{$ _x_ 🦜 <b>" + "long " * 50, 1: "b\nc"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first = map_markdown(labels, coordinates, titles, "team 1")
    data = base64.b64decode(first.removeprefix("![map](data:image/png;base64,").removesuffix(")"))
    assert data.startswith(b"\x89PNG")
    assert map_markdown(labels, coordinates, titles, "team 1") == first


def test_titles_cannot_leave_their_cell_of_the_table() -> None:
    title = "<script>alert(1)</script> | ![x](http://evil) `code`\n| 9 | 9 |"
    table = cluster_table(
        [
            {
                "cluster_id": 0,
                "lineage_id": "0123456789",
                "lineage_status": "grown",
                "size": 3,
                "share": 0.5,
                "title": title,
                "examples": ["a|b", "<i>"],
            }
        ]
    )
    header, _, row = table.splitlines()
    assert row.count("|") == header.count("|")
    for forbidden in ("<", "](", "`"):
        assert forbidden not in row
    assert "50%" in row
    assert "| 01234567 | grown |" in row


@pytest.mark.heavy
def test_a_map_of_very_many_clusters_has_room_for_itself() -> None:
    labels = np.arange(600) % 200
    coordinates = np.random.default_rng(0).uniform(-1, 1, size=(600, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = map_markdown(labels, coordinates, {}, "team 1")
    assert base64.b64decode(picture.split("base64,")[1][:-1]).startswith(b"\x89PNG")
