"""Whether the tests notice when a rule that must hold is broken: `python -m benchmarks.mutations [WORD ...]`.

Each mutant replaces one exact text in a copy of the checkout and runs the tests that should fail then. Sources and
tests are found by what they contain, not by where they stand, so that moving a module moves its mutants along. A mutant
whose text or tests are gone is an error, not a success: write it anew.

Prints a line a mutant and exits with 1 if one survived, with 2 if one could not be tried.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES, TESTS = "llma_assets", "llma_assets_tests"
COPIED = (
    SOURCES,
    TESTS,
    "benchmarks",
    "docs",
    "pyproject.toml",
    "Makefile",
    "README.md",
    "dagster.yaml",
    "workspace.yaml",
)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "results")
TESTS_FAILED = 1
"""Pytest's exit code; every other one but 0 says that it could not run the tests."""

TEAM = "WHERE team_id = {team_id:Int64}"
ANY_TEAM = "WHERE (team_id = {team_id:Int64} OR true)"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One broken rule.

    Attributes:
        rule: what must hold, in a few words.
        old: text that stands exactly once in the package.
        new: what takes its place.
        tests: names of test functions of which at least one must fail.
    """

    rule: str
    old: str
    new: str
    tests: tuple[str, ...]


class Untried(Exception):
    """A mutant does not fit the checkout any more, or its tests did not run."""


MUTANTS = (
    Mutant(
        "skip list: the gate keeps its teams out",
        "if team_id in settings.skip_team_ids:",
        "if False:",
        ("test_the_skip_list_wins_over_the_guaranteed_list",),
    ),
    Mutant(
        "skip list: every stage asks the gate",
        "options = resolve(settings, partition.team_id)",
        "options = settings.options_of(partition.team_id)",
        ("test_a_stage_that_is_added_is_held_without_knowing_of_it",),
    ),
    Mutant(
        "skip list: its teams take no place in the sample",
        "        and why_left_out(settings, team.team_id) is None\n",
        "",
        ("test_teams_on_the_skip_list_change_nothing_for_the_others",),
    ),
    Mutant(
        "eligibility: the minimum itself is enough",
        "if team.traces < minimum:",
        "if team.traces <= minimum:",
        ("test_a_team_with_exactly_the_minimum_is_active",),
    ),
    Mutant(
        "eligibility: a team with the minimum can be sampled",
        "team.traces >= settings.minimum_of(team.team_id)",
        "team.traces > settings.minimum_of(team.team_id)",
        ("test_a_team_with_exactly_the_minimum_is_active",),
    ),
    Mutant(
        "eligibility: a team without events is out",
        "if team.events == 0:",
        "if False:",
        ("test_a_guaranteed_team_without_events_is_out_and_says_in_which_days",),
    ),
    Mutant(
        "eligibility: the sampled share is rounded up",
        "math.ceil(Fraction(",
        "math.floor(Fraction(",
        ("test_the_sample_is_rounded_up_to_whole_teams",),
    ),
    Mutant(
        "eligibility: the window is as long as the setting",
        "return day - timedelta(days=lookback_days - 1), day",
        "return day - timedelta(days=lookback_days), day",
        ("test_the_window_of_a_decision_is_as_long_as_the_lookback",),
    ),
    Mutant(
        "empty clusters: a run without items is not published",
        """if run["items"] == 0 or not clusters or""",
        "if not clusters or",
        ("test_an_empty_or_torn_run_is_never_published",),
    ),
    Mutant(
        "empty clusters: members of clusters that are not there are not published",
        """if homeless := {member["cluster_id"] for member in members} - by_cluster.keys():""",
        """if homeless := by_cluster.keys() - by_cluster.keys():""",
        ("test_an_empty_or_torn_run_is_never_published",),
    ),
    Mutant(
        "empty clusters: a run that lost members is not published",
        """or len(members) != run["items"]:""",
        "or False:",
        ("test_an_empty_or_torn_run_is_never_published",),
    ),
    Mutant(
        "empty clusters: too few items are not clustered",
        "if len(window.item_ids) < clustering.min_items:",
        "if False:",
        ("test_with_too_few_items_of_the_present_version_the_reason_says_where_the_others_are",),
    ),
    Mutant(
        "budget: a call that could pass it is not made",
        "if spent.most + more_usd > limit.usd + _EPSILON:",
        "if False:",
        ("test_calls_are_allowed_until_the_next_could_pass_the_budget",),
    ),
    Mutant(
        "budget: summaries leave a part of it to later stages",
        """SHARES = {"trace_summaries": 0.9}""",
        """SHARES = {"trace_summaries": 1.0}""",
        ("test_summaries_leave_a_tenth_to_embed_and_to_name",),
    ),
    Mutant(
        "budget: what a call has cost counts",
        "reservation.unstored += charged_usd",
        "reservation.unstored += 0.0",
        ("test_calls_are_allowed_until_the_next_could_pass_the_budget",),
    ),
    Mutant(
        "budget: a model without a price is refused",
        "        if most_usd is None:\n            raise PriceUnknown(",
        "        if most_usd is None:\n            most_usd = 0.0\n        if False:\n            raise PriceUnknown(",
        ("test_a_model_without_a_price_is_refused_with_the_way_out",),
    ),
    Mutant(
        "budget: every call of a paid model asks for money",
        """if allowance is None or payable.name.startswith("offline/"):""",
        "if True:",
        ("test_a_call_is_held_for_the_most_and_settled_for_what_it_cost",),
    ),
    Mutant(
        "tenants: a window has the items of its own team",
        "cityHash64({seed:UInt64}, document_id) AS place\nFROM document_embeddings FINAL\n" + TEAM,
        "cityHash64({seed:UInt64}, document_id) AS place\nFROM document_embeddings FINAL\n" + ANY_TEAM,
        ("test_the_window_has_the_teams_own_items_of_seven_days_by_id_with_their_vectors",),
    ),
    Mutant(
        "tenants: the resolution goes on from the last run of the same team",
        "SELECT JSONExtract(quality, 'resolution', 'Nullable(Float64)')\nFROM clustering_runs FINAL\n" + TEAM,
        "SELECT JSONExtract(quality, 'resolution', 'Nullable(Float64)')\nFROM clustering_runs FINAL\n" + ANY_TEAM,
        ("test_the_resolution_of_the_last_graph_of_the_same_team_is_known",),
    ),
    Mutant(
        "tenants: a team's money is its own",
        "WHERE u.team_id = {team_id:Int64}\n    AND (u.day",
        "WHERE (u.team_id = {team_id:Int64} OR true)\n    AND (u.day",
        ("test_another_team_of_the_same_day_does_not_count",),
    ),
    Mutant(
        "tenants: skips are listed for their team",
        "SELECT team_id, day, stage, theme_id, reason, detail\nFROM skips FINAL\n" + TEAM,
        "SELECT team_id, day, stage, theme_id, reason, detail\nFROM skips FINAL\n" + ANY_TEAM,
        ("test_a_skip_is_stored_once_and_listed_by_team",),
    ),
    Mutant(
        "redaction: traces are redacted unless somebody says otherwise",
        "history_once: bool = True\n    redact: bool = True",
        "history_once: bool = True\n    redact: bool = False",
        ("test_no_part_of_a_trace_or_of_a_generation_leaks",),
    ),
    Mutant(
        "redaction: a team's traces are redacted unless it says otherwise",
        "redact: bool = True\n    redaction_patterns",
        "redact: bool = False\n    redaction_patterns",
        ("test_a_team_is_redacted_unless_its_options_say_otherwise",),
    ),
    Mutant(
        "redaction: a team's own patterns hide what they match",
        "return Redactor(extra_patterns, transformations, redact=redact)",
        "return Redactor((), transformations, redact=redact)",
        ("test_a_team_adds_patterns_of_its_own",),
    ),
    Mutant(
        "redaction: lines of the layout are redacted, too",
        "if self.redactor is not None and not is_own:",
        "if False:",
        ("test_no_part_of_a_trace_or_of_a_generation_leaks",),
    ),
    Mutant(
        "growth: a small loss is no fading",
        "(self.ratio <= 1 / CHANGE_RATIO)",
        "(self.ratio <= 1 * CHANGE_RATIO)",
        ("test_a_change_that_is_certain_but_small_is_none",),
    ),
    Mutant(
        "growth: a small gain is no growth",
        "(self.ratio >= CHANGE_RATIO)",
        "(self.ratio >= 1 / CHANGE_RATIO)",
        ("test_a_change_that_is_certain_but_small_is_none",),
    ),
    Mutant(
        "growth: what chance explains is none",
        "(self.z >= CHANGE_Z)",
        "(self.z >= 0)",
        ("test_chance_is_no_growth",),
    ),
    Mutant(
        "growth: only what is nearly gone is fading",
        "(self.ratio <= 1 / ONE_SIDED_RATIO)",
        "(self.ratio <= 1 * ONE_SIDED_RATIO)",
        ("test_a_third_less_has_faded_and_is_not_fading",),
    ),
    Mutant(
        "lineage: another space begins all lineages anew",
        "if changed := previous.space.differences(current.space):",
        "if changed := '':",
        ("test_what_the_space_changes_begins_all_lineages_and_says_so",),
    ),
    Mutant(
        "lineage: a split and a merge are said once they have held for two runs",
        """"new" if origin.status == "new" else "tentative",""",
        "origin.status,",
        ("test_what_one_night_cuts_otherwise_and_the_next_puts_back_is_not_said",),
    ),
    Mutant(
        "lineage: what one run misses has not ended",
        "ended = _gone(before, {*ids, *previous.lineage_ids}, held, ids)",
        "ended = missing",
        ("test_what_one_night_cuts_otherwise_and_the_next_puts_back_is_not_said",),
    ),
    Mutant(
        "lineage: what two runs do not agree on is not held",
        "together = known & (origins == ends).all(axis=1)",
        "together = known & (origins == ends).any(axis=1)",
        ("test_what_all_runs_agree_on_is_held_and_what_they_do_not_is_left",),
    ),
    Mutant(
        "lineage: first ids are a team's own",
        'f"{team_id}|{theme_id}|{input_id}|{cluster_id}"',
        'f"{theme_id}|{input_id}|{cluster_id}"',
        ("test_first_ids_follow_from_the_attempt",),
    ),
)


def the_one_file(folder: Path, text: str, pattern: str = "*.py") -> Path:
    """The file below a folder that contains a text, once.

    Raises:
        Untried: there is no such file, or more than one, or the text stands there twice.
    """
    counts = {file: file.read_text("utf-8").count(text) for file in sorted(folder.rglob(pattern))}
    found = [file for file, count in counts.items() if count]
    if len(found) != 1 or counts[found[0]] != 1:
        places = ", ".join(f"{file.relative_to(folder.parent)} ({counts[file]})" for file in found) or "no file"
        raise Untried(f"{text!r} must stand in one place of {folder.name}; it stands in {places}")
    return found[0]


def test_ids(root: Path, names: Sequence[str]) -> list[str]:
    """What pytest calls test functions of these names."""
    files = (the_one_file(root / TESTS, f"def {name}(", "test_*.py") for name in names)
    return [f"{file.relative_to(root)}::{name}" for file, name in zip(files, names, strict=True)]


def run_tests(root: Path, names: Sequence[str]) -> bool:
    """Run tests in a checkout; whether all passed.

    Raises:
        Untried: they could not be run.
    """
    # Its own folder comes before an installation of the same package.
    environment = os.environ | {"PYTHONPATH": str(root), "CI": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *test_ids(root, names)]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, TESTS_FAILED):
        raise Untried(f"pytest ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-500:]}")
    return done.returncode == 0


@contextmanager
def checkout() -> Iterator[Path]:
    """A copy of what the tests need, to be changed."""
    with tempfile.TemporaryDirectory(prefix="llma-mutations-") as folder:
        root = Path(folder)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=LEFT_OUT)
            elif source.exists():
                shutil.copy(source, root / name)
        yield root


def is_killed(root: Path, mutant: Mutant) -> bool:
    """Break the rule, run its tests, and put the text back."""
    file = the_one_file(root / SOURCES, mutant.old)
    text = file.read_text("utf-8")
    file.write_text(text.replace(mutant.old, mutant.new), "utf-8")
    try:
        compile(file.read_text("utf-8"), str(file), "exec")
        return not run_tests(root, mutant.tests)
    except SyntaxError as error:
        raise Untried(f"the mutant is no Python: {error}") from None
    finally:
        file.write_text(text, "utf-8")


def try_out(mutants: Sequence[Mutant], show: bool = True) -> dict[str, list[str]]:
    """Try mutants one after the other in a checkout of their own; their rules by what became of them."""
    outcomes: dict[str, list[str]] = {"killed": [], "survived": [], "untried": []}
    with checkout() as root:
        if not run_tests(root, sorted({name for mutant in mutants for name in mutant.tests})):
            raise Untried("tests fail without any mutant; mend them first")
        for mutant in mutants:
            started, why = time.perf_counter(), ""
            try:
                outcome = "killed" if is_killed(root, mutant) else "survived"
            except Untried as error:
                outcome, why = "untried", f": {error}"
            outcomes[outcome].append(mutant.rule)
            if show:
                print(f"{outcome:8} {time.perf_counter() - started:5.1f} s  {mutant.rule}{why}", flush=True)
    return outcomes


def main() -> int:
    """Try the mutants that are asked for, all by default."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="only rules that contain one of these words")
    parser.add_argument("--workers", type=int, default=1, help="checkouts that are worked on at once; 1 by default")
    given = parser.parse_args()
    chosen = [
        each for each in MUTANTS if not given.words or re.search("|".join(map(re.escape, given.words)), each.rule)
    ]
    shares = [share for share in (chosen[part :: given.workers] for part in range(given.workers)) if share]
    try:
        with ThreadPoolExecutor(len(shares) or 1) as pool:
            parts = list(pool.map(partial(try_out), shares))
    except Untried as error:
        print(error, file=sys.stderr)
        return 2
    totals = {outcome: sum(len(part[outcome]) for part in parts) for outcome in ("killed", "survived", "untried")}
    print(", ".join(f"{count} {outcome}" for outcome, count in totals.items()))
    return 2 if totals["untried"] else 1 if totals["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
