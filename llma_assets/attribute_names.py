"""Names under which trace stores know the same thing: one table for files, tables, the OTLP receiver and filters.

Names only. How a value is turned into a message belongs in `rendering`; how a span becomes an event, in `ingest` and in
the sources of tables. Sources: OpenTelemetry's GenAI conventions (current and older names), OpenInference, OpenLLMetry
(Traceloop), Vercel's AI SDK, MLflow, Langfuse, Laminar, PostHog (`$ai_*`).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

GENERATION, EMBEDDING, SPAN, TRACE = "$ai_generation", "$ai_embedding", "$ai_span", "$ai_trace"

ALIASES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "$ai_model": (
            "gen_ai.response.model",
            "gen_ai.request.model",
            "llm.model_name",
            "embedding.model_name",
            "ai.response.model",
            "ai.model.id",
            "langfuse.observation.model.name",
            "mlflow.llm.model",
        ),
        "$ai_provider": (
            "gen_ai.provider.name",
            "gen_ai.system",
            "llm.provider",
            "llm.system",
            "ai.model.provider",
            "mlflow.llm.provider",
        ),
        "$ai_input_tokens": (
            "gen_ai.usage.input_tokens",
            "gen_ai.usage.prompt_tokens",
            "llm.token_count.prompt",
            "llm.usage.prompt_tokens",
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
            "ai.usage.tokens",
        ),
        "$ai_output_tokens": (
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "llm.token_count.completion",
            "llm.usage.completion_tokens",
            "ai.usage.outputTokens",
            "ai.usage.completionTokens",
        ),
        "$ai_cache_read_input_tokens": (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "llm.token_count.prompt_details.cache_read",
            "ai.usage.cachedInputTokens",
        ),
        "$ai_cache_creation_input_tokens": (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "llm.token_count.prompt_details.cache_write",
        ),
        "$ai_reasoning_tokens": (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "llm.token_count.completion_details.reasoning",
            "ai.usage.reasoningTokens",
        ),
        "$ai_input_cost_usd": ("gen_ai.usage.input_cost", "llm.cost.prompt"),
        "$ai_output_cost_usd": ("gen_ai.usage.output_cost", "llm.cost.completion"),
        "$ai_total_cost_usd": ("llm.cost.total", "gen_ai.usage.cost", "operation.cost"),
        "$ai_stop_reason": (
            "gen_ai.response.finish_reasons",
            "gen_ai.response.finish_reason",
            "llm.finish_reason",
            "llm.response.finish_reason",
            "ai.response.finishReason",
        ),
        "$ai_session_id": (
            "session.id",
            "gen_ai.conversation.id",
            "langfuse.session.id",
            "traceloop.association.properties.session_id",
            "lmnr.association.properties.session_id",
            "ai.telemetry.metadata.sessionId",
            "mlflow.trace.session",
        ),
        "$ai_trace_name": ("langfuse.trace.name", "mlflow.traceName"),
        "$ai_span_name": ("gen_ai.tool.name", "ai.toolCall.name", "tool.name"),
        "$ai_tools": (
            "gen_ai.tool.definitions",
            "llm.request.functions.",
            "llm.tools.",
            "ai.prompt.tools",
            "mlflow.chat.tools",
        ),
    }
)
"""Property of our events → the attributes that hold it, the better one first.

A name that ends in a dot is a prefix: the value is the object of all attributes below it.
"""

NUMBERS: Final = (
    *(name for name in ALIASES if name.endswith(("_tokens", "_usd"))),
    "$ai_latency",
    "$ai_http_status",
    "$ai_total_tokens",
)
"""Properties that are numbers; some stores hold them as text."""

USERS: Final = (
    "user.id",
    "enduser.id",
    "langfuse.user.id",
    "traceloop.association.properties.user_id",
    "lmnr.association.properties.user_id",
    "ai.telemetry.metadata.userId",
    "mlflow.trace.user",
)
"""Attributes that hold the user, the better one first."""

SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
"""Goes before the messages of `gen_ai.input.messages`, unless the first of them is a system message."""

INPUTS: Final = (
    "gen_ai.input.messages",
    "llm.input_messages.",
    "gen_ai.prompt.",
    "gen_ai.tool.call.arguments",
    "ai.prompt.messages",
    "ai.prompt",
    "ai.toolCall.args",
    "ai.values",
    "ai.value",
    "langfuse.observation.input",
    "mlflow.spanInputs",
    "lmnr.span.input",
    "input.value",
    "traceloop.entity.input",
    "llm.prompts",
    "gen_ai.prompt",
    "langfuse.trace.input",
)
"""Attributes that hold what went in, the better one first; a name that ends in a dot is a prefix."""

OUTPUTS: Final = (
    "gen_ai.output.messages",
    "llm.output_messages.",
    "gen_ai.completion.",
    "gen_ai.tool.call.result",
    "ai.response.",
    "ai.toolCall.result",
    "langfuse.observation.output",
    "mlflow.spanOutputs",
    "lmnr.span.output",
    "output.value",
    "traceloop.entity.output",
    "llm.completions",
    "gen_ai.completion",
    "langfuse.trace.output",
)
"""Attributes that hold what came out, as `INPUTS`. Of `ai.response.` only `RESPONSE_CONTENT` is content."""

RESPONSE_CONTENT: Final = ("ai.response.text", "ai.response.toolCalls", "ai.response.object", "ai.response.reasoning")
"""The attributes of Vercel's AI SDK that together are the answer of a model."""

