"""Streams whose events hold the next piece of one text: Ollama, watsonx, Titan, Llama, Anthropic's completions, TGI."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from llma_assets.rendering.provider_formats.nested import mapping, string
from llma_assets.rendering.provider_formats.streams import extend, list_of

_Fragment = Callable[[Mapping[str, object]], Mapping[str, object] | None]


def join(items: Sequence[object]) -> Mapping[str, object] | None:
    """The message that the pieces add up to, with its thoughts, its tool calls and the reason of its end."""
    fragment_of = next((found for found in _FRAGMENTS if found(mapping(items[0])) is not None), None)
    if fragment_of is None or (len(items) == 1 and fragment_of is not _ollama):
        return None
    whole: dict[str, object] = {"role": "assistant", "content": ""}
    calls: list[object] = []
    for item in map(mapping, items):
        fragment = fragment_of(item)
        if fragment is None:
            continue
        extend(whole, "content", fragment.get("content"))
        extend(whole, "thinking", fragment.get("thinking"))
        calls.extend(list_of(fragment.get("tool_calls")))
        whole["trace"] = item.get("amazon-bedrock-trace") or whole.get("trace")
        for key in ("done_reason", "stop_reason", "completionReason"):
            whole[key] = fragment.get(key) or item.get(key) or whole.get(key)
    trace = whole.pop("trace", None)
    whole["tool_calls"] = calls
    return {"messages": [whole], "trace": trace} if trace else whole


def _ollama(item: Mapping[str, object]) -> Mapping[str, object] | None:
    if not isinstance(item.get("done"), bool):
        return None
    if isinstance(item.get("message"), Mapping):
        return mapping(item["message"])
    text = item.get("response")
    return {"content": text, "thinking": item.get("thinking")} if isinstance(text, str) else None


def _results(item: Mapping[str, object]) -> Mapping[str, object] | None:
    """watsonx: `{"results": [{"generated_text": "…"}]}`."""
    results = list_of(item.get("results"))
    first = mapping(results[0]) if len(results) == 1 and "model_id" in item else {}
    text = first.get("generated_text")
    return {"content": text, "stop_reason": _ended(first)} if isinstance(text, str) else None


def _ended(result: Mapping[str, object]) -> str:
    reason = string(result.get("stop_reason"))
    return "" if reason.lower() == "not_finished" else reason


def _titan(item: Mapping[str, object]) -> Mapping[str, object] | None:
    text = item.get("outputText")
    return {"content": text} if isinstance(text, str) and "index" in item else None


def _llama(item: Mapping[str, object]) -> Mapping[str, object] | None:
    text = item.get("generation")
    return {"content": text} if isinstance(text, str) and "generation_token_count" in item else None


def _completion(item: Mapping[str, object]) -> Mapping[str, object] | None:
    text = item.get("completion")
    return {"content": text} if isinstance(text, str) and item.get("type") == "completion" else None


def _token(item: Mapping[str, object]) -> Mapping[str, object] | None:
    """Text generation servers of Hugging Face: `{"token": {"text": "…"}, "generated_text": null}`."""
    token = mapping(item.get("token"))
    text = token.get("text")
    return {"content": "" if token.get("special") else text} if isinstance(text, str) else None


def _value(item: Mapping[str, object]) -> Mapping[str, object] | None:
    text = item.get("value")
    return {"content": text} if isinstance(text, str) and len(item) == 1 else None


_FRAGMENTS: Final[tuple[_Fragment, ...]] = (_ollama, _results, _titan, _llama, _completion, _token, _value)
