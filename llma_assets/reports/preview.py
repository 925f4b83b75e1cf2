"""The report of a theme's preview. Counting belongs in `llma_assets.themes`."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import Field

from llma_assets.rendering import read_messages
from llma_assets.serialization import FirstDay, Moment, TeamId, ThemeId
from llma_assets.themes import Example, Preview

SHOWN_CHARACTERS = 80


@dataclass(frozen=True, slots=True)
class PreviewedFilter:
    """A filter, and how many items match it alone."""

    key: str
    operator: str
    value: Any
    is_base_filter: bool
    matched: int
    hint: str


@dataclass(frozen=True, slots=True)
class PreviewedItem:
    """An item that matches; `taken` is the old name of `selected`, for one version."""

    item_id: str
    trace_id: str
    first_at: Moment
    name: str
    said: str
    selected: bool | None
    taken: bool | None


@dataclass(frozen=True, slots=True)
class PreviewReport:
    """What a theme would find and cost; see `llma_assets.themes.Preview`. `taken` is the old name of `selected`."""

    team_id: TeamId
    theme_id: ThemeId
    version: str
    level: str
    first_day: FirstDay
    last_day: Annotated[date, Field(serialization_alias="to")]
    items: int
    filters: tuple[PreviewedFilter, ...]
    matched: int
    selected: int
    taken: int
    lowest_rate: float
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    batch_cost_usd: float | None
    basis: str
    examples: tuple[PreviewedItem, ...]
    notes: tuple[str, ...]


def preview_report(found: Preview) -> PreviewReport:
    """The report of a preview."""
    base_filters = len(found.theme.base_filters)
    return PreviewReport(
        team_id=found.team_id,
        theme_id=found.theme.theme_id,
        version=found.theme.version,
        level=found.theme.level,
        first_day=found.first_day,
        last_day=found.last_day,
        items=found.items,
        filters=tuple(
            PreviewedFilter(
                key=each.filter.key,
                operator=each.filter.operator,
                value=list(each.filter.value) if isinstance(each.filter.value, tuple) else each.filter.value,
                is_base_filter=place < base_filters,
                matched=each.items,
                hint=each.hint,
            )
            for place, each in enumerate(found.filters)
        ),
        matched=found.matched,
        selected=found.selected,
        taken=found.selected,
        lowest_rate=found.lowest_rate,
        model=found.model,
        calls=found.calls,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        cost_usd=found.cost_usd,
        batch_cost_usd=found.batch_cost_usd,
        basis=found.basis,
        examples=tuple(
            PreviewedItem(
                each.item_id, each.trace_id, each.first_at, each.name, first_message(each), each.selected, each.selected
            )
            for each in found.examples
        ),
        notes=tuple(found.notes),
    )


def first_message(example: Example) -> str:
    """The beginning of the first user message on one line; if there is none, of the first message."""
    messages = read_messages(example.input) if example.input else []
    user_text = next((each.text for each in messages if each.role == "user" and each.text), "")
    text = " ".join((user_text or (messages[0].text if messages else "")).split())
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS].rstrip()}…"
