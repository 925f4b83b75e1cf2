"""A preview says what the asset would have done: the same openings, closings and messages, day by day."""

from datetime import timedelta

import numpy as np
import pytest

from llma_assets.alerts import Document, Rule, alerts_of, apply, evaluate, preview
from llma_assets.alerts.judging import Decision
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay
from llma_assets_tests.alerts.planted import LAST, MINE, OTHER, plant_days
from llma_assets_tests.alerts.test_day import OPS

DAYS = 9
WEEK = [12, 13, 12, 11, 12, 6, 5]
RULES = {
    "often": Rule("often", "escalating", k=1, min_users=2, again_days=2, cool_down_days=3, channels=("ops",)),
    "new_cluster": Rule("new_cluster", "new_cluster", min_traces=5, min_distance=0.0, channels=("ops",)),
    "regressed": Rule("regressed", "regressed", absent_days=4, channels=("ops",)),
    "gone": Rule("absent", "gone", absent_days=3, channels=("ops",)),
    "errors": Rule("errors", "threshold", measure="error_rate", above=0.1, channels=("ops",)),
    "share": Rule("share", "share_shift", channels=("ops",)),
    "merged": Rule("merged", "merged", channels=("ops",)),
    "parted": Rule("parted", "split", channels=("ops",)),
    "noise": Rule("noisy", "noise", above=0.02, channels=("ops",)),
    "gate": Rule("gate_blocked", "gate_blocked", channels=("ops",)),
}


def plant(database: Database, seed: int) -> None:
    """Six weeks of eight lineages with spikes, absences, one that is new, one that ends in another, missing days."""
    rng = np.random.default_rng(seed)
    names = [f"{letter * 4}-{seed}" for letter in "abcdefgh"]
    counts = {name: [int(each) for each in rng.poisson(np.array(WEEK * 6) * rng.uniform(0.5, 2))] for name in names}
    for name in rng.choice(names[:5], 3, replace=False):
        at, length = int(rng.integers(-DAYS, -3)), int(rng.integers(1, 4))
        counts[name][at : at + length] = [each * int(rng.integers(3, 7)) for each in counts[name][at : at + length]]
    start = int(rng.integers(-DAYS - 4, -8))
    counts[names[5]][start : start + 6] = [0] * 6
    begins = int(rng.integers(-DAYS + 1, -2))
    counts[names[6]][:begins] = [0] * (42 + begins)
    ends = int(rng.integers(-6, -1))
    into = int(rng.integers(0, 3))
    counts[names[7]][ends:] = [0] * -ends
    counts[names[7]][ends - 1] = 60
    counts[names[into]][ends:] = [each + 50 for each in counts[names[into]][ends:]]
    missing = int(rng.integers(-DAYS, -1))
    for series in counts.values():
        series[missing] = 0
    on = LAST + timedelta(days=ends + 1)
    plant_days(
        database, counts, ended={on: {names[7]: names[into]}}, errors={names[1]: 3}, users=400,
        parents={LAST + timedelta(days=begins + 1): {names[6]: names[3]}},
    )  # fmt: skip
    plant_days(database, dict.fromkeys(names, WEEK * 6), team_id=OTHER)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2))
def test_preview_and_judgement_agree(database: Database, seed: int) -> None:
    """All rules are on, and each is previewed: it is corrected for what the others look at."""
    plant(database, seed)
    apply(database, MINE, Document((OPS,), tuple(RULES.values())), "ada", prune=True)
    team = alerts_of(database, MINE)
    done: dict[str, list[object]] = {name: [] for name in team.rules}
    for back in reversed(range(DAYS)):
        team_day = TeamDay(MINE, LAST - timedelta(days=back))
        for decision, _ in evaluate(database, team_day, team, now=team_day.end + timedelta(hours=2)).decisions:
            if decision.verdict in ("opened", "worse", "closed"):
                done[decision.rule].append(known(decision))
    assert sum(map(len, done.values())) > 10, "something happened"
    for name, rule in ((each.rule, each) for each in RULES.values()):
        days = preview(database, TeamDay(MINE, LAST), rule, DAYS, beside=team.enabled)
        assert [known(each) for day in days for each in day.decisions] == done[name], name


def known(decision: Decision) -> object:
    """All that is told of a decision."""
    numbers = dict(decision.numbers)
    return (decision.day, decision.subject, decision.verdict, decision.reason, decision.severity, numbers)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(2, 4))
def test_preview_says_what_is_said(database: Database, seed: int) -> None:
    """Of a rule that is on alone: its messages, with those that wait for the daily digest."""
    plant(database, seed)
    rule = RULES["often"]
    apply(database, MINE, Document((OPS,), (rule,)), "ada", prune=True)
    told = []
    for back in reversed(range(DAYS)):
        team_day = TeamDay(MINE, LAST - timedelta(days=back))
        found = evaluate(database, team_day, alerts_of(database, MINE), now=team_day.end + timedelta(hours=2))
        for _, each, _ in found.messages:
            how = f"in the daily digest, {each.event}" if each.held else each.event
            told.append((team_day.day, f"{how}: {each.headline}. {' '.join(each.facts)}"))
    days = preview(database, TeamDay(MINE, LAST), rule, DAYS)
    assert [(each.day, line) for each in days for line in each.said] == told
    assert len(told) >= 3
