"""Pictures and tables of a clustering, for people: the 2-D map as PNG, and the list of clusters as Markdown.

Titles come from trace text and are hostile: Markdown and HTML in them is escaped.
"""

import base64
import html
import io
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from llma_assets.clusters import NOISE_LABEL
from llma_assets.reports.clusters_of_day import ClusterRow

NAMED_CLUSTERS = 20
"""Clusters that the legend names, the largest; more would leave no room for the map."""
DISCLAIMER = "Near points are alike; distances between far clusters mean little."


def map_markdown(
    labels: NDArray[np.int_], coordinates: NDArray[np.float64], titles: Mapping[int, str], heading: str
) -> str:
    """The 2-D map as an inline PNG in Markdown.

    Args:
        labels: (n,) cluster of each item, -1 is noise.
        coordinates: (n, 2) position of each item.
        titles: name of each cluster.
        heading: what the picture shows.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    named = min(len(np.unique(labels)), NAMED_CLUSTERS + 1)
    figure = Figure(figsize=(7.5, 6 + 0.22 * named), dpi=80, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for cluster_id in sorted(set(labels.tolist()), key=lambda label: (label == NOISE_LABEL, label)):
        of_cluster = coordinates[labels == cluster_id]
        noise = cluster_id == NOISE_LABEL
        axes.scatter(
            of_cluster[:, 0],
            of_cluster[:, 1],
            s=8 if noise else 14,
            color="#b8b8b8" if noise else f"C{cluster_id % 10}",
            alpha=0.75,
            linewidths=0,
            label=f"{_plain(titles.get(cluster_id, f'Cluster {cluster_id}'), 80)} ({len(of_cluster)})"
            if noise or cluster_id < NAMED_CLUSTERS
            else None,
        )
    axes.set_title(_plain(heading, 90), fontsize=11)
    more = int(labels.max(initial=NOISE_LABEL)) + 1 - NAMED_CLUSTERS
    axes.set_xlabel(DISCLAIMER + (f" The {more} smaller clusters are not named." if more > 0 else ""), fontsize=8)
    axes.set_xticks([])
    axes.set_yticks([])
    figure.legend(fontsize=8, loc="outside lower center", frameon=False)
    image = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # shown as boxes: titles may hold any character
        figure.savefig(image, format="png", metadata={"Software": None})
    return f"![map](data:image/png;base64,{base64.b64encode(image.getvalue()).decode()})"


def cluster_table(rows: Sequence[ClusterRow]) -> str:
    """The clusters as a Markdown table.

    Args:
        rows: one for each cluster.
    """
    lines = [
        "| cluster | lineage | status | size | share | title | examples |",
        "|---:|---|---|---:|---:|---|---|",
    ]
    lines += [
        f"| {row.cluster_id} | {_escaped(row.lineage_id[:8])} | {_escaped(row.lineage_status)} | "
        f"{row.size} | {row.share:.0%} | {_escaped(row.title)} | "
        f"{', '.join(_escaped(example) for example in row.examples)} |"
        for row in rows
    ]
    return "\n".join(lines)


def _plain(text: str, width: int) -> str:
    """Text for matplotlib: one line, no mathtext, bounded."""
    line = " ".join(text.split()).replace("$", r"\$")
    return line if len(line) <= width else line[: width - 1] + "…"


def _escaped(text: str) -> str:
    """Text for a cell of a Markdown table."""
    line = html.escape(" ".join(str(text).split()))
    for character in "\\`*_[]|":
        line = line.replace(character, f"&#{ord(character)};")
    return line
