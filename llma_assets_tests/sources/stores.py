"""Write spans into the tables of Langfuse, PostHog, SigNoz, Laminar and Opik, as these would."""

import hashlib
import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from llma_assets.clickhouse import Database
from llma_assets_tests.sources.spans import BANK, Span

NOBODY = UUID(int=0)


def team_number(span: Span) -> int:
    """The team of a tenant in stores that know teams by numbers."""
    return 8 if span.tenant == BANK else 7


def _input(span: Span) -> str:
    """What was said; texts are stored as they are, all else as JSON."""
    said = span.messages if span.kind == "llm" else span.said
    return said if isinstance(said, str) else json.dumps(said) if said else ""


def _output(span: Span) -> str:
    return json.dumps(span.answer) if span.kind == "llm" and span.answer else span.answered


def _roots(spans: Iterable[Span]) -> list[Span]:
    return [span for span in spans if not span.parent_id]


def write_langfuse(store: Database, spans: Iterable[Span]) -> None:
    spans = list(spans)
    types = {"llm": "GENERATION", "tool": "TOOL", "agent": "AGENT", "embedding": "EMBEDDING"}
    store.insert_rows(
        "observations",
        [
            {
                "id": span.span_id,
                "trace_id": span.trace_id,
                "project_id": span.tenant,
                "type": types[span.kind],
                "parent_observation_id": span.parent_id or None,
                "start_time": span.start,
                "end_time": span.end,
                "name": span.name,
                "metadata": {"plan": "pro"},
                "level": "ERROR" if span.error else "DEFAULT",
                "status_message": span.error or None,
                "input": _input(span) or None,
                "output": _output(span) or None,
                "provided_model_name": span.model or None,
                "usage_details": {"input": span.tokens[0], "output": span.tokens[1]},
                "total_cost": span.cost or None,
                "event_ts": span.version_at,
                "is_deleted": 0,
            }
            for span in spans
        ],
    )
    store.insert_rows(
        "traces",
        [
            {
                "id": span.trace_id,
                "timestamp": span.start,
                "name": span.name,
                "user_id": span.user,
                "session_id": span.session,
                "project_id": span.tenant,
                "event_ts": span.version_at,
                "is_deleted": 0,
            }
            for span in _roots(spans)
        ],
    )

    _write_scores(store, spans)


def _write_scores(store: Database, spans: Iterable[Span]) -> None:
    """Evaluations of Langfuse: of the trace where the span is its root."""
    rows = []
    for span in spans:
        for number, (name, result, comment) in enumerate(span.scores):
            kind = "BOOLEAN" if isinstance(result, bool) else "CATEGORICAL" if isinstance(result, str) else "NUMERIC"
            row = {
                "id": str(uuid5(NAMESPACE_URL, f"{span.span_id}/{name}")),
                "timestamp": span.end + timedelta(milliseconds=number),
                "project_id": span.tenant,
                "trace_id": span.trace_id,
                "observation_id": span.span_id if span.parent_id else None,
                "name": name,
                "value": 0 if isinstance(result, str) else float(result),
                "source": "EVAL",
                "comment": comment or None,
                "data_type": kind,
                "string_value": {"BOOLEAN": str(result), "CATEGORICAL": result}.get(kind),
                "event_ts": span.version_at,
                "is_deleted": 0,
            }
            rows.append(row)
    store.insert_rows("scores", rows)


