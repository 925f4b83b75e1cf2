"""How well the rules of the built-in themes decide: `python -m benchmarks.theme_rules`.

Both shared files are rendered and judged by all five rules, with the norms that the team had on each day. Three things
are compared: what was labelled by hand (`theme_rules_labels.json`: ids and labels, no text), the reward of the airline
traces, and bookings of the service dialogues that came back empty. Nothing is stored, no model is asked.
"""

import argparse
import gzip
import json
import math
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from llma_assets.rendering import RenderOptions, item_facts, render_trace
from llma_assets.summaries.rules import Facts, Norms, Spread, Verdict, applies
from llma_assets.summaries.rules.norms import NORM_DAYS
from llma_assets.themes import OPTIONAL
from llma_assets.themes.theme import Rule

SHARED = Path(__file__).resolve().parents[1] / ".." / "shared" / "data"
LABELS = Path(__file__).with_name("theme_rules_labels.json")
FILES = ("airline_agent", "service_dialogues")
RULES: tuple[Rule, ...] = tuple(theme.rule for theme in OPTIONAL if theme.rule)
_ACTS = ("Book", "Reserve", "Buy", "Rent", "Add", "Schedule", "Transfer", "Play")


@dataclass(frozen=True, slots=True)
class Item:
    """One trace as the rules see it, and what the events know beside that.

    Attributes:
        is_refused: a call that was to book something came back empty.
    """

    trace_id: str
    day: date
    text: str
    facts: Facts
    is_refused: bool


Verdicts = Mapping[tuple[str, Rule], Verdict]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 2 if the data is not there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the shared files")
    folder: Path = parser.parse_args(arguments).data
    if missing := [name for name in FILES if not (folder / f"{name}.events.jsonl.gz").exists()]:
        print(f"not there: {', '.join(missing)} in {folder}", file=sys.stderr)
        return 2
    items = {name: list(read_items(folder / f"{name}.events.jsonl.gz")) for name in FILES}
    started = time.perf_counter()
    verdicts = {key: verdict for each in items.values() for key, verdict in judged(each).items()}
    seconds = time.perf_counter() - started
    print(f"{len(verdicts):,} verdicts in {seconds:.1f} s, {1_000 * seconds / len(verdicts):.1f} ms each")
    _print_shares(items, verdicts)
    _print_labels(items, verdicts, json.loads(LABELS.read_text("utf-8")))
    rewards = json.loads((folder / "airline_agent.labels.json").read_text("utf-8"))
    _print_rewards({trace_id: label["reward"] for trace_id, label in rewards.items()}, verdicts)
    _print_refused(items["service_dialogues"], verdicts)
    return 0


def read_items(path: Path, options: RenderOptions | None = None) -> Iterator[Item]:
    """The traces of a file, in its order."""
    traces: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with gzip.open(path) as lines:
        for line in lines:
            event = orjson.loads(line)
            traces[event["properties"]["$ai_trace_id"]].append(event)
    for trace_id, events in traces.items():
        facts = item_facts(events)
        if facts.started_at is None:
            raise ValueError(f"{path.name}: {trace_id} has no time")
        yield Item(
            trace_id,
            facts.started_at.date(),
            render_trace(events, options or RenderOptions()).text,
            Facts(facts.cost_usd, facts.latency_s, facts.tokens, facts.error_count, facts.event_count),
            any(_is_refused(event["properties"]) for event in events if event["event"] == "$ai_span"),
        )


def _is_refused(properties: Mapping[str, Any]) -> bool:
    return properties.get("$ai_output_state") in ([], "[]") and properties["$ai_span_name"].startswith(_ACTS)


def judged(items: Sequence[Item]) -> dict[tuple[str, Rule], Verdict]:
    """What each rule says of each trace, with the norms of its day."""
    norms = {day: _norms(items, day) for day in {item.day for item in items}}
    return {
        (item.trace_id, rule): applies(rule, item.text, item.facts, norms[item.day]) for item in items for rule in RULES
    }


