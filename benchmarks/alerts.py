"""Alerts on a planted year: precision, recall and delay of each kind, messages a week, speed; and killed deliveries.

python benchmarks/alerts.py            # the planted years and speed
python benchmarks/alerts.py --first-seed 5000 --years 30    # years that no threshold was chosen by
python -m benchmarks.alerts --teams 1000
python benchmarks/alerts.py --kills 200
"""

import argparse
import base64
import os
import signal
import threading
import time
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import numpy as np

from llma_assets.alerts import (
    SHIPPED,
    AlertedTeam,
    Channel,
    Document,
    Message,
    Rule,
    alert_team_day,
    alert_teams,
    apply,
    deliver,
    deliveries,
    put,
    teams_with_rules,
)
from llma_assets.alerts.judging.history import History
from llma_assets.alerts.judging.replay import replay, replay_together
from llma_assets.clickhouse import Database, connect, status, stop
from llma_assets.settings import Settings
from llma_assets.team_day import TeamDay
from llma_assets.testing import SlackWebhookServer, WebhookServer
from llma_assets_tests.alerts.planted import LAST, plant_days

DAYS, LINEAGES, SPIKES, NEW, REGRESSIONS, ERRORS = 365, 30, 12, 6, 4, 6
WEEKDAYS = np.array([1.0, 1.05, 1.1, 1.05, 0.95, 0.45, 0.4])
GRACE = 3
"""An alarm so many days after the start still finds what was planted."""


def planted_year(seed: int, factor: float | None = 3.0) -> tuple[History, dict[str, list[tuple[int, int, int]]]]:
    """A year of 30 lineages and what was planted: by kind, (lineage, first day, last day).

    Args:
        factor: of the spikes; None draws one from 3 to 8 for each.
    """
    rng = np.random.default_rng(seed)
    t = np.arange(DAYS)
    base = np.exp(rng.normal(np.log(18), 0.8, LINEAGES)).clip(6, 150)
    growth = np.exp(rng.choice([0.5, 1.0, 1.5]) * t / DAYS)  # the team grows to 1.6 to 4.5 times
    season = WEEKDAYS[t % 7]
    drift = np.exp(rng.normal(0, 0.15, LINEAGES)[:, None] * t / DAYS)
    rate = base[:, None] * growth * season * drift
    launch = int(rng.integers(120, 300))
    rate[:, launch] *= 4
    rate[:, launch + 1 : launch + 4] *= 1.6
    truth: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    order = rng.permutation(LINEAGES)
    new, back, rest = order[:NEW], order[NEW : NEW + REGRESSIONS], order[NEW + REGRESSIONS :]
    began = np.full(LINEAGES, -60)
    for row in new:
        began[row] = int(rng.integers(60, 340))
        rate[row, : began[row]] = 0
        truth["new_cluster"].append((row, began[row], began[row] + 6))
    for row in back:
        start = int(rng.integers(80, 250))
        end = start + int(rng.integers(20, 60))
        rate[row, start:end] = 0
        truth["regressed"].append((row, end, end + 6))
    spiked = rng.choice(rest, SPIKES, replace=False)
    for row in spiked:
        start, length = int(rng.integers(40, 355)), int(rng.integers(1, 6))
        rate[row, start : start + length] *= rng.uniform(3, 8) if factor is None else factor
        truth["escalating"].append((row, start, start + length - 1))
    # Days stray more than Poisson: some lineages come in bursts.
    stray = rng.choice([0.0, 0.1, 0.2], LINEAGES)
    noisy = rate * np.exp(rng.normal(0, 1, rate.shape) * stray[:, None] - stray[:, None] ** 2 / 2)
    counts = rng.poisson(noisy).astype(float)
    for missing in rng.choice(np.arange(20, DAYS), 6, replace=False):
        counts[:, missing] = np.nan
    names = tuple(f"lineage-{row}" for row in range(LINEAGES))
    # Errors are drawn last, so that the years before them stay what they were.
    failing = np.repeat(rng.uniform(0.02, 0.08, LINEAGES)[:, None], DAYS, axis=1)
    busy = sorted(rest, key=lambda row: -rate[row].mean())[: 2 * ERRORS]  # the rule asks for 20 traces a day
    for row in rng.choice(busy, ERRORS, replace=False):
        start, length = int(rng.integers(40, 355)), int(rng.integers(2, 6))
        failing[row, start : start + length] = rng.uniform(0.4, 0.8)
        truth["error_rate"].append((row, start, start + length - 1))
    errors = rng.binomial(np.nan_to_num(counts).astype(int), failing).astype(float)
    for row, end, _ in truth["regressed"]:
        start = int(np.flatnonzero(rate[row, :end] > 0)[-1]) + 1
        truth["gone"].append((row, start + 13, end - 1))
        truth["share_shift"].append((row, start, end - 1))
    truth["share_shift"] += truth["escalating"]
    return History.of_counts(date(2026, 1, 5), names, counts, began=began, errors=errors), truth