def write_langfuse4(store: Database, spans: Iterable[Span]) -> None:
    spans = list(spans)
    types = {"llm": "GENERATION", "tool": "TOOL", "agent": "AGENT", "embedding": "EMBEDDING"}
    rows = []
    for span in spans:
        common: dict[str, Any] = {
            "project_id": span.tenant,
            "trace_id": span.trace_id,
            "start_time": span.start,
            "end_time": span.end,
            "trace_name": "support",
            "user_id": span.user,
            "session_id": span.session,
            "event_ts": span.version_at,
            "is_deleted": 0,
            "metadata_names": ["plan"],
            "metadata_values": ["pro"],
        }
        whole = f"t-{span.trace_id}"
        rows.append(
            common
            | {
                "span_id": span.span_id,
                "parent_span_id": span.parent_id or whole,
                "name": span.name,
                "type": types[span.kind],
                "level": "ERROR" if span.error else "DEFAULT",
                "status_message": span.error,
                "provided_model_name": span.model,
                "usage_details": {"input": span.tokens[0], "output": span.tokens[1]},
                "cost_details": {"total": span.cost} if span.cost else {},
                "input": _input(span),
                "output": _output(span),
                "event_bytes": len(_input(span)) + len(_output(span)),
            }
        )
        if not span.parent_id:
            rows.append({**rows[-1], "span_id": whole, "parent_span_id": "", "type": "SPAN", "end_time": span.start})
    store.insert_rows("events_full", rows)
    _write_scores(store, spans)


def _posthog(span: Span) -> dict[str, Any]:
    is_call = span.kind == "llm"
    return {
        "$ai_trace_id": span.trace_id,
        "$ai_span_id": span.span_id,
        "$ai_parent_id": span.parent_id or span.trace_id,
        "$ai_span_name": span.name,
        "$ai_session_id": span.session,
        "$ai_latency": span.seconds,
        **({"$ai_is_error": True, "$ai_error": span.error} if span.error else {}),
        **(
            {
                "$ai_model": span.model,
                "$ai_input_tokens": span.tokens[0],
                "$ai_output_tokens": span.tokens[1],
                "$ai_total_cost_usd": span.cost,
                "$ai_input": span.messages or None,
                "$ai_output_choices": span.answer or None,
            }
            if is_call
            else {"$ai_input_state": span.said}
        ),
    }


def _posthog_row(span: Span, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "uuid": uuid5(NAMESPACE_URL, span.span_id),
        "event": "$ai_generation" if span.kind == "llm" else "$ai_span",
        "timestamp": span.end,
        "team_id": team_number(span),
        "distinct_id": span.user,
        "person_id": NOBODY,
        "properties": json.dumps(properties),
    }


def write_posthog(store: Database, spans: Iterable[Span]) -> None:
    rows = [_posthog_row(span, _posthog(span)) for span in spans]
    store.insert_rows("events", [*rows, {**rows[0], "uuid": uuid5(NAMESPACE_URL, "page"), "event": "$pageview"}])


def write_posthog_ai(store: Database, spans: Iterable[Span]) -> None:
    heavy = ("input", "output_choices", "input_state")
    rows = []
    for span in spans:
        properties = _posthog(span)
        held = {name: properties.pop(f"$ai_{name}", None) for name in heavy}
        texts = {name: None if value is None else json.dumps(value) for name, value in held.items()}
        rows.append(_posthog_row(span, properties) | {"trace_id": span.trace_id} | texts)
    store.insert_rows("ai_events", rows)


def write_signoz(store: Database, spans: Iterable[Span], attributes: Any) -> None:
    rows = []
    for span in spans:
        texts = attributes(span)
        numbers = {key: float(texts.pop(key)) for key in list(texts) if ".usage." in key or ".cost." in key}
        events = (
            [{"name": "exception", "timeUnixNano": 1, "attributeMap": {"exception.message": span.error}}]
            if span.error
            else []
        )
        rows.append(
            {
                "ts_bucket_start": int(span.start.timestamp()) // 1800 * 1800,
                "timestamp": span.start,
                "trace_id": span.trace_id.replace("-", "").encode(),
                "span_id": span.span_id,
                "parent_span_id": span.parent_id,
                "name": span.name,
                "duration_nano": int(span.seconds * 1e9),
                "status_code_string": "Error" if span.error else "Unset",
                "has_error": bool(span.error),
                "attributes_string": texts,
                "attributes_number": numbers,
                "attributes_bool": {"gen_ai.request.stream": True},
                "resources_string": {"service.name": span.tenant},
                "events": [json.dumps(event) for event in events],
            }
        )
    store.insert_rows("signoz_index_v3", rows)


