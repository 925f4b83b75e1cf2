"""What asking for causes will take, without calling a model."""

from llma_assets.clickhouse import Database
from llma_assets.clusters import FULL, NOISE_LABEL, clusters_of, committed_run
from llma_assets.insights.causes.evidence import TEXT_CHARS, TRACES, Evidence
from llma_assets.insights.causes.partition import MOST_CLUSTERS, STAGE, asked_by
from llma_assets.insights.causes.prompt import causes_messages, judging_messages
from llma_assets.insights.causes.queries import TEXT_LENGTH
from llma_assets.insights.causes.schema import CauseItems, Judgements
from llma_assets.insights.causes.store import asked_already, causes_before
from llma_assets.ledger import Forecast, past_calls
from llma_assets.models import chat_tokens
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
    past = past_calls(database, team_day.team_id, stage=STAGE, theme_id=theme.theme_id, model=model)
    if past is not None:
        input_tokens, output_tokens = past.input_tokens / past.calls * calls, past.output_tokens / past.calls * calls
        basis = f"{basis}; tokens as in the last {past.calls:,} calls"
    else:
        nothing = Evidence(0, "", "", 0, ())
        fixed = chat_tokens(model, causes_messages(nothing, theme.causes_prompt), CauseItems)
        fixed += chat_tokens(model, judging_messages((), nothing), Judgements)
        read = _read_tokens(database, team_day, theme)
        input_tokens = items * (fixed + read + ANSWER_TOKENS)
        output_tokens = calls * ANSWER_TOKENS
        basis = f"{basis}; {read:,} tokens of traces for each, because there are no earlier calls"
    if theme.causes_budget_usd is not None:
        basis += f"; causes_budget_usd is {theme.causes_budget_usd:g}"
    return Forecast(STAGE, theme.theme_id, model, items, done, calls, round(input_tokens), round(output_tokens), basis)


def _read_tokens(database: Database, team_day: TeamDay, theme: Theme) -> int:
    """Tokens of the traces that are read about a cluster, from the texts of the day."""
    given = {"team_id": team_day.team_id, "day": team_day.day, "level": theme.level, "most": TEXT_CHARS}
    return round(TRACES * float(database.value(TEXT_LENGTH, **given) or 0.0) / CHARS_A_TOKEN)
