"""The themes that ship: two general ones, always there, and those that are off until a team switches them on."""

from collections.abc import Mapping

from llma_assets.themes.theme import Theme

TRACES = Theme(
    theme_id="traces",
    level="trace",
    name="Traces",
    description="What users want of the application, over all traces.",
    prompt="Say what the user wanted, how the application went about it, and how it ended.",
    judged=False,
)
GENERATIONS = Theme(
    theme_id="generations",
    level="generation",
    name="Generations",
    description="What single model calls are asked to do.",
    prompt="Say what this single model call was asked to do and what it answered.",
    mode="minimal",
    judged=False,
)
GENERAL = (TRACES, GENERATIONS)
"""On unless a team switches them off. The pipeline's schedules run them; all others have a schedule of their own."""


ERROR_ANALYSIS = Theme(
    theme_id="error_analysis",
    level="trace",
    name="Errors",
    description="What fails in the application: tools and model calls that end in an error, actions that do not work.",
    prompt="Failures: a tool or a model call that ended in an error, an action that did not work, or an answer that "
    "admits it. It is no failure that a search rightly finds nothing, that a rule of the business forbids "
    "something, or that somebody only speaks of errors. The title names the tool or the step that failed, and"
    " the reason it gave. Say where it failed and with which message, what was tried again, and what the user"
    " was told.",
    rule="errors",
    screen=True,
    enabled=False,
)
UX_ISSUES = Theme(
    theme_id="ux_issues",
    level="trace",
    name="Trouble of users",
    description="Where users have a hard time: they correct the application, insist, repeat themselves, give up.",
    prompt="Trouble of the user with the application: the user corrects it, repeats or rephrases a request, insists "
    "after a refusal, complains of how it answers, asks for a person, or gives up; or the application asks "
    "again for what it was told. It is no trouble that a user changes a wish, answers a question or declines "
    "an offer. The title names the kind of trouble and what the user was after. Say what set it off, what the"
    " user tried, and how it ended.",
    rule="ux",
    screen=True,
    enabled=False,
)
FEATURE_REQUESTS = Theme(
    theme_id="feature_requests",
    level="trace",
    name="Wishes",
    description="What users ask for that the application cannot or must not do, and what they wish it could.",
    prompt="Wishes that the application does not meet: the user asks for something that the application says it "
    "cannot or must not do, or says what it should be able to do. It is no such wish if the application could"
    " do it and failed, or did it, or only lacks something that the user has to tell. The title names what is"
    " wished, as short as the name of a feature. Say what the user needs it for, what the application "
    "answered, and what was done instead.",
    rule="feature_requests",
    screen=True,
    enabled=False,
)
PERFORMANCE_ISSUES = Theme(
    theme_id="performance_issues",
    level="trace",
    name="Slow and costly",
    description="Traces that take far longer, cost far more or need far more steps than is usual for the team.",
    prompt="Waste of time and money: steps that took long or cost much, calls repeated with the same or nearly the "
    "same arguments, many calls where few would do, contexts that grow, waiting and timeouts. Seconds and "
    "dollars stand in brackets behind each step. The title names the step or the tool that made it slow or "
    "costly, and why. Say which steps took the most, what was repeated, and what would have been enough.",
    rule="performance",
    screen=True,
    enabled=False,
)
SUCCESS_PATTERNS = Theme(
    theme_id="success_patterns",
    level="trace",
    name="What works",
    description="Traces where something was done, the user was pleased, and nothing went wrong on the way.",
    prompt="Success worth learning from: what the user wanted was done, the user is pleased beyond a polite goodbye,"
    " and nothing failed, was refused or had to be corrected on the way. The title names what was achieved. "
    "Say which steps and tools brought it about, how the application asked and confirmed, and what shows that"
    " the user was pleased.",
    rule="success",
    screen=True,
    enabled=False,
)
OPTIONAL = (ERROR_ANALYSIS, UX_ISSUES, FEATURE_REQUESTS, PERFORMANCE_ISSUES, SUCCESS_PATTERNS)
"""Off until a team switches them on."""

SHIPPED: Mapping[str, Theme] = {theme.theme_id: theme for theme in (*GENERAL, *OPTIONAL)}
GENERAL_IDS = frozenset(theme.theme_id for theme in GENERAL)


def base_of(theme_id: str) -> Theme:
    """What settings of a theme are given on top of: the theme as it ships, or an own one that asks nothing yet."""
    return SHIPPED.get(theme_id) or Theme(theme_id=theme_id, level="trace", prompt="")


_FIRST_VERSIONS = {theme.theme_id: theme.version for theme in GENERAL}


def stored_versions(theme: Theme) -> tuple[str, ...]:
    """What results of the theme as it is now bear as its version.

    "" is what was stored before themes had versions, when there were only the general ones as they ship.
    """
    return (theme.version, "") if _FIRST_VERSIONS.get(theme.theme_id) == theme.version else (theme.version,)