RULES = {
    **{rule.rule: replace(rule, enabled=True) for rule in SHIPPED.values() if rule.kind != "gate_blocked"},
    "gone": Rule("gone", "gone"),
    "share_shift": Rule("share_shift", "share_shift", min_traces=10, min_users=3),
}
SHIPPING = ("new_cluster", "escalating", "error_rate", "regressed")


def judged(
    histories: list[History], rules: dict[str, Rule], *, together: bool = True
) -> dict[tuple[int, str], list[tuple[int, int]]]:
    """By theme and rule the openings: (lineage, day); corrected over all of them, or over each by itself."""
    pairs = [(number, name) for number in range(len(histories)) for name in rules]
    groups = [pairs] if together else [[each] for each in pairs]
    found: dict[tuple[int, str], list[tuple[int, int]]] = {each: [] for each in pairs}
    for group in groups:
        works = [(rules[name], histories[number]) for number, name in group]
        for t, decided in replay_together(works, 28, DAYS - 1):
            for pair, (_, history), decisions in zip(group, works, decided, strict=True):
                opened = [each.subject for each in decisions if each.verdict == "opened"]
                found[pair] += [(history.lineage_ids.index(each), t) for each in opened]
    return found


def scored(truth: list[tuple[int, int, int]], opened: list[tuple[int, int]]) -> tuple[int, int, int, list[int]]:
    """How many planted were found, how many there were, false alarms, delays in days."""
    delays, used = [], set()
    for row, start, end in truth:
        hits = [t for at, t in opened if at == row and start <= t <= end + GRACE]
        if hits:
            delays.append(min(hits) - start)
            used |= {(row, t) for t in hits}
    return len(delays), len(truth), len([each for each in opened if each not in used]), delays


def report(years: int, factor: float | None, first: int, rules: dict[str, Rule]) -> None:
    """Print the sums over some years, each of a team of one theme."""
    sums: dict[str, list] = {kind: [0, 0, 0, []] for kind in rules}
    for seed in range(first, first + years):
        history, truth = planted_year(seed, factor)
        for (_, kind), opened in judged([history], rules).items():
            sums[kind] = [was + more for was, more in zip(sums[kind], scored(truth[kind], opened), strict=True)]
    messages = sum(hit + false for kind, (hit, _, false, _) in sums.items() if kind in SHIPPING)
    print(f"\n{years} years, spikes of {f'{factor:g}' if factor else '3 to 8'} times")
    print("| kind | planted | found | recall | false | precision | false a month | median delay, days |")
    print("|---|---|---|---|---|---|---|---|")
    for kind, (hit, planted, false, delays) in sums.items():
        precision = hit / (hit + false) if hit + false else float("nan")
        print(
            f"| {kind} | {planted} | {hit} | {hit / planted:.2f} | {false} | {precision:.2f} | "
            f"{false / years / 12:.2f} | {np.median(delays):.0f} |"
        )
    print(f"openings a week of the rules that ship: {messages / years / 52:.2f}")


THEMES = 5