def write_laminar(store: Database, spans: Iterable[Span]) -> None:
    """Messages of model calls stand under hashes."""
    rows, contents = [], []
    for span in spans:
        hashed: dict[str, list[bytes]] = {"input": [], "output": []}
        if span.kind == "llm":
            for side, messages in (("input", span.messages), ("output", span.answer)):
                for message in messages if isinstance(messages, list) else [messages]:
                    text = json.dumps({"role": "user", "content": message} if isinstance(message, str) else message)
                    digest = hashlib.sha256(text.encode()).digest()
                    hashed[side].append(digest)
                    contents.append({"project_id": UUID(span.tenant), "content_hash": digest, "content": text})
        event = [(1, "exception", json.dumps({"exception.message": span.error}))] if span.error else []
        rows.append(
            {
                "span_id": UUID(span.span_id),
                "name": span.name,
                "span_type": {"llm": 1, "tool": 6}.get(span.kind, 0),
                "start_time": span.start,
                "end_time": span.end,
                "total_cost": span.cost,
                "response_model": span.model or "<null>",
                "session_id": span.session,
                "user_id": span.user,
                "project_id": UUID(span.tenant),
                "trace_id": UUID(span.trace_id),
                "provider": "<null>",
                "input_tokens": span.tokens[0],
                "output_tokens": span.tokens[1],
                "input": "" if span.kind == "llm" else span.said,
                "size_bytes": 500 + len(str(span.messages)) + len(span.answered),
                "status": "error" if span.error else "success",
                "parent_span_id": UUID(span.parent_id) if span.parent_id else NOBODY,
                "events": event,
                "input_message_hashes": hashed["input"],
                "output_message_hashes": hashed["output"],
            }
        )
    store.insert_rows("spans", rows)
    store.insert_rows("deduped_content", contents)


def write_opik(store: Database, spans: Iterable[Span]) -> None:
    spans = list(spans)
    store.insert_rows(
        "spans",
        [
            {
                "id": span.span_id.encode(),
                "workspace_id": "w",
                "project_id": span.tenant.encode(),
                "trace_id": span.trace_id.encode(),
                "parent_span_id": span.parent_id,
                "name": span.name,
                "type": {"llm": "llm", "tool": "tool"}.get(span.kind, "general"),
                "start_time": span.start,
                "end_time": span.end,
                "input": _input(span),
                "output": _output(span),
                "usage": {"prompt_tokens": span.tokens[0], "completion_tokens": span.tokens[1]},
                "last_updated_at": span.version_at,
                "model": span.model,
                "total_estimated_cost": span.cost,
                "error_info": json.dumps({"exception_type": "E", "message": span.error}) if span.error else "",
            }
            for span in spans
        ],
    )
    store.insert_rows(
        "traces",
        [
            {
                "id": span.trace_id.encode(),
                "workspace_id": "w",
                "project_id": span.tenant.encode(),
                "name": span.name,
                "start_time": span.start,
                "end_time": span.end,
                "metadata": "",
                "thread_id": span.session,
                "last_updated_at": span.version_at,
            }
            for span in _roots(spans)
        ],
    )
    store.insert_rows(
        "feedback_scores",
        [
            {
                "entity_id": (span.span_id if span.parent_id else span.trace_id).encode(),
                "entity_type": "span" if span.parent_id else "trace",
                "project_id": span.tenant.encode(),
                "workspace_id": "w",
                "name": name,
                "category_name": result if isinstance(result, str) else "",
                "value": 0 if isinstance(result, str) else float(result),
                "reason": reason,
                "source": "sdk",
                "created_at": span.end + timedelta(milliseconds=number),
                "last_updated_at": span.version_at,
            }
            for span in spans
            for number, (name, result, reason) in enumerate(span.scores)
        ],
    )
