"""Compare ways to cluster: time, memory, agreement with the truth, noise, stability.

    python -m benchmarks.clustering                     # real texts, and 2,000 planted items of 3,072 dimensions
    python -m benchmarks.clustering --sizes 2000 10000 50000 100000 --dimensions 1536 3072
    python -m benchmarks.clustering --only graph kmeans --write

Methods: `graph`, `kmeans` and `hdbscan` of `llma_assets.clusters`; plain k-means (scikit-learn, k from 3 to 6, all
dimensions, full silhouettes) and randomized PCA + HDBSCAN (min_cluster_size 2), which is what runs in the field; and
UMAP + HDBSCAN and EVoC where they are installed (`pip install llma-assets[bench]`).

Every measurement is a process of its own, so that peak memory is its own and compilers count: `first` is the first
call of a fresh process after imports, `again` the fastest of the calls after it. Nothing is chosen by labels: our
methods run with their defaults, UMAP + HDBSCAN with those of topic models (15 neighbours, 5 dimensions, cosine,
min_cluster_size 10).

Noise counts as one cluster more in NMI and ARI. Stability is the ARI between the clusters of all items and those of a
seeded four fifths of them. Texts are embedded by the offline embedder, once; the vectors are kept in `--cache`.
`--write` puts the table into benchmarks/results/clustering.md and the picture into docs/images.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.clustering_data import TEXTS, Vectors, load

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "benchmarks" / "results" / "clustering.md"
PICTURE = PROJECT / "docs" / "images" / "clustering.png"
OURS = ("graph", "kmeans", "hdbscan")
NEEDS = {"umap_hdbscan": ("umap", "hdbscan"), "evoc": ("evoc",)}
QUADRATIC = {"hdbscan": 20_000, "pca_hdbscan": 20_000, "plain_kmeans": 10_000, "umap_hdbscan": 10_000, "evoc": 10_000}
"""Items above which a method is not asked: it would take hours, or all memory."""

ENOUGH_S = 120.0
"""A method that has taken this long is not called again, and its stability stays unknown."""

Labels = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process measured of one method on one data set; see the module's docstring."""

    data: str
    items: int
    dimensions: int
    method: str
    first_s: float
    again_s: float
    memory_mb: float
    clusters: int
    noise: float
    nmi: float
    ari: float
    stability: float | None
    extra: dict[str, float]


def plain_kmeans(vectors: Vectors) -> Labels:
    """k-means as in the field: every k from 3 to 6 in all dimensions, the best full silhouette wins.

    In float64, which vectors become that are read as rows; a program that knows better takes about half the time.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    vectors = vectors.astype(np.float64)
    found = [KMeans(k, n_init=10, random_state=0).fit(vectors).labels_ for k in range(3, 7)]
    return max(found, key=lambda labels: silhouette_score(vectors, labels))


def pca_hdbscan(vectors: Vectors) -> Labels:
    """HDBSCAN as in the field: 100 randomized principal components, smallest cluster 2."""
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    keep = min(100, *vectors.shape)
    return HDBSCAN(min_cluster_size=2, copy=True).fit_predict(
        PCA(keep, svd_solver="randomized", random_state=0).fit_transform(vectors)
    )


def umap_hdbscan(vectors: Vectors) -> Labels:
    """UMAP to five dimensions, then HDBSCAN: the default of topic models."""
    import hdbscan
    import umap

    reducer = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0, n_jobs=1)
    return hdbscan.HDBSCAN(min_cluster_size=10).fit_predict(reducer.fit_transform(vectors))


def evoc(vectors: Vectors) -> Labels:
    """EVoC with its defaults."""
    from evoc import EVoC

    return np.asarray(EVoC(random_state=0).fit_predict(vectors))


BASELINES: dict[str, Callable[[Vectors], Labels]] = {
    "plain_kmeans": plain_kmeans,
    "pca_hdbscan": pca_hdbscan,
    "umap_hdbscan": umap_hdbscan,
    "evoc": evoc,
}


def ours(method: str, *, with_map: bool) -> Callable[[Vectors], Labels]:
    """One of our methods with its defaults; k-means over 3 to 6, as given."""
    from llma_assets.clusters import ClusteringConfig, cluster

    config = ClusteringConfig(method=method, with_map=with_map)
    return lambda vectors: cluster(vectors, config).labels


def measure(data: str, method: str, cache: Path, repeats: int) -> Figures:
    """Run one method on one data set in this process."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    vectors, groups, domains = load(data, cache)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    run = ours(method, with_map=True) if method in OURS else BASELINES[method]
    times = []
    labels = np.zeros(0, dtype=np.int_)
    for _ in range(1 + repeats):
        started = time.perf_counter()
        labels = np.asarray(run(vectors))
        times.append(time.perf_counter() - started)
        if sum(times) > ENOUGH_S:
            break
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    stability = None
    if sum(times) <= ENOUGH_S:
        part = np.sort(np.random.default_rng(0).choice(len(vectors), size=round(0.8 * len(vectors)), replace=False))
        stability = float(adjusted_rand_score(labels[part], run(np.ascontiguousarray(vectors[part]))))
    extra = {"before_mb": before_mb}
    if method in OURS:
        extra |= details(vectors, groups, domains, method)
    return Figures(
        data=data,
        items=len(vectors),
        dimensions=vectors.shape[1],
        method=method,
        first_s=times[0],
        again_s=min(times[1:] or times),
        memory_mb=memory_mb,
        clusters=len(set(labels[labels >= 0].tolist())),
        noise=float((labels < 0).mean()),
        nmi=float(normalized_mutual_info_score(groups, labels)),
        ari=float(adjusted_rand_score(groups, labels)),
        stability=stability,
        extra=extra,
    )


