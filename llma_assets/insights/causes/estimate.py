"""What asking for causes will take, without calling a model."""

import math
from dataclasses import replace

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, NOISE_LABEL, clusters_of, committed_run
from llma_assets.insights.causes.evidence import TEXT_CHARS, TRACES, Evidence
from llma_assets.insights.causes.partition import MOST_CLUSTERS, STAGE, asked_by, spent_on_causes
from llma_assets.insights.causes.prompt import causes_messages, judging_messages
from llma_assets.insights.causes.queries import TEXT_LENGTH
from llma_assets.insights.causes.schema import CauseItems, Judgements
from llma_assets.insights.causes.store import asked_already, causes_before
from llma_assets.ledger import Forecast, past_calls
from llma_assets.models import answer_limit, chat_tokens, most_usd_of_chat
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme

CALLS_A_CLUSTER = 2
"""A question, and one that judges its answer."""

CHARS_A_TOKEN = 4
ANSWER_TOKENS = 350
"""Tokens of three causes with their lines, or of their judgement and the lines that are shown for it."""


def forecast_causes(
    database: Database, team_day: TeamDay, theme: Theme, model: str, *, clusters: int, is_new: bool
) -> Forecast:
    """Estimate calls and tokens of asking for the causes of a theme's clusters; of a theme that asks for them.

    Args:
        model: name of the chat model.
        clusters: how many there will be.
        is_new: whether some of their items are not there yet, so that the stored clusters will change.
    """
    run, done = committed_run(database, team_day, theme.theme_id), 0
    if run is not None and run.items and not is_new:
        shown = [row for row in clusters_of(database, run) if row["disclosure"] == FULL]
        real = [row for row in shown if row["cluster_id"] != NOISE_LABEL]
        wanted = sorted(real, key=lambda row: -row["size"])[:MOST_CLUSTERS]
        asked_with = asked_by(theme, model)
        asked, before = asked_already(database, run, asked_with), causes_before(database, run, asked_with)
        done = sum(row["cluster_id"] in asked or row["lineage_id"] in before for row in wanted)
        items, basis = len(wanted) - done, f"the clusters of {team_day.day}"
    else:
        items, basis = min(clusters, MOST_CLUSTERS), "all clusters counted as new: what is known of a lineage is kept"
    if model.startswith("offline/") or not items:
        basis = "the offline model is not asked" if items else "there is nothing to ask about"
        return Forecast(STAGE, theme.theme_id, model, 0, done, 0, 0, 0, basis)
    calls = items * CALLS_A_CLUSTER
    read = _read_tokens(database, team_day, theme)
    nothing = Evidence(0, "", "", 0, ())
    question, judging = causes_messages(nothing, theme.causes_prompt), judging_messages((), nothing)
    past = past_calls(database, team_day.team_id, stage=STAGE, theme_id=theme.theme_id, model=model)
    if past is not None:
        input_tokens, output_tokens = past.input_tokens / past.calls * calls, past.output_tokens / past.calls * calls
        basis = f"{basis}; tokens as in the last {past.calls:,} calls"
    else:
        fixed = chat_tokens(model, question, CauseItems) + chat_tokens(model, judging, Judgements)
        input_tokens = items * (fixed + read + ANSWER_TOKENS)
        output_tokens = calls * ANSWER_TOKENS
        basis = f"{basis}; {read:,} tokens of traces for each, because there are no earlier calls"
    found = Forecast(STAGE, theme.theme_id, model, items, done, calls, round(input_tokens), round(output_tokens), basis)
    if theme.causes_budget_usd is None or found.cost_usd is None:
        return found
    texts = [*(message.text for message in question), "x" * read * CHARS_A_TOKEN]
    request = {
        "messages": [{"content": text} for text in texts],
        "max_tokens": answer_limit(model),
        "response_format": CauseItems.model_json_schema(),
    }
    left_usd = theme.causes_budget_usd - spent_on_causes(database, team_day, theme)
    return _that_fit(found, left_usd, most_usd_of_chat(model, request) or 0.0, theme.causes_budget_usd)


def _that_fit(found: Forecast, left_usd: float, most_usd: float, limit_usd: float) -> Forecast:
    """What is left of the budget is asked for: a cluster is begun where all that its question can cost is left.

    Args:
        left_usd: of the budget for causes.
        most_usd: what one question can cost.
        limit_usd: the budget.
    """
    one_usd = (found.cost_usd or 0.0) / found.items
    fit = math.floor((left_usd - most_usd) / one_usd) + 1 if left_usd >= most_usd else 0
    items = min(found.items, fit)
    share = items / found.items
    basis = f"{found.basis}; {max(left_usd, 0):.4f} of {limit_usd:g} USD of causes_budget_usd are left"
    if items < found.items:
        basis += f", which is enough for {items} of {found.items} clusters"
    return replace(
        found,
        items=items,
        calls=items * CALLS_A_CLUSTER,
        input_tokens=round(found.input_tokens * share),
        output_tokens=round(found.output_tokens * share),
        basis=basis,
    )


def _read_tokens(database: Database, team_day: TeamDay, theme: Theme) -> int:
    """Tokens of the traces that are read about a cluster, from the texts of the day."""
    given = {"team_id": team_day.team_id, "day": team_day.day, "level": theme.level, "most": TEXT_CHARS}
    return round(TRACES * float(database.value(TEXT_LENGTH, **given) or 0.0) / CHARS_A_TOKEN)
