"""What clusters are made of: strays, templates, generations of one trace, and the upper level.

    python -m benchmarks.shape --cache /tmp/vectors          # embeds some 20,000 texts offline the first time
    python -m benchmarks.shape strays levels --cache /tmp/vectors

The data folder is `../shared/data` beside the project. `--cache FOLDER` keeps the vectors as `NAME.npy`.

- strays: texts of topics, and texts that belong to none of them: out-of-scope questions of CLINC150, and one text from
  each of many intents. Precision and recall of noise, and clusters of which most are strays among the ten largest.
- templates: BANKING77 with a bot that sends texts of one template.
- generations: the model calls of the airline agent: clusters that hold fewer than three traces.
- levels: groups of clusters against the scenarios of HWU64 and the domains of CLINC150.
"""

import argparse
import csv
import gzip
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from llma_assets.clusters import Clustering, ClusteringConfig, cluster
from llma_assets.clusters.engine.template_clusters import cluster_with_templates
from llma_assets.clusters.engine.templates import find_templates
from llma_assets.embeddings.compose import embedding_text
from llma_assets.models import OfflineEmbedder
from llma_assets.rendering import render_generation
from llma_assets.summaries.extractive import extract_summary

DATA = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
CONFIG = ClusteringConfig(with_map=False)
STRAYS, TOPICS_TEXTS, BOT_TEXTS = 312, 4_000, 1_500
FEW_TRACES = 3

Vectors = NDArray[np.float32]

FIRST = (
    "Maria", "James", "Wei", "Fatima", "Olga", "Ravi", "Sofia", "Liam", "Noah", "Emma", "Ahmed", "Yuki", "Chen",
    "Ana", "Pedro", "Lucas", "Ines", "Karl", "Greta", "Bjorn", "Sven", "Leila", "Omar", "Nina", "Paul", "Kate",
    "Tom", "Zoe", "Max", "Eva",
)  # fmt: skip
LAST = (
    "Lopez", "Smith", "Zhang", "Khan", "Ivanova", "Patel", "Rossi", "Brown", "Jones", "Muller", "Sato", "Costa",
    "Silva", "Nilsson", "Berg", "Haddad", "Novak", "Moore", "Clark", "King", "Weiss", "Baker", "Diaz", "Cruz",
    "Reed",
)  # fmt: skip
ITEMS = (
    "blue lamp", "garden chair", "coffee machine", "running shoes", "wool blanket", "desk fan", "phone case",
    "rain jacket", "cook book", "picture frame",
)  # fmt: skip
CITIES = (
    "Oslo", "Paris", "Berlin", "Madrid", "Rome", "Lisbon", "Vienna", "Prague", "Dublin", "Athens", "Cairo",
    "Lagos", "Mumbai", "Tokyo", "Seoul", "Lima", "Quito", "Boston", "Denver", "Austin",
)  # fmt: skip
DAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
)  # fmt: skip
LANGUAGES = (
    "French", "German", "Spanish", "Italian",
)  # fmt: skip
BOTS = ("order", "short", "lower", "long", "weather", "quote")


def bot_texts(kind: str, count: int) -> list[str]:
    """So many texts of one template, with names, things, places and numbers of their own."""
    rng = random.Random(f"{kind}0")
    texts = []
    for _ in range(count):
        first, last, item, city = rng.choice(FIRST), rng.choice(LAST), rng.choice(ITEMS), rng.choice(CITIES)
        code, number = rng.randrange(10**4, 10**6), rng.randrange(1, 30)
        weather = f"What is the weather in {city} on {rng.choice(DAYS)}"
        quote = f"Translate the product name '{item}' to {rng.choice(LANGUAGES)} for the shop in {city}"
        texts.append(
            {
                "order": f"Check the status of order {code} for {first} {last} and notify them by email",
                "short": f"status of order {code}",
                "lower": f"refund for {first.lower()} {last.lower()} order {code} please",
                "long": f"Customer {first} {last} (id C-{code}) ordered {number} x {item} to {city} on "
                f"2026-11-{number:02d}. Write a short and friendly message that tells the customer when the parcel "
                "arrives.",
                "weather": weather,
                "quote": quote,
            }[kind]
        )
    return texts


