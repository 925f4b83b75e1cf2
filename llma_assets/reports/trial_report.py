"""The report of a trial with its cost. Running the trial belongs in `trial`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field

from llma_assets.models import Usage
from llma_assets.reports.trial import Trial, TrialResult
from llma_assets.serialization import Amount, FirstDay, TeamId, ThemeId
from llma_assets.summaries import Point


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The verdict of a theme's rule on an item, with the reason."""

    relevant: bool
    why: str


@dataclass(frozen=True, slots=True)
class TrialItem:
    """The answer of a theme about one item.

    Attributes:
        item_id, trace_id, day: which item.
        status, error: as in `SummaryResult`.
        known: the answer was known from an earlier run.
        relevant: None where there is no answer.
        rule: None for a theme without a rule.
        title, flow_diagram, bullets, interesting_notes: the answer.
    """

    item_id: Annotated[str, Field(serialization_alias="id")]
    trace_id: str
    day: date
    status: str
    error: str
    known: bool
    relevant: bool | None
    rule: RuleVerdict | None
    title: str
    flow_diagram: str
    bullets: tuple[Point, ...]
    interesting_notes: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class TrialReport:
    """A theme tried on a sample.

    Attributes:
        theme_id, version, level: what was tried.
        first_day, until: of the days that the items are of.
        model: that was asked.
        matched, sampled, read: as in `Trial`.
        left_out: read items that the theme's rule left out before the model was asked.
        asked: items that the model was asked about; `relevant` of them are.
        calls, input_tokens, output_tokens, cost_usd: what was paid for.
        not_asked_because: why a call was not allowed, "" where all were.
        items: those that were asked about.
    """

    team_id: TeamId
    theme_id: ThemeId
    version: str
    level: str
    first_day: FirstDay
    until: date
    model: str
    matched: int
    sampled: int
    read: int
    left_out: Annotated[int, Field(serialization_alias="left_out_by_rule")]
    asked: int
    relevant: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Amount
    not_asked_because: str
    items: tuple[TrialItem, ...]


def trial_report(
    trial: Trial, team_id: int, first_day: date, until: date, *, model: str, spent: Sequence[Usage], refusal: str
) -> TrialReport:
    """A trial with what it cost.

    Args:
        spent: the usage of all calls.
        refusal: why a call was not allowed, "" where all were.
    """
    paid = [usage for usage in spent if not usage.model.startswith("offline/")]
    return TrialReport(
        team_id=team_id,
        theme_id=trial.theme.theme_id,
        version=trial.theme.version,
        level=trial.theme.level,
        first_day=first_day,
        until=until,
        model=model,
        matched=trial.matched,
        sampled=trial.sampled,
        read=trial.read,
        left_out=trial.left_out,
        asked=len(trial.items),
        relevant=trial.relevant,
        calls=len(paid),
        input_tokens=sum(usage.input_tokens for usage in paid),
        output_tokens=sum(usage.output_tokens for usage in paid),
        cost_usd=sum(usage.charged_usd for usage in paid),
        not_asked_because=refusal,
        items=tuple(_item(item) for item in trial.items),
    )


def _item(item: TrialResult) -> TrialItem:
    result, verdict = item.result, item.verdict
    return TrialItem(
        item_id=result.item_id,
        trace_id=item.trace_id,
        day=item.day,
        status=result.status,
        error=result.error,
        known=item.known,
        relevant=result.relevant if result.status == "generated" else None,
        rule=None if verdict is None else RuleVerdict(verdict.relevant, verdict.why),
        title=result.title,
        flow_diagram=result.flow_diagram,
        bullets=result.bullets,
        interesting_notes=result.interesting_notes,
    )
