"""How well offline names fit: held-out members sent home by the names alone, on true classes and on published clusters.

    python -m benchmarks.labels                                   # CLINC150 and BANKING77, true classes as clusters
    python -m benchmarks.labels --team 2 --date 2026-11-07        # and what `llma run` has published for that day
    python -m benchmarks.labels --show 20                         # with 20 names of each set, to be read

The data folder is `../shared/data` beside the project, or `--data`. With `--cache FOLDER` the vectors of the texts are
kept there as `NAME.npy`, rows in the order of the file.

The split is the product's (`llma_assets.labels.evidence_choice`): seven members nearest to the centroid, further ones
that are counted, and up to twenty that nobody sees while naming. A text of the data sets stands for a trace of one
message, as the offline summary would put it. Accuracy is the share of held-out members whose nearest name is their own
cluster's; skill says how far that is on the way from chance to what the clusters' own centroids reach. Two more columns
say what
a limit is worth: the skill when every second name is exchanged for that of another cluster, and of the titles alone.
"""

import argparse
import csv
import gzip
import json
import sys
import time
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
from llma_assets.models import OfflineEmbedder

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TITLE_WORDS = 10

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
    return SummaryText(" ".join(text.split()[:TITLE_WORDS]), "user → assistant", (f'Asked: "{text}"',))


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
    )


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


def data_set(name: str, column: str, data: Path, cache: Path | None, embedder: OfflineEmbedder) -> Clustered:
    """The texts of a file with their classes; of CLINC150 the test split, without what is out of scope."""
    with gzip.open(data / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [at for at, row in enumerate(rows) if row.get("split", "test") == "test" and row[column] != "oos"]
    texts = [rows[at]["text"] for at in kept]
    stored = cache / f"{name}.npy" if cache else None
    if stored and stored.exists():
        vectors = np.load(stored)[kept]
    else:
        vectors = embedder.embed(texts)
    return true_classes(name, texts, vectors, [rows[at][column] for at in kept])


def as_table(found: Sequence[Figures]) -> str:
    """The figures as a Markdown table."""
    lines = [
        "| clusters of | k | held out | accuracy | chance | by centroids | skill | titles alone | half exchanged "
        "| distinct titles | too alike | words | s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {f.name} | {f.clusters} | {f.held_out} | {f.accuracy:.3f} | {f.chance:.3f} | {f.by_centroids:.3f} "
        f"| {f.skill:.2f} | {f.skill_of_titles:.2f} | {f.skill_half_exchanged:.2f} | {f.distinct_titles:.0%} "
        f"| {f.too_alike} | {f.words:.1f} | {f.seconds:.1f} |"
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
    parser.add_argument("--team", type=int, action="append", default=[], help="and a team's published clusters")
    parser.add_argument("--date", type=date.fromisoformat, help="of the published clusters")
    parser.add_argument("--show", type=int, default=0, help="names of each set to print")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(arguments)
    if options.team and not options.date:
        parser.error("--team needs --date")
    embedder = OfflineEmbedder()
    sets = [
        data_set(name, column, options.data, options.cache, embedder)
        for name, column in (("clinc150", "intent"), ("banking77", "category"))
    ]
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
