"""The stage `trace_texts` for one partition: the text of each sampled trace and generation of a day.

What is stored when belongs in `store`, how a trace becomes text in the other modules of the room.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import orjson

from llma_assets.clickhouse import Database
from llma_assets.ledger import list_item_skips
from llma_assets.rendering.options import RenderOptions
from llma_assets.rendering.privacy_mode import NO_CONTENT, content_counts, record_missing_content, require_content
from llma_assets.rendering.queries import LOSSES_OF_DAY
from llma_assets.rendering.store import STAGE, LevelTexts, Sampling, delete_under_redacted_texts, store_texts
from llma_assets.rendering.truncation_report import summarise_losses
from llma_assets.stage import Progress, Report
from llma_assets.team_day import TeamDay
from llma_assets.teams import TeamOptions
from llma_assets.themes import Level, Theme, draws

log = logging.getLogger(__name__)

SHOWN_ITEMS = 20
"""Most items that the log names."""


def render_partition(
    database: Database,
    team_day: TeamDay,
    team: TeamOptions,
    *,
    model_name: str,
    themes: Sequence[Theme],
    all_themes: Sequence[Theme],
    now: datetime,
    progress: Progress,
) -> Report:
    """Render the traces and generations of a partition that its themes select and that have no text yet.

    Args:
        model_name: name of the chat model that will read the texts.
        themes: the themes of the run.
        all_themes: the themes that the team has switched on.
        now: a trace that was not quiet long enough by then is left for a later run.
    """
    options = replace(RenderOptions.of_team(team, model_name), source=database.source_fingerprint(team_day.team_id))
    sampling = Sampling(
        now=now.astimezone(UTC),
        quiet=team.quiet,
        per_hour={"trace": team.max_traces_per_hour, "generation": team.max_generations_per_hour},
        themes=tuple(themes),
    )
    had_texts = database.may_hold("trace_texts", team_day.team_id, team_day.day, team_day.day)
    texts = store_texts(
        database,
        team_day,
        options,
        sampling,
        progress=partial(progress, STAGE, team_day),
        completes_day=_completes_day(sampling, all_themes, team_day),
    )
    deleted = delete_under_redacted_texts(database, team_day, options) if had_texts else 0
    contents = content_counts(database, team_day)
    record_missing_content(database, team_day, contents)
    require_content(team_day, contents)
    if any(level.counts["failed"] for level in texts.values()):
        _log_failures(database, team_day)
    items = contents["trace"].with_content or contents["generation"].with_content
    why = NO_CONTENT if any(each.texts for each in contents.values()) else ""
    losses, worst = _losses(database, team_day)
    return Report(
        items=items,
        reason="" if items else why or _why_nothing(texts["trace"], sampling, team_day),
        details={
            **{f"{level}s_without_content": each.without for level, each in contents.items() if each.without},
            **{name: number for level, found in texts.items() for name, number in _numbers(level, found).items()},
            **_reuse(texts.values()),
            "texts_deleted": deleted,
            **_failures(texts.values()),
            **losses,
        },
        tables={"loss_worst": worst},
    )


def _log_failures(database: Database, team_day: TeamDay) -> None:
    """Log the first items that could not be rendered; `llma skips` lists all."""
    skips = list_item_skips(database, day=team_day.day, team_id=team_day.team_id, stages=(STAGE,))
    for skip in skips[:SHOWN_ITEMS]:
        log.warning(f"{team_day}, {STAGE}: {skip.level} {skip.item_id} {skip.reason}: {skip.detail}")


def _completes_day(sampling: Sampling, themes: Iterable[Theme], team_day: TeamDay) -> bool:
    """Whether a run for some themes draws the sample that a run for all themes of the team would draw."""
    wanted = {theme.level for theme in themes if draws(theme) and theme.covers(team_day.day)}
    return all(any(map(draws, sampling.of_level(level, team_day.day))) for level in wanted)


def _numbers(level: Level, texts: LevelTexts) -> dict[str, Any]:
    """Numbers of a level: items found, texts stored, and work of this run."""
    return {
        f"{level}s_found": texts.found,
        f"{level}s_not_quiet_yet": texts.not_quiet,
        f"{level}s_sampled": texts.sampled,
        f"{level}s_matching_beside": texts.matching,
        f"{level}s_estimated": round(texts.estimated, 1),
        f"{level}s_lowest_probability": round(texts.lowest_probability, 4),
        f"{level}s_rendered": texts.counts["rendered"],
        f"{level}s_moved_here": texts.counts["moved"],
        **({f"{level}s_made_anew": texts.counts["anew"]} if texts.counts["anew"] else {}),
        f"{level}_characters": texts.counts["characters"],
    }


def _reuse(texts: Iterable[LevelTexts]) -> dict[str, Any]:
    """How often a theme could reuse a text, from an earlier run or of another theme."""
    counts = sum((level.counts for level in texts), Counter[str]())
    if not counts["wanted"]:
        return {}
    return {
        "texts_wanted_by_themes": counts["wanted"],
        "texts_rendered": counts["rendered"],
        "texts_reused": counts["reused"],
        "texts_hit_rate": round(counts["reused"] / counts["wanted"], 4),
    }


def _failures(texts: Iterable[LevelTexts]) -> dict[str, Any]:
    failed = sum(level.counts["failed"] for level in texts)
    return {"items_not_rendered": failed} if failed else {}


def _why_nothing(texts: LevelTexts, sampling: Sampling, team_day: TeamDay) -> str:
    if not any(sampling.of_level(level, team_day.day) for level in sampling.per_hour):
        return "no_theme_on"
    themes = sampling.of_level("trace", team_day.day)
    if not sampling.per_hour["trace"] and all(map(draws, themes)):
        return "max_traces_per_hour_is_0"
    if texts.not_quiet:
        return "traces_not_quiet_yet"
    return "nothing_matches" if texts.found else "no_traces"


def _losses(database: Database, team_day: TeamDay) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What all texts of the day leave out, those of earlier runs included, and the most truncated texts."""
    rows = database.rows(LOSSES_OF_DAY, team_id=team_day.team_id, day=team_day.day)
    report = summarise_losses((row["level"], row["item_id"], orjson.loads(row["loss"])) for row in rows)
    if not report.texts:
        return {}, []
    totals = {
        "loss": {"texts": report.texts, **report.totals},
        "loss_rules": report.rules,
        "redactions": report.redactions,
        "protected_missing": report.protected_missing,
        "survivors_missing": report.protected_missing,  # the old name, for one version
    }
    return totals, [dict(row) for row in report.worst]
