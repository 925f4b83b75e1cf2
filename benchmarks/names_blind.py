"""A blind sheet of titles: those of before, of now and of another cluster, without saying which is which.

    python -m benchmarks.names_blind make SHEET KEY --team 1 --team 2 --date 2026-11-07 --before TITLES
    python -m benchmarks.names_blind make SHEET KEY --clusters FILE --clusters FILE --most 8
    python -m benchmarks.names_blind score SHEET KEY

`make` takes the clusters that `llma run` has published in the database of the settings, names them with the code as it
is, and writes two files: the sheet, on which whoever judges sees members of a cluster and titles in random order and
writes a mark beside each ("good", "vague", "wrong"), and the key, which is not to be opened before. A control is the
title of another cluster of the same set: a judge who calls many of these good judges nothing. `TITLES` is what
`python -m benchmarks.names_blind titles TITLES --team …` wrote in an older checkout. A title that two sources give is
judged once. `score` counts the marks by source. Without `--before` there are titles of now and controls only.
`--clusters` takes sets that were stored by `pickle`, and `--most` draws so many clusters of each set of known classes.
"""

import argparse
import json
import pickle
import random
import secrets
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.labels import Clustered, published
from llma_assets.labels import ClusterEvidence, SummaryText, offline_labels

MEMBERS = 6
MARKS = ("good", "vague", "wrong")
SOURCES = ("before", "after", "control")

Titles = dict[str, str]
"""Titles by set and number of the cluster."""


def titles_of(found: Sequence[Clustered]) -> Titles:
    """What this code calls the clusters."""
    return {
        f"{clustered.name}/{item.cluster_id}": item.title
        for clustered in found
        for item in offline_labels(clustered.evidence).items
    }


def sheet_of(
    found: Sequence[Clustered], before: Titles | None, after: Titles, rng: random.Random, most: int = sys.maxsize
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The sheet, in random order, and its key: which sources gave the title of each line."""
    clusters = []
    for clustered in found:
        names = [f"{clustered.name}/{each.cluster_id}" for each in clustered.evidence]
        controls = dict(zip(names, names[1:] + names[:1], strict=True))
        drawn = set(rng.sample(names, min(most, len(names)))) if any(clustered.known_as) else set(names)
        for each, name in zip(clustered.evidence, names, strict=True):
            if name in drawn and name in after and (before is None or name in before):
                given = {"after": after[name], "control": after[controls[name]]}
                given |= {} if before is None else {"before": before[name]}
                clusters.append((name, _members(each, rng), given))
    rng.shuffle(clusters)
    sheet: list[dict[str, Any]] = []
    key = []
    for name, members, given in clusters:
        titles = sorted(set(given.values()))
        rng.shuffle(titles)
        sheet.append({"members": members, "titles": [{"title": title, "mark": ""} for title in titles]})
        key.append({"cluster": name, "sources": [[s for s in SOURCES if given.get(s) == title] for title in titles]})
    return sheet, key


def _members(cluster: ClusterEvidence, rng: random.Random) -> list[str]:
    all_of_them = list(dict.fromkeys((*cluster.representatives, *cluster.members)))
    return [_in_a_line(each) for each in rng.sample(all_of_them, min(MEMBERS, len(all_of_them)))]


def _in_a_line(summary: SummaryText) -> str:
    return " | ".join([summary.flow_diagram[:60], *(bullet[:160] for bullet in summary.bullets[:2])])


def score(sheet: Sequence[dict[str, Any]], key: Sequence[dict[str, Any]]) -> str:
    """The marks by set and source, as a table."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for lines, of in zip(sheet, key, strict=True):
        for line, sources in zip(lines["titles"], of["sources"], strict=True):
            if line["mark"] not in MARKS:
                raise SystemExit(f"{line['title']!r} has the mark {line['mark']!r}; it must be one of {MARKS}")
            for source in sources:
                counts.setdefault((of["cluster"].rpartition("/")[0], source), Counter())[line["mark"]] += 1
    rows = [
        f"| {name} | {source} | {' | '.join(str(found[mark]) for mark in MARKS)} |"
        for (name, source), found in sorted(counts.items(), key=lambda each: (each[0][0], SOURCES.index(each[0][1])))
    ]
    return "\n".join([f"| clusters of | titles | {' | '.join(MARKS)} |", "|---|---|--:|--:|--:|", *rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a sheet, or count its marks."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("action", choices=("make", "titles", "score"))
    parser.add_argument("files", nargs="+", type=Path, help="SHEET KEY, or TITLES")
    parser.add_argument("--team", type=int, action="append", default=[])
    parser.add_argument("--date", type=date.fromisoformat)
    parser.add_argument("--before", type=Path, help="titles of an older checkout")
    parser.add_argument("--clusters", type=Path, action="append", default=[], help="stored sets; read only your own")
    parser.add_argument("--most", type=int, default=sys.maxsize, help="clusters of each set of texts")
    options = parser.parse_args(arguments)
    if options.action == "score":
        sheet, key = (json.loads(file.read_text("utf-8")) for file in options.files)
        print(score(sheet, key))
        return 0
    found = [each for team_id in options.team for each in published(team_id, options.date)]
    for file in options.clusters:
        found += pickle.loads(file.read_bytes())
    if options.action == "titles":
        options.files[0].write_text(json.dumps(titles_of(found), indent=1), "utf-8")
        return 0
    before = json.loads(options.before.read_text("utf-8")) if options.before else None
    made = sheet_of(found, before, titles_of(found), random.Random(secrets.randbits(64)), options.most)
    for file, content in zip(options.files, made, strict=True):
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
