"""One table of all sets and methods: clusters, largest, noise, agreement, CPU time; and one of stability.

    python -m benchmarks.accuracy                          # our methods and k-means at the true k
    python -m benchmarks.accuracy --peers python           # EVoC, UMAP + HDBSCAN, where that interpreter has them
    python -m benchmarks.accuracy --before ../earlier      # `graph` of another checkout as well, as `before`
    python -m benchmarks.accuracy --sets bills --only graph --no-stability

Methods run with their defaults and without a map; nothing is chosen by labels, but for the k of `kmeans_true_k`. Noise
counts as one cluster more in NMI and ARI. `first` is the user CPU time of the first call in a fresh process, `warm` of
the second one. Stability is the ARI with the answer to nearly the same data: one item less (twice), a tenth less
(twice), another seed (twice; not of peers), vectors rounded to five decimals. Sets with a * were looked at while
`graph` was made; on the others it was only measured. `--write` puts both tables into benchmarks/results/accuracy.md.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_data import CHOSEN_ON, SETS, Truth, Vectors, load
from benchmarks.clustering import evoc, umap_hdbscan

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "benchmarks" / "results" / "accuracy.md"
OURS, PEERS = ("graph", "kmeans", "hdbscan"), ("evoc", "umap_hdbscan")
Labels = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process measured of one method on one set; see the module's docstring."""

    data: str
    items: int
    true_groups: int
    method: str
    clusters: int
    largest: float
    noise: float
    nmi: float
    ari: float
    first_s: float
    warm_s: float
    said: float | None
    agreements: list[float]


def imported_from(code: Path) -> None:
    """Import `llma_assets` of this checkout and no other.

    An editable install brings a finder of its own, which knows one checkout whatever the path says.

    Raises:
        SystemExit: it comes from elsewhere, so that the figures would be of other code.
    """
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in getattr(finder, "__module__", "")]
    import llma_assets

    found = Path(str(llma_assets.__file__)).resolve()
    if not found.is_relative_to(code.resolve()):
        raise SystemExit(f"llma_assets was imported from {found}, not from {code}")


def ours(method: str) -> Callable[[Vectors, int], tuple[Labels, float | None]]:
    """One of our methods: labels and the stability that it says."""
    from llma_assets.clusters import ClusteringConfig, cluster

    def run(vectors: Vectors, seed: int) -> tuple[Labels, float | None]:
        found = cluster(vectors, ClusteringConfig(method=method, with_map=False, seed=seed))
        return found.labels, found.quality.stability

    return run


def runner(method: str, truth: Truth) -> Callable[[Vectors, int], tuple[Labels, float | None]]:
    """A method by name; peers and plain k-means say nothing about their stability."""
    if method in OURS:
        return ours(method)
    if method == "kmeans_true_k":
        from sklearn.cluster import KMeans

        k = len(set(truth.tolist()))
        return lambda vectors, seed: (KMeans(k, n_init=3, random_state=seed).fit(vectors).labels_, None)
    peer = {"evoc": evoc, "umap_hdbscan": umap_hdbscan}[method]
    return lambda vectors, _: (peer(vectors), None)


def nearly_the_same(vectors: Vectors, *, seeds: bool) -> Iterator[tuple[Vectors, NDArray[np.intp], int]]:
    """The changes of the stability table: vectors, which items they are, and the seed to run with."""
    n = len(vectors)
    for number in range(2):
        rng = np.random.default_rng(number)
        kept = np.delete(np.arange(n), rng.integers(n))
        yield vectors[kept], kept, 0
        kept = np.sort(rng.choice(n, size=round(0.9 * n), replace=False))
        yield vectors[kept], kept, 0
        if seeds:
            yield vectors, np.arange(n), number + 1
    yield np.round(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 5), np.arange(n), 0


