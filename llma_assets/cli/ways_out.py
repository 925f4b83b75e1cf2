"""What to do about a reason for which there is nothing: a line each, for whoever reads `llma skips` or `llma clusters`.

Which reasons there are is decided where they are recorded; one that is not here explains itself.
"""

from collections.abc import Iterable, Iterator

WAYS_OUT = {
    "below_minimum": "`minimum_traces` of teams.toml is the least; a team of `guaranteed_team_ids` needs none",
    "no_recent_events": "`llma ingest FILE` brings events; `llma doctor` looks at the table that they are read from",
    "skipped": "the team is in `skip_team_ids` of teams.toml",
    "not_sampled": "`sample_percentage` of teams.toml says how many of the active teams take part",
    "no_themes": "`llma themes enable THEME` switches one on",
    "too_few_items": "`clustering.min_items` of the theme is the least; a longer `lookback_days` finds more",
    "no_items": "no item of the window has a vector: the stages before say why, `llma themes funnel` how many",
    "nothing_matches": "`llma themes preview` counts what each filter matches",
    "nothing_sampled": "`sample_rate` of the theme is small; `llma themes preview` shows what it would take",
    "rule_left_nothing": "the theme's rule left all out; `llma themes try` shows what it says of some",
    "outside_dates": "`first_day` and `last_day` of the theme say so",
    "budget": "`daily_budget_usd` allows no more; `llma usage` shows what was spent, a later run goes on",
    "run_deadline": "the run's time was up; `llma run` goes on where it stopped",
    "circuit_open": "the model server did not answer; `llma doctor` asks it, `llma run` goes on",
    "batch_waiting": "the batches have not ended; `llma run` takes what they brought",
    "failed": "what failed is in the detail; `llma run` does only what is missing",
}


def ways_out(reasons: Iterable[str]) -> Iterator[str]:
    """A line for each of these reasons that there is a way out of, each once."""
    for reason in dict.fromkeys(reasons):
        if reason in WAYS_OUT:
            yield f"{reason}: {WAYS_OUT[reason]}"
