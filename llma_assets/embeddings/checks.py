"""Rules of the asset checks of `summary_embeddings`. Their Dagster side belongs in `defs.checks`."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.embeddings.estimate import STAGE
from llma_assets.embeddings.partition import MAX_FAILED_SHARE
from llma_assets.embeddings.queries import (
    CONTENTS_OF_MODELS,
    EMBEDDED_SUMMARIES,
    PRODUCT,
    SPACES_OF_WINDOW,
)
from llma_assets.findings import Check, Outcome, in_words
from llma_assets.languages import is_english
from llma_assets.ledger import list_skips, spending_within_budget, theme_spending_within_budget
from llma_assets.models import BUDGET, ENGLISH_ONLY, MULTILINGUAL
from llma_assets.team_day import TeamDay

WINDOW_DAYS = 7
"""Days that a clustering reads, as a rule."""

MOST_IN_OTHER_LANGUAGES, TEXTS_READ = 0.2, 500
"""The share of other languages from which on an English model is wrong, and how many texts of a theme are looked at."""


def sound_vectors(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """The vectors of a theme and model have one dimension, and none is zero or holds NaN or infinity.

    It covers all days of a clustering's window: one invalid vector stops the clusters of every day that reads it.
    """
    for row in _window(database, team_day):
        days = f", on {in_words(row['unsound_days'])}" if row["unsound_days"] else ""
        yield Outcome(
            passed=len(row["lengths"]) == 1 and row["not_finite"] == 0 and row["zero"] == 0,
            expected="1 dimension, 0 not finite, 0 zero vectors",
            found=f"dimensions {sorted(row['lengths'])}, {row['not_finite']} not finite, "
            f"{row['zero']} zero vectors of {row['embeddings']} by {row['model_name']}{days}",
            query=SPACES_OF_WINDOW,
            theme_id=_theme_id(row["rendering"]),
        )


def summaries_are_embedded(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Of a theme's summaries that are to be clustered, one at least has a vector, unless they wait for budget."""
    for row in _embedded(database, team_day):
        yield Outcome(
            passed=row["embedded"] > 0 or row["waiting"],
            expected=f"vectors of {row['summaries']} summaries",
            found="none" if not row["embedded"] else str(row["embedded"]),
            query=EMBEDDED_SUMMARIES,
            theme_id=row["theme_id"],
        )


def few_embedding_failures(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """At most a fifth of a theme's summaries have no vector because the model failed."""
    for row in _embedded(database, team_day):
        failed = 0 if row["waiting"] else row["summaries"] - row["embedded"]
        yield Outcome(
            passed=failed <= MAX_FAILED_SHARE * row["summaries"],
            expected=f"at most {MAX_FAILED_SHARE:.0%} without a vector",
            found=f"{failed} of {row['summaries']}",
            query=EMBEDDED_SUMMARIES,
            theme_id=row["theme_id"],
        )


def one_dimension(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Over the days that are clustered together, all vectors of a theme by one model have the same dimension."""
    for row in _window(database, team_day):
        yield Outcome(
            passed=len(row["lengths"]) == 1,
            expected="1 dimension",
            found=f"dimensions {sorted(row['lengths'])} by {row['model_name']}",
            query=SPACES_OF_WINDOW,
            theme_id=_theme_id(row["rendering"]),
        )


def one_model(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Over the days that are clustered together, a theme's items are embedded by one model.

    A clustering reads the vectors of the present model alone: items that only an earlier one has embedded are in no
    cluster until their days are run again.
    """
    for rendering, rows in groupby(_window(database, team_day), itemgetter("rendering")):
        present, *earlier = rows
        left = {row["model_name"]: row["items"] for row in earlier if row["items"]}
        yield Outcome(
            passed=not left,
            expected=f"all items by {present['model_name']}",
            found="; ".join(f"{items} by {model} alone" for model, items in left.items()) or "all",
            query=SPACES_OF_WINDOW,
            theme_id=_theme_id(rendering),
        )


def model_knows_the_languages(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """Where the model knows English alone, at most a fifth of a theme's texts are in other languages.

    Such a model puts texts by their language, not by what they say. Another model is another space: days that were
    embedded before have to be run again.
    """
    models = sorted(ENGLISH_ONLY.intersection(row["model_name"] for row in _window(database, team_day)))
    if not models:
        return
    rows = database.rows(
        CONTENTS_OF_MODELS,
        team_id=team_day.team_id,
        day=team_day.day,
        product=PRODUCT,
        model_names=models,
        most=TEXTS_READ,
    )
    for (rendering, model), group in groupby(rows, itemgetter("rendering", "model_name")):
        texts = [row["content"] for row in group]
        other = sum(not is_english(text) for text in texts)
        passed = other <= MOST_IN_OTHER_LANGUAGES * len(texts)
        advice = f"; {model} knows English alone: set LLMA_EMBEDDING_MODEL={MULTILINGUAL}, or a model of your server"
        yield Outcome(
            passed=passed,
            expected=f"at most {MOST_IN_OTHER_LANGUAGES:.0%} in other languages than English",
            found=f"{other} of {len(texts)} in other languages{'' if passed else advice}",
            query=CONTENTS_OF_MODELS,
            theme_id=_theme_id(rendering),
        )


def _embedded(database: Database, team_day: TeamDay) -> list[dict[str, Any]]:
    """Rows of `EMBEDDED_SUMMARIES`, with whether the theme waits for budget."""
    rows = database.rows(EMBEDDED_SUMMARIES, team_id=team_day.team_id, day=team_day.day, product=PRODUCT)
    found = list_skips(database, day=team_day.day, team_id=team_day.team_id) if rows else []
    waiting = {skip.theme_id for skip in found if (skip.stage, skip.reason) == (STAGE, BUDGET)}
    return [{**row, "waiting": row["theme_id"] in waiting} for row in rows]


def _window(database: Database, team_day: TeamDay) -> list[dict[str, Any]]:
    """The spaces of the vectors of the days that a clustering reads together."""
    return database.rows(
        SPACES_OF_WINDOW,
        team_id=team_day.team_id,
        product=PRODUCT,
        **{"from": team_day.back(WINDOW_DAYS - 1).day, "until": team_day.day},
    )


def _theme_id(rendering: str) -> str:
    return rendering.removeprefix("llm_traces_summary_")


CHECKS = (
    Check("summary_embeddings", sound_vectors, blocking=True),
    Check("summary_embeddings", summaries_are_embedded, blocking=True),
    Check("summary_embeddings", few_embedding_failures),
    Check("summary_embeddings", one_dimension, blocking=True),
    Check("summary_embeddings", one_model, warns=True),
    Check("summary_embeddings", model_knows_the_languages, warns=True),
    Check("summary_embeddings", spending_within_budget),
    Check("summary_embeddings", theme_spending_within_budget),
)