class Texts:
    """Data sets and their vectors, kept in a folder."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a data set."""
        with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def vectors(self, name: str, texts: Sequence[str]) -> Vectors:
        """The vectors of texts, embedded where the folder has none."""
        path = self.cache / f"{name}.npy"
        if not path.exists():
            np.save(path, OfflineEmbedder().embed(list(texts)))
        found: Vectors = np.load(path)
        if len(found) != len(texts):
            raise SystemExit(f"{path} holds {len(found)} vectors for {len(texts)} texts; remove it")
        return found

    def banking(self) -> tuple[list[str], NDArray[np.str_], Vectors]:
        """Forty texts of each category of BANKING77."""
        seen: dict[str, int] = {}
        kept = []
        for row in self.rows("banking77"):
            seen[row["category"]] = seen.get(row["category"], 0) + 1
            if seen[row["category"]] <= 40:
                kept.append(row)
        texts = [row["text"] for row in kept]
        return texts, np.array([row["category"] for row in kept]), self.vectors("shape_banking40", texts)

    def clinc(self) -> tuple[NDArray[np.str_], Vectors]:
        """The test split of CLINC150, `oos` among its intents."""
        kept = [row for row in self.rows("clinc150") if row["split"] == "test"]
        return np.array([row["intent"] for row in kept]), self.vectors(
            "shape_clinc_test_oos", [row["text"] for row in kept]
        )

    def whole(self, name: str) -> tuple[list[dict[str, str]], Vectors]:
        """All rows of a data set."""
        rows = self.rows(name)
        return rows, self.vectors(name, [row["text"] for row in rows])


def strays(data: Texts) -> Iterator[str]:
    """Precision and recall of noise where the strays are known; they are the last rows of each set."""
    intents, vectors = data.clinc()
    _, _, banking = data.banking()
    rng = np.random.default_rng(0)
    inside, outside = np.flatnonzero(intents != "oos"), np.flatnonzero(intents == "oos")
    lost = rng.choice(outside, STRAYS, replace=False)
    names = rng.permutation(np.unique(intents[inside]))

    def one_of(kinds: Sequence[str]) -> NDArray[np.intp]:
        return np.concatenate([rng.choice(np.flatnonzero(intents == kind), 1) for kind in kinds])

    _, hwu = data.whole("hwu64")
    topics = rng.choice(inside, TOPICS_TEXTS, replace=False)
    hundred = np.flatnonzero(np.isin(intents, names[:100]))
    fifteen = np.flatnonzero(np.isin(intents, names[:15]))
    sets = {
        "CLINC150, 312 out of scope": (vectors[topics], vectors[lost]),
        "100 intents, one of each other 50 and 262 out of scope": (
            vectors[hundred],
            np.vstack([vectors[one_of(names[100:])], vectors[rng.choice(outside, 262, replace=False)]]),
        ),
        "15 intents, one of each other 135": (vectors[fifteen], vectors[one_of(names[15:])]),
        "BANKING77, 312 out of scope": (banking, vectors[lost]),
        "BANKING77, one of each of 150 intents": (banking, vectors[one_of(names)]),
        "HWU64 (3,000), 234 out of scope": (
            hwu[rng.choice(len(hwu), 3_000, replace=False)],
            vectors[rng.choice(outside, 234, replace=False)],
        ),
    }
    yield "| set | texts | strays | clusters | noise | precision | recall | clusters of strays in the first ten |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for name, (regular, stray) in sets.items():
        found = cluster(np.vstack([regular, stray]), CONFIG)
        is_stray = np.arange(len(found.labels)) >= len(regular)
        noise = found.labels < 0
        hits = int((is_stray & noise).sum())
        first = [found.labels == each for each in range(min(10, len(found.centroids)))]
        of_strays = sum((is_stray & each).sum() > each.sum() / 2 for each in first)
        yield (
            f"| {name} | {len(regular):,} | {len(stray)} | {len(found.centroids)} | {noise.mean():.1%} | "
            f"{hits / max(noise.sum(), 1):.2f} | {hits / len(stray):.2f} | {of_strays} |"
        )


