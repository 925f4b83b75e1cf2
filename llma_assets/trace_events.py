"""Names of trace events. Who reads or writes them belongs in the rooms."""

TRIGGER_EVENTS = (
    "$ai_generation",
    "$ai_embedding",
    "$ai_span",
    "$ai_trace",
    "$ai_metric",
    "$ai_feedback",
    "$ai_evaluation",
)
"""The events that customers send. What pipelines write never makes a team eligible."""