def details(vectors: Vectors, groups: NDArray[np.str_], domains: NDArray[np.str_], method: str) -> dict[str, float]:
    """What only our methods give: time without the map, its purity, noise against the truth, the upper level."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
    from sklearn.neighbors import NearestNeighbors

    from llma_assets.clusters import ClusteringConfig, cluster

    started = time.perf_counter()
    cluster(vectors, ClusteringConfig(method=method, with_map=False))
    found = {"without_map_s": time.perf_counter() - started}
    result = cluster(vectors, ClusteringConfig(method=method))
    some = np.sort(np.random.default_rng(0).choice(len(vectors), size=min(5000, len(vectors)), replace=False))
    near = NearestNeighbors(n_neighbors=16).fit(result.coordinates[some]).kneighbors(return_distance=False)[:, :15]
    found["purity_clusters"] = float((result.labels[some][near] == result.labels[some][:, None]).mean())
    found["purity_truth"] = float((groups[some][near] == groups[some][:, None]).mean())
    lost = np.isin(groups, ["oos", "noise"])
    noise = result.labels < 0
    if lost.any() and noise.any():
        found["noise_precision"] = float(lost[noise].mean())
        found["noise_recall"] = float(noise[lost].mean())
    inside = ~noise & (domains != "")
    if not np.array_equal(groups, domains) and len(result.centroids) > 10:
        upper = result.groups[result.labels[inside]]
        found["groups"] = float(result.groups.max() + 1)
        found["domain_nmi"] = float(normalized_mutual_info_score(domains[inside], upper))
        found["domain_ari"] = float(adjusted_rand_score(domains[inside], upper))
    return found


def measured_apart(data: str, method: str, cache: Path, repeats: int) -> Figures:
    """`measure` in a fresh process, on as many threads as there are cores."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.clustering",
        "--one",
        data,
        method,
        "--cache",
        str(cache),
        "--repeats",
        str(repeats),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=PROJECT)
    if done.returncode:
        raise SystemExit(f"{method} on {data} failed:\n{done.stderr[-2000:]}")
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def made_apart(data: str, cache: Path) -> None:
    """Make and keep a data set before anything is measured, in a process of its own: the peak memory of a process
    begins with that of the one that started it."""
    command = [sys.executable, "-m", "benchmarks.clustering", "--make", data, "--cache", str(cache)]
    subprocess.run(command, check=True, cwd=PROJECT)


