"""How well offline names fit: held-out members sent home by the names alone, on true classes and on published clusters.

    python -m benchmarks.labels                                   # four sets of texts, true classes as clusters
    python -m benchmarks.labels --most 40                         # so many texts of a class, for less time
    python -m benchmarks.labels --team 2 --date 2026-11-07        # and what `llma run` has published for that day
    python -m benchmarks.labels --show 20                         # with 20 names of each set, to be read

The data folder is `../shared/data` beside the project, or `--data`. With `--cache FOLDER` the vectors of the texts are
kept there as `NAME_MOST.npy`.

The split is the product's (`llma_assets.labels.evidence_choice`): seven members nearest to the centroid, further ones
that are counted, and up to twenty that nobody sees while naming. A text of the data sets stands for a trace of one
message, as the offline summary would put it. Accuracy is the share of held-out members whose nearest name is their own
cluster's; skill says how far that is on the way from chance to what the clusters' own centroids reach. Two more columns
say what
a limit is worth: the skill when every second name is exchanged for that of another cluster, and of the titles alone.
Head words are the first and the last content word of a title, of its first part where it has two: the share of the
cluster's traces whose requests hold them (mean over the clusters), and the clusters in which both reach 60 %.
"""

import argparse
import csv
import gzip
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llma_assets.labels import ClusterEvidence, LabelItem, SummaryText, offline_labels
from llma_assets.labels.evidence_choice import members_to_read, split, unit
from llma_assets.labels.held_out import HeldOutAccuracy, held_out_tests, overall
from llma_assets.labels.label_inputs import read_label_inputs
from llma_assets.labels.name_distances import nearest_names
from llma_assets.labels.requests import are_calls, requests_by_trace
from llma_assets.labels.words import phrases
from llma_assets.models import OfflineEmbedder
from llma_assets.summaries.extractive import extract_summary

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
HEADS_HELD = 0.6
SETS = {
    "clinc150": ("text", "intent"),
    "banking77": ("text", "category"),
    "hwu64": ("text", "intent"),
    "bills": ("summary", "topic"),
}
"""Columns of text and class."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Clustered:
    """Clusters to be named, and what tests the names.

    Attributes:
        evidence: k clusters.
        centroids: float32 (k, d), length 1.
        held_out: float32 (n, d), length 1.
        homes: intp (n,), place of the cluster of each.
        known_as: k names that people gave, or "".
    """

    name: str
    evidence: list[ClusterEvidence]
    centroids: Vectors
    held_out: Vectors
    homes: NDArray[np.intp]
    known_as: list[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of one set of clusters."""

    name: str
    clusters: int
    held_out: int
    accuracy: float
    chance: float
    by_centroids: float
    skill: float
    skill_of_titles: float
    skill_half_exchanged: float
    distinct_titles: float
    too_alike: int
    words: float
    seconds: float
    head_words: float
    heads_held: int


def true_classes(name: str, texts: Sequence[str], vectors: Vectors, classes: Sequence[str]) -> Clustered:
    """Each class as a cluster; no member of a true class is borderline."""
    vectors = unit(vectors)
    evidence, centroids, held_out, homes = [], [], [], []
    names = sorted(set(classes))
    labels = np.array([names.index(each) for each in classes])
    for place in range(len(names)):
        members = np.flatnonzero(labels == place)
        centroid = unit(vectors[members].mean(axis=0, keepdims=True))[0]
        members = members[np.argsort(-(vectors[members] @ centroid), kind="stable")]
        read = [members[at] for at in members_to_read([1.0] * len(members), 0.0)]
        said = [_summary(texts[index]) for index in read]
        parts = split(said)
        evidence.append(
            ClusterEvidence(
                place,
                len(members),
                tuple(said[at] for at in parts.representatives),
                members=tuple(said[at] for at in parts.members),
            )
        )
        centroids.append(centroid)
        held_out += [vectors[read[at]] for at in parts.held_out]
        homes += [place] * len(parts.held_out)
    return Clustered(name, evidence, np.array(centroids), np.array(held_out), np.array(homes), names)


