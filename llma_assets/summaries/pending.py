"""Which items of a theme need a summary, and which have one: used by runs and by estimates.

Which items the theme selects is decided in `selection`; their summaries are stored by `theme_run`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llma_assets.clickhouse import Database
from llma_assets.summaries.dead_letters import dead_items
from llma_assets.summaries.prompt import content_hash, question_hash
from llma_assets.summaries.queries import SUMMARISED
from llma_assets.summaries.reuse import stored_answers
from llma_assets.summaries.rule_answers import RuleAnswers, rule_answers_of
from llma_assets.summaries.selection import Selection, select_items
from llma_assets.team_day import TeamDay
from llma_assets.themes import Theme


@dataclass(frozen=True, slots=True)
class Pending:
    """The selected items of a theme in a partition, by what has to be done for them.

    Attributes:
        items: all selected items, rows of `ITEMS_OF_DAY` by id, with `content_hash` and `question_hash`.
        answers: stored answers to their questions by question hash, see `stored_answers`.
        reused: ids whose answer is among `answers`, but not stored for them yet.
        outdated: ids whose summary was stored under another version of the theme. The question is the same, only the
            selection has changed, so they count as done.
        irrelevant: how many have a summary that found them irrelevant.
        dead: how many are dead letters.
        questions: ids by question hash of what has to be asked; items with the same text are asked about once.
        rule_answers: answers in place of the offline model, where the theme asks for relevance.
    """

    items: Mapping[str, Mapping[str, Any]]
    answers: Mapping[str, Mapping[str, Any]]
    reused: Sequence[str]
    outdated: Sequence[str]
    irrelevant: int
    dead: int
    questions: Mapping[str, Sequence[str]]
    rule_answers: RuleAnswers | None = None

    @property
    def asked(self) -> int:
        """Number of items that need an answer."""
        return sum(map(len, self.questions.values()))

    @property
    def done(self) -> int:
        """Number of items that have their summary."""
        return len(self.items) - len(self.reused) - self.dead - self.asked


def pending(
    database: Database, team_day: TeamDay, theme: Theme, model: str, *, selection: Selection | None = None
) -> Pending:
    """Compare the selected items with what is stored. Writes nothing.

    Args:
        model: name of the chat model; summaries of another model do not count.
        selection: the theme's selected items; read if not given.
    """
    key = {"team_id": team_day.team_id, "day": team_day.day}
    rule_answers = rule_answers_of(database, team_day, theme, model)
    items = {
        item_id: {**row, **_hashes(row, theme, model, rule_answers)}
        for item_id, row in (selection or select_items(database, team_day, theme)).items.items()
    }
    may_be = database.may_hold("trace_summaries", team_day.team_id, team_day.day, team_day.day, part=theme.theme_id)
    rows = database.rows(SUMMARISED, **key, theme_id=theme.theme_id) if may_be else []
    stored = {row["item_id"]: row for row in rows}
    done = {
        item_id for item_id, row in items.items() if stored.get(item_id, {}).get("content_hash") == row["content_hash"]
    }
    outdated = [item_id for item_id in items if item_id in done and stored[item_id]["theme_version"] != theme.version]
    missing = {item_id: row for item_id, row in items.items() if item_id not in done}
    answers = stored_answers(database, team_day, (row["question_hash"] for row in missing.values())) if missing else {}
    reused = [item_id for item_id, row in missing.items() if row["question_hash"] in answers]
    dead = dead_items(database, team_day, theme.theme_id) if missing else set()
    questions: dict[str, list[str]] = {}
    for item_id, row in missing.items():
        if row["question_hash"] not in answers and (item_id, row["content_hash"]) not in dead:
            questions.setdefault(row["question_hash"], []).append(item_id)
    waiting = sum(map(len, questions.values()))
    return Pending(
        items=items,
        answers=answers,
        reused=reused,
        outdated=outdated,
        irrelevant=sum(not stored[item_id]["relevant"] for item_id in done),
        dead=len(missing) - len(reused) - waiting,
        questions=questions,
        rule_answers=rule_answers,
    )


def _hashes(row: Mapping[str, Any], theme: Theme, model: str, rule_answers: RuleAnswers | None) -> dict[str, str]:
    """Hashes of what a summary depends on; the theme's selection and name are not part of them."""
    text, prompt, mode, judged = row["text_hash"], theme.prompt, theme.mode, theme.judged
    by = rule_answers.basis(row) if rule_answers else ""
    return {
        "content_hash": content_hash(
            text, theme_id=theme.theme_id, prompt=prompt, model=model, mode=mode, judged=judged, by=by
        ),
        "question_hash": question_hash(text, prompt=prompt, model=model, mode=mode, judged=judged, by=by),
    }