def as_table(figures: Sequence[Figures]) -> str:
    """All measurements as a Markdown table."""
    lines = [
        "| data | method | first | again | peak memory | clusters | noise | NMI | ARI | stability |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {each.data} | {each.method} | {each.first_s:.2f} s | {each.again_s:.2f} s | {each.memory_mb:,.0f} MB "
        f"| {each.clusters} | {each.noise:.0%} | {each.nmi:.3f} | {each.ari:.3f} "
        f"| {'' if each.stability is None else f'{each.stability:.2f}'} |"
        for each in figures
    ]
    return "\n".join(lines)


def claims(figures: Sequence[Figures]) -> list[tuple[str, bool]]:
    """What we promise, as far as the measurements tell, and whether it held."""
    by = {(each.data, each.method): each for each in figures}
    found: list[tuple[str, bool]] = []

    def claim(text: str, holds: bool) -> None:
        found.append((text, bool(holds)))

    plain, fast, graph = (by.get(("2000x3072", name)) for name in ("plain_kmeans", "kmeans", "graph"))
    if plain and fast:
        ratio = plain.again_s / fast.extra["without_map_s"]
        text = f"2,000 x 3,072: kmeans {ratio:.0f} times faster than plain k-means (10 wanted), neither with a map"
        claim(text, ratio >= 10)
    if fast and graph:
        text = f"2,000 x 3,072: graph {graph.again_s:.2f} s, kmeans {fast.again_s:.2f} s (no slower; under 1 s in all)"
        claim(text, graph.again_s <= fast.again_s and graph.again_s < 1)
    for data in ("banking77", "clinc150"):
        our, other = by.get((data, "graph")), by.get((data, "umap_hdbscan"))
        if our and other:
            again, first = other.again_s / our.extra["without_map_s"], other.first_s / our.first_s
            text = f"{data}: graph {first:.0f} times faster than UMAP + HDBSCAN in a fresh process (20 wanted)"
            claim(f"{text}; {again:.0f} times once all is compiled and no map is drawn", first >= 20)
            text = f"{data}: NMI {our.nmi:.3f} against {other.nmi:.3f}, ARI {our.ari:.3f} against {other.ari:.3f}"
            claim(text, our.nmi >= other.nmi and our.ari >= other.ari)
    large, small = by.get(("100000x1536", "graph")), by.get(("10000x1536", "graph"))
    if large:
        text = f"100,000 x 1,536: {large.first_s:.0f} s, {large.memory_mb / 1024:.2f} GiB (45 s and 3 GiB wanted)"
        claim(text, large.first_s < 45 and large.memory_mb < 3 * 1024)
    if large and small:
        exponent = float(np.log10(large.again_s / small.again_s))
        claim(f"growth exponent from 10,000 to 100,000: {exponent:.2f} (below 1.3 wanted)", exponent < 1.3)
    for each in figures:
        if each.method == "graph" and "purity_clusters" in each.extra:
            purity, truth = each.extra["purity_clusters"], each.extra["purity_truth"]
            text = f"{each.data}: {purity:.2f} of the 15 nearest on the map are of the same cluster (0.85 wanted)"
            claim(f"{text}, {truth:.2f} of the same true group", purity >= 0.85)
    return found


def notes(figures: Sequence[Figures]) -> list[str]:
    """Measured without a promise: noise against the truth, the upper level against domains."""
    lines = []
    for each in figures:
        extra = each.extra
        if "noise_precision" in extra and each.data == "clinc150_oos":
            precision, recall = extra["noise_precision"], extra["noise_recall"]
            lines.append(f"- {each.data}, {each.method}: noise has precision {precision:.2f}, recall {recall:.2f}")
        if "domain_nmi" in extra:
            nmi, ari, number = extra["domain_nmi"], extra["domain_ari"], extra["groups"]
            lines.append(f"- {each.data}, {each.method}: {number:.0f} groups, domain NMI {nmi:.2f}, ARI {ari:.2f}")
    return lines


