"""Provider formats of messages, one module a family, each with one function: `read(item, role, read_nested)`.

`read` recognises its family by structure. It takes a JSON object, the role to use where the object names none, and a
parser for nested content; it returns the object's messages, or None if the object is of another family. Where families
share keys, the more specific one comes first in `PROVIDER_FORMATS`.
"""

from collections.abc import Callable, Mapping
from typing import Final

from llma_assets.rendering.message import Message
from llma_assets.rendering.provider_formats import (
    anthropic,
    bedrock,
    containers,
    gemini,
    generic,
    langchain,
    openai_chat,
    openai_responses,
    openinference,
    otel,
    pydantic_ai,
    vercel,
)
from llma_assets.rendering.provider_formats.nested import ReadNested

ProviderFormat = Callable[[Mapping[str, object], str, ReadNested], list[Message] | None]

PROVIDER_FORMATS: Final[tuple[ProviderFormat, ...]] = (
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
    generic.read,
    containers.read,
)

__all__ = ["PROVIDER_FORMATS", "ProviderFormat", "ReadNested"]