def _norms(items: Sequence[Item], day: date) -> Norms:
    """As `read_norms` makes them in the database: the window that ends with the day."""
    window = [item.facts for item in items if 0 <= (day - item.day).days < NORM_DAYS]
    spreads = {}
    for name in ("cost_usd", "latency_s", "tokens", "event_count"):
        values = sorted(float(value) for facts in window if (value := getattr(facts, name)) > 0)
        spreads[name] = Spread(len(values), *(values[int(share * len(values))] for share in (0.5, 0.95)))
    return Norms(**spreads)


def _print_shares(items: Mapping[str, Sequence[Item]], verdicts: Verdicts) -> None:
    print("\nshare of traces that each rule takes")
    for name, each in items.items():
        taken = {rule: sum(verdicts[item.trace_id, rule].relevant for item in each) for rule in RULES}
        print(
            f"  {name}, {len(each):,} traces: " + ", ".join(f"{r} {n} ({n / len(each):.1%})" for r, n in taken.items())
        )
        kinds = Counter(
            kind
            for item in each
            for rule in RULES
            if (verdict := verdicts[item.trace_id, rule]).relevant
            for kind in {signal.kind for signal in verdict.signals}
        )
        print(f"    all five: {sum(taken.values()) / len(RULES) / len(each):.1%} of traces × themes")
        print("    " + ", ".join(f"{kind} {number}" for kind, number in kinds.most_common()))


def _print_labels(items: Mapping[str, Sequence[Item]], verdicts: Verdicts, labels: Mapping[str, Any]) -> None:
    print("\nagainst labels by hand; 95 % Wilson intervals")
    belongs = {item.trace_id: name for name, each in items.items() for item in each}
    for at, rule in enumerate(RULES):
        drawn = {trace_id: marks[at] == "1" for trace_id, marks in labels["random"].items()}
        known = drawn | {k: bool(v) for part in ("first", "second") for k, v in labels[part].get(rule, {}).items()}
        print(f"  {rule}: {len(known)} traces labelled")
        for name in (*FILES, "both"):
            taken = [k for k in known if name in (belongs[k], "both") and verdicts[k, rule].relevant]
            true = [k for k in drawn if name in (belongs[k], "both") and drawn[k]]
            found = sum(verdicts[k, rule].relevant for k in true)
            print(
                f"    {name}: precision {_share(sum(known[k] for k in taken), len(taken))}; "
                f"recall in the random sample {_share(found, len(true))}"
            )


def _print_rewards(rewards: Mapping[str, float], verdicts: Verdicts) -> None:
    """Reward is 1 where the airline's database was as it should be in the end."""
    failed = [trace_id for trace_id, reward in rewards.items() if reward < 1]
    print(f"\nagainst the reward of the airline traces: {len(failed)} of {len(rewards)} failed")
    for rule in RULES:
        taken = [trace_id for trace_id in rewards if verdicts[trace_id, rule].relevant]
        hits = sum(rewards[trace_id] < 1 for trace_id in taken)
        lift = hits / len(taken) / (len(failed) / len(rewards)) if taken else math.nan
        score = {trace_id: _strength(verdicts[trace_id, rule]) for trace_id in rewards}
        auc = _auc([score[k] for k in failed], [score[k] for k in rewards if rewards[k] == 1])
        print(
            f"  {rule}: failed among those taken {_share(hits, len(taken))}, lift {lift:.2f}, "
            f"AUC of the number of signals {auc:.2f}"
        )


def _strength(verdict: Verdict) -> int:
    return len(verdict.signals) if verdict.relevant else 0


def _auc(positive: Sequence[int], negative: Sequence[int]) -> float:
    """How often an item of the first kind has more than one of the second; ties count half."""
    return statistics.fmean((a > b) + (a == b) / 2 for a in positive for b in negative)


def _print_refused(items: Sequence[Item], verdicts: Verdicts) -> None:
    refused = [item for item in items if item.is_refused]
    found = sum(verdicts[item.trace_id, "errors"].relevant for item in refused)
    print(f"\nservice dialogues with a booking that came back empty, found by errors: {_share(found, len(refused))}")


def _share(part: int, whole: int) -> str:
    """A share with its 95 % Wilson interval."""
    if not whole:
        return "none"
    z, share = 1.96, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole)) / (1 + z * z / whole)
    return f"{part} of {whole} ({share:.0%}, {max(0.0, middle - half):.0%} to {min(1.0, middle + half):.0%})"


if __name__ == "__main__":
    sys.exit(main())
