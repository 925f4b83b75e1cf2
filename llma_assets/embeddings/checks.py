"""Check of `summary_embeddings`: vectors that can be compared with each other."""

from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.embeddings.queries import EMBEDDING_HEALTH, PRODUCT
from llma_assets.findings import Check, Outcome
from llma_assets.ledger import spending_within_budget, theme_spending_within_budget
from llma_assets.stage import asset_check
from llma_assets.team_day import TeamDay


def sound_vectors(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """The vectors of a theme and model have one dimension, and none is zero or holds NaN or infinity."""
    rows = database.rows(EMBEDDING_HEALTH, team_id=team_day.team_id, day=team_day.day, product=PRODUCT)
    for row in rows:
        yield Outcome(
            passed=len(row["dimensions"]) == 1 and row["not_finite"] == 0 and row["zero"] == 0,
            expected="1 dimension, 0 not finite, 0 zero vectors",
            found=f"dimensions {sorted(row['dimensions'])}, {row['not_finite']} not finite, "
            f"{row['zero']} zero vectors of {row['embeddings']} by {row['model_name']}",
            query=EMBEDDING_HEALTH,
            theme_id=row["rendering"].removeprefix("llm_traces_summary_"),
        )


CHECKS = (
    Check("summary_embeddings", sound_vectors, blocking=True),
    Check("summary_embeddings", spending_within_budget),
    Check("summary_embeddings", theme_spending_within_budget),
)

asset_checks = [asset_check(check) for check in CHECKS]
