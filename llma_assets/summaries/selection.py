"""Which items of a day a theme selects: by its filters, its parent theme, its sample and its rule.

Sampling belongs in `themes.sampling`, rules in `rules`; which selected items need a summary is decided in `pending`.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from more_itertools import chunked

from llma_assets.clickhouse import Database
from llma_assets.isolation import fault_of
from llma_assets.ledger import record_item_skips
from llma_assets.rendering import REACH
from llma_assets.summaries.batch_rows import STAGE
from llma_assets.summaries.queries import ITEMS_OF_DAY, TEXTS
from llma_assets.summaries.reuse import REMEMBERED_DAYS
from llma_assets.summaries.rule_answers import RULES_VERSION, facts_of
from llma_assets.summaries.rules import applies, read_norms
from llma_assets.summaries.selection_queries import (
    DELETE_THEME_ITEMS_OF_LATER_DAYS,
    RELEVANT_ITEMS,
    SELECTED_HERE_AND_LATER,
    THEME_DAY,
    THEME_ITEMS,
)
from llma_assets.team_day import TeamDay
from llma_assets.themes import (
    TeamThemes,
    Theme,
    is_selected,
    matching_items,
    rate_of,
    stored_versions,
    themes_of,
    uses_hourly_sample,
)

NO_TEXTS, NO_CONTENT = "no_texts", "no_content"
NOTHING_MATCHES, NOTHING_BEFORE = "nothing_matches", "nothing_relevant_to_the_theme_before"
NOTHING_SAMPLED, NOTHING_SCREENED, OUTSIDE_DATES = "nothing_sampled", "rule_left_nothing", "outside_dates"
"""Reasons why a theme selects nothing."""
RULE_FAILED = "rule_failed"
"""Reason why an item is left out: the rule raised an error on it."""

_TEXTS_AT_ONCE = 50
_IDS_AT_ONCE = 500
_ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Selection:
    """The items that a theme selects of a day.

    Attributes:
        items: the selected items, which the model is asked about: rows of `ITEMS_OF_DAY` by item id.
        matched: number of items that match the theme's filters and are relevant for its parent theme. It includes
            unfinished items, which have no text yet.
        sampled: of these, how many have a text and are in the sample.
        sample_rate: the share that is sampled.
        changes: rows of `theme_items` that have changed, also of items that are no longer selected.
        checked_by_rule: ids of items that the rule was run on now.
        rule_failures: of these, items on which the rule raised an error, with the error; they are left out.
        reason: why nothing is selected, "" if something is.
    """

    items: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    matched: int = 0
    sampled: int = 0
    sample_rate: float = 1.0
    changes: Sequence[Mapping[str, Any]] = ()
    checked_by_rule: Sequence[str] = ()
    rule_failures: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def screened(self) -> int:
        """Number of sampled items that passed the theme's rule."""
        return len(self.items)


def update_selection(
    database: Database, team_day: TeamDay, theme: Theme, team_themes: TeamThemes | None = None
) -> Selection:
    """Select a theme's items of a day and store the selection; see `select_items`. Idempotent."""
    selection = select_items(database, team_day, theme, team_themes)
    if selection.reason in (NO_TEXTS, OUTSIDE_DATES):
        return selection
    if selection.checked_by_rule:
        record_item_skips(
            database,
            team_day,
            stage=STAGE,
            theme_id=theme.theme_id,
            level=theme.level,
            failed=selection.rule_failures,
            reason=RULE_FAILED,
            recovered=selection.checked_by_rule,
        )
    key = {"team_id": team_day.team_id, "day": team_day.day, "theme_id": theme.theme_id}
    for rows in chunked(selection.changes, _ROWS_AT_ONCE):
        database.insert_rows("theme_items", [{**key, **row} for row in rows])
    numbers = {
        "version": theme.version,
        "matched": selection.matched,
        "sampled": selection.sampled,
        "screened": selection.screened,
        "sample_rate": selection.sample_rate,
    }
    # Where items have changed the numbers have, most often: to ask costs as much as to write them again.
    if selection.changes or database.rows(THEME_DAY, **key) != [numbers]:
        database.insert_later("theme_days", [{**key, **numbers}])
    if not database.may_hold("theme_items", team_day.team_id, team_day.back(-1).day, part=theme.theme_id):
        return selection
    later = {**key, "last_day": team_day.back(-REMEMBERED_DAYS).day}
    moved = [row["item_id"] for row in database.rows(SELECTED_HERE_AND_LATER, **later)]
    for item_ids in chunked(moved, _IDS_AT_ONCE):
        database.execute(DELETE_THEME_ITEMS_OF_LATER_DAYS, **later, item_ids=item_ids)
    return selection


