"""The themes that ship: two general ones, always there, and those that are off until a team switches them on."""

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
    description="What goes wrong in the application: failed calls, wrong tool use, answers that break off.",
    prompt="Say what failed, where in the trace, with which message, and what the application did about it.",
    rule="errors",
    screen=True,
    enabled=False,
)
UX_ISSUES = Theme(
    theme_id="ux_issues",
    level="trace",
    name="Trouble of users",
    description="Where users have a hard time: they repeat themselves, correct the application, or give up.",
    prompt="Say where the user had trouble with the application, what they tried, and how the trouble ended.",
    rule="ux",
    screen=True,
    enabled=False,
)
FEATURE_REQUESTS = Theme(
    theme_id="feature_requests",
    level="trace",
    name="Wishes",
    description="What users ask for that the application cannot do.",
    prompt="Say what the user wanted that the application could not do or does not offer, and what they need it for.",
    rule="feature_requests",
    screen=True,
    enabled=False,
)
PERFORMANCE_ISSUES = Theme(
    theme_id="performance_issues",
    level="trace",
    name="Slow and dear",
    description="Traces that take far longer, or cost far more, than is usual for the team.",
    prompt="Say which steps made the trace slow or expensive, and why: loops, repeated calls, large contexts, waiting.",
    rule="performance",
    screen=True,
    enabled=False,
)
SUCCESS_PATTERNS = Theme(
    theme_id="success_patterns",
    level="trace",
    name="What works",
    description="Traces where users got what they wanted, and what brought it about.",
    prompt="Say what the user achieved, how the application brought it about, and what shows that they were content.",
    rule="success",
    screen=True,
    enabled=False,
)
OPTIONAL = (ERROR_ANALYSIS, UX_ISSUES, FEATURE_REQUESTS, PERFORMANCE_ISSUES, SUCCESS_PATTERNS)
"""Off until a team switches them on."""

_FIRST_VERSIONS = {theme.theme_id: theme.version for theme in GENERAL}


def stored_versions(theme: Theme) -> tuple[str, ...]:
    """What results of the theme as it is now bear as its version.

    "" is what was stored before themes had versions, when there were only the general ones as they ship.
    """
    return (theme.version, "") if _FIRST_VERSIONS.get(theme.theme_id) == theme.version else (theme.version,)