INPUT_EVENTS: Final = (
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.content.prompt",
    "gen_ai.client.inference.operation.details",
)
OUTPUT_EVENTS: Final = ("gen_ai.choice", "gen_ai.content.completion", "gen_ai.client.inference.operation.details")
"""Events of a span, and names of log records, that hold messages where the attributes hold none."""

EVENTS_ATTRIBUTE: Final = "events"
"""The attribute in which Logfire puts these events, as JSON."""

KINDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "gen_ai.operation.name": {
            "chat": GENERATION,
            "generate_content": GENERATION,
            "text_completion": GENERATION,
            "embeddings": EMBEDDING,
        },
        "openinference.span.kind": {"LLM": GENERATION, "EMBEDDING": EMBEDDING},
        "llm.request.type": {
            "chat": GENERATION,
            "completion": GENERATION,
            "embedding": EMBEDDING,
            "embeddings": EMBEDDING,
        },
        "langfuse.observation.type": {"generation": GENERATION, "embedding": EMBEDDING},
        "mlflow.spanType": {"LLM": GENERATION, "CHAT_MODEL": GENERATION, "EMBEDDING": EMBEDDING},
        "lmnr.span.type": {"LLM": GENERATION},
        "traceloop.span.kind": {},
        "ai.operationId": {
            "ai.generateText.doGenerate": GENERATION,
            "ai.streamText.doStream": GENERATION,
            "ai.generateObject.doGenerate": GENERATION,
            "ai.streamObject.doStream": GENERATION,
            "ai.embed.doEmbed": EMBEDDING,
            "ai.embedMany.doEmbed": EMBEDDING,
        },
    }
)
"""Attribute that tells the kind of a span → its values that are model calls. Another value of the first attribute that
is there means `$ai_span`, except that any of them may still name a model call."""

_SAME: Final[Mapping[str, str]] = MappingProxyType(
    {name: ours for ours, names in ALIASES.items() for name in (ours, *names) if not name.endswith(".")}
)


def same_as(name: str) -> tuple[str, ...]:
    """All names of what `name` names, ours first; the name alone where it has no other.

    >>> same_as("llm.model_name")[:2]
    ('$ai_model', 'gen_ai.response.model')
    >>> same_as("plan")
    ('plan',)
    """
    ours = _SAME.get(name)
    return (name,) if ours is None else (ours, *(each for each in ALIASES[ours] if not each.endswith(".")))


def kind_of(attributes: Mapping[str, Any]) -> str:
    """The event that a span is, by its attributes.

    >>> kind_of({"gen_ai.operation.name": "chat"}), kind_of({"openinference.span.kind": "TOOL"})
    ('$ai_generation', '$ai_span')
    """
    for attribute, values in KINDS.items():
        value = attributes.get(attribute)
        if isinstance(value, str):
            kind = values.get(value) or values.get(value.lower()) or values.get(value.upper())
            if kind is not None:
                return kind
    return SPAN


def first_of(attributes: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """The value of the first attribute that has one; None for none. A prefix gives the object of what is below it.

    >>> first_of({"user.id": "", "enduser.id": "ann"}, USERS)
    'ann'
    >>> first_of({"llm.tools.0.tool.json_schema": "{}"}, ALIASES["$ai_tools"])
    {'llm.tools.0.tool.json_schema': '{}'}
    """
    for name in names:
        if name.endswith("."):
            below = {
                key: value for key, value in attributes.items() if key.startswith(name) and value not in ("", None)
            }
            if below:
                return below
            continue
        value = attributes.get(name)
        if value is not None and value not in ("", [], {}):
            return value
    return None
