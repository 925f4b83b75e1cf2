"""Names for groups of clusters, the upper level of a run, made from the names of their clusters.

A group is named again only if the names of its clusters change; with the same names it keeps its name on other days.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, Run
from llma_assets.labels.evidence import ClusterEvidence, ClusterLabel, SummaryText
from llma_assets.labels.evidence_choice import REPRESENTATIVES
from llma_assets.labels.label_checks import POINTS, TITLE_WORDS
from llma_assets.labels.labelling import label_groups
from llma_assets.labels.queries import known_group_labels
from llma_assets.labels.schema import ClusterLabels, LabelItem
from llma_assets.models import ChatModel, Record


@dataclass(frozen=True, slots=True)
class Group:
    """A group of similar clusters.

    Attributes:
        group_id: number of the group, from 0.
        cluster_ids: its clusters.
        evidence: their names, as evidence for the group's name.
        content: hash of the names; equal for equal groups of any day.
    """

    group_id: int
    cluster_ids: list[int]
    evidence: ClusterEvidence
    content: str


def groups_of(run: Run, clusters: Sequence[Mapping[str, Any]], labels: Mapping[int, ClusterLabel]) -> list[Group]:
    """The groups of a run whose clusters all have names; none where the run has no upper level."""
    of_cluster = orjson.loads(run.quality).get("groups") or []
    if not 1 < len(set(of_cluster)) < len(of_cluster):
        return []
    # A cluster of few users tells nothing about its group.
    sizes = {row["cluster_id"]: row["size"] for row in clusters if row["disclosure"] == FULL}
    found = []
    for group_id in sorted(set(of_cluster)):
        inside = [cluster_id for cluster_id, own in enumerate(of_cluster) if own == group_id and cluster_id in sizes]
        if not inside:
            continue
        if any(cluster_id not in labels or labels[cluster_id].status != "generated" for cluster_id in inside):
            continue
        inside.sort(key=lambda cluster_id: (-sizes[cluster_id], cluster_id))
        names = [labels[cluster_id].name for cluster_id in inside]
        evidence = ClusterEvidence(
            group_id,
            sum(sizes[cluster_id] for cluster_id in inside),
            tuple(
                SummaryText(name.title, bullets=tuple(_points(name.description))) for name in names[:REPRESENTATIVES]
            ),
        )
        content = hashlib.sha256(orjson.dumps(sorted((name.title, name.description) for name in names))).hexdigest()
        found.append(Group(group_id, inside, evidence, content))
    return found


def name_groups(database: Database, run: Run, groups: Sequence[Group], chat: ChatModel, record: Record) -> None:
    """Store a name for each group that has none, or whose clusters have other names by now.

    A group of one cluster has that cluster's name; a group that is known from another day keeps its name.
    """
    if not groups:
        return
    known = known_group_labels(database, run, [group.content for group in groups])
    stored = {row["content"] for row in known if row["attempt_id"] == run.attempt_id}
    of_content = {row["content"]: row for row in known}
    wanted = [group for group in groups if group.content not in stored]
    asked, found = [], []
    for group in wanted:
        before = of_content.get(group.content)
        if before is not None:
            found.append((group, _label(group, before["title"], before["description"], before["model"])))
        elif len(group.cluster_ids) == 1:
            only = group.evidence.representatives[0]
            description = "\n".join(f"- {point}" for point in only.bullets)
            found.append((group, _label(group, only.title, description, "")))
        else:
            asked.append(group)
    _store(database, run, found)
    by_id = {group.group_id: group for group in asked}
    for labels in label_groups(
        [group.evidence for group in asked], chat, record, offline=partial(_offline, _title_of_each(asked))
    ):
        named = [
            label if label.status == "generated" else replace(label, title=f"Group {label.cluster_id}")
            for label in labels
        ]
        _store(database, run, [(by_id[label.cluster_id], label) for label in named])


def _label(group: Group, title: str, description: str, model: str) -> ClusterLabel:
    return ClusterLabel(group.group_id, title, description, "generated", "", model)


def _store(database: Database, run: Run, named: Sequence[tuple[Group, ClusterLabel]]) -> None:
    rows = [
        {
            **run.attempt,
            "group_id": group.group_id,
            "cluster_ids": group.cluster_ids,
            "title": label.title,
            "description": label.description,
            "status": label.status,
            "error": label.error,
            "model": label.model,
            "content": group.content,
        }
        for group, label in named
    ]
    database.insert_rows("cluster_group_labels", rows)


def _points(description: str) -> list[str]:
    return [line.removeprefix("- ") for line in description.splitlines()]


def _title_of_each(groups: Sequence[Group]) -> dict[int, str]:
    """Titles without a model: the beginnings of the titles of the largest clusters, as many as fit."""
    titles = {}
    for group in groups:
        words: list[str] = []
        for name in group.evidence.representatives:
            opening = name.title.partition(":")[0].split()
            if words and len(words) + len(opening) >= TITLE_WORDS.stop:
                break
            words = [*words[:-1], f"{words[-1]},", *_lowered(opening)] if words else opening
        titles[group.group_id] = " ".join(words[: TITLE_WORDS.stop - 1])
    return titles


def _lowered(words: list[str]) -> list[str]:
    """The words with a lower-case initial, unless they begin with an acronym."""
    return words if words[0][1:2].isupper() else [words[0][:1].lower() + words[0][1:], *words[1:]]


def _offline(titles: Mapping[int, str], batch: Sequence[ClusterEvidence]) -> ClusterLabels:
    return ClusterLabels(
        items=[
            LabelItem(
                cluster_id=group.cluster_id,
                title=titles[group.cluster_id],
                description=[name.title for name in group.representatives][: POINTS.stop - 1],
            )
            for group in batch
        ]
    )
