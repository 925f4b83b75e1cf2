"""Twenty traces with the shapes of messages that providers and frameworks have, for tables and files to agree on."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from llma_assets_tests.sources.spans import DAY, Span, identity, refund

SHAPES: Final = Path(__file__).resolve().parents[1] / "rendering" / "fixtures" / "provider_formats"
NAMES: Final = (
    *("anthropic", "autogen", "bedrock", "cohere", "gemini", "haystack", "json_in_string", "langchain"),
    *("langchain_v1", "langgraph_state", "llama_index", "ollama", "openai_chat", "openai_function_call"),
    *("openai_responses", "otel", "plain_string", "pydantic_ai", "unknown_object", "vercel"),
)


def twenty() -> Iterator[Span]:
    """Their spans. Some call a model twice, fail, embed, or know no session."""
    for number, name in enumerate(NAMES):
        agent, call, tool = refund(name, DAY + timedelta(minutes=number))
        if number % 4 == 3:
            agent, call, tool = (replace(span, session="", user="") for span in (agent, call, tool))
        call = replace(call, asked=json.loads((SHAPES / f"{name}.json").read_text()))
        tool = replace(tool, answered='{"status": "sent", "text": "It\'s “on its way”.\\n\\tThanks!"}')
        if number % 4 == 1:
            agent = replace(agent, scores=(("helpful", 0.0, "It does not answer."), ("tone", "friendly, warm", "")))
            call = replace(call, scores=(("grounded", True, "All from the order."), ("safe", False, "")))
        yield agent
        yield replace(call, error="content filter: 400") if number % 5 == 4 else call
        yield tool if number % 2 else replace(tool, error="")
        if number % 3 == 0:
            yield replace(call, span_id=identity(f"{name}/again"), start=DAY + timedelta(minutes=number, seconds=6))
        if number % 6 == 5:  # at a time of its own: which of two comes first that begin at once, no store says
            embed = replace(
                tool, span_id=identity(f"{name}/embed"), kind="embedding", name="embed", answered="", error=""
            )
            yield replace(embed, start=DAY + timedelta(minutes=number, seconds=3.5), seconds=0.25)
