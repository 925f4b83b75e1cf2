"""Chat and embedding models behind two small protocols: OpenAI-compatible servers, and offline ones.

What is asked of a model (prompts, schemas, offline answers) belongs to the rooms that ask.
"""

from llma_assets.models.errors import (
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    TextsRejected,
)
from llma_assets.models.offline_chat import OfflineChat
from llma_assets.models.protocols import (
    ChatMessage,
    ChatModel,
    Completion,
    Embedder,
    Record,
    Usage,
    ignore_usage,
)

__all__ = [
    "ChatMessage",
    "ChatModel",
    "Completion",
    "Embedder",
    "InvalidAnswer",
    "ModelConfigurationError",
    "ModelError",
    "ModelUnavailable",
    "OfflineChat",
    "Record",
    "TextsRejected",
    "Usage",
    "ignore_usage",
]
