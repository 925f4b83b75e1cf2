"""Score the published clusters of the service dialogues against the services that each dialogue really used.

    llma ingest ../shared/data/service_dialogues.events.jsonl.gz
    llma run --team 2 --date 2026-11-07
    llma clusters --team 2 --date 2026-11-07 --json > clusters.json
    python benchmarks/clusters_service_dialogues.py clusters.json [--labels FILE] [--json]

The input is what the pipeline published, so the figure is of the whole of it: rendering, summaries, embeddings,
sampling and clustering. Only runs over traces are scored, because the labels are of traces.

A dialogue may use several services (60 % do). It is scored in two ways:

- joined: the class of a dialogue is the set of its services, "Hotels_1 + Travel_1". Every combination is a class of
  its own, so there are many, and a clustering by the main service cannot reach 1.
- first: the class is the first service of the list in the label file.

Services of one kind count as different (`Services_1` and `Services_4`), as labelled. Noise is scored in two ways too:
as one cluster more, and left out, where the share that is left is told beside it. NMI is normalised by the
arithmetic mean of the entropies, as in scikit-learn. NMI grows with the number of clusters; ARI, beside it, is
corrected for chance.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

LABELS = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "service_dialogues.labels.json"
NOISE = -1


class UnusableInput(Exception):
    """The given file is not what `llma clusters --json` prints, or has nothing to score."""


@dataclass(frozen=True, slots=True)
class Score:
    """How well the clusters of one run agree with one reading of the labels.

    Attributes:
        theme: the run's theme.
        classes: "joined" or "first".
        noise: "as a cluster" or "left out".
        items: items scored.
        share: share of the run's labelled items that this is.
        clusters: clusters among them.
        true_classes: classes among them.
        nmi: normalised mutual information, in [0, 1].
        ari: adjusted Rand index, at most 1, 0 by chance.
    """

    theme: str
    classes: str
    noise: str
    items: int
    share: float
    clusters: int
    true_classes: int
    nmi: float
    ari: float


def scores(document: Any, labels: dict[str, Any]) -> list[Score]:
    """Score every run over traces in `document` (DESIGN 7) that has items.

    Raises:
        UnusableInput: a wrong shape, no such run, an item in two clusters, or no item with a label.
    """
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list):
        raise UnusableInput('expected one object with "runs", as `llma clusters --json` prints it')
    runs = [run for run in document["runs"] if run["level"] == "trace" and run["clusters"]]
    if not runs:
        reasons = sorted({str(run.get("skipped_reason")) for run in document["runs"]})
        raise UnusableInput(f"no run over traces has clusters; reasons given: {', '.join(reasons) or 'none'}")
    return [score for run in runs for score in _scores_of_run(run, labels)]


def _scores_of_run(run: dict[str, Any], labels: dict[str, Any]) -> list[Score]:
    found = [(item, cluster["cluster_id"]) for cluster in run["clusters"] for item in cluster["item_ids"]]
    if len({item for item, _ in found}) != len(found):
        raise UnusableInput(f"run {run['run_id']}: an item is in two clusters")
    known = [(labels[item]["services"], cluster) for item, cluster in found if item in labels]
    if not known:
        raise UnusableInput(f"run {run['run_id']}: none of {len(found)} items has a label")
    if len(known) < len(found):
        print(f"{len(found) - len(known)} of {len(found)} items have no label and are left out", file=sys.stderr)
    readings = {"joined": lambda services: " + ".join(sorted(services)), "first": lambda services: services[0]}
    return [
        _score(str(run["theme"]), name, noise, [(reading(services), cluster) for services, cluster in kept], len(known))
        for name, reading in readings.items()
        for noise, kept in (
            ("as a cluster", known),
            ("left out", [pair for pair in known if pair[1] != NOISE]),
        )
        if kept
    ]


def _score(theme: str, classes: str, noise: str, pairs: Sequence[tuple[str, int]], labelled: int) -> Score:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    truth, clusters = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return Score(
        theme=theme,
        classes=classes,
        noise=noise,
        items=len(pairs),
        share=len(pairs) / labelled,
        clusters=len(set(clusters)),
        true_classes=len(set(truth)),
        nmi=float(normalized_mutual_info_score(truth, clusters)),
        ari=float(adjusted_rand_score(truth, clusters)),
    )


def as_table(found: Sequence[Score]) -> str:
    """The scores as a Markdown table."""
    lines = [
        "| theme | services of a dialogue | noise | items | share | clusters | classes | NMI | ARI |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {s.theme} | {s.classes} | {s.noise} | {s.items} | {s.share:.1%} | {s.clusters} | {s.true_classes} "
        f"| {s.nmi:.3f} | {s.ari:.3f} |"
        for s in found
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the scores; 0 on success, 1 where there is nothing to score."""
    parser = argparse.ArgumentParser(
        description="NMI and ARI of published clusters against the services of each dialogue."
    )
    parser.add_argument("clusters", type=Path, help="output of `llma clusters --team 2 --date D --json`; - is stdin")
    parser.add_argument("--labels", type=Path, default=LABELS, help="service_dialogues.labels.json")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args(arguments)
    try:
        text = sys.stdin.read() if str(options.clusters) == "-" else options.clusters.read_text(encoding="utf-8")
        found = scores(json.loads(text), json.loads(options.labels.read_text(encoding="utf-8")))
    except (OSError, json.JSONDecodeError, KeyError, UnusableInput) as error:
        print(f"cannot score: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"scores": [asdict(score) for score in found]}) if options.json else as_table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
