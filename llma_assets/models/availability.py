"""Whether the models that a run needs are available, asked before work is done for them."""

from collections.abc import Callable, Collection
from datetime import date
from functools import partial

from llma_assets.models.catalog import find_listed, list_models
from llma_assets.models.choose import chat_model, embedder
from llma_assets.models.errors import InvalidAnswer, ModelConfigurationError, ModelError, ModelUnavailable
from llma_assets.models.openai_chat import OpenAIChat
from llma_assets.models.openai_embedder import OpenAIEmbedder
from llma_assets.models.openai_server import OpenAIServer
from llma_assets.models.prices import price_of
from llma_assets.models.probe import ask_chat, ask_embedder
from llma_assets.models.protocols import ChatModel, Embedder
from llma_assets.models.verdicts import is_usable, keep_usable, kept_refusal
from llma_assets.settings import Settings

_DEADLINE_S = 20.0


def require_models(settings: Settings, chat_models: Collection[str | None] = (None,)) -> None:
    """Make sure that the server knows the chat models and the embedder, and that they may be used.

    A model that the server lists counts as available, which costs nothing; any other is asked one small question. A
    server that is away or busy now may be there later, so that is not an error here.

    Args:
        chat_models: names of chat models, None for that of the settings.

    Raises:
        ModelConfigurationError: one cannot be used; one line with the variable, the model, and what there is instead.
    """
    for name in chat_models:
        chat = chat_model(settings, name)
        if isinstance(chat, OpenAIChat):
            asked = OpenAIChat(chat.name, server=_for_one_question(chat.server), effort=settings.reasoning_effort)
            _need("LLMA_CHAT_MODEL" if name is None else "model of a theme", asked, partial(ask_chat, asked))
    vectors = require_packages(embedder(settings))
    if isinstance(vectors, OpenAIEmbedder):
        again = OpenAIEmbedder(vectors.name, server=_for_one_question(vectors.server))
        _need("LLMA_EMBEDDING_MODEL", again, partial(ask_embedder, again))


def are_usable(settings: Settings, chat_models: Collection[str | None] = (None,)) -> bool:
    """Whether `require_models` would find all of them usable without a question, by `verdicts_kept`.

    Args:
        chat_models: names of chat models, None for that of the settings.
    """
    try:
        models = [*(chat_model(settings, name) for name in chat_models), embedder(settings)]
    except ModelConfigurationError:
        return False
    return all(
        isinstance(each, OpenAIChat | OpenAIEmbedder) and is_usable(each.server.asked(each.name)) for each in models
    )


def require_packages(model: Embedder) -> Embedder:
    """The same model, where the packages that it needs are installed; nothing is loaded.

    Raises:
        ModelConfigurationError: one is not; the message names the extra that brings it.
    """
    from llma_assets.models.multilingual_embedder import MultilingualEmbedder
    from llma_assets.models.offline_embedder import OfflineEmbedder

    if isinstance(model, OfflineEmbedder | MultilingualEmbedder):
        model.require()
    return model


def shutdown_date(model: ChatModel | Embedder) -> date | None:
    """The day on which a model is shut down, by its server or else by `price_of`; None where none is known."""
    told = None
    if isinstance(model, OpenAIChat | OpenAIEmbedder):
        try:
            listed = find_listed(model.name, list_models(model.server))
        except ModelError:
            listed = None
        told = listed.shutdown if listed else None
    price = price_of(model.name.rsplit("/", 1)[-1])
    return told or (price.shutdown if price else None)


def _need(variable: str, model: OpenAIChat | OpenAIEmbedder, ask: Callable[[], object]) -> None:
    asked = model.server.asked(model.name)
    if is_usable(asked):
        return
    try:
        if refusal := kept_refusal(asked):
            raise refusal
        if _is_listed(model):
            keep_usable(asked)
            return
        ask()
    except (InvalidAnswer, ModelUnavailable):
        return
    except ModelConfigurationError as error:
        raise ModelConfigurationError(f"{variable} is {model.name!r}: {error}", kind=error.kind) from None
    finally:
        model.close()


def _is_listed(model: OpenAIChat | OpenAIEmbedder) -> bool:
    try:
        return find_listed(model.name, list_models(model.server)) is not None
    except ModelError:
        return False  # not every server has a list, and not every key may read it


def _for_one_question(server: OpenAIServer) -> OpenAIServer:
    """The same server, asked once and not waited for; what is learned by that is not kept."""
    return server.with_policy(attempts=1, deadline_s=_DEADLINE_S, attempt_timeout_s=_DEADLINE_S)
