"""Estimates calls and tokens of a theme's summaries for one partition. Asks no model.

The tokens of prompts are counted. The length of answers comes from earlier calls of the same team, theme and model,
or from the theme's mode where there are none.
"""

from collections.abc import Collection
from dataclasses import dataclass

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.ledger import Forecast, past_calls
from llma_assets.models import chat_tokens
from llma_assets.summaries.batch_rows import STAGE
from llma_assets.summaries.pending import Pending
from llma_assets.summaries.prompt import summary_messages
from llma_assets.summaries.queries import RELEVANCE_OF_LAST, TEXTS, TEXTS_AT_ONCE
from llma_assets.summaries.schema import JudgedSummary, Mode, TraceSummary
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme
from llma_assets.tokens import BYTES_PER_TOKEN, count_each, encoding_of

ANSWER_TOKENS: dict[Mode, int] = {"minimal": 250, "detailed": 600}
"""Tokens of a usual answer with as many bullets and notes as the mode allows for."""

LAST_ANSWERS, DAYS_BACK = 1_000, 31
"""The share of relevant items is that of the theme's last answers: at most so many, at most so many days old."""

_FENCE = "e3b0c44298fc1c149afb"  # as long and as random as real ones


@dataclass(frozen=True, slots=True)
class Relevance:
    """How many of a theme's last answers found the item relevant."""

    asked: int
    relevant: int

    @property
    def share(self) -> float:
        """The share that is relevant; 1 where nothing is known."""
        return self.relevant / self.asked if self.asked else 1.0


def relevance_so_far(database: Database, team_day: TeamDay, theme: Theme, model: str) -> Relevance:
    """The relevance of the last answers for a theme's present version; (0, 0) if it does not ask for it."""
    if not theme.judged:
        return Relevance(0, 0)
    (row,) = database.rows(
        RELEVANCE_OF_LAST,
        team_id=team_day.team_id,
        theme_id=theme.theme_id,
        version=theme.version,
        offline=model.startswith("offline/"),
        most=LAST_ANSWERS,
        **{"from": team_day.back(DAYS_BACK).day, "until": team_day.day},
    )
    return Relevance(row["asked"], row["relevant"])


def frame_tokens(theme: Theme, model: str) -> int:
    """Tokens of a theme's prompt without the text of an item."""
    schema = JudgedSummary if theme.judged else TraceSummary
    messages = summary_messages("", prompt=theme.prompt, mode=theme.mode, fence=_FENCE, judged=theme.judged)
    return chat_tokens(model, messages, schema)


def forecast_summaries(
    database: Database, team_day: TeamDay, theme: Theme, model: str, work: Pending, *, known: Collection[str] = ()
) -> Forecast:
    """Estimate calls and tokens of the questions in `work`.

    Args:
        model: name of the chat model.
        known: hashes of questions that another theme will have answered by then.
    """
    questions = {question: ids for question, ids in work.questions.items() if question not in known}
    items = sum(map(len, questions.values()))
    if not questions or model.startswith("offline/"):
        basis = "the offline model is free" if questions else "nothing to ask"
        return Forecast(STAGE, theme.theme_id, model, items, len(work.items) - items, 0, 0, 0, basis)
    frame = frame_tokens(theme, model)
    text_tokens = sum(
        sum(count_each((row["text"] for row in rows), model))
        for item_ids in chunked((ids[0] for ids in questions.values()), TEXTS_AT_ONCE)
        for rows in [
            database.rows(TEXTS, team_id=team_day.team_id, day=team_day.day, level=theme.level, item_ids=item_ids)
        ]
    )
    input_tokens = len(questions) * frame + text_tokens
    counted = "prompts counted" if encoding_of(model) else f"prompts by {BYTES_PER_TOKEN:g} bytes a token"
    past = past_calls(database, team_day.team_id, stage=STAGE, theme_id=theme.theme_id, model=model)
    if past is None or not past.items:
        output_tokens = len(questions) * ANSWER_TOKENS[theme.mode]
        basis = f"{counted}; answers as mode {theme.mode} asks for, because there are no earlier calls"
        return Forecast(
            STAGE,
            theme.theme_id,
            model,
            items,
            len(work.items) - items,
            len(questions),
            input_tokens,
            output_tokens,
            basis,
            has_batches=True,
        )
    # Some questions needed two calls, and will again.
    calls = past.calls / past.items
    return Forecast(
        stage=STAGE,
        theme_id=theme.theme_id,
        model=model,
        items=items,
        done=len(work.items) - items,
        calls=round(len(questions) * calls),
        input_tokens=round(input_tokens * calls),
        output_tokens=round(len(questions) * past.output_tokens / past.items),
        basis=f"{counted}; answers and repeated calls as in the last {past.calls:,} calls",
        has_batches=True,
    )
