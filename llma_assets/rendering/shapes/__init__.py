"""Message shapes, one module a provider family. Each has one function, `read`, that knows its family by structure.

`read(item, role, inner)` takes one JSON object, the role that holds where the object names none, and a function that
reads what is nested in it. It gives the messages of the object, or None when the object is not of this family. The
order of `SHAPES` matters where families share keys: the more telling structure comes first.
"""

from collections.abc import Callable, Mapping
from typing import Final

from llma_assets.rendering.message import Message
from llma_assets.rendering.shapes import (
    anthropic,
    bedrock,
    containers,
    gemini,
    general,
    langchain,
    openai_chat,
    openai_responses,
    openinference,
    otel,
    pydantic_ai,
    vercel,
)
from llma_assets.rendering.shapes.inner import Inner

Shape = Callable[[Mapping[str, object], str, Inner], list[Message] | None]

SHAPES: Final[tuple[Shape, ...]] = (
    openai_responses.read,
    vercel.read,
    anthropic.read,
    langchain.read,
    pydantic_ai.read,
    bedrock.read,
    otel.read,
    gemini.read,
    openinference.read,
    openai_chat.read,
    general.read,
    containers.read,
)

__all__ = ["SHAPES", "Inner", "Shape"]