def select_items(
    database: Database, team_day: TeamDay, theme: Theme, team_themes: TeamThemes | None = None
) -> Selection:
    """Select a theme's items of a day. Writes nothing.

    1. A theme without filters, and each general theme, starts from the hourly sample, to which its filters apply. Any
       other theme starts from all items that match its filters.
    2. A theme with a parent (`after`) keeps the items that are relevant for the parent.
    3. The theme's sample is drawn. If the share is lowered automatically because the day has become large, items that
       were selected before stay; if somebody sets the share, they do not.
    4. The rule of a screened theme leaves out items. It runs once on each text.

    An item's inclusion probability is its chance to reach step 4. Items whose text was deleted keep their decision.

    Args:
        team_themes: all themes of the team, for a theme with a parent; read if not given.
    """
    if not theme.covers(team_day.day):
        return Selection(reason=OUTSIDE_DATES)
    stored_texts = database.rows(ITEMS_OF_DAY, team_id=team_day.team_id, day=team_day.day, level=theme.level)
    if not stored_texts:
        return Selection(reason=NO_TEXTS)
    texts = {row["item_id"]: row for row in stored_texts if row["has_content"]}
    with_text = {row["item_id"] for row in stored_texts}
    chances, why_none = _chances(database, team_day, theme, texts, team_themes)
    rate = rate_of(theme, len(chances))
    stored = _stored(database, team_day, theme)
    sample = {
        item_id: chance * rate
        for item_id, chance in chances.items()
        if item_id in texts and is_selected(theme, texts[item_id]["trace_id"], rate)
    }
    if theme.sample_rate is None:
        for item_id, row in stored.items():
            if row["taken"] and row["version"] == theme.version and item_id in chances and item_id in texts:
                sample[item_id] = max(sample.get(item_id, 0.0), row["inclusion_probability"])
    bases = {item_id: _basis(texts[item_id]) if theme.screen and theme.rule else "" for item_id in sample}
    passed, checked_by_rule, rule_failures = _passing(database, team_day, theme, bases, texts, stored)
    decisions: dict[str, dict[str, Any]] = {
        item_id: {
            "item_id": item_id,
            "version": theme.version,
            "inclusion_probability": chance,
            "taken": True,
            "screened": item_id in passed,
            "basis": bases[item_id],
        }
        for item_id, chance in sample.items()
    }
    decisions |= {
        item_id: {**row, "version": theme.version, "taken": False, "screened": False}
        for item_id, row in stored.items()
        if item_id in with_text and item_id not in sample
    }
    return Selection(
        items={item_id: texts[item_id] for item_id in sorted(passed)},
        matched=len(chances),
        sampled=len(sample),
        sample_rate=rate,
        changes=[row for item_id, row in decisions.items() if stored.get(item_id) != row],
        checked_by_rule=checked_by_rule,
        rule_failures=rule_failures,
        reason="" if passed else NO_CONTENT if not texts else _why_nothing(chances, sample, why_none),
    )


def _why_nothing(chances: Mapping[str, float], sample: Mapping[str, float], why_none: str) -> str:
    """Which step left nothing: filters and parent, sample or rule."""
    if not chances:
        return why_none
    return NOTHING_SCREENED if sample else NOTHING_SAMPLED


