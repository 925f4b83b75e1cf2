"""Checks the labels of an answer one by one. Calls belong in `labelling`."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from llma_assets.clusters import NOISE_TITLE
from llma_assets.isolation import fault_of
from llma_assets.labels.evidence import ClusterEvidence, ClusterLabel, unnamed
from llma_assets.labels.schema import ClusterLabels, LabelItem
from llma_assets.languages import count_words
from llma_assets.visible import visible

TITLE_WORDS = range(3, 11)
TITLE_CHARS = 120
POINTS = range(2, 6)
POINT_CHARS = 400
_LEAD = re.compile(r"^(?:[-*•–·]|\d{1,2}[.)])\s+")
_PLACEHOLDER = re.compile(r"^(?:cluster|group|topic|untitled)\s*#?\d*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RejectedLabel(Exception):
    """A label is not accepted; `reason` says why."""

    reason: str


def checked_labels(
    evidence: Sequence[ClusterEvidence], answer: ClusterLabels, model: str, used_titles: Collection[str] = ()
) -> list[ClusterLabel]:
    """A label for each cluster in `evidence`, in its order; an invalid label fails alone.

    Of several items for a cluster the first counts. Of equal titles the first cluster keeps it.

    Args:
        evidence: what was asked about; items for other clusters are ignored.
        answer: the model's answer.
        model: name of the model.
        used_titles: titles of other clusters of the same clustering.
    """
    items: dict[int, LabelItem] = {}
    for item in answer.items:
        items.setdefault(item.cluster_id, item)
    seen = {_key(title) for title in used_titles} | {_key(NOISE_TITLE)}
    labels = []
    for cluster in evidence:
        found = items.get(cluster.cluster_id)
        try:
            if found is None:
                raise RejectedLabel("the answer has no label for this cluster")
            title = one_line(found.title)
            _check_title(title, seen)
            description = _description(found.description)
        except RejectedLabel as refused:
            labels.append(unnamed(cluster.cluster_id, refused.reason, model))
            continue
        except Exception as error:  # an unexpected error fails this label alone
            labels.append(unnamed(cluster.cluster_id, fault_of(error), model))
            continue
        seen.add(_key(title))
        labels.append(ClusterLabel(cluster.cluster_id, title, description, "generated", "", model))
    return labels


def one_line(text: str) -> str:
    """`text` on one line, without control characters and quotation marks around it; markup stays as text."""
    line = " ".join(visible(text, " ").split())
    for opening, closing in (('"', '"'), ("“", "”"), ("'", "'"), ("`", "`"), ("**", "**")):
        if len(line) > len(opening) * 2 and line.startswith(opening) and line.endswith(closing):
            line = line[len(opening) : -len(closing)].strip()
    return line


def _check_title(title: str, seen: Collection[str]) -> None:
    words = count_words(title)
    if not title:
        raise RejectedLabel("the title is empty")
    if _PLACEHOLDER.match(title):
        raise RejectedLabel("the title is a placeholder")
    if words not in TITLE_WORDS:
        raise RejectedLabel(f"the title has {words} words; 3 to 10 are needed")
    if len(title) > TITLE_CHARS:
        raise RejectedLabel(f"the title has {len(title)} characters; at most {TITLE_CHARS} are allowed")
    if _key(title) in seen:
        raise RejectedLabel("the title is the same as another cluster's")


def _description(points: Sequence[str]) -> str:
    lines = [_LEAD.sub("", one_line(point)) for point in points]
    lines = [line for line in lines if line]
    if len(lines) == 1:
        lines = [part for part in re.split(r"(?<=[.!?;])\s+", lines[0]) if part]
    if len(lines) not in POINTS:
        raise RejectedLabel(f"the description has {len(lines)} points; 2 to 5 are needed")
    longest = max(map(len, lines))
    if longest > POINT_CHARS:
        raise RejectedLabel(f"a point of the description has {longest} characters; at most {POINT_CHARS} are allowed")
    return "\n".join(f"- {line}" for line in lines)


def _key(title: str) -> str:
    return " ".join(re.findall(r"\w+", title.casefold()))