def of_teams(number: int, first: int) -> None:
    """Teams of five themes, rules escalating and error_rate: corrected by theme and rule, and over the team."""
    rules = {name: RULES[name] for name in ("escalating", "error_rate")}
    print(f"\n{number} teams of {THEMES} themes for a year, spikes of 3 times; a month is one of a team")
    for together in (False, True):
        sums = [0, 0, 0, []]
        for team in range(number):
            years = [planted_year(first + team * THEMES + theme) for theme in range(THEMES)]
            found = judged([history for history, _ in years], rules, together=together)
            for (theme, kind), opened in found.items():
                if kind == "escalating":
                    sums = [was + more for was, more in zip(sums, scored(years[theme][1][kind], opened), strict=True)]
        hit, planted, false, _ = sums
        print(
            f"{'over the team' if together else 'over each theme'}: escalating precision {hit / (hit + false):.3f}, "
            f"recall {hit / planted:.3f}, {false / number / 12:.2f} false a month"
        )


def grown(years: int, first: int) -> None:
    """Count alarms of years in which nothing happens but growth, weekdays, launches and missing days."""
    false = 0
    for seed in range(first, first + years):
        history, _ = planted_year(seed, factor=1.0)
        false += sum(
            each.verdict == "opened"
            for _, decisions in replay(RULES["escalating"], history, 28, DAYS - 1)
            for each in decisions
        )
    print(f"\nescalating in {years} years without a spike: {false} alarms, {false / years / 12:.2f} a month")


