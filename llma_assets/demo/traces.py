"""Turns a conversation into the events of a trace: generations, spans, feedback, and the trace event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson

from llma_assets.demo.message_formats import Message, MessageFormat, result_text
from llma_assets.demo.topics import Call, Turn

EVENT_NAMESPACE = uuid5(NAMESPACE_URL, "llma-assets/demo")


@dataclass(frozen=True, slots=True)
class Application:
    """What the traces of one application have in common.

    Attributes:
        name: name of its traces.
        message_format: the message format of its provider.
        provider: value of `$ai_provider`.
        model: value of `$ai_model`.
        input_usd: price of a million input tokens.
        output_usd: price of a million output tokens.
        system: the system prompt.
        rate_limited: share of model calls, 0 to 1, that are rate limited and retried.
    """

    name: str
    message_format: MessageFormat
    provider: str
    model: str
    input_usd: float
    output_usd: float
    system: str
    rate_limited: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """The user and the time of a conversation. `start` is aware, in UTC."""

    team_id: int
    user: str
    session_id: str
    trace_id: str
    start: datetime


def trace_events(
    application: Application, visit: Visit, turns: Sequence[Turn], random: Random
) -> Iterator[dict[str, Any]]:
    """Yield the events of one trace in order of time, the trace event last.

    Yields:
        events `{uuid, event, team_id, distinct_id, timestamp, properties}`; uuids depend on trace and
        order only.
    """
    writer = _Writer(application, visit, random, visit.start)
    for turn in turns:
        yield from writer.turn(turn)
    yield from writer.end(turns)


@dataclass(slots=True)
class _Writer:
    """Builds one trace: its clock, its messages, the number of its events."""

    application: Application
    visit: Visit
    random: Random
    now: datetime
    messages: list[Message] = field(default_factory=list)
    count: int = 0
    failed: bool = False

    def turn(self, turn: Turn) -> Iterator[dict[str, Any]]:
        message_format = self.application.message_format
        if not self.messages:
            self.messages.append(message_format.text("system", self.application.system))
        self.messages.append(message_format.text("user", turn.user))
        for call in turn.calls:
            call_id = self._id("call", self.count)[:12]
            request = message_format.request(call, call_id)
            yield from self._generation(request)
            yield self._span(call)
            self.messages += [request, message_format.result(call, call_id)]
        answer = message_format.text("assistant", turn.assistant)
        yield from self._generation(answer)
        self.messages.append(answer)
        self.now += timedelta(seconds=self.random.uniform(5, 60))

    def end(self, turns: Sequence[Turn]) -> Iterator[dict[str, Any]]:
        if self.random.random() < 0.08:
            liked = not self.failed and self.random.random() < 0.8
            text = "That solved it, thank you." if liked else "This did not help me."
            yield self._event("$ai_feedback", {"$ai_feedback_text": text, "rating": "up" if liked else "down"})
        latency = (self.now - self.visit.start).total_seconds()
        yield self._event(
            "$ai_trace",
            {
                "$ai_trace_name": self.application.name,
                "$ai_span_id": self._id("root"),
                "$ai_input_state": {"message": turns[0].user},
                "$ai_output_state": {"message": turns[-1].assistant},
                "$ai_latency": round(latency, 3),
            },
        )

    def _generation(self, output: Message) -> Iterator[dict[str, Any]]:
        input_tokens = len(orjson.dumps(self.messages)) // 4
        output_tokens = max(4, len(orjson.dumps(output)) // 4)
        common = {
            "$ai_span_name": "answer",
            "$ai_parent_id": self._id("root"),
            "$ai_provider": self.application.provider,
            "$ai_model": self.application.model,
            "$ai_input": list(self.messages),
        }
        if self.random.random() < self.application.rate_limited:
            self.now += timedelta(seconds=0.2)
            error = {"status": 429, "message": "Rate limit reached, try again in 2 s"}
            failure = {"$ai_is_error": True, "$ai_http_status": 429, "$ai_error": error, "$ai_latency": 0.2}
            yield self._event("$ai_generation", {**common, "$ai_span_id": self._id("span", self.count), **failure})
            self.now += timedelta(seconds=2)
        latency = round(0.3 + output_tokens / 60 * self.random.lognormvariate(0, 0.4), 3)
        self.now += timedelta(seconds=latency)
        costs = (
            input_tokens * self.application.input_usd / 1e6,
            output_tokens * self.application.output_usd / 1e6,
        )
        answer = {
            "$ai_span_id": self._id("span", self.count),
            "$ai_output_choices": [output],
            "$ai_input_tokens": input_tokens,
            "$ai_output_tokens": output_tokens,
            "$ai_input_cost_usd": round(costs[0], 8),
            "$ai_output_cost_usd": round(costs[1], 8),
            "$ai_total_cost_usd": round(sum(costs), 8),
            "$ai_http_status": 200,
            "$ai_latency": latency,
        }
        yield self._event("$ai_generation", {**common, **answer})

    def _span(self, call: Call) -> dict[str, Any]:
        latency = 30.0 if call.failed else round(self.random.lognormvariate(-1, 0.7), 3)
        self.now += timedelta(seconds=latency)
        self.failed |= call.failed
        properties: dict[str, Any] = {
            "$ai_span_id": self._id("span", self.count),
            "$ai_parent_id": self._id("root"),
            "$ai_span_name": call.name,
            "$ai_input_state": dict(call.arguments),
            "$ai_latency": latency,
        }
        if call.failed:
            properties |= {"$ai_is_error": True, "$ai_error": result_text(call)}
        else:
            properties["$ai_output_state"] = call.result
        return self._event("$ai_span", properties)

    def _event(self, event: str, properties: dict[str, Any]) -> dict[str, Any]:
        uuid = self._id(event, self.count)
        self.count += 1
        return {
            "uuid": uuid,
            "event": event,
            "team_id": self.visit.team_id,
            "distinct_id": self.visit.user,
            "timestamp": self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "properties": {
                "$ai_trace_id": self.visit.trace_id,
                "$ai_session_id": self.visit.session_id,
                "$ai_ingestion_source": "demo",
                **properties,
            },
        }

    def _id(self, *names: object) -> str:
        return str(uuid5(EVENT_NAMESPACE, "/".join(map(str, (self.visit.team_id, self.visit.trace_id, *names)))))