def _summary(text: str) -> SummaryText:
    """What the offline model says of a trace of this one message."""
    found = extract_summary(f"L1: [1] USER\nL2: {' '.join(text.split())}", "detailed")
    return SummaryText(found.title, found.flow_diagram, tuple(point.text for point in found.bullets))


def published(team_id: int, day: date) -> list[Clustered]:
    """The clusters that are published for a team's day in the database of the settings, one set a theme."""
    from llma_assets.clickhouse import connect
    from llma_assets.clusters.store.cluster_members import members_of
    from llma_assets.clusters.store.clustering_runs import committed_run
    from llma_assets.clusters.store.clusters import clusters_of
    from llma_assets.settings import Settings
    from llma_assets.team_day import TeamDay
    from llma_assets.themes import BUILT_IN

    found = []
    with connect(Settings.from_env()) as database:
        for theme in BUILT_IN:
            run = committed_run(database, TeamDay(team_id, day), theme.theme_id)
            if run is None or not run.items:
                continue
            inputs = read_label_inputs(database, run, theme, clusters_of(database, run), members_of(database, run))
            evidence = [each for each in inputs.evidence if each.cluster_id in inputs.centroids]
            ids = [each.cluster_id for each in evidence]
            tests = [(place, inputs.held_out[key]) for place, key in enumerate(ids) if key in inputs.held_out]
            found.append(
                Clustered(
                    f"team {team_id}, {theme.theme_id}, {run.method}",
                    evidence,
                    np.array([inputs.centroids[key] for key in ids]),
                    np.concatenate([vectors for _, vectors in tests]),
                    np.repeat([place for place, _ in tests], [len(vectors) for _, vectors in tests]),
                    [""] * len(ids),
                )
            )
    return found


def measure(clustered: Clustered, embedder: OfflineEmbedder) -> tuple[Figures, list[LabelItem]]:
    """Name the clusters offline, and test the names."""
    started = time.perf_counter()
    by_id = {item.cluster_id: item for item in offline_labels(clustered.evidence).items}
    seconds = time.perf_counter() - started
    items = [by_id[cluster.cluster_id] for cluster in clustered.evidence]
    return figures_of(clustered, items, embedder, seconds), items


def figures_of(clustered: Clustered, items: Sequence[LabelItem], embedder: OfflineEmbedder, seconds: float) -> Figures:
    """Test names, one for each cluster in its order."""
    texts = [f"{item.title}\n" + "\n".join(f"- {point}" for point in item.description) for item in items]
    names = unit(embedder.embed(texts))
    titles = unit(embedder.embed([item.title for item in items]))
    fit = _fit(clustered, names)
    heads = head_coverage(clustered.evidence, [item.title for item in items])
    return Figures(
        name=clustered.name,
        clusters=len(items),
        held_out=fit.held_out,
        accuracy=fit.accuracy,
        chance=fit.chance,
        by_centroids=fit.by_centroids,
        skill=_skill(fit),
        skill_of_titles=_skill(_fit(clustered, titles)),
        skill_half_exchanged=_skill(_fit(clustered, _half_exchanged(names))),
        distinct_titles=len({item.title.casefold() for item in items}) / len(items),
        too_alike=sum(near.too_close for near in nearest_names(names)),
        words=float(np.mean([len(item.title.split()) for item in items])),
        seconds=seconds,
        head_words=float(np.mean(heads)),
        heads_held=int((heads >= HEADS_HELD).all(axis=1).sum()),
    )


def head_coverage(evidence: Sequence[ClusterEvidence], titles: Sequence[str]) -> NDArray[np.float64]:
    """Shares (k, 2) of the traces of each cluster that hold the first and the last content word of its title."""
    shares = []
    of_calls = are_calls(evidence)
    for cluster, title in zip(evidence, titles, strict=True):
        head = re.split(r": |, | and ", title, maxsplit=1)[0]
        words = [phrase.stems[0] for phrase in phrases(head) if len(phrase.stems) == 1]
        own = requests_by_trace((*cluster.representatives, *cluster.members), of_calls=of_calls)
        ends = (words[0], words[-1]) if words else ("", "")
        shares.append([sum(word in each.words for each in own) / len(own) for word in ends])
    return np.array(shares)


