"""Which chat model and which embedder the settings ask for. Never falls back on another one silently."""

import functools
import os

from llma_assets.models.errors import ModelConfigurationError
from llma_assets.models.offline_chat import OfflineChat
from llma_assets.models.openai_chat import OpenAIChat
from llma_assets.models.openai_embedder import OpenAIEmbedder
from llma_assets.models.openai_server import OpenAIServer
from llma_assets.models.protocols import ChatModel, Embedder
from llma_assets.models.retry import RetryPolicy
from llma_assets.settings import Settings


def chat_model(settings: Settings, name: str | None = None) -> ChatModel:
    """The chat model of the settings, or another one by its name: offline where it begins with `offline`, else a
    server's. All models of one server share what was learned of it.

    Args:
        name: as the server knows it, None for that of the settings.

    Raises:
        ModelConfigurationError: an online model without key and URL, or with ones that cannot be used.
    """
    wanted, where = (settings.chat_model, "LLMA_CHAT_MODEL") if name is None else (name, "model")
    if _is_offline(wanted, OfflineChat.name, where):
        return OfflineChat()
    _need_server(settings, wanted, where)
    server = _server(settings.openai_api_key, settings.openai_base_url)
    return OpenAIChat(wanted, server=server, effort=settings.reasoning_effort)


@functools.lru_cache(maxsize=4)
def _server(api_key: str | None, base_url: str | None) -> OpenAIServer:
    return OpenAIServer(api_key=api_key, base_url=base_url, policy=RetryPolicy())


def embedder(settings: Settings) -> Embedder:
    """The embedder of the settings, chosen as `chat_model` is.

    Raises:
        ModelConfigurationError: as for `chat_model`.
    """
    if settings.embedding_model.startswith("offline"):
        return _offline_embedder(settings.embedding_model)
    _need_server(settings, settings.embedding_model, "LLMA_EMBEDDING_MODEL")
    return OpenAIEmbedder(settings.embedding_model, server=_server(settings.openai_api_key, settings.openai_base_url))


def _offline_embedder(wanted: str) -> Embedder:
    from llma_assets.models import multilingual_embedder, offline_embedder

    if wanted in {multilingual_embedder.SHORT_NAME, multilingual_embedder.NAME}:
        return multilingual_embedder.MultilingualEmbedder()
    names = {"offline": offline_embedder.NAME} | {
        name: name for name in (offline_embedder.NAME, offline_embedder.EARLIER_NAME)
    }
    if wanted not in names:
        there = ["offline", multilingual_embedder.SHORT_NAME, *list(names)[1:], multilingual_embedder.NAME]
        raise ModelConfigurationError(f"LLMA_EMBEDDING_MODEL is {wanted!r}; offline there are {', '.join(there)}")
    # Each run of windows is on one thread of its own, so that threads do not slow each other down as those of BLAS do.
    return offline_embedder.OfflineEmbedder(threads=min(4, os.cpu_count() or 1), name=names[wanted])


def _is_offline(name: str, offline_name: str, variable: str) -> bool:
    """Whether the offline chat model is meant; an offline name that we do not have is an error, not a fallback."""
    if not name.startswith("offline"):
        return False
    if name not in {"offline", offline_name}:
        raise ModelConfigurationError(f"{variable} is {name!r}; offline there is only {offline_name!r}")
    return True


def _need_server(settings: Settings, name: str, variable: str) -> None:
    if settings.openai_api_key is None and settings.openai_base_url is None:
        raise ModelConfigurationError(
            f"{variable} is {name!r}, but neither OPENAI_API_KEY nor OPENAI_BASE_URL is set; "
            f"set one of them, or {variable}=offline"
        )
