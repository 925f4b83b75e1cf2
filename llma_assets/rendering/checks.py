"""The check of `trace_texts`: only few items could not be rendered."""

from collections.abc import Iterator

from llma_assets.clickhouse import Database
from llma_assets.findings import Check, Outcome
from llma_assets.rendering.privacy_mode import content_counts
from llma_assets.rendering.queries import NOT_RENDERED_OF_DAY
from llma_assets.rendering.store import NOT_RENDERED, STAGE
from llma_assets.team_day import TeamDay

FEW, FEW_SHARE = 2, 0.01
"""So many items, or such a share of a day, may be malformed; more are a fault of the renderer."""


def few_items_not_rendered(database: Database, team_day: TeamDay) -> Iterator[Outcome]:
    """At most two items of a level, or one in a hundred, could not be rendered and are shown as recorded."""
    team_id, day = team_day.team_id, team_day.day
    rows = (
        database.rows(NOT_RENDERED_OF_DAY, team_id=team_id, day=day, stage=STAGE, reason=NOT_RENDERED)
        if database.may_hold("item_skips", team_id, day, day, part=STAGE)
        else []
    )
    failed = {row["level"]: row for row in rows}
    for level, contents in content_counts(database, team_day).items():
        if contents.texts:
            number, such_as = (failed[level]["items"], failed[level]["such_as"]) if level in failed else (0, "")
            yield Outcome(
                passed=number <= max(FEW, FEW_SHARE * contents.texts),
                expected=f"at most {FEW} {level}s, or {FEW_SHARE:.0%}",
                found=f"{number} of {contents.texts}" + (f", such as {such_as}" if such_as else ""),
                query=NOT_RENDERED_OF_DAY,
            )


CHECKS = (Check(STAGE, few_items_not_rendered, warns=True),)