def speed() -> None:
    """150 series of 365 days."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(20, (150, 365)).astype(float)
    history = History.of_counts(date(2026, 1, 1), tuple(map(str, range(150))), counts)
    started = time.process_time()
    for _ in replay(RULES["escalating"], history, 0, 364):
        pass
    print(f"\n150 series x 365 days: {time.process_time() - started:.1f} s of CPU")


COPIED = (
    "clustering_runs", "clusters", "cluster_members", "cluster_labels", "trace_texts", "theme_items",
    "trace_summaries", "document_embeddings",
)  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")


def teams(number: int, *, also_alone: bool) -> None:
    """An evaluation of one day for many teams: five weeks of six lineages each, the rules that ship switched on.

    The rows of one team are planted and copied by the server. CPU of this process and of the server, added up.
    """
    quiet = [12, 13, 12, 11, 12, 6, 5] * 5
    counts = {f"{name * 4}-quiet": [each // 2 for each in quiet] for name in "bcdef"}
    rules = [replace(rule, enabled=True) for rule in SHIPPED.values()]
    with TemporaryDirectory() as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        with connect(settings) as database:
            plant_days(database, {"aaaa-spike": [*quiet[:-1], 60], **counts})
            for table in COPIED:
                database.execute(
                    f"INSERT INTO {table} SELECT t.* REPLACE (toInt64(copies.n) AS team_id) FROM {table} AS t "
                    f"CROSS JOIN (SELECT number + 2 AS n FROM numbers({number - 1})) AS copies WHERE t.team_id = 1"
                )
            for team_id in range(1, number + 1):
                apply(database, team_id, Document(rules=tuple(rules)), "bench")
            running = status(Path(folder))
            pid = running.pid if running else 0
            now = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC) + timedelta(hours=6)
            day_of = {each: TeamDay(each, LAST) for each in range(1, number + 1)}

            def together() -> int:
                known = teams_with_rules(database)
                wanted = [AlertedTeam(known[team_id]) for team_id in day_of]
                done = list(alert_teams(database, LAST, wanted, clock=lambda: now))
                assert len(done) == number
                return sum(each.items for _, each in done)

            def alone() -> int:
                return sum(alert_team_day(database, each, clock=lambda: now).items for each in day_of.values())

            print(f"\n{number} teams, a day:")
            decided = []
            for name, work in (("together", together), *((("one by one", alone),) if also_alone else ())):
                before = time.process_time(), _cpu_of(pid)
                items = work()
                own, server = time.process_time() - before[0], _cpu_of(pid) - before[1]
                opened = database.value("SELECT count() FROM alert_incidents FINAL")
                print(
                    f"{name}: {own + server:.1f} s of CPU, {own:.1f} s here and {server:.1f} s in the server; ", end=""
                )
                print(f"{items} decisions, {opened} incidents")
                decided.append(database.rows("SELECT * EXCEPT (inserted_at) FROM alert_decisions FINAL ORDER BY ALL"))
            print(f"the same decisions: {all(each == decided[0] for each in decided)}")
        stop(Path(folder))


def _cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used; Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


POINTS = ("before alert_claims", "after alert_claims", "before alert_attempts", "after alert_attempts", "while sending")


def kills(times: int) -> None:
    """Processes that are killed by SIGKILL at a line between claim, send and store; then one that is not.

    Every other message goes to a channel that takes a key (a signed webhook), the others to one that does not (the
    address of a Slack webhook).
    """
    secret = "whsec_" + base64.b64encode(b"k" * 32).decode()
    os.environ |= {"LLMA_ALERTS_S": secret, "LLMA_ALERTS_PRIVATE_HOSTS": "127.0.0.1"}
    channels = {
        "keyed": Channel("keyed", "webhook", address_env="LLMA_ALERTS_U", secret_env="LLMA_ALERTS_S"),
        "plain": Channel("plain", "slack_webhook", address_env="LLMA_ALERTS_P"),
    }
    moment = [datetime.now(UTC)]
    with TemporaryDirectory() as folder:
        settings = Settings.from_env({"LLMA_DATA_DIR": folder})
        with connect(settings) as database:
            database.close()
            with (
                WebhookServer(secret, clock=lambda: datetime.timestamp(moment[0])) as keyed,
                SlackWebhookServer() as plain,
            ):
                os.environ |= {"LLMA_ALERTS_U": keyed.address, "LLMA_ALERTS_P": plain.address}
                for number in range(times):
                    message = Message("opened", 1, "2026-11-22", f"Number {number}", incident_id=str(uuid4()))
                    put(database, moment[0], [(("keyed", "plain")[number % 2], message, moment[0])])
                    database.close()
                    pid = os.fork()
                    if not pid:
                        _die(settings, channels, moment[0], POINTS[number % len(POINTS)])
                    os.waitpid(pid, 0)
                    moment[0] += timedelta(minutes=6)  # past the lease
                    deliver(database, 1, channels, clock=lambda: moment[0])
                    moment[0] += timedelta(minutes=1)
                moment[0] += timedelta(days=1)
                deliver(database, 1, channels, clock=lambda: moment[0])
                found = deliveries(database, 1, moment[0])
                said = {
                    "keyed": [hook.body["data"]["headline"] for hook in keyed.taken],
                    "plain": [hook.body["text"] for hook in plain.taken],
                }
            twice = sum(count > 1 for count in keyed.seen.values())
        stop(Path(folder))
    print(f"\n{times} kills; {twice} messages were sent twice under one key")
    for name, arrived in said.items():
        wanted = sum(each.channel == name for each in found)
        states = Counter(each.state for each in found if each.channel == name)
        first = [int(each.split()[1]) for each in dict.fromkeys(arrived)]
        print(
            f"{name}: {len(set(arrived))} of {wanted} messages arrived, {len(arrived) - len(set(arrived))} of them "
            f"once more; in order: {first == sorted(first)}; states {dict(states)}"
        )


def _die(settings: Settings, channels: dict[str, Channel], now: datetime, point: str) -> None:
    """Deliver in this process, and kill it at a point."""
    when, table = point.split()

    class Dying(Database):
        def insert_rows(self, name: str, rows: Any, *, once: str = "") -> None:
            if (when, table) == ("before", name):
                os.kill(os.getpid(), signal.SIGKILL)
            if when == "while" and name == "alert_claims":
                # The request is under way when the process ends.
                threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGKILL)).start()
            super().insert_rows(name, rows, once=once)
            if (when, table) == ("after", name):
                os.kill(os.getpid(), signal.SIGKILL)

    with connect(settings) as opened:
        deliver(Dying(opened._client, opened.name, "events"), 1, channels, clock=lambda: now)
    os._exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=0, help="0 to 15 are those that thresholds were chosen by")
    parser.add_argument("--teams", type=int, default=0)
    parser.add_argument("--alone", action="store_true", help="judge each team by itself, too")
    parser.add_argument("--kills", type=int, default=0)
    given = parser.parse_args()
    if given.teams:
        teams(given.teams, also_alone=given.alone)
        raise SystemExit
    if given.kills:
        kills(given.kills)
        raise SystemExit
    for factor in (2.0, 3.0, None):
        named = RULES if factor == 3 else {name: RULES[name] for name in ("escalating", "error_rate")}
        report(given.years, factor, given.first_seed, named)
    of_teams(given.years // THEMES, given.first_seed)
    grown(given.years, given.first_seed)
    speed()