def _fit(clustered: Clustered, names: Vectors) -> HeldOutAccuracy:
    found = overall(held_out_tests(clustered.held_out, clustered.homes, names, clustered.centroids))
    if found is None:
        raise SystemExit(f"{clustered.name}: no member could be held out")
    return found


def _skill(fit: HeldOutAccuracy) -> float:
    return (fit.accuracy - fit.chance) / (fit.by_centroids - fit.chance)


def _half_exchanged(names: Vectors) -> Vectors:
    """Every second name given to another cluster than its own, seeded."""
    changed = names.copy()
    chosen = np.random.default_rng(0).permutation(len(names))[: max(2, len(names) // 2)]
    changed[chosen] = names[np.roll(chosen, 1)]
    return changed


def data_set(name: str, data: Path, cache: Path | None, embedder: OfflineEmbedder, most: int) -> Clustered:
    """At most so many texts of each class of a file; of CLINC150 the test split, without what is out of scope."""
    text, column = SETS[name]
    seen: Counter[str] = Counter()
    kept = []
    for row in _rows(name, data):
        if (name != "clinc150" or row["split"] == "test") and row[column] != "oos" and seen[row[column]] < most:
            seen[row[column]] += 1
            kept.append(row)
    texts = [row[text] for row in kept]
    stored = cache / f"{name}_{most}.npy" if cache else None
    if stored and stored.exists():
        vectors = np.load(stored)
    else:
        vectors = embedder.embed(texts)
        if stored:
            np.save(stored, vectors)
    return true_classes(name, texts, vectors, [row[column] for row in kept])


def _rows(name: str, data: Path) -> list[dict[str, str]]:
    if name == "bills":
        with gzip.open(data / "bills.jsonl.gz", "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    with gzip.open(data / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_table(found: Sequence[Figures]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| clusters of | k | held out | accuracy | chance | by centroids | skill | titles alone | half exchanged "
        "| distinct titles | too alike | words | s | head words | both ≥ 60 % |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {f.name} | {f.clusters} | {f.held_out} | {f.accuracy:.3f} | {f.chance:.3f} | {f.by_centroids:.3f} "
        f"| {f.skill:.2f} | {f.skill_of_titles:.2f} | {f.skill_half_exchanged:.2f} | {f.distinct_titles:.0%} "
        f"| {f.too_alike} | {f.words:.1f} | {f.seconds:.1f} | {f.head_words:.0%} "
        f"| {f.heads_held} of {f.clusters} |"
        for f in found
    ]
    return "\n".join(lines)


def shown(clustered: Clustered, items: Sequence[LabelItem], most: int) -> str:
    """Some names, evenly picked, beside those that people gave."""
    places = sorted({at * len(items) // most for at in range(min(most, len(items)))}) if most < len(items) else None
    lines = [f"\n{clustered.name}"]
    for at in places or range(len(items)):
        known = f"{clustered.known_as[at]}: " if clustered.known_as[at] else ""
        lines.append(f"  {known}{items[at].title}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, help="where vectors of the data sets are kept")
    parser.add_argument("--most", type=int, default=1_000, help="texts of a class, at most")
    parser.add_argument("--team", type=int, action="append", default=[], help="and a team's published clusters")
    parser.add_argument("--date", type=date.fromisoformat, help="of the published clusters")
    parser.add_argument("--show", type=int, default=0, help="names of each set to print")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(arguments)
    if options.team and not options.date:
        parser.error("--team needs --date")
    embedder = OfflineEmbedder()
    sets = [data_set(name, options.data, options.cache, embedder, options.most) for name in SETS]
    for team_id in options.team:
        sets += published(team_id, options.date)
    results: list[tuple[Figures, list[LabelItem]]] = [measure(clustered, embedder) for clustered in sets]
    if options.json:
        document: dict[str, Any] = {"sets": [asdict(figures) for figures, _ in results]}
        print(json.dumps(document))
        return 0
    print(as_table([figures for figures, _ in results]))
    if options.show:
        for clustered, (_, items) in zip(sets, results, strict=True):
            print(shown(clustered, items, options.show))
    return 0


if __name__ == "__main__":
    sys.exit(main())
