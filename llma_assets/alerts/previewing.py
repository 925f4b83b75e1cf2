"""What a rule would have done on days that are over, by the code that judges; nothing is stored and nobody is told."""

from dataclasses import dataclass
from datetime import date, timedelta

from llma_assets.alerts.digests import digests_of
from llma_assets.alerts.hours import HISTORY_HOURS_DAYS, hour_histories
from llma_assets.alerts.incidents import date_of
from llma_assets.alerts.judging import HISTORY_DAYS, HOURS, Decision, replay
from llma_assets.alerts.messages import facts_of
from llma_assets.alerts.rule import Rule
from llma_assets.alerts.series import histories, judged_by, with_runs_only
from llma_assets.clickhouse import Database
from llma_assets.team_day import TeamDay


@dataclass(frozen=True, slots=True)
class PreviewDay:
    """What a rule would have done on a day: the changes of incidents, and what would have been said."""

    day: date
    decisions: tuple[Decision, ...]
    said: tuple[str, ...]


def preview(
    database: Database, until: TeamDay, rule: Rule, days: int, *, budget_usd: float | None = None
) -> list[PreviewDay]:
    """What a rule would have done on the last days, by the code that judges; nothing is stored."""
    if rule.kind == "digest":
        return _digests(database, until, rule, days)
    found = []
    if rule.buckets == "hour":
        histories_of = hour_histories(database, until, [rule], days=HISTORY_HOURS_DAYS + days)
    else:
        histories_of = histories(database, until, [rule], days=HISTORY_DAYS + days, judged=days, budget_usd=budget_usd)
    changes: dict[date, list[Decision]] = {}
    for theme_id, history in histories_of.items():
        if not judged_by(rule, theme_id):
            continue
        is_hours = history.scale == HOURS
        judged_days = [] if is_hours else [until.day - timedelta(days=back) for back in range(days)]
        checked = with_runs_only(history, judged_days)
        for _, decisions in replay(rule, checked, checked.days - days * history.scale.day, checked.days - 1):
            for each in decisions:
                if each.verdict in ("opened", "worse", "closed"):
                    changes.setdefault(date_of(each.day), []).append(each)
    for day, decisions in sorted(changes.items()):
        found.append(PreviewDay(day, tuple(decisions), tuple(_said(rule, each) for each in decisions)))
    return found


def _digests(database: Database, until: TeamDay, rule: Rule, days: int) -> list[PreviewDay]:
    found = []
    for back in reversed(range(days)):
        team_day = until.back(back)
        said = tuple(f"{each.headline}. {' '.join(each.facts)}" for each in digests_of(database, team_day, rule))
        if said:
            found.append(PreviewDay(team_day.day, (), said))
    return found


def _said(rule: Rule, decision: Decision) -> str:
    what = decision.title or decision.subject[:8] or decision.theme_id or "the team"
    return f"{decision.verdict}: {what}. {' '.join(facts_of(rule, decision, decision.day))}"
