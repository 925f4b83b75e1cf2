"""What may be set for all teams and again for a single one: how much is taken, spent and shown.

Who takes part belongs in `settings.py`; what a field may hold in `fields.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from llma_assets.teams.fields import MAX_TEAM_ID, FieldReader, SettingProblem

MINIMUM_TRACES = 20
QUIET_MINUTES = 30
MOST_QUIET_MINUTES = 24 * 60
TRACES_PER_HOUR = 100
GENERATIONS_PER_HOUR = 12
"""A clustering reads at most 2,000 items of its seven days, which are 12 an hour: more would be paid for, not read."""

MOST_PER_HOUR = 1_000_000
MOST_TEXT_TOKENS = 1_000_000
FEWEST_TEXT_TOKENS = 200
PROTECTION = "redact"
"""An unknown field whose name begins so was meant to hide something."""


@dataclass(frozen=True, slots=True)
class TeamOptions:
    """How a team's traces are worked on.

    Attributes:
        minimum_traces: with fewer traces in the window the team is out.
        quiet_minutes: a trace is taken once it has been silent for so long.
        max_traces_per_hour: with more traces in an hour a fair sample of them is taken.
        max_generations_per_hour: the same for generations; 0 takes none.
        daily_budget_usd: what models may cost for a day of the team; None is no limit.
        redact: put placeholders in the place of private values.
        redaction_patterns: what else is private, in RE2's syntax.
        max_text_tokens: a text is never longer; None leaves it to the renderer.
        session_replay_tasks: make tasks of session-replay segments every half hour.
        model_judges_tasks: the model says what is a problem, instead of keywords.
        least_task_impact: with keywords, what recurs with a smaller mean impact is kept as an ignored task.
        least_task_trouble: with keywords, the same for what a smaller share of the segments tells as a problem.
        resolve_old_tasks: a task whose segments are all old is resolved when it is made.
        unusable: protecting fields that are broken, so that the team may not be worked on.
    """

    minimum_traces: int = MINIMUM_TRACES
    quiet_minutes: int = QUIET_MINUTES
    max_traces_per_hour: int = TRACES_PER_HOUR
    max_generations_per_hour: int = GENERATIONS_PER_HOUR
    daily_budget_usd: float | None = None
    redact: bool = True
    redaction_patterns: tuple[str, ...] = ()
    max_text_tokens: int | None = None
    session_replay_tasks: bool = False
    model_judges_tasks: bool = False
    least_task_impact: float = 0.0
    least_task_trouble: float = 0.25
    resolve_old_tasks: bool = False
    unusable: tuple[SettingProblem, ...] = ()

    @property
    def quiet(self) -> timedelta:
        """`quiet_minutes` as a span of time."""
        return timedelta(minutes=self.quiet_minutes)


def read_options(reader: FieldReader, base: TeamOptions) -> TeamOptions:
    """The options of a table; a field that is absent or broken is as in `base`. `unusable` is left as it is there."""
    return replace(
        base,
        minimum_traces=reader.integer("minimum_traces", base.minimum_traces, 1, MAX_TEAM_ID),
        quiet_minutes=reader.integer("quiet_minutes", base.quiet_minutes, 0, MOST_QUIET_MINUTES),
        max_traces_per_hour=reader.integer("max_traces_per_hour", base.max_traces_per_hour, 0, MOST_PER_HOUR),
        max_generations_per_hour=reader.integer(
            "max_generations_per_hour", base.max_generations_per_hour, 0, MOST_PER_HOUR
        ),
        daily_budget_usd=reader.limit_usd("daily_budget_usd", base.daily_budget_usd),
        redact=reader.flag("redact", base.redact),
        redaction_patterns=reader.patterns("redaction_patterns", base.redaction_patterns),
        max_text_tokens=reader.optional_integer(
            "max_text_tokens", base.max_text_tokens, FEWEST_TEXT_TOKENS, MOST_TEXT_TOKENS
        ),
        session_replay_tasks=reader.flag("session_replay_tasks", base.session_replay_tasks),
        model_judges_tasks=reader.flag("model_judges_tasks", base.model_judges_tasks),
        least_task_impact=reader.fraction("least_task_impact", base.least_task_impact),
        least_task_trouble=reader.fraction("least_task_trouble", base.least_task_trouble),
        resolve_old_tasks=reader.flag("resolve_old_tasks", base.resolve_old_tasks),
    )


def read_own_options(reader: FieldReader, table: Mapping[str, Any], base: TeamOptions) -> TeamOptions:
    """The options of a single team: those of all teams, but for the fields that its table names."""
    options = read_options(reader, base)
    reader.report_unknown(PROTECTION)
    inherited = tuple(problem for problem in base.unusable if problem.field not in table)
    return replace(options, unusable=inherited + tuple(problem for problem in reader.problems if problem.stops))
