"""Do intervals of `llma verify` hold what was planted, and are planted attributes found? `python -m benchmarks.fixes`.

Pairs of before and after with a known effect: traffic of weekdays, a trend, days that vary more than by chance, rare
and frequent problems, long and short periods. A pair is held if the interval of the difference contains the difference
of the planted rates over the days after. Attributes: fifty of them, ten over-represented in one of eight clusters.
"""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import click
import numpy as np

from llma_assets.insights import Counts, DayRate, distinctions, effect_of

CHANGE = date(2026, 6, 1)
GONE = "gone"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of pair.

    Attributes:
        before, after: days.
        rate: before the change.
        effect: added to the logit of the rate; "gone" for a rate of nothing.
        dispersion: variance of the days, in units of chance alone.
        weekday, trend: how far the logit goes with them.
        traces: a day.
    """

    name: str
    before: int
    after: int
    rate: float
    effect: float | str
    dispersion: float = 1.0
    weekday: float = 0.0
    trend: float = 0.0
    traces: int = 100


KINDS = (
    Kind("nothing happened", 28, 14, 0.1, 0.0),
    Kind("halved, weekdays", 28, 14, 0.1, -0.7, weekday=0.3),
    Kind("halved, weekdays and trend, uneven days", 28, 14, 0.1, -0.7, dispersion=2, weekday=0.3, trend=0.4),
    Kind("halved, rare problem, little traffic", 28, 14, 0.02, -0.7, traces=50),
    Kind("gone, weekdays", 28, 14, 0.1, GONE, weekday=0.3),
    Kind("halved, ten days before and seven after", 10, 7, 0.1, -0.7, traces=60),
    Kind("nothing happened, uneven days", 10, 7, 0.1, 0.0, dispersion=2, traces=60),
    Kind("a third less, long, uneven, trend", 56, 28, 0.05, -0.4, dispersion=2, weekday=0.3, trend=0.4, traces=200),
    Kind("more, frequent problem", 28, 7, 0.3, 0.5, dispersion=1.5, weekday=0.2, traces=40),
    Kind("halved, five days before and four after", 5, 4, 0.2, -0.7, traces=40),
)


def planted_pair(kind: Kind, random: np.random.Generator) -> tuple[list[DayRate], float]:
    """Counts by day, and the true difference of the rates over the days after the change."""
    days, differences, weights = [], [], []
    first = int(random.integers(7))
    for n in range(-kind.before, kind.after):
        season = kind.weekday * np.sin((n + first) * 2 * np.pi / 7)
        logit = np.log(kind.rate / (1 - kind.rate)) + season + kind.trend * n / (kind.before + kind.after)
        whole = int(random.poisson(kind.traces * (1.3 if (n + first) % 7 < 5 else 0.4)))
        expected = float(_rate(logit))
        rate = expected
        if n >= 0:
            rate = 0.0 if isinstance(kind.effect, str) else float(_rate(logit + kind.effect))
            differences.append(rate - expected)
            weights.append(whole)
        drawn = rate
        if kind.dispersion > 1 and 0 < rate < 1 and whole > 1:
            like = (whole - 1) / (kind.dispersion - 1) - 1
            drawn = float(random.beta(rate * like, (1 - rate) * like)) if like > 0 else rate
        days.append(DayRate(CHANGE + timedelta(days=n), int(random.binomial(whole, drawn)), whole))
    return days, float(np.average(differences, weights=weights))


def _rate(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def attributes(random: np.random.Generator, rounds: int) -> tuple[float, float]:
    """Recall of planted attributes, and the share of false ones among those that were said."""
    found_planted, planted_in_all, false, said = 0, 0, 0, 0
    for _ in range(rounds):
        clusters = random.integers(0, 8, 1600)
        sizes = {cluster: int((clusters == cluster).sum()) for cluster in range(8)}
        planted, counts = set(), []
        for number in range(50):
            share = np.full(1600, random.uniform(0.05, 0.4))
            if number < 10:
                home = clusters == number % 8
                share[home] = np.minimum(0.95, share[home] * 2.5 + 0.1)
                planted.add((f"p{number}", number % 8))
            has = random.random(1600) < share
            by_cluster = {cluster: int((has & (clusters == cluster)).sum()) for cluster in range(8)}
            counts.append(Counts(f"p{number}", "yes", by_cluster))
        told = {(each.name, each.cluster_id) for each in distinctions(counts, sizes, {})}
        found_planted += len(told & planted)
        planted_in_all += len(planted)
        false += len(told - planted)
        said += len(told)
    return found_planted / planted_in_all, false / max(1, said)


@click.command()
@click.option("--pairs", type=click.IntRange(1), default=1000, show_default=True, help="Pairs of each kind.")
@click.option("--seed", type=int, default=1, show_default=True)
def main(pairs: int, seed: int) -> None:
    """Print how often intervals hold the truth, by kind of pair, and how many planted attributes are found."""
    random = np.random.default_rng(seed)
    started, held_in_all = time.process_time(), 0
    click.echo("| pairs | interval holds the truth | verdicts |\n|---|--:|---|")
    for kind in KINDS:
        held, verdicts = 0, Counter[str]()
        for _ in range(pairs):
            days, truth = planted_pair(kind, random)
            effect = effect_of(days, CHANGE)
            verdicts[effect.verdict] += 1
            held += effect.low is None or (effect.low <= truth <= (effect.high or 0.0))
        held_in_all += held
        told = ", ".join(f"{name} {count / pairs:.0%}" for name, count in verdicts.most_common())
        click.echo(f"| {kind.name} | {held / pairs:.1%} | {told} |")
    milliseconds = 1000 * (time.process_time() - started) / (pairs * len(KINDS))
    click.echo(
        f"\nOf all: {held_in_all / (pairs * len(KINDS)):.1%}; {milliseconds:.1f} ms of CPU a pair, planting included."
    )
    recall, false = attributes(random, max(1, pairs // 20))
    click.echo(
        f"Attributes, ten planted of fifty, eight clusters: recall {recall:.3f}, false {false:.3f} of those said."
    )


if __name__ == "__main__":
    main()