def relevant_items(
    database: Database, team_day: TeamDay, theme_id: str, team_themes: TeamThemes | None = None
) -> dict[str, float]:
    """The inclusion probability of each item that the theme's present version selects and found relevant."""
    theme = (team_themes or themes_of(database, team_day.team_id)).get(theme_id)
    rows = database.rows(
        RELEVANT_ITEMS,
        team_id=team_day.team_id,
        day=team_day.day,
        theme_id=theme_id,
        versions=list(stored_versions(theme)),
    )
    return {row["item_id"]: row["inclusion_probability"] for row in rows}


def _chances(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    texts: Mapping[str, Mapping[str, Any]],
    team_themes: TeamThemes | None,
) -> tuple[dict[str, float], str]:
    """The items that the theme samples from, each with its inclusion probability so far; and why there are none."""
    chances: dict[str, float] = {}
    if uses_hourly_sample(theme):
        chances = {item_id: row["inclusion_probability"] for item_id, row in texts.items() if row["drawn"]}
    if theme.filters:
        matching = matching_items(database, team_day, theme, reach=REACH)
        whole = not uses_hourly_sample(theme)
        chances = {item_id: 1.0 if whole else chances[item_id] for item_id in matching if whole or item_id in chances}
    why_none = NOTHING_MATCHES
    if theme.after is not None:
        if chances or not theme.filters:
            why_none = NOTHING_BEFORE
        before = relevant_items(database, team_day, theme.after, team_themes)
        # A theme without filters takes all items of its parent: their probabilities include the draw already.
        chances = {item_id: chance for item_id, chance in before.items() if not theme.filters or item_id in chances}
    return chances, why_none


def _passing(
    database: Database,
    team_day: TeamDay,
    theme: Theme,
    bases: Mapping[str, str],
    texts: Mapping[str, Mapping[str, Any]],
    stored: Mapping[str, Mapping[str, Any]],
) -> tuple[Set[str], Sequence[str], Mapping[str, str]]:
    """The sampled items that pass the theme's rule; those it was run on now; and those on which it failed."""
    passed = {item_id for item_id, basis in bases.items() if not basis}
    open_ids = []
    for item_id, basis in bases.items():
        known = stored.get(item_id)
        if basis and known and known["taken"] and (known["version"], known["basis"]) == (theme.version, basis):
            passed |= {item_id} if known["screened"] else set()
        elif basis:
            open_ids.append(item_id)
    rule_failures: dict[str, str] = {}
    if open_ids:
        norms = read_norms(database, team_day, theme.level)
        for item_id, text in _texts(database, team_day, theme, open_ids):
            try:
                if applies(theme.rule, text, facts_of(texts[item_id]), norms, theme.keywords).relevant:
                    passed.add(item_id)
            # The error concerns this item alone; `update_selection` records it.
            except Exception as error:
                rule_failures[item_id] = fault_of(error)
    return passed, open_ids, rule_failures


def _texts(database: Database, team_day: TeamDay, theme: Theme, item_ids: list[str]) -> Iterator[tuple[str, str]]:
    for some in chunked(item_ids, _TEXTS_AT_ONCE):
        for row in database.rows(
            TEXTS, team_id=team_day.team_id, day=team_day.day, level=theme.level, item_ids=list(some)
        ):
            yield row["item_id"], row["text"]


def _basis(text: Mapping[str, Any]) -> str:
    """Hash of the text and the version of the rules: with an equal one the stored decision of a rule is valid."""
    return hashlib.sha256(f"{RULES_VERSION}|{text['text_hash']}".encode()).hexdigest()[:16]


def _stored(database: Database, team_day: TeamDay, theme: Theme) -> dict[str, dict[str, Any]]:
    if not database.may_hold("theme_items", team_day.team_id, team_day.day, team_day.day, part=theme.theme_id):
        return {}
    rows = database.rows(THEME_ITEMS, team_id=team_day.team_id, day=team_day.day, theme_id=theme.theme_id)
    return {row["item_id"]: row for row in rows}
