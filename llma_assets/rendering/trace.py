"""Renders a trace: a header, then the tree of its events with the content of each under its node.

Other modules parse messages, build the tree, find repeated messages and truncate the text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from llma_assets.privacy import redactor_of
from llma_assets.rendering.conversation import Conversation
from llma_assets.rendering.document import Document, Keep
from llma_assets.rendering.events import Event, has_error, read_events
from llma_assets.rendering.formatting import cost, latency
from llma_assets.rendering.generation import lines_of_error
from llma_assets.rendering.hierarchy import Visit, build, walk
from llma_assets.rendering.json_text import text_of
from llma_assets.rendering.options import RenderedTrace, RenderOptions
from llma_assets.rendering.truncation import fit
from llma_assets.rendering.verdicts import verdict

_MAX_GUIDES: Final = 24
"""Depth up to which the tree is indented; deeper nodes state their depth, so that the text grows linearly."""

_DEFAULT_NAMES: Final = {
    "GEN": "generation",
    "EMBED": "embedding",
    "SPAN": "span",
    "TRACE": "trace",
    "EVAL": "evaluation",
    "METRIC": "metric",
    "FEEDBACK": "feedback",
}


def render_trace(events: Sequence[Mapping[str, object]], options: RenderOptions = RenderOptions()) -> RenderedTrace:
    """The text of a trace, in which each event and each message appears once.

    A message that later generations repeat is shown where it first appeared. The number in `[7] USER` is the position
    in the generation's input, so that a gap is history shown further up. A tool's result that a span shows is not
    repeated in the message to the model. The input and output of the `$ai_trace` event are shown unless another event
    shows them. Events of pipelines are left out.

    Args:
        events: mappings with `uuid, event, timestamp, properties`, in any order; properties as objects or as JSON.
        options: lengths and line numbers.

    Returns:
        The text and what it leaves out. Never raises for any events.
    """
    read, ignored = read_events(events)
    trace = next((event for event in read if event.name == "$ai_trace"), None)
    others = [event for event in read if event is not trace]
    redactor = redactor_of(
        redact=options.redact, extra_patterns=options.extra_patterns, transformations=options.transformations
    )
    document = Document(options.max_value_chars, redactor, options.max_chars)
    conversation = Conversation(document, history_once=options.history_once, injected_tags=options.injected_tags)
    _header(document, trace, read)
    _tree(document, conversation, others, trace)
    document.event = 0
    if trace is not None:
        conversation.trace_state(trace.properties())
    text, loss = fit(document.close(), options)
    return RenderedTrace(
        text,
        replace(
            loss,
            base64_removed=document.base64_removed,
            messages=conversation.messages,
            messages_deduplicated=conversation.repeated,
            values_repeated=conversation.values_repeated,
            events_ignored=ignored,
            redactions=dict(redactor.counts) if redactor is not None else {},
        ),
        document.has_content,
    )


def _header(document: Document, trace: Event | None, events: Sequence[Event]) -> None:
    properties = trace.properties() if trace is not None else {}
    names = [trace.label if trace is not None else "", *(event.trace_name for event in events), "trace"]
    document.line(document.name(next(name for name in names if name)).upper(), keep=Keep.HEADER)
    document.line("=" * 80, keep=Keep.HEADER)
    if has_error(properties):
        document.line("")
        document.line("TRACE ERROR:", keep=Keep.ERROR)
        document.error(lines_of_error(properties))


def _tree(document: Document, conversation: Conversation, events: Sequence[Event], trace: Event | None) -> None:
    if not events:
        return
    document.line("")
    document.line("TRACE HIERARCHY:", keep=Keep.HEADER)
    document.line("")
    guides: list[str] = []
    above: dict[int, None] = {}
    for visit in walk(build(events, trace)):
        event = visit.node.event
        document.event = visit.node.order + 1
        if not visit.entering:
            above.pop(visit.node.order)
            del guides[visit.ancestors :]
            conversation.leave(visit.node, _content_prefix(visit, guides))
            continue
        properties = event.properties()
        branch = "└─ " if visit.is_last else "├─ "
        document.line(
            f"{branch}{_node_line(document, event, properties)}",
            _prefix(visit, guides),
            Keep.ERROR if event.is_error else Keep.NO,
        )
        conversation.enter(visit.node, properties, _content_prefix(visit, guides), above)
        guides.append("   " if visit.is_last else "│  ")
        above[visit.node.order] = None


def _prefix(visit: Visit, guides: Sequence[str]) -> str:
    drawn = "".join(guides[: min(visit.ancestors, _MAX_GUIDES)])
    return drawn if visit.ancestors <= _MAX_GUIDES else f"{drawn}(depth {visit.ancestors + 1}) "


def _content_prefix(visit: Visit, guides: Sequence[str]) -> str:
    return "".join(guides[: min(visit.ancestors, _MAX_GUIDES)]) + ("   " if visit.is_last else "│  ")


def _node_line(document: Document, event: Event, properties: Mapping[str, object]) -> str:
    """`[GEN] name (0.45s, $0.0023, gpt-4o, ERROR)`, with the facts that are known."""
    kind = event.kind
    name = document.name(event.label) or _DEFAULT_NAMES.get(kind) or document.name(event.name) or "event"
    facts: list[str] = []
    if kind == "EVAL":
        facts.append(verdict(properties, document.redactor))
    if kind == "METRIC" and properties.get("$ai_metric_value") is not None:
        facts.append(document.name(text_of(properties["$ai_metric_value"]), 100))
    if event.latency_s is not None:
        facts.append(latency(event.latency_s))
    if kind in {"GEN", "EMBED"}:
        if event.cost_usd is not None:
            facts.append(cost(event.cost_usd))
        model = properties.get("$ai_model")
        if isinstance(model, str) and model.strip():
            facts.append(document.name(model, 100))
    if event.is_error:
        facts.append("ERROR")
    shown = ", ".join(fact for fact in facts if fact)
    return f"[{kind}] {name} ({shown})" if shown else f"[{kind}] {name}"
