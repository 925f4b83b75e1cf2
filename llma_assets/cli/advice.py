"""What to do about each reason of a skip: one line, shown by `llma skips` and `llma clusters`.

The reasons themselves are defined where they are recorded; a reason without an entry here needs no advice.
"""

from collections.abc import Iterable, Iterator

ADVICE = {
    "below_minimum": "`minimum_traces` of teams.toml is the minimum; a team in `guaranteed_team_ids` needs none",
    "no_recent_events": "`llma ingest FILE` brings events; `llma doctor` checks the table that holds them",
    "skipped": "the team is in `skip_team_ids` of teams.toml",
    "not_sampled": "`sample_percentage` of teams.toml says how many of the active teams take part",
    "no_themes": "`llma themes enable THEME` switches one on",
    "too_few_items": "`clustering.min_items` of the theme is the minimum; a longer `lookback_days` finds more",
    "no_items": "no item of the window has a vector: `llma themes funnel` shows at which stage they were left out",
    "nothing_matches": "`llma themes preview` counts what each filter matches",
    "nothing_sampled": "`sample_rate` of the theme is small; `llma themes preview` shows what it would select",
    "rule_left_nothing": "the theme's rule left out all items; `llma themes try` shows its verdict on a sample",
    "outside_dates": "`first_day` and `last_day` of the theme exclude this date",
    "budget": "`daily_budget_usd` is used up; `llma usage` shows what was spent, a later run continues",
    "run_deadline": "the run reached its deadline; `llma run` continues where it stopped",
    "circuit_open": "the model server did not answer; `llma doctor` tests it, `llma run` continues",
    "batch_waiting": "the batches have not ended; `llma run` reads their answers once they have",
    "failed": "the detail says what failed; `llma run` repeats only what is missing",
}


def advice_for(reasons: Iterable[str]) -> Iterator[str]:
    """A line for each of these reasons that has advice, each once."""
    for reason in dict.fromkeys(reasons):
        if reason in ADVICE:
            yield f"{reason}: {ADVICE[reason]}"
