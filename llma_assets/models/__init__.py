"""Chat and embedding models behind two small protocols: OpenAI-compatible servers, and offline ones.

What is asked of a model (prompts, schemas, offline answers) belongs to the rooms that ask.
"""

from llma_assets.models.answered_chat import AnsweredChat
from llma_assets.models.availability import are_usable, require_models, require_packages, shutdown_date
from llma_assets.models.batch_files import BatchAnswer, RequestFile, request_files
from llma_assets.models.batch_replies import BatchState
from llma_assets.models.budget import (
    BUDGET,
    Allowance,
    BudgetExhausted,
    Hold,
    PriceUnknown,
    answer_limit,
    chat_tokens,
    most_usd_of_chat,
    paid_by,
)
from llma_assets.models.choose import chat_model, embedder
from llma_assets.models.errors import (
    CallNotMade,
    InvalidAnswer,
    ModelConfigurationError,
    ModelError,
    ModelUnavailable,
    TextsRejected,
)
from llma_assets.models.metering import failed_usage
from llma_assets.models.model_health import (
    FAILURES_IN_A_ROW,
    ModelHealth,
    NothingAnswered,
    NothingUsable,
)
from llma_assets.models.multilingual_embedder import SHORT_NAME as MULTILINGUAL
from llma_assets.models.multilingual_embedder import MultilingualEmbedder
from llma_assets.models.offline_chat import OfflineChat
from llma_assets.models.offline_embedder import ENGLISH_ONLY, OfflineEmbedder
from llma_assets.models.openai_batch import OpenAIBatches
from llma_assets.models.openai_chat import OpenAIChat
from llma_assets.models.openai_embedder import OpenAIEmbedder
from llma_assets.models.prices import price_list, price_of
from llma_assets.models.probe import (
    Probe,
    is_responding,
    probe_chat,
    probe_embedder,
)
from llma_assets.models.protocols import (
    ChatMessage,
    ChatModel,
    Completion,
    Embedder,
    Record,
    Usage,
    ignore_usage,
)
from llma_assets.models.rates import Price
from llma_assets.models.retry import RetryPolicy
from llma_assets.models.structured import strict_schema
from llma_assets.models.verdicts import verdicts_kept

__all__ = [
    "BUDGET",
    "ENGLISH_ONLY",
    "FAILURES_IN_A_ROW",
    "MULTILINGUAL",
    "Allowance",
    "AnsweredChat",
    "BatchAnswer",
    "BatchState",
    "BudgetExhausted",
    "CallNotMade",
    "ChatMessage",
    "ChatModel",
    "Completion",
    "Embedder",
    "Hold",
    "InvalidAnswer",
    "ModelConfigurationError",
    "ModelError",
    "ModelHealth",
    "ModelUnavailable",
    "MultilingualEmbedder",
    "NothingAnswered",
    "NothingUsable",
    "OfflineChat",
    "OfflineEmbedder",
    "OpenAIBatches",
    "OpenAIChat",
    "OpenAIEmbedder",
    "Price",
    "PriceUnknown",
    "Probe",
    "Record",
    "RequestFile",
    "RetryPolicy",
    "TextsRejected",
    "Usage",
    "answer_limit",
    "are_usable",
    "chat_model",
    "chat_tokens",
    "embedder",
    "failed_usage",
    "ignore_usage",
    "is_responding",
    "most_usd_of_chat",
    "paid_by",
    "price_list",
    "price_of",
    "probe_chat",
    "probe_embedder",
    "request_files",
    "require_models",
    "require_packages",
    "shutdown_date",
    "strict_schema",
    "verdicts_kept",
]
