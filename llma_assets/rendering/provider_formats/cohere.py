"""Cohere's streams: version 2 names its events by `type`, version 1 by `event_type`."""

from collections.abc import Mapping, Sequence

from llma_assets.rendering.provider_formats.nested import mapping, string
from llma_assets.rendering.provider_formats.streams import extend, in_order, kinds_of, list_of, place_of


def join(items: Sequence[object]) -> Mapping[str, object] | None:
    """The message that events add up to: its plan, its text, its tool calls."""
    if kinds_of(items, "event_type") & {"stream-start", "text-generation"}:
        return _version_1(items)
    if not kinds_of(items) & {"message-start", "content-delta", "tool-plan-delta", "tool-call-start"}:
        return None
    whole: dict[str, object] = {"role": "assistant", "content": ""}
    calls: dict[int, dict[str, object]] = {}
    for item in map(mapping, items):
        delta = mapping(item.get("delta"))
        message = mapping(delta.get("message"))
        extend(whole, "tool_plan", message.get("tool_plan"))
        content = mapping(message.get("content"))
        extend(whole, "content", content.get("text"))
        extend(whole, "thinking", content.get("thinking"))
        called = mapping(mapping(message.get("tool_calls")).get("function"))
        if called:
            call = calls.setdefault(place_of(item), {"name": "", "arguments": ""})
            extend(call, "name", called.get("name"))
            extend(call, "arguments", called.get("arguments"))
        if delta.get("finish_reason"):
            whole["finish_reason"] = delta["finish_reason"]
    return {**whole, "tool_calls": [{"function": call} for call in in_order(calls)]}


def _version_1(items: Sequence[object]) -> Mapping[str, object] | None:
    texts: list[str] = []
    calls: list[object] = []
    final: Mapping[str, object] = {}
    for item in map(mapping, items):
        if item.get("event_type") == "text-generation":
            texts.append(string(item.get("text")))
        calls.extend(list_of(item.get("tool_calls")) if item.get("event_type") == "tool-calls-generation" else [])
        if "response" in item:
            final = {"finish_reason": item.get("finish_reason"), **mapping(item["response"])}
    rest = {key: value for key, value in final.items() if key in {"finish_reason", "meta", "citations"}}
    text = "".join(texts) or string(final.get("text"))
    said = {"role": "assistant", "content": text, "tool_calls": calls or list_of(final.get("tool_calls"))}
    return {**rest, "messages": [said]} if texts or final else None
