"""Options that can be set for all teams and overridden for one: how much is selected, spent and shown.

Which teams take part belongs in `settings`, validation of a field in `fields`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, get_args

from llma_assets.privacy import Transformation
from llma_assets.teams.fields import MAX_TEAM_ID, FieldReader, SettingProblem

MINIMUM_TRACES = 20
QUIET_MINUTES = 30
MOST_QUIET_MINUTES = 24 * 60
TRACES_PER_HOUR = 100
GENERATIONS_PER_HOUR = 12
"""A clustering reads at most 2,000 items of seven days, which is 12 an hour: more would be paid for and not read."""

MOST_PER_HOUR = 1_000_000
MOST_TEXT_TOKENS = 1_000_000
FEWEST_TEXT_TOKENS = 200
PROTECTION = ("redact", "input_trans", "min_u", "below_min")
"""An unknown field with one of these prefixes was meant to hide private values."""

BelowMinUsers = Literal["without_examples", "held_back"]
MOST_MIN_USERS = 1_000
LONGEST_PROPERTY = 200


@dataclass(frozen=True, slots=True)
class TeamOptions:
    """How the traces of a team are processed.

    Attributes:
        minimum_traces: fewest traces in the window with which the team is eligible.
        quiet_minutes: a trace is selected once its last event is so long ago.
        max_traces_per_hour: most traces of an hour that are selected; of more, a fair sample.
        max_generations_per_hour: the same for generations; 0 selects none.
        daily_budget_usd: most that models may cost for a day of the team; None is no limit.
        redact: replace private values by placeholders.
        redaction_patterns: patterns of further private values, in RE2's syntax.
        input_transformations: pairs of a pattern and a text that takes its place before a text is cut.
        injected_tags: tags of blocks that a harness injects into the words of users.
        max_text_tokens: most tokens of a text; None uses the renderer's default.
        session_replay_tasks: create tasks from session-replay segments every half hour.
        model_judges_tasks: the model decides what is a problem, instead of keywords.
        least_task_impact: with keywords, a recurring issue with a smaller mean impact becomes an ignored task.
        least_task_trouble: with keywords, the same if a smaller share of its segments reports a problem.
        resolve_old_tasks: a new task whose segments are all old is resolved at once.
        min_users: fewest different users of a cluster that is shown in full; 1 shows all.
        below_min_users: what is done with a cluster of fewer: `without_examples` or `held_back`.
        release_property: the property of events that names the application's release, "" for none.
        name: what people call the team; "" for its number, or the tenant that it is.
        unusable: invalid fields that protect the team, which is therefore not processed.
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
    min_users: int = 1
    below_min_users: BelowMinUsers = "without_examples"
    release_property: str = ""
    input_transformations: tuple[Transformation, ...] = ()
    injected_tags: tuple[str, ...] = ()
    name: str = ""
    unusable: tuple[SettingProblem, ...] = ()

    @property
    def quiet(self) -> timedelta:
        """`quiet_minutes` as a timedelta."""
        return timedelta(minutes=self.quiet_minutes)


MOST_NAME_CHARS = 80


def read_options(reader: FieldReader, base: TeamOptions) -> TeamOptions:
    """The options of a table; a missing or invalid field, and `unusable`, are those of `base`."""
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
        input_transformations=reader.transformations("input_transformations", base.input_transformations),
        injected_tags=reader.tags("injected_tags", base.injected_tags),
        min_users=reader.integer("min_users", base.min_users, 1, MOST_MIN_USERS, stops=True),
        below_min_users=reader.choice("below_min_users", base.below_min_users, get_args(BelowMinUsers)),
        max_text_tokens=reader.optional_integer(
            "max_text_tokens", base.max_text_tokens, FEWEST_TEXT_TOKENS, MOST_TEXT_TOKENS
        ),
        session_replay_tasks=reader.flag("session_replay_tasks", base.session_replay_tasks),
        model_judges_tasks=reader.flag("model_judges_tasks", base.model_judges_tasks),
        least_task_impact=reader.fraction("least_task_impact", base.least_task_impact),
        least_task_trouble=reader.fraction("least_task_trouble", base.least_task_trouble),
        resolve_old_tasks=reader.flag("resolve_old_tasks", base.resolve_old_tasks),
        release_property=reader.words("release_property", base.release_property, LONGEST_PROPERTY),
        name=reader.words("name", base.name, MOST_NAME_CHARS),
    )


def read_own_options(reader: FieldReader, table: Mapping[str, Any], base: TeamOptions) -> TeamOptions:
    """The options of one team: those of all teams, overridden by the fields of its table."""
    options = read_options(reader, base)
    reader.report_unknown(PROTECTION)
    inherited = tuple(problem for problem in base.unusable if problem.field not in table)
    return replace(options, unusable=inherited + tuple(problem for problem in reader.problems if problem.stops))
