"""Helicone: requests, one a model call, as its API and its table `request_response_rmt` hold them."""

from collections.abc import Iterator
from typing import Final

from llma_assets.attribute_names import EMBEDDING, GENERATION
from llma_assets.ingest.formats.draft import (
    Draft,
    Format,
    Outcome,
    Record,
    decoded,
    field,
    filled,
    mapping,
    one,
    required_id,
    seconds,
    text_field,
    times,
)


def recognises(record: Record) -> bool:
    """A request with its body."""
    return "request_id" in record and ("request_body" in record or "response_body" in record)


def read(record: Record) -> Iterator[Outcome]:
    """The model call of a request."""
    yield one(record, "", _draft)


def _draft(row: Record) -> Draft:
    identity = required_id(row, "request_id")
    time_us, between_s = times(row, ("request_created_at",), ("response_created_at",))
    own = {**mapping(row.get("request_properties")), **mapping(row.get("properties"))}
    session = text_field(own, "Helicone-Session-Id")
    trace_id = session or identity
    latency_ms = seconds(field(row, "latency", "delay_ms"))
    status = field(row, "response_status", "status")
    request, response = decoded(row.get("request_body")), decoded(row.get("response_body"))
    path = text_field(row, "request_path", "target_url")
    event = EMBEDDING if path.split("?")[0].rstrip("/").endswith("embeddings") else GENERATION
    return Draft(
        trace_id,
        identity,
        event,
        time_us,
        text_field(row, "request_user_id", "user_id", "helicone_user"),
        filled(
            {
                **{f"helicone.{name}": value for name, value in own.items()},
                "$ai_trace_id": trace_id,
                "$ai_span_id": identity,
                "$ai_span_name": text_field(own, "Helicone-Session-Path", "Helicone-Prompt-Id"),
                "$ai_trace_name": text_field(own, "Helicone-Session-Name"),
                "$ai_session_id": session,
                "$ai_latency": between_s if latency_ms is None else latency_ms / 1_000,
                "$ai_http_status": status,
                "$ai_model": text_field(row, "response_model", "request_model", "model")
                or text_field(mapping(request), "model"),
                "$ai_provider": text_field(row, "provider"),
                "$ai_input_tokens": row.get("prompt_tokens"),
                "$ai_output_tokens": row.get("completion_tokens"),
                "$ai_total_cost_usd": field(row, "costUSD", "cost_usd", "cost"),
                "$ai_tools": mapping(request).get("tools"),
                "$ai_input": request,
                "$ai_output_choices": response,
            }
        ),
        tenant=text_field(row, "organization_id"),
    )


FORMAT: Final = Format(
    "helicone",
    "Helicone",
    recognises,
    read,
    ("request_id", "request_body", "response_body", "request_created_at", "response_created_at", "request_model"),
    tenant="organization_id",
)