def measure(data: str, method: str, cache: Path, *, stability: bool) -> Figures:
    """Run one method on one set in this process."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    vectors, truth = load(data, cache)
    run = runner(method, truth)
    times, labels, said = [], np.zeros(0, dtype=np.int_), None
    for _ in range(2):
        started = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        labels, said = run(vectors, 0)
        times.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - started)
    changes = nearly_the_same(vectors, seeds=method not in PEERS) if stability else iter(())
    agreements = [float(adjusted_rand_score(labels[kept], run(other, seed)[0])) for other, kept, seed in changes]
    sizes = np.bincount(labels[labels >= 0], minlength=1)
    return Figures(
        data=data,
        items=len(vectors),
        true_groups=len(set(truth.tolist())),
        method=method,
        clusters=int((sizes > 0).sum()),
        largest=float(sizes.max() / len(labels)),
        noise=float((labels < 0).mean()),
        nmi=float(normalized_mutual_info_score(truth, labels)),
        ari=float(adjusted_rand_score(truth, labels)),
        first_s=times[0],
        warm_s=times[1],
        said=said,
        agreements=agreements,
    )


def measured_apart(
    data: str, method: str, cache: Path, *, stability: bool, python: str, code: Path = PROJECT
) -> Figures | None:
    """`measure` in a fresh process of `python`, with `llma_assets` of `code`; None, with a word, where it fails."""
    # Benchmarks are of this checkout, and `llma_assets`, which they import later, of the other.
    start = (
        f"import sys; sys.path.insert(0, {str(PROJECT)!r}); from benchmarks.accuracy import main; "
        f"sys.path.insert(0, {str(code)!r}); main()"
    )
    command = [python, "-P", "-c", start, "--one", data, method, "--cache", str(cache), "--code", str(code)]
    done = subprocess.run(
        command if stability else [*command, "--no-stability"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        print(f"{data}, {method}: left out, {reason[0]}", file=sys.stderr)
        return None
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def as_tables(figures: list[Figures]) -> str:
    """Both tables as Markdown."""
    lines = [
        "| data | items, groups | method | clusters | largest | noise | NMI | ARI | first | warm |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for each in figures:
        star = "*" if each.data in CHOSEN_ON else ""
        lines.append(
            f"| {each.data}{star} | {each.items:,}, {each.true_groups} | {each.method} | {each.clusters} | "
            f"{each.largest:.0%} | {each.noise:.0%} | {each.nmi:.2f} | {each.ari:.2f} | {each.first_s:.1f} s | "
            f"{each.warm_s:.1f} s |"
        )
    lines += ["", "| data | method | mean | least | says of itself |", "|---|---|--:|--:|--:|"]
    for each in figures:
        if each.agreements:
            said = "" if each.said is None else f"{each.said:.2f}"
            mean, least = np.mean(each.agreements), min(each.agreements)
            lines.append(f"| {each.data} | {each.method} | {mean:.2f} | {least:.2f} | {said} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="One table of all sets and methods.")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=list(SETS))
    parser.add_argument("--only", nargs="*", help="methods")
    parser.add_argument("--before", type=Path, help="another checkout, whose `graph` is measured as `before`")
    parser.add_argument("--peers", help="an interpreter with evoc, umap-learn and hdbscan")
    parser.add_argument("--no-stability", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "llma-benchmarks")
    parser.add_argument("--write", action="store_true", help="benchmarks/results/accuracy.md")
    parser.add_argument("--code", type=Path, default=PROJECT, help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=2, metavar=("DATA", "METHOD"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    stability = not options.no_stability
    if options.one:
        if options.one[1] in OURS:
            imported_from(options.code)
        print(json.dumps(asdict(measure(options.one[0], options.one[1], options.cache, stability=stability))))
        return
    peers = [(method, options.peers, PROJECT, method) for method in PEERS] if options.peers else []
    before = [("before", sys.executable, options.before.resolve(), "graph")] if options.before else []
    own = [(method, sys.executable, PROJECT, method) for method in (*OURS, "kmeans_true_k")]
    figures: list[Figures] = []
    for data in options.sets:
        load(data, options.cache)  # texts are embedded once, by this interpreter
        for name, python, code, method in (*before, *own, *peers):
            if options.only and name not in options.only:
                continue
            found = measured_apart(data, method, options.cache, stability=stability, python=python, code=code)
            if found is not None:
                figures.append(Figures(**{**asdict(found), "method": name}))
                print("\n".join(as_tables(figures[-1:]).splitlines()[2::4]), file=sys.stderr)
            if options.write:
                title = (
                    "# Accuracy of clusterings\n\nMade by `python -m benchmarks.accuracy`, whose docstring says how."
                )
                RESULTS.write_text(f"{title}\n\n{as_tables(figures)}\n", encoding="utf-8")
    print(as_tables(figures))


if __name__ == "__main__":
    main()
