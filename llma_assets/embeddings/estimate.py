"""Estimates calls and tokens of the embeddings of a theme's summaries. Asks no model."""

import hashlib
import math
from collections.abc import Collection, Sequence

from llma_assets.clickhouse import Database
from llma_assets.embeddings.compose import TEXTS_PER_CALL, text_of_summary
from llma_assets.embeddings.queries import EMBEDDED_OF_DAY, LAST_CONTENTS, PRODUCT, space_of
from llma_assets.embeddings.selection import summaries_of_day
from llma_assets.ledger import Forecast
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme
from llma_assets.tokens import count_each

STAGE = "summary_embeddings"
SUMMARY_TOKENS = {"minimal": 130, "detailed": 350}
"""Tokens of a usual summary of a mode, as it is embedded, for a team that has none yet."""

LAST_TEXTS, DAYS_BACK = 200, 31
"""The average length is that of the team's last texts: at most so many, at most so many days old."""


def forecast_texts(
    theme: Theme, model: str, texts: Sequence[str], *, done: int, coming: int = 0, usual: float = 0.0
) -> Forecast:
    """Estimate calls and tokens of embedding texts.

    Args:
        model: name of the embedding model.
        texts: known texts, whose tokens are counted.
        done: items that have their vector.
        coming: number of texts that are not known yet.
        usual: estimated tokens of each of these.
    """
    items = len(texts) + coming
    if model.startswith("offline/") or not items:
        basis = "the offline model is free" if items else "nothing to embed"
        return Forecast(STAGE, theme.theme_id, model, items, done, 0, 0, 0, basis)
    tokens = sum(count_each(texts, model))
    basis = "texts counted"
    if coming:
        tokens += round(coming * usual)
        basis = f"{coming:,} summaries that are still to be made, of {usual:.0f} tokens each" + (
            f"; {len(texts):,} counted" if texts else ""
        )
    return Forecast(STAGE, theme.theme_id, model, items, done, math.ceil(items / TEXTS_PER_CALL), tokens, 0, basis)


def forecast_embeddings(
    database: Database, team_day: TeamDay, theme: Theme, model: str, *, coming: int, replaced: Collection[str] = ()
) -> Forecast:
    """Estimate the embeddings of a theme's summaries of a day; vectors that could be copied from other days count, too.

    Args:
        coming: summaries that will have been made by then.
        replaced: ids of stored summaries that new ones will replace.
    """
    key = {"team_id": team_day.team_id, "day": team_day.day}
    texts = {
        row["item_id"]: text_of_summary(row)
        for row in summaries_of_day(database, team_day, theme)
        if row["item_id"] not in replaced
    }
    stored = {
        row["document_id"]: row["content_hash"]
        for row in database.rows(
            EMBEDDED_OF_DAY,
            **key,
            **space_of(theme, model),
        )
    }
    usual = float(SUMMARY_TOKENS[theme.mode])
    if coming:
        contents = database.rows(
            LAST_CONTENTS,
            team_id=team_day.team_id,
            product=PRODUCT,
            rendering=theme.rendering,
            most=LAST_TEXTS,
            **{"from": team_day.back(DAYS_BACK).day, "until": team_day.day},
        )
        if contents:
            usual = sum(count_each((row["content"] for row in contents), model)) / len(contents)
    missing = {
        text for item_id, text in texts.items() if stored.get(item_id) != hashlib.sha256(text.encode()).hexdigest()
    }
    return forecast_texts(theme, model, sorted(missing), done=len(texts) - len(missing), coming=coming, usual=usual)
