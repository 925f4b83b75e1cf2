"""LangSmith: runs, as its SDK lists them and as its bulk export (Parquet) holds them."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from llma_assets.attribute_names import EMBEDDING, GENERATION, SPAN
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Record,
    decoded,
    each,
    field,
    filled,
    mapping,
    one,
    required_id,
    text_field,
    times,
)

_KINDS: Final = {"llm": GENERATION, "embedding": EMBEDDING}


def recognises(record: Record) -> bool:
    """A run: its type and its inputs."""
    return "run_type" in record and "id" in record and ("inputs" in record or "start_time" in record)


def read(record: Record) -> Iterator[Outcome]:
    """The event of a run, and those of the runs that are nested in it."""
    yield one(record, "", _draft)
    children = decoded(record.get("child_runs"))
    if isinstance(children, list):
        for number, child in enumerate(children):
            if isinstance(child, Mapping) and recognises(child):
                yield from read(child)
            else:
                yield from each([child], f"child_runs[{number}]", _draft)


def _draft(run: Record) -> Draft:
    identity = required_id(run, "id")
    trace_id = (
        text_field(run, "trace_id") or text_field(run, "dotted_order").split(".")[0].partition("Z")[2] or identity
    )
    time_us, latency_s = times(run, ("start_time",), ("end_time",))
    event = _KINDS.get(text_field(run, "run_type"), SPAN)
    is_call = event != SPAN
    extra = mapping(run.get("extra"))
    metadata = {**mapping(extra.get("metadata")), **mapping(run.get("metadata"))}
    settings = mapping(extra.get("invocation_params"))
    outputs = mapping(run.get("outputs"))
    usage = _usage(outputs)
    error = text_field(run, "error")
    session = text_field(metadata, "session_id", "thread_id", "conversation_id")
    return Draft(
        trace_id,
        identity,
        event,
        time_us,
        text_field(metadata, "user_id", "userId", "user"),
        filled(
            {
                "$ai_trace_id": trace_id,
                "$ai_span_id": identity,
                "$ai_parent_id": text_field(run, "parent_run_id"),
                "$ai_span_name": text_field(run, "name"),
                "$ai_session_id": session,
                "$ai_latency": latency_s,
                "$ai_is_error": True if error or run.get("status") == "error" else None,
                "$ai_error": error,
                "$ai_model": text_field(metadata, "ls_model_name") or text_field(settings, "model", "model_name"),
                "$ai_provider": text_field(metadata, "ls_provider"),
                "$ai_input_tokens": field(run, "prompt_tokens") or field(usage, "input_tokens", "prompt_tokens"),
                "$ai_output_tokens": field(run, "completion_tokens")
                or field(usage, "output_tokens", "completion_tokens"),
                "$ai_input_cost_usd": _number(run.get("prompt_cost")),
                "$ai_output_cost_usd": _number(run.get("completion_cost")),
                "$ai_total_cost_usd": _number(run.get("total_cost")),
                "$ai_tools": field(settings, "tools", "functions"),
                "langsmith.run_type": text_field(run, "run_type"),
                "langsmith.project": text_field(run, "session_name", "session_id"),
                "langsmith.tags": decoded(run.get("tags")),
                "langsmith.metadata": metadata,
                "$ai_input" if is_call else "$ai_input_state": decoded(run.get("inputs")),
                "$ai_output_choices" if is_call else "$ai_output_state": decoded(run.get("outputs")),
            }
        ),
        tenant=text_field(run, "session_name", "session_id"),
    )


def _usage(outputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """Tokens as providers' answers hold them, where the run has none."""
    return mapping(outputs.get("usage_metadata")) or mapping(mapping(outputs.get("llm_output")).get("token_usage"))


def _number(value: object) -> object:
    """A cost, which may be written as text."""
    return value if isinstance(value, int | float | Decimal) or (isinstance(value, str) and value) else None


FORMAT: Final = Format(
    "langsmith",
    "LangSmith",
    recognises,
    read,
    ("run_type", "inputs", "outputs", "dotted_order", "parent_run_id", "trace_id", "session_id", "start_time"),
    tenant="session_id",
)