def templates(data: Texts) -> Iterator[str]:
    """BANKING77 (every third text) with 1,500 texts of a bot, clustered without and with templates."""
    texts, truth, vectors = data.banking()
    kept = np.arange(0, len(texts), 3)
    alone = cluster(vectors[kept], CONFIG)
    base = f"{len(alone.centroids)}, {adjusted_rand_score(truth[kept], alone.labels):.2f}"
    yield f"Without the bot: {base} (clusters, ARI of the texts of people)."
    yield ""
    yield "| bot | clusters before, of the bot | ARI | clusters now, of the bot | ARI |"
    yield "|---|--:|--:|--:|--:|"
    for kind in BOTS:
        sent = bot_texts(kind, BOT_TEXTS)
        both = np.vstack([vectors[kept], data.vectors(f"shape_bot_{kind}", sent)])
        of_template = find_templates([texts[place] for place in kept] + sent).of_text
        cells = [
            _with_bot(found, truth[kept])
            for found in (cluster(both, CONFIG), cluster_with_templates(both, of_template, CONFIG))
        ]
        yield f"| {kind} | {' | '.join(cells)} |"
    yield ""
    for name, plain in (
        ("BANKING77", texts),
        *((name, [r["text"] for r in data.rows(name)]) for name in ("hwu64", "clinc150")),
    ):
        yield f"{name}: {len(find_templates(plain).found)} templates in {len(plain):,} texts of people."
    many = (bot_texts("order", 60_000) + texts * 14)[:100_000]
    started = time.process_time()
    find_templates(many)
    yield f"100,000 texts, 60,000 of a bot: {time.process_time() - started:.1f} CPU seconds."


def _with_bot(found: Clustering, truth: NDArray[np.str_]) -> str:
    of_bot = len(set(found.labels[len(truth) :].tolist()) - {-1})
    return f"{len(found.centroids)}, {of_bot} | {adjusted_rand_score(truth, found.labels[: len(truth)]):.2f}"


def generations(data: Texts) -> Iterator[str]:
    """Clusters of the airline agent's model calls that hold fewer than three traces."""
    traces, texts = [], []
    with gzip.open(DATA / "airline_agent.events.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            if event["event"] == "$ai_generation":
                summary = extract_summary(render_generation(event).text, "minimal")
                points = [[each.text for each in some] for some in (summary.bullets, summary.interesting_notes)]
                traces.append(event["properties"]["$ai_trace_id"])
                texts.append(embedding_text(summary.title, summary.flow_diagram, *points))
    different = sorted(set(texts))
    place = {text: number for number, text in enumerate(different)}
    vectors = data.vectors("airline_generations_new3u", different)[[place[text] for text in texts]]
    yield "| items a trace | generations | clusters | of fewer than three traces | noise |"
    yield "|--:|--:|--:|--:|--:|"
    for most in (None, 8, 5, 3):
        seen: dict[str, int] = {}
        kept = []
        for index in np.random.default_rng(0).permutation(len(traces)).tolist():
            seen[traces[index]] = seen.get(traces[index], 0) + 1
            if most is None or seen[traces[index]] <= most:
                kept.append(index)
        kept.sort()
        found = cluster(vectors[kept], CONFIG)
        homes: dict[int, set[str]] = {}
        for index, label in zip(kept, found.labels.tolist(), strict=True):
            homes.setdefault(label, set()).add(traces[index])
        few = sum(len(own) < FEW_TRACES for label, own in homes.items() if label >= 0)
        yield f"| {most or 'all'} | {len(kept):,} | {len(found.centroids)} | {few} | {found.quality.noise_share:.0%} |"


def levels(data: Texts) -> Iterator[str]:
    """Groups of clusters against true groups of topics."""
    yield "| set | clusters | groups | true | NMI of the groups | NMI of the clusters |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, column, seed in (("hwu64", "scenario", 1), ("clinc150", "domain", 2)):
        rows, vectors = data.whole(name)
        known = np.array([place for place, row in enumerate(rows) if row["intent"] != "oos"])
        kept = np.random.default_rng(seed).permutation(known)[:5_000]
        truth = np.array([rows[place][column] for place in kept])
        found = cluster(vectors[kept], CONFIG)
        inside = found.labels >= 0
        own = found.labels[inside]
        yield (
            f"| {name} | {len(found.centroids)} | {found.groups.max() + 1} | {len(set(truth))} | "
            f"{normalized_mutual_info_score(truth[inside], found.groups[own]):.2f} | "
            f"{normalized_mutual_info_score(truth[inside], own):.2f} |"
        )


PARTS: dict[str, Callable[[Texts], Iterator[str]]] = {
    "strays": strays,
    "templates": templates,
    "generations": generations,
    "levels": levels,
}


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--cache", type=Path, required=True)
    given = parser.parse_args()
    for name in given.parts or PARTS:
        print(f"\n## {name.capitalize()}\n", flush=True)
        for line in PARTS[name](Texts(given.cache)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