def draw(figures: Sequence[Figures]) -> None:
    """Time against agreement on the texts, and time against size on planted items."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.2), dpi=110, layout="constrained")
    left, right = figure.subplots(1, 2)
    methods = list(dict.fromkeys(each.method for each in figures))
    for number, method in enumerate(methods):
        own = [each for each in figures if each.method == method]
        texts = [each for each in own if each.data in ("banking77", "clinc150")]
        left.plot([each.again_s for each in texts], [each.ari for each in texts], "o", color=f"C{number}", label=method)
        for each in texts:
            left.annotate(each.data, (each.again_s, each.ari), fontsize=6, xytext=(4, 3), textcoords="offset points")
        sizes = sorted((each.items, each.again_s) for each in own if each.data.endswith("x1536"))
        if sizes:
            right.plot(*zip(*sizes, strict=True), "o-", color=f"C{number}", label=method)
    left.set(xscale="log", xlabel="seconds, once compiled", ylabel="ARI with the true intents", title="Real texts")
    right.set(xscale="log", yscale="log", xlabel="items of 1,536 dimensions", ylabel="seconds", title="Growth")
    left.legend(fontsize=7)
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PICTURE, metadata={"Software": None})


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 where a promise did not hold."""
    parser = argparse.ArgumentParser(description="Compare ways to cluster.")
    parser.add_argument("--sizes", type=int, nargs="*", default=[2000], help="planted items")
    parser.add_argument("--dimensions", type=int, nargs="*", default=[3072], help="dimensions of planted items")
    parser.add_argument("--only", nargs="*", help="methods")
    parser.add_argument("--data", nargs="*", help="data sets: banking77, clinc150, clinc150_oos, 2000x3072 …")
    parser.add_argument("--repeats", type=int, default=2, help="calls after the first")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "llma-benchmarks")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    parser.add_argument("--write", action="store_true", help="benchmarks/results/clustering.md and the picture")
    parser.add_argument("--make", metavar="DATA", help=argparse.SUPPRESS)
    parser.add_argument("--one", nargs=2, metavar=("DATA", "METHOD"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    if options.make:
        load(options.make, options.cache)
        return 0
    if options.one:
        print(json.dumps(asdict(measure(*options.one, options.cache, options.repeats))))
        return 0
    planted = [f"{items}x{wide}" for wide in options.dimensions for items in options.sizes]
    figures: list[Figures] = []
    for data in options.data or [*TEXTS, *planted]:
        made_apart(data, options.cache)
        for method in (*OURS, *BASELINES):
            missing = [name for name in NEEDS.get(method, ()) if find_spec(name) is None]
            items = 0 if data in TEXTS else int(data.split("x")[0])
            if (options.only and method not in options.only) or missing or items > QUADRATIC.get(method, items):
                continue
            repeats = options.repeats if items <= 20_000 else 0
            figures.append(measured_apart(data, method, options.cache, repeats))
            print(as_table(figures[-1:]).splitlines()[-1], file=sys.stderr)
            if options.write:
                save(figures)  # after each: a run of an hour that is broken off has shown something
    return report(figures, as_json=options.json)


def as_text(figures: Sequence[Figures]) -> str:
    """The table, the promises and whether they held, the notes."""
    promises = [f"- {'held' if holds else '**not held**'}: {text}" for text, holds in claims(figures)]
    return "\n".join([as_table(figures), "", *promises, "", *notes(figures)])


def save(figures: Sequence[Figures]) -> None:
    """Replace the stored results and the picture."""
    title = "# Clustering, on two cores\n\nMade by `python -m benchmarks.clustering`, whose docstring says how."
    RESULTS.write_text(f"{title}\n\n{as_text(figures)}\n", encoding="utf-8")
    draw(figures)


def report(figures: Sequence[Figures], *, as_json: bool) -> int:
    """Print what was found; 1 where a promise did not hold."""
    kept = claims(figures)
    if as_json:
        document: dict[str, Any] = {"figures": [asdict(each) for each in figures], "claims": dict(kept)}
        print(json.dumps(document))
    else:
        print(as_text(figures))
    return 0 if all(holds for _, holds in kept) else 1


if __name__ == "__main__":
    sys.exit(main())
