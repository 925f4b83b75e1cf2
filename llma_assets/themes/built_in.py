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
